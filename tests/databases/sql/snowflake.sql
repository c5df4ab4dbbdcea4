-- The table: its columns.
SELECT *
FROM crm.people
WHERE false;

-- The table: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS mod_1
FROM crm.people AS source;

-- The table: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT mod(mod(hash(source.id), 9223372036854775807), 32768) AS key_bucket, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS row_hash
FROM crm.people AS source) AS hashed GROUP BY hashed.key_bucket;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from "main-catalog".crm."Big People"
) AS source
WHERE false;

-- The table with a catalog: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS mod_1
FROM (select * from "main-catalog".crm."Big People"
) AS source;

-- The table with a catalog: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT mod(mod(hash(source.id), 9223372036854775807), 32768) AS key_bucket, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS row_hash
FROM (select * from "main-catalog".crm."Big People"
) AS source) AS hashed GROUP BY hashed.key_bucket;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE false;

-- The query: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS mod_1
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source;

-- The query: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT mod(mod(hash(source.id), 9223372036854775807), 32768) AS key_bucket, mod(hash(source.id, source.e_mail, source.first_name, source."City Name", to_json(source."select")), 9223372036854775807) AS row_hash
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source) AS hashed GROUP BY hashed.key_bucket;
