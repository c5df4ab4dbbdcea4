"""What the tests of row hashes put into each database: values that differ, values that do not, types that are refused.

A new database needs an entry in `HASHED`, and its name in the fixture `new_database`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HashedTypes:
    """The types of one database, with values as SQL.

    Attributes:
        apart: Type -> values that differ.
        alike: Type -> two values that our engine reads as one.
        refused: Type -> a value, and the word for the type in the reason.
        generated: The types of the columns `GENERATED`, for rows that Hypothesis makes.
        settings: Statements that change what a session writes, but not the values.
        suffix: What a CREATE TABLE needs at its end.
    """

    apart: Mapping[str, tuple[str, ...]]
    generated: tuple[str, ...]
    alike: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    suffix: str = ""


GENERATED = ("note", "label", "amount", "price", "rate", "day", "moment")
"""Two texts, an integer, a decimal, a float, a date and a timestamp."""

_TEXTS = ("NULL", "''", "'a'", "'A'", "'a '", "'ab'", "'b'", "'bc'", "'c'", "','", "'N'", "'null'", "'Zoë'")
_INTEGERS = ("NULL", "0", "-1", "1", "4294967295", "4294967296", "9007199254740992", "9007199254740993")
_FLOATS = ("NULL", "0", "1", "-1", "0.1", "0.10000000000000002", "1e300", "-1.5", "16777217", "16777219")
_DECIMALS = ("NULL", "0", "-1", "0.1", "1", "12345678901234567890.000001", "12345678901234567890.000002")
_DATES = ("NULL", "'2000-01-01'", "'2024-02-29'", "'2024-03-01'", "'1900-01-01'")
_MOMENTS = (
    "NULL", "'2024-02-29 10:00:00'", "'2024-02-29 10:00:00.000001'", "'2024-02-29 10:00:00.000002'",
    "'2024-02-29 22:00:00'", "'1999-12-31 23:59:59.999999'", "'2000-01-01 00:00:00'", "'2000-01-01 00:00:00.000001'",
    "'2000-01-01 01:11:34.967296'",
)  # fmt: skip
_ZONED = (
    "NULL", "'2024-02-29 10:00:00+00'", "'2024-02-29 10:00:00.000001+00'", "'2024-02-29 10:00:00+02'",
    "'2024-10-27 00:30:00+00'", "'2024-10-27 01:30:00+00'", "'2000-01-01 00:00:00.000001+00'",
    "'2000-01-01 01:11:34.967296+00'",
)  # fmt: skip
_JSONS = ("NULL", "'null'", "'{}'", "'[]'", "'{\"a\": 1}'", '\'{"a": "1"}\'', "'{\"a\": null}'", "'{\"b\": 1}'")
_UUIDS = ("NULL", "'7f3c1d52-2d5c-4a6e-9d30-1f2e3d4c5b6a'", "'7f3c1d52-2d5c-4a6e-9d30-1f2e3d4c5b6b'")
_SAME_UUID = ("'7f3c1d52-2d5c-4a6e-9d30-1f2e3d4c5b6a'", "'7F3C1D52-2D5C-4A6E-9D30-1F2E3D4C5B6A'")
_ARRAYS = ("NULL", "array[]::{0}", "array[NULL]::{0}", "array[{1}]::{0}", "array[{2}]::{0}", "array[{1}, {2}]::{0}",
           "array[{2}, {1}]::{0}", "array[{1}, NULL]::{0}", "array[NULL, {1}]::{0}")  # fmt: skip
_SCALARS = {"boolean": ("NULL", "true", "false"), "date": _DATES}


def _arrays(kind: str, one: str, other: str) -> tuple[str, ...]:
    return tuple(each.format(kind, one, other) for each in _ARRAYS)


POSTGRESQL = HashedTypes(
    apart={
        **_SCALARS, "text": _TEXTS, "bigint": _INTEGERS, "numeric(38, 6)": _DECIMALS, "timestamp": _MOMENTS,
        "timestamptz": _ZONED, "double precision": _FLOATS, "real": ("NULL", "0", "0.1", "16777216", "16777218"),
        "uuid": _UUIDS, "json": _JSONS, "text[]": _arrays("text[]", "'a'", "'b,c'"),
        "integer[]": _arrays("integer[]", "0", "-1"),
        "interval": ("NULL", "'1 day'", "'24 hours'", "'1 mon'", "'30 days'"),
        "time": ("NULL", "'10:00'", "'10:00:00.000001'"),
    },
    alike={
        "numeric(38, 6)": ("1.5", "1.50"), "timestamptz": ("'2024-01-31 10:00+00'", "'2024-01-31 12:00+02'"),
        "uuid": _SAME_UUID, "timestamp": ("'2024-01-31 10:00'", "'2024-01-31 10:00:00.000'"),
        "char(3)": ("'a'", "'a '"),
    },
    generated=("text", "text", "bigint", "numeric(38, 6)", "double precision", "date", "timestamp"),
    settings=("SET TimeZone TO 'Asia/Tokyo'", "SET DateStyle TO 'German, DMY'", "SET bytea_output TO 'escape'"),
)  # fmt: skip
REDSHIFT = HashedTypes(
    apart={
        **_SCALARS, "varchar(100)": _TEXTS, "bigint": _INTEGERS, "numeric(38, 6)": _DECIMALS, "timestamp": _MOMENTS,
        "timestamptz": _ZONED, "double precision": _FLOATS, "real": ("NULL", "0", "0.1", "16777216", "16777218"),
        "char(3)": ("NULL", "'a'", "'A'", "','", "'a,b'"), "time": ("NULL", "'10:00'", "'10:00:00.000001'"),
    },
    alike={
        "numeric(38, 6)": ("1.5", "1.50"), "timestamptz": ("'2024-01-31 10:00+00'", "'2024-01-31 12:00+02'"),
        "char(3)": ("'a'", "'a '"),
    },
    refused={"interval": ("'1 day'", "INTERVAL"), "uuid": (_SAME_UUID[0], "type 2950")},
    generated=("varchar(100)", "varchar(100)", "bigint", "numeric(38, 6)", "double precision", "date", "timestamp"),
    settings=(*POSTGRESQL.settings, "SET extra_float_digits TO -15"),
)  # fmt: skip
DUCKDB = HashedTypes(
    apart={
        **_SCALARS, "varchar": _TEXTS, "varchar COLLATE nocase": _TEXTS, "bigint": _INTEGERS,
        "decimal(38, 6)": _DECIMALS, "decimal(9, 2)": ("NULL", "1", "-1", "0.01"), "timestamp": _MOMENTS,
        "timestamptz": _ZONED, "double": _FLOATS, "float": ("NULL", "0", "0.1", "16777216", "16777218"),
        "hugeint": ("NULL", "0", "-1", "1", "18446744073709551616"), "uuid": _UUIDS, "json": _JSONS,
        "varchar[]": _arrays("varchar[]", "'a'", "'b, c'"), "integer[]": _arrays("integer[]", "0", "-1"),
        "struct(a varchar, b varchar)": (
            "NULL", "{'a': NULL, 'b': NULL}", "{'a': '', 'b': NULL}", "{'a': NULL, 'b': ''}", "{'a': 'ab', 'b': 'c'}",
            "{'a': 'a', 'b': 'bc'}",
        ),
        "map(varchar, varchar)": (
            "NULL", "map {}", "map {'a': 'b'}", "map {'b': 'a'}", "map {'a': NULL}", "map {'a': ''}",
        ),
        "interval": ("NULL", "interval '1 day'", "interval '24 hours'", "interval '1 month'", "interval '30 days'"),
        "timetz": ("NULL", "'10:00:00+00'", "'12:00:00+02'"),
    },
    alike={
        "decimal(20, 4)": ("1.5", "1.50"), "timestamptz": ("'2024-01-31 10:00:00+00'", "'2024-01-31 12:00:00+02'"),
        "uuid": _SAME_UUID,
    },
    generated=("varchar", "varchar", "bigint", "decimal(38, 6)", "double", "date", "timestamp"),
    settings=("SET TimeZone = 'Asia/Tokyo'",),
)  # fmt: skip
SQLITE = HashedTypes(
    apart={
        "": (*_TEXTS, "0", "1", "1.5", "9007199254740993", "0.1", "0.10000000000000002", "x'61'", "x''"),
        "text COLLATE nocase": _TEXTS, "integer": _INTEGERS, "real": _FLOATS,
        "blob": ("x'ff'", "x'fe'", "x''", "CAST(x'ff' AS text)", "CAST(x'fe' AS text)", "CAST(x'6100' AS text)", "'a'"),
    },
    generated=("text", "text COLLATE nocase", "integer", "numeric", "real", "text", "text"),
    settings=("PRAGMA case_sensitive_like = ON",),
)  # fmt: skip
MYSQL = HashedTypes(
    apart={
        "varchar(50)": _TEXTS, "varchar(50) COLLATE utf8mb4_general_ci": _TEXTS, "text": _TEXTS,
        "varchar(50) CHARACTER SET latin1": _TEXTS, "bigint": _INTEGERS, "decimal(38, 6)": _DECIMALS, "date": _DATES,
        "bigint unsigned": ("NULL", "0", "18446744073709551615", "9223372036854775808"), "double": _FLOATS,
        "float": ("NULL", "0", "0.1", "16777216", "16777218"), "datetime(6)": _MOMENTS, "timestamp(6) NULL": _MOMENTS,
        "time(6)": ("NULL", "'10:00:00'", "'10:00:00.000001'", "'-10:00:00'", "'200:00:00'"), "json": _JSONS,
        "bit(12)": ("NULL", "b'0'", "b'1'", "b'101'", "b'100000101'"),
        "blob": ("NULL", "''", "x'ff'", "x'fe'", "x'fe00'"),
        "varbinary(5)": ("NULL", "''", "x'ff'", "x'fe'", "x'fe00'"), "enum('a', 'B')": ("NULL", "'a'", "'B'"),
        "set('a', 'b')": ("NULL", "''", "'a'", "'b'", "'a,b'"), "year": ("NULL", "2024", "1999"),
        "boolean": ("NULL", "true", "false"),
    },
    alike={"decimal(20, 4)": ("1.5", "1.50"), "char(3)": ("'a'", "'a '"), "enum('a', 'b')": ("'a'", "1")},
    refused={"point": ("point(1, 2)", "GEOMETRY")},
    generated=(
        "varchar(50)", "text COLLATE utf8mb4_general_ci", "bigint", "decimal(38, 6)", "double", "date", "datetime(6)",
    ),
    settings=(
        "SET SESSION group_concat_max_len = 4", "SET NAMES latin1", "SET SESSION lc_time_names = 'de_DE'",
        "SET SESSION sql_mode = 'ANSI,PIPES_AS_CONCAT'", "SET SESSION div_precision_increment = 0",
    ),
)  # fmt: skip
CLICKHOUSE = HashedTypes(
    apart={
        "Nullable(String)": _TEXTS, "LowCardinality(Nullable(String))": _TEXTS, "Nullable(Int64)": _INTEGERS,
        "Nullable(Decimal(38, 6))": ("NULL", "0", "-1", "0.1", "1", "'12345678901234567890.000001'"),
        "Nullable(Float64)": _FLOATS, "Nullable(Float32)": ("NULL", "0.1", "16777216", "16777218"),
        "Nullable(Bool)": ("NULL", "true", "false"), "Nullable(Date32)": _DATES, "Nullable(DateTime64(6))": _MOMENTS,
        "DateTime64(6, 'Europe/Berlin')": _MOMENTS[1:], "Nullable(UUID)": _UUIDS,
        "Nullable(Int128)": ("NULL", "0", "-1", "1", "'18446744073709551616'"),
        "Nullable(UInt256)": ("NULL", "0", "1", "'18446744073709551616'", "'340282366920938463463374607431768211456'"),
        "Array(Nullable(Int64))": ("[]", "[NULL]", "[0]", "[-1]", "[0, -1]", "[-1, 0]", "[0, NULL]", "[NULL, 0]"),
        "Array(String)": ("[]", "['']", "['a']", "['a', 'b']", "['b', 'a']", "['a,b']", "['', 'a']", "['a', '']"),
        "Array(Array(String))": ("[]", "[[]]", "[[], []]", "[['a']]", "[['a'], []]", "[[], ['a']]", "[['a', 'a']]"),
        "Tuple(Nullable(String), Nullable(String))": (
            "(NULL, NULL)", "('', NULL)", "(NULL, '')", "('ab', 'c')", "('a', 'bc')",
        ),
        "Array(Tuple(String, String))": ("[]", "[('a', 'b')]", "[('b', 'a')]", "[('a', 'b'), ('c', 'd')]",
                                         "[('a', 'c'), ('b', 'd')]"),
        "Map(String, Nullable(String))": (
            "map()", "map('a', 'b')", "map('b', 'a')", "map('a', NULL)", "map('a', '')", "map('a', 'b', 'c', 'd')",
            "map('a', 'd', 'c', 'b')",
        ),
        "JSON": ("'{}'", "'{\"a\": 1}'", "'{\"a\": \"1\"}'", "'{\"b\": 1}'", "'{\"a\": {\"b\": 1}}'", "'{\"a\": [1]}'"),
        "Enum('a' = 1, 'B' = 2)": ("'a'", "'B'"), "FixedString(2)": ("''", "'a'", "'ab'", "'A'"),
    },
    alike={"Decimal(20, 4)": ("1.5", "1.50"), "UUID": _SAME_UUID,
           "JSON": ("'{\"a\": 1, \"b\": 2}'", "'{\"b\":2,\"a\":1}'")},
    refused={"Variant(String, Int64)": ("'a'", "Variant"),
             "Array(JSON)": ("['{}']", "JSON"), "Dynamic": ("'a'", "Dynamic")},
    generated=tuple(
        f"Nullable({each})" for each in ("String", "String", "Int64", "Decimal(38, 6)", "Float64", "Date32",
                                     "DateTime64(6)")
    ),
    settings=("SET date_time_output_format = 'unix_timestamp'", "SET output_format_decimal_trailing_zeros = 1"),
    suffix=" ENGINE = Memory",
)  # fmt: skip
# fakesnow hashes with DuckDB's function. What runs here is the statement, through Snowflake's driver: it has a place
# for each value, keeps NULL and the JSON null apart, and fits into 64 bits. Snowflake's own hash is another one, which
# nothing here runs. fakesnow has neither collations nor settings of a session.
SNOWFLAKE = HashedTypes(
    apart={
        **_SCALARS, "varchar(50)": _TEXTS, "number(38, 0)": _INTEGERS,
        "number(38, 6)": _DECIMALS, "float": _FLOATS, "timestamp_ntz": _MOMENTS, "timestamp_ltz": _MOMENTS,
        "timestamp_tz": _ZONED, "time": ("NULL", "'10:00:00'", "'10:00:00.000001'"),
        "binary": ("NULL", "to_binary('ff', 'hex')", "to_binary('fe', 'hex')", "to_binary('fe00', 'hex')"),
        "variant": ("NULL", *(f"parse_json({each})" for each in _JSONS[1:]), "parse_json('[]')"),
        "object": ("NULL", *(f"parse_json({each})" for each in _JSONS[2:] if each != "'[]'")),
        "array": ("NULL", *(f"parse_json('{each}')" for each in ("[]", "[null]", "[0]", "[-1]", "[0, -1]", "[-1, 0]"))),
    },
    alike={
        "number(20, 4)": ("1.5", "1.50"), "timestamp_tz": ("'2024-01-31 10:00:00+00'", "'2024-01-31 12:00:00+02'"),
        "variant": ("parse_json('{\"a\": 1}')", "parse_json('{\"a\":1}')"),
    },
    generated=("varchar(50)", "varchar(50)", "number(38, 0)", "number(38, 6)", "float", "date", "timestamp_ntz"),
)  # fmt: skip
# Spark's functions are those of Databricks. Its Thrift server has no VARIANT but within another type.
DATABRICKS = HashedTypes(
    apart={
        **_SCALARS, "string": _TEXTS, "string COLLATE UTF8_LCASE": _TEXTS, "varchar(50)": _TEXTS,
        "char(3)": ("NULL", "'a'", "'A'", "','", "'a,b'"), "tinyint": ("NULL", "0", "-1", "1"),
        "smallint": ("NULL", "0", "-1", "1"), "int": ("NULL", "0", "-1", "1", "2147483647"), "bigint": _INTEGERS,
        "decimal(38, 6)": _DECIMALS, "double": (*_FLOATS, "-0.0D", "double('NaN')", "double('Infinity')"),
        "float": ("NULL", "0", "0.1", "16777216", "16777218", "1.5", "15", "-0.0F"),
        "timestamp": (*_MOMENTS, *_ZONED[3:5]), "timestamp_ntz": _MOMENTS, "void": ("NULL",),
        "binary": ("NULL", "X''", "X'FF'", "X'FE'", "X'FE00'"),
        "interval day to second": (
            "NULL", "interval '1' day", "interval '1 00:00:00.000001' day to second", "interval '-1' day",
        ),
        "interval year to month": ("NULL", "interval '1' month", "interval '1' year", "interval '-1' month"),
        "array<string>": (
            "NULL", "array()", "array(NULL)", "array('')", "array('a')", "array('b,c')", "array('a', 'b,c')",
            "array('b,c', 'a')", "array('a', NULL)", "array(NULL, 'a')", "array('a\"', '\"b')", "array('A')",
        ),
        "array<string COLLATE UTF8_LCASE>": ("NULL", "array('a')", "array('A')"),
        "array<double>": (
            "NULL", "array()", "array(NULL)", "array(0D)", "array(-0.0D)", "array(0.1D)", "array(0.10000000000000002D)",
        ),
        "array<decimal(38, 6)>": ("NULL", *(f"array({each})" for each in _DECIMALS)),
        "array<binary>": ("NULL", "array(X'')", "array(X'FF')", "array(X'FE')", "array(X'FE00')"),
        "array<date>": ("NULL", *(f"array(date {each})" for each in _DATES[1:])),
        "array<interval day to second>": ("NULL", "array(interval '1' second)", "array(interval '1.000001' second)"),
        "array<variant>": ("NULL", *(f"array(parse_json({each}))" for each in _JSONS[1:])),
        "array<timestamp>": (
            "NULL", "array(timestamp '2024-02-29 10:00:00')", "array(timestamp '2024-02-29 10:00:00.000001')",
            "array(timestamp '2024-02-29 10:00:00.000002')",
        ),
        "array<array<string>>": (
            "NULL", "array()", "array(NULL)", "array(array())", "array(array(), array())", "array(array('a'))",
            "array(array('a'), array())", "array(array(), array('a'))", "array(array('a', 'a'))",
        ),
        "map<binary, string>": ("NULL", "map(X'FF', 'a')", "map(X'FE', 'a')", "map(X'FE00', 'a')"),
        "map<struct<a: string, b: string>, int>": (
            "NULL", "map(named_struct('a', 'a,b', 'b', 'c'), 1)", "map(named_struct('a', 'a', 'b', 'b,c'), 1)",
        ),
        "map<string, string>": (
            "NULL", "map()", "map('a', 'b')", "map('b', 'a')", "map('a', NULL)", "map('a', '')",
            "map('a', 'b', 'c', 'd')", "map('a', 'd', 'c', 'b')",
        ),
        "struct<a: string, b: string>": (
            "NULL", *(f"named_struct('a', {one}, 'b', {other})" for one, other in (
                ("NULL", "NULL"), ("''", "NULL"), ("NULL", "''"), ("'ab'", "'c'"), ("'a'", "'bc'"),
            )),
        ),
    },
    alike={
        "decimal(20, 4)": ("1.5", "1.50"), "timestamp": ("'2024-01-31 10:00:00+00'", "'2024-01-31 12:00:00+02'"),
    },
    generated=("string", "string COLLATE UTF8_LCASE", "bigint", "decimal(38, 6)", "double", "date", "timestamp"),
    settings=(
        "SET TIME ZONE 'Asia/Tokyo'", "SET spark.sql.jsonGenerator.ignoreNullFields = true",
        "SET spark.sql.binaryOutputStyle = HEX", "SET spark.sql.ansi.enabled = false",
    ),
)  # fmt: skip
# The emulator rounds NUMERIC to three places and BIGNUMERIC to five. It has no sessions, so no settings of them, and
# does not finish the translation of a statement with two hundred columns. In BigQuery's tables no array is NULL.
BIGQUERY = HashedTypes(
    apart={
        "bool": _SCALARS["boolean"], "date": _DATES, "string": _TEXTS, "int64": _INTEGERS, "float64": _FLOATS,
        "numeric": (*_DECIMALS[:5], "0.125", "-0.125", "123456789012345.001"),
        "bignumeric": (*_DECIMALS[:5], "0.00001", "0.00002"), "datetime": _MOMENTS, "timestamp": _ZONED,
        "time": ("NULL", "'10:00:00'", "'10:00:00.000001'"),
        "bytes": ("NULL", "b''", "from_hex('ff')", "from_hex('fe')", "from_hex('fe00')"),
        "interval": ("NULL", "interval 1 day", "interval 24 hour", "interval 1 month", "interval 30 day"),
        "json": ("NULL", *(f"json {each}" for each in _JSONS[2:])),
        "array<string>": ("[]", "['']", "['a']", "['a', 'b']", "['b', 'a']", "['a,b']", "['', 'a']", "['a', '']"),
        "array<int64>": ("[]", "[0]", "[-1]", "[0, -1]", "[-1, 0]"),
    },
    alike={
        "numeric": ("numeric '1.5'", "numeric '1.50'"),
        "timestamp": ("'2024-01-31 10:00:00+00'", "'2024-01-31 12:00:00+02'"),
        "json": ("NULL", "json 'null'"),
    },
    refused={"struct<a int64>": ("struct(1)", "STRUCT")},
    generated=("string", "string", "int64", "numeric", "float64", "date", "datetime"),
)  # fmt: skip
HASHED = {
    "postgresql": POSTGRESQL, "redshift": REDSHIFT, "duckdb": DUCKDB, "sqlite": SQLITE, "mysql": MYSQL,
    "clickhouse": CLICKHOUSE, "snowflake": SNOWFLAKE, "databricks": DATABRICKS, "bigquery": BIGQUERY,
}  # fmt: skip
"""The databases whose hashes are tested, as the fixture `new_database` names them."""
