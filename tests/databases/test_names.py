"""Names in real databases: capitals, reserved words, blanks, quotes, other scripts, long names, catalogs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from support.placements import emulated
from support.scenario import open_scenario, sync_of

from dagster_dailystory.databases.connect import similar_table
from dagster_dailystory.databases.source_text import name_parts
from dagster_dailystory.definitions.lineage import find_upstream
from dagster_dailystory.errors import ConfigurationError, WarehouseError

LONG = "x" * 60
COLUMNS = ("Mixed Case", "select", 'quo"ted', "día_日本", "per%cent", "co:lon", LONG)
PLACES = (
    ("duckdb", None),
    ("postgresql", None),
    ("sqlite", None),
    ("sqlite", "duckdb"),
    ("mysql", "postgresql"),
    ("clickhouse", "sqlite"),
    emulated("databricks", "sqlite"),
    emulated("bigquery", "sqlite"),
)


@pytest.mark.parametrize(("warehouse", "state"), PLACES)
def test_columns_and_tables_of_any_name_are_read(
    warehouse: str, state: str | None, new_database: Callable[[str], str]
) -> None:
    is_plain = warehouse in ("bigquery", "databricks")  # their engines allow no blank in the name of a table
    name_of_table = "Order_Lines" if is_plain else "Order Lines"
    names = [name for name in COLUMNS if warehouse != "bigquery" or '"' not in name]  # BigQuery allows no quote
    sync = sync_of(
        source=f'"{name_of_table}"',
        key="Customer Id",
        fields={"email": "E-Mail"},
        extended_properties={name: name for name in names},
    )
    with open_scenario(new_database, warehouse, state) as scenario:
        quote = sa.create_engine(scenario.warehouse_url).dialect.identifier_preparer.quote
        kind = "string" if is_plain else "varchar(50)"
        columns = ", ".join(f"{quote(name)} {kind}" for name in ("E-Mail", *names))
        literals = ", ".join("'x'" for _ in names)
        table = quote(name_of_table)
        create = f"CREATE TABLE {table} ({quote('Customer Id')} integer, {columns})"
        if scenario.dialect in ("postgresql", "mysql", "mariadb", "clickhousedb", "bigquery"):
            create = create.replace("%%", "%")  # quoting doubles it for the driver, and text() does again
        if is_plain:
            scenario.execute_own(create)
        else:
            scenario.execute(create.replace(":", "\\:"))
        scenario.execute_own(f"INSERT INTO {table} VALUES (1, 'p1@example.com', {literals})")
        assert scenario.run(sync).rows_created == 1
        assert scenario.sent()[0][2]["extendedProperties"] == dict.fromkeys(names, "x")
        assert scenario.run(sync).rows_unchanged == 1


@pytest.mark.parametrize("state", [None, "sqlite"])
def test_a_source_may_name_its_catalog(state: str | None, new_database: Callable[[str], str]) -> None:
    with open_scenario(new_database, "duckdb", state) as scenario:
        scenario.execute('CREATE SCHEMA "My Schema"')
        scenario.seed(
            {"customer_id": 1, "email": "p1@example.com", "first_name": "A", "city": "B", "plan": "C"},
            table='"My Schema"."People"',
        )
        catalog = str(sa.make_url(scenario.warehouse_url).database).rsplit("/", 1)[-1].split(".")[0]
        sync = sync_of(source=f'{catalog}."My Schema"."People"')
        assert scenario.run(sync).rows_created == 1
        assert scenario.run(sync).rows_unchanged == 1


def test_a_key_name_too_long_for_the_state_is_refused_with_a_remedy(new_database: Callable[[str], str]) -> None:
    key = "k" * 128
    with open_scenario(new_database, "duckdb", "postgresql") as scenario:
        scenario.execute(f"CREATE TABLE customers ({key} integer, email varchar)")
        scenario.execute("INSERT INTO customers VALUES (1, 'p1@example.com')")
        with pytest.raises(ConfigurationError, match=r"63 bytes.*alias"):
            scenario.run(sync_of(key=key, fields={"email": "email"}, extended_properties={}))


def test_a_field_column_of_128_characters_is_read(new_database: Callable[[str], str]) -> None:
    name = "c" * 128
    with open_scenario(new_database, "duckdb", "postgresql") as scenario:
        scenario.execute(f"CREATE TABLE customers (customer_id integer, email varchar, {name} varchar)")
        scenario.execute("INSERT INTO customers VALUES (1, 'p1@example.com', 'x')")
        scenario.run(sync_of(fields={"email": "email"}, extended_properties={name: name}))
        assert scenario.sent()[0][2]["extendedProperties"] == {name: "x"}


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("customers", ("customers",)),
        ("analytics.customers", ("analytics", "customers")),
        ('"My Catalog"."a.b"."say ""hi"""', ("My Catalog", "a.b", 'say "hi"')),
        ("`my-project`.dataset.`table`", ("my-project", "dataset", "table")),
        ("[dbo].[My ]] Table]", ("dbo", "My ] Table")),
        ("my-project.dataset.table", ("my-project", "dataset", "table")),
        ("select 1", ()),
        ('select "a" from b', ()),
        ('"a" join', ()),
        ("a..b", ()),
    ],
)
def test_a_table_name_is_split_at_its_dots_and_a_query_is_not(written: str, parts: tuple[str, ...]) -> None:
    assert name_parts(written) == parts


