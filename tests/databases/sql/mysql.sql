-- The table: its columns.
SELECT *
FROM crm.people
WHERE false = 1;

-- The table: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.`City Name` AS c3, source.`select` AS c4, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS conv_1
FROM crm.people AS source;

-- The table: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'))), 16), 16, -10) AS SIGNED INTEGER) % 32768 AS key_bucket, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS row_hash
FROM crm.people AS source) AS hashed GROUP BY hashed.key_bucket;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from `main-catalog`.crm.`Big People`
) AS source
WHERE false = 1;

-- The table with a catalog: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.`City Name` AS c3, source.`select` AS c4, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS conv_1
FROM (select * from `main-catalog`.crm.`Big People`
) AS source;

-- The table with a catalog: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'))), 16), 16, -10) AS SIGNED INTEGER) % 32768 AS key_bucket, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS row_hash
FROM (select * from `main-catalog`.crm.`Big People`
) AS source) AS hashed GROUP BY hashed.key_bucket;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE false = 1;

-- The query: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.`City Name` AS c3, source.`select` AS c4, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS conv_1
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source;

-- The query: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS DECIMAL(38, 0))) AS sum_1
FROM (SELECT CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'))), 16), 16, -10) AS SIGNED INTEGER) % 32768 AS key_bucket, CAST(conv(left(md5(concat(coalesce(concat(length(CAST(source.id AS BINARY)), ':', CAST(source.id AS BINARY)), 'N'), coalesce(concat(length(CAST(source.e_mail AS BINARY)), ':', CAST(source.e_mail AS BINARY)), 'N'), coalesce(concat(length(CAST(source.first_name + 0e0 AS BINARY)), ':', CAST(source.first_name + 0e0 AS BINARY)), 'N'), coalesce(concat(length(CAST(source.`City Name` AS BINARY)), ':', CAST(source.`City Name` AS BINARY)), 'N'), coalesce(concat(length(md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), ':', md5(CAST(CAST(source.`select` AS CHAR) AS BINARY))), 'N'))), 16), 16, -10) AS SIGNED INTEGER) AS row_hash
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source) AS hashed GROUP BY hashed.key_bucket;
