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
HASHED = {
    "postgresql": POSTGRESQL, "redshift": REDSHIFT, "duckdb": DUCKDB, "sqlite": SQLITE, "mysql": MYSQL,
    "clickhouse": CLICKHOUSE,
}  # fmt: skip
"""The databases whose hashes are tested, as the fixture `new_database` names them."""
