-- The table: its columns.
SELECT *
FROM crm.people
WHERE 0 = 1;

-- The table: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.[City Name] AS c3, source.[select] AS c4, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS substring_1
FROM crm.people AS source;

-- The table: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) % 32768 AS key_bucket, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS row_hash
FROM crm.people AS source) AS hashed GROUP BY hashed.key_bucket;

-- The table with a catalog: its columns.
SELECT *
FROM (
select * from [main-catalog].crm.[Big People]
) AS source
WHERE 0 = 1;

-- The table with a catalog: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.[City Name] AS c3, source.[select] AS c4, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS substring_1
FROM (select * from [main-catalog].crm.[Big People]
) AS source;

-- The table with a catalog: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) % 32768 AS key_bucket, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS row_hash
FROM (select * from [main-catalog].crm.[Big People]
) AS source) AS hashed GROUP BY hashed.key_bucket;

-- The query: its columns.
SELECT *
FROM (
select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source
WHERE 0 = 1;

-- The query: its rows.
SELECT source.id AS c0, source.e_mail AS c1, source.first_name AS c2, source.[City Name] AS c3, source.[select] AS c4, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS substring_1
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source;

-- The query: the sums of its hashes.
SELECT hashed.key_bucket, count(*) AS count_1, sum(CAST(hashed.row_hash AS NUMERIC(38, 0))) AS sum_1
FROM (SELECT CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) % 32768 AS key_bucket, CAST(substring(hashbytes('SHA2_256', CAST(0x AS VARBINARY(MAX)) + coalesce(hashbytes('SHA2_256', CAST(source.id AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.e_mail AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(CAST(source.first_name AS NVARCHAR(max)) AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[City Name] AS VARBINARY(MAX))), CAST(0 AS BINARY(32))) + coalesce(hashbytes('SHA2_256', CAST(source.[select] AS VARBINARY(MAX))), CAST(0 AS BINARY(32)))), 1, 8) AS BIGINT) AS row_hash
FROM (select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them
) AS source) AS hashed GROUP BY hashed.key_bucket;
