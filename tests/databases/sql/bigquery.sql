-- The table: its columns.
SELECT *
FROM `crm`.`people`
WHERE false;

-- The table: its rows.
SELECT `source`.`id` AS `c0`, `source`.`e_mail` AS `c1`, `source`.`first_name` AS `c2`, `source`.`City Name` AS `c3`, `source`.`select` AS `c4`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `farm_fingerprint_1`
FROM `crm`.`people` AS `source`;

-- The table: the sums of its hashes.
SELECT `hashed`.`key_bucket`, count(*) AS `count_1`, sum(CAST(`hashed`.`row_hash` AS BIGNUMERIC)) AS `sum_1`
FROM (SELECT mod(farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ','), 32768) AS `key_bucket`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `row_hash`
FROM `crm`.`people` AS `source`) AS `hashed` GROUP BY `hashed`.`key_bucket`;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from `main-catalog`.`crm`.`Big People`
) AS source
WHERE false;

-- The table with a catalog: its rows.
SELECT `source`.`id` AS `c0`, `source`.`e_mail` AS `c1`, `source`.`first_name` AS `c2`, `source`.`City Name` AS `c3`, `source`.`select` AS `c4`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `farm_fingerprint_1`
FROM (select * from `main-catalog`.`crm`.`Big People`
) AS `source`;

-- The table with a catalog: the sums of its hashes.
SELECT `hashed`.`key_bucket`, count(*) AS `count_1`, sum(CAST(`hashed`.`row_hash` AS BIGNUMERIC)) AS `sum_1`
FROM (SELECT mod(farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ','), 32768) AS `key_bucket`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `row_hash`
FROM (select * from `main-catalog`.`crm`.`Big People`
) AS `source`) AS `hashed` GROUP BY `hashed`.`key_bucket`;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE false;

-- The query: its rows.
SELECT `source`.`id` AS `c0`, `source`.`e_mail` AS `c1`, `source`.`first_name` AS `c2`, `source`.`City Name` AS `c3`, `source`.`select` AS `c4`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `farm_fingerprint_1`
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS `source`;

-- The query: the sums of its hashes.
SELECT `hashed`.`key_bucket`, count(*) AS `count_1`, sum(CAST(`hashed`.`row_hash` AS BIGNUMERIC)) AS `sum_1`
FROM (SELECT mod(farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ','), 32768) AS `key_bucket`, farm_fingerprint('' || coalesce(to_json_string(`source`.`id`), 'null') || ',' || coalesce(to_json_string(`source`.`e_mail`), 'null') || ',' || coalesce(to_json_string(`source`.`first_name`), 'null') || ',' || coalesce(to_json_string(`source`.`City Name`), 'null') || ',' || coalesce(to_json_string(`source`.`select`), 'null') || ',') AS `row_hash`
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS `source`) AS `hashed` GROUP BY `hashed`.`key_bucket`;
