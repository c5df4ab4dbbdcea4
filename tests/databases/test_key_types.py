"""A key of any type stays the same key from run to run, or is refused with advice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.scenario import open_scenario, sync_of

from dagster_dailystory.errors import ConfigurationError

PAIRS = {
    "duckdb": {
        "TINYINT": ("1", "2"), "HUGEINT": ("1", "2"), "UHUGEINT": ("1", "2"), "DOUBLE": ("1.5", "2.5"),
        "DECIMAL(18,3)": ("1.5", "2.5"), "VARCHAR": ("'a'", "'b'"), "BOOLEAN": ("true", "false"),
        "DATE": ("'2020-01-01'", "'2020-01-02'"),
        "TIMESTAMPTZ": ("'2020-01-01 00:00:00+02'", "'2020-01-01 00:00:01+02'"),
        "TIMESTAMP_S": ("'2020-01-01 00:00:00'", "'2020-01-01 00:00:01'"),
        "TIMESTAMP_MS": ("'2020-01-01 00:00:00.001'", "'2020-01-01 00:00:00.002'"),
        "TIME": ("'10:00:00'", "'11:00:00'"), "UUID": ("gen_random_uuid()", "gen_random_uuid()"),
        "BIT": ("'101'", "'111'"),
        "ENUM('a', 'b')": ("'a'", "'b'"), "INTERVAL": ("INTERVAL 1 DAY", "INTERVAL 2 DAY"),
    },
    "postgresql": {
        "SMALLINT": ("1", "2"), "REAL": ("1.5", "2.5"), "NUMERIC": ("1.0", "2.50"), "TEXT": ("'a'", "'b'"),
        "CHAR(5)": ("'a'", "'b'"), "NAME": ("'a'", "'b'"), "BOOLEAN": ("true", "false"),
        "DATE": ("'2020-01-01'", "'2020-01-02'"),
        "TIMESTAMP": ("'2020-01-01 00:00:00.123456'", "'2020-01-01 00:00:01'"),
        "TIMESTAMPTZ": ("'infinity'", "'2020-01-01 00:00:01+02'"), "TIMETZ": ("'10:00:00+02'", "'11:00:00+02'"),
        "INTERVAL": ("'1 day'", "'25 hours'"), "UUID": ("gen_random_uuid()", "gen_random_uuid()"),
        "INET": ("'10.0.0.1'", "'10.0.0.2'"),
        "CIDR": ("'10.0.0.0/8'", "'11.0.0.0/8'"),
        "INT4RANGE": ("'[1,2)'", "'[2,3)'"), "MACADDR": ("'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
        "MONEY": ("1", "2"), "OID": ("1", "2"), "BIT(3)": ("b'101'", "b'111'"),
    },
}  # fmt: skip
NESTED = {
    "duckdb": {
        "STRUCT(a INTEGER)": "{'a': 1}", "MAP(VARCHAR, INTEGER)": "MAP {'a': 1}", "INTEGER[]": "[1, 2]",
        "INTEGER[2]": "[1, 2]",
    },
    "postgresql": {"JSON": "'{\"a\": 1}'", "JSONB": "'{\"a\": 1}'", "INTEGER[]": "'{1,2}'"},
}  # fmt: skip
SYNC = {"source": "people", "key": "id", "fields": {"email": "email"}, "extended_properties": {}}


OF_ANOTHER_FORM = (
    "HUGEINT", "DOUBLE", "TIMESTAMPTZ", "TIMESTAMP_MS", "BIT", "ENUM('a', 'b')", "INTERVAL",
    "REAL", "NUMERIC", "CHAR(5)", "TIMETZ", "INET", "INT4RANGE", "MONEY", "BIT(3)",
)  # fmt: skip
"""Types of which equal values may have different texts; only these are tested with the state inside too."""


@pytest.mark.parametrize("database", PAIRS)
@pytest.mark.parametrize("state", ["", "sqlite"])
def test_a_key_is_the_same_key_in_the_next_run(new_database: Callable[[str], str], database: str, state: str):
    """A key of many columns, one for each type."""
    kinds = [kind for kind in PAIRS[database] if state or kind in OF_ANOTHER_FORM]
    settings = {**SYNC, "key": [f"key_{place}" for place, _ in enumerate(kinds)]}
    with open_scenario(new_database, database, state or None) as scenario:
        scenario.create("people", **dict(zip(settings["key"], kinds, strict=True)), email="varchar(99)")
        for number in (1, 2):
            key = ", ".join(PAIRS[database][kind][number - 1] for kind in kinds)
            scenario.execute(f"INSERT INTO people VALUES ({key}, 'p{number}@example.com')")
        assert scenario.run(sync_of(**settings)).rows_created == 2
        report = scenario.run(sync_of(**settings, deletes="delete"))
        assert (report.api_requests, report.rows_unchanged) == (0, 2)
        scenario.execute("DELETE FROM people WHERE email = 'p1@example.com'")
        gone = sync_of(**settings, deletes="delete", max_deleted_fraction=None)
        assert scenario.run(gone).rows_deleted == 1
        assert scenario.emails() == ["p2@example.com"]


@pytest.mark.parametrize(("database", "kind"), [(name, kind) for name, kinds in NESTED.items() for kind in kinds])
@pytest.mark.parametrize(("source", "state"), [("people", ""), ("SELECT * FROM people", "sqlite")])
def test_a_key_of_several_values_is_refused(
    new_database: Callable[[str], str], database: str, kind: str, source: str, state: str
):
    with open_scenario(new_database, database, state or None) as scenario:
        scenario.create("people", id=kind, email="varchar(99)")
        scenario.execute(f"INSERT INTO people VALUES ({NESTED[database][kind]}, 'p1@example.com')")
        with pytest.raises(ConfigurationError, match="holds several values; select one of them in the query"):
            scenario.run(sync_of(**{**SYNC, "source": source}))


@pytest.mark.parametrize("source", ["people", "SELECT * FROM people"])
def test_nanoseconds_keep_keys_apart_on_duckdb(new_database: Callable[[str], str], source: str):
    with open_scenario(new_database, "duckdb", None) as scenario:
        scenario.create("people", id="TIMESTAMP_NS", email="varchar(99)")
        for number in (1, 2):
            scenario.execute(
                f"INSERT INTO people VALUES ('2020-01-01 00:00:00.12345678{number}', 'p{number}@example.com')"
            )
        sync = sync_of(**{**SYNC, "source": source})
        assert scenario.run(sync).rows_created == 2
        assert scenario.run(sync).api_requests == 0