@pytest.mark.parametrize(
    ("written", "table"),
    [
        ('"Order Lines"', ("Order Lines",)),
        ('shop.crm."Order Lines"', ("crm", "Order Lines")),
        ("crm.people", ("crm", "people")),
    ],
)
def test_a_quoted_table_is_upstream_by_its_name(written: str, table: tuple[str, ...]) -> None:
    assert find_upstream(sync_of(source=written)).tables == (table,)


@pytest.mark.parametrize("state", [None, "sqlite"])
@pytest.mark.parametrize("warehouse", ["duckdb", "sqlite", "postgresql", "mysql"])
def test_a_wrong_table_name_gets_the_nearest_one(
    warehouse: str, state: str | None, new_database: Callable[[str], str]
) -> None:
    with open_scenario(new_database, warehouse, state if warehouse != "mysql" else "sqlite") as scenario:
        scenario.seed({"customer_id": 1, "email": "p1@example.com"})
        for source in ("custmers", "select * from custmers"):
            with pytest.raises(WarehouseError, match=r"cannot be read: .*custmers.*did you mean 'customers'"):
                scenario.run(sync_of(source=source))
        with pytest.raises(WarehouseError) as caught:
            scenario.run(sync_of(source="xyzzy"))
        assert "did you mean" not in str(caught.value)


def test_a_masked_schema_does_not_prevent_a_suggestion() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id INTEGER)")
    message = "Table 'test_[phone]d1c41.custmers' doesn't exist (1146)"
    assert similar_table(engine, message) == "; did you mean 'customers'?"
    engine.dispose()


@pytest.mark.parametrize("warehouse", ["duckdb", "postgresql"])
def test_a_wrong_schema_gets_the_nearest_one(warehouse: str, new_database: Callable[[str], str]) -> None:
    with open_scenario(new_database, warehouse) as scenario:
        scenario.execute("CREATE SCHEMA analytics")
        scenario.seed({"customer_id": 1, "email": "p1@example.com"}, table="analytics.customers")
        with pytest.raises(WarehouseError, match="did you mean the schema 'analytics'"):
            scenario.run(sync_of(source="analytcs.customers"))
        with pytest.raises(WarehouseError, match="did you mean 'customers'"):
            scenario.run(sync_of(source="analytics.customer"))
        with pytest.raises(WarehouseError, match=r"the schemas of the database: .*analytics"):
            scenario.run(sync_of(source="xyzzy.customers"))
