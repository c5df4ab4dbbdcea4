-- The table: its columns.
SELECT *
FROM crm.people
WHERE false;

-- The table: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS farmfingerprint64_1
FROM crm.people AS source;

-- The table: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',') % 32768 AS key_bucket, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS row_hash
FROM crm.people AS source) AS hashed GROUP BY hashed.key_bucket;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from "main-catalog".crm."Big People"
) AS source
WHERE false;

-- The table with a catalog: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS farmfingerprint64_1
FROM (select * from "main-catalog".crm."Big People"
) AS source;

-- The table with a catalog: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',') % 32768 AS key_bucket, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS row_hash
FROM (select * from "main-catalog".crm."Big People"
) AS source) AS hashed GROUP BY hashed.key_bucket;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE false;

-- The query: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source."City Name" AS c3, source."select" AS c4, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS farmfingerprint64_1
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source;

-- The query: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',') % 32768 AS key_bucket, farmfingerprint64('' || CASE WHEN (source.id IS NULL) THEN '' ELSE CAST(source.id AS VARCHAR) END || ',' || CASE WHEN (source.e_mail IS NULL) THEN '' ELSE CAST(farmfingerprint64(to_varbyte(source.e_mail, 'utf8')) AS VARCHAR) END || ',' || CASE WHEN (source.first_name IS NULL) THEN '' ELSE CAST(CAST(source.first_name AS INTEGER) AS VARCHAR) END || ',' || CASE WHEN (source."City Name" IS NULL) THEN '' ELSE CAST(fnv_hash(source."City Name") AS VARCHAR) END || ',' || CASE WHEN (source."select" IS NULL) THEN '' ELSE CAST(fnv_hash(source."select") AS VARCHAR) END || ',') AS row_hash
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source) AS hashed GROUP BY hashed.key_bucket;
