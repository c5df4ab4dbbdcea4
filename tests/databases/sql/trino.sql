-- The table: its columns.
SELECT *
FROM crm.people
WHERE false;

-- The table: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS from_big_endian_64_1
FROM crm.people AS source;

-- The table: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR)] AS JSON))))) % 32768 AS key_bucket, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS row_hash
FROM crm.people AS source) AS hashed GROUP BY hashed.key_bucket;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from "main-catalog".crm."Big People"
) AS source
WHERE false;

-- The table with a catalog: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS from_big_endian_64_1
FROM (select * from "main-catalog".crm."Big People"
) AS source;

-- The table with a catalog: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR)] AS JSON))))) % 32768 AS key_bucket, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS row_hash
FROM (select * from "main-catalog".crm."Big People"
) AS source) AS hashed GROUP BY hashed.key_bucket;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE false;

-- The query: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS from_big_endian_64_1
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source;

-- The query: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR)] AS JSON))))) % 32768 AS key_bucket, from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ARRAY[CAST(source.id AS VARCHAR), CAST(source.e_mail AS VARCHAR), json_format(source.first_name), CAST(source."City Name" AS VARCHAR), json_format(CAST(source."select" AS JSON))] AS JSON))))) AS row_hash
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source) AS hashed GROUP BY hashed.key_bucket;
