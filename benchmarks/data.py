"""Generated customers: a table of twenty columns, and the changes between two runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.model.sync import ContactSync

_COLUMNS = {
    "customer_id": "i",
    "account_id": "7000000 + i / 3",
    "email": "'person' || i || '@example.com'",
    "mobile": "'+1' || substr('212213312415617202305404503702', cast(1 + 3 * (i % 10) as integer), 3)"
    " || (2200000 + i / 10)",
    "first_name": "case when i % 20 = 1 then null else 'Given ' || i % 977 end",
    "last_name": "'Family ' || i % 7919",
    "company": "case when i % 20 = 3 then null else 'Company ' || i % 1009 || ' Ltd' end",
    "city": "case when i % 20 = 5 then null else 'City ' || i % 499 end",
    "region": "case when i % 50 = 7 then null else 'Region ' || i % 53 end",
    "postal_code": "'' || (10000 + i % 89999)",
    "plan": "case i % 4 when 0 then 'free' when 1 then 'basic' when 2 then 'team' else 'business' end",
    "balance": "cast(i % 100000 as decimal(12, 2)) / 100",
    "lifetime_value": "case when i % 20 = 9 then null else cast(i % 1000003 as decimal(14, 2)) / 100 end",
    "discount": "cast(i % 100 as decimal(5, 2)) / 100",
    "score": "cast(i % 1000 as double precision) / 7",
    "signed_up_at": "timestamp '2020-01-01 00:00:00' + (i % 100000) * interval '1 minute'",
    "seen_at": "case when i % 20 = 11 then null"
    " else timestamp '2025-01-01 00:00:00' + (i % 99991) * interval '1 second' end",
    "born_on": "date '1950-01-01' + cast(i % 18000 as integer)",
    "visits": "cast(i % 367 as integer)",
    "is_vip": "i % 17 = 0",
}  # fmt: skip
FIELDS = {
    "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "lastName": "last_name",
    "company": "company", "city": "city", "region": "region", "postalCode": "postal_code", "dateBirth": "born_on",
}  # fmt: skip

"""DailyStory's field -> column; all other columns are custom fields."""

TABLE = "customers"

SLICES = 8
"""Into how many buckets the sliced contests divide the customers."""

COLUMNS = tuple(_COLUMNS)
CUSTOM = tuple(name for name in COLUMNS if name not in (*FIELDS.values(), "customer_id"))


def customers_sync(source: str = TABLE, columns: int = len(COLUMNS)) -> ContactSync:
    """The sync of every benchmark, with all columns mapped or only the first `columns`."""
    custom = CUSTOM[: max(columns - len(FIELDS) - 1, 0)]
    return ContactSync(
        name="customers",
        source=source,
        key="customer_id",
        fields=FIELDS,
        extended_properties={name: name for name in custom},
        max_deleted_fraction=None,
        known_custom_fields=custom,
        canary_rows=0,
    )


def make_customers(url: str, rows: int) -> None:
    """Create or replace the table in a DuckDB, PostgreSQL or SQLite database."""
    engine = open_engine(url)
    name = engine.dialect.name
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
        connection.execute(sa.text(_create(name, rows).replace(":", "\\:")))
        if name == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE {TABLE} ADD PRIMARY KEY (customer_id)")
    if name == "postgresql":
        vacuum(url, TABLE)


def _create(dialect: str, rows: int) -> str:
    series = f"range(1, {rows + 1}) AS series(i)" if dialect == "duckdb" else f"generate_series(1, {rows}) AS series(i)"
    columns = ", ".join(f"{value} AS {name}" for name, value in _COLUMNS.items())
    columns = columns.replace("i / 3", "i // 3").replace("i / 10)", "i // 10)") if dialect == "duckdb" else columns
    return f"CREATE TABLE {TABLE} AS SELECT {columns} FROM {series}"


_TYPES = {
    "mysql": {"VARCHAR": "varchar(60)", "TIMESTAMP": "datetime", "DOUBLE": "double"},
    "clickhousedb": {
        "BIGINT": "Int64", "INTEGER": "Nullable(Int32)", "VARCHAR": "Nullable(String)", "DOUBLE": "Nullable(Float64)",
        "TIMESTAMP": "Nullable(DateTime)", "DATE": "Nullable(Date32)", "BOOLEAN": "Nullable(Bool)",
    },
}  # fmt: skip
"""Dialect -> DuckDB's type -> the type there, where it has another name."""


def fill_customers(url: str, duckdb_url: str) -> None:
    """Copy the table of a DuckDB database to MariaDB or ClickHouse."""
    names = ", ".join(COLUMNS)
    with open_engine(duckdb_url).connect() as source, open_engine(url).begin() as target:
        types = _TYPES[target.dialect.name]
        described = source.exec_driver_sql(f"DESCRIBE {TABLE}").all()
        columns = ", ".join(f"{row[0]} {types.get(row[1], row[1])}" for row in described)
        on_clickhouse = target.dialect.name == "clickhousedb"
        end = ") ENGINE = MergeTree ORDER BY customer_id" if on_clickhouse else ", PRIMARY KEY (customer_id))"
        target.exec_driver_sql(f"CREATE TABLE {TABLE} ({columns}{end}")
        driver: Any = target.connection.driver_connection
        streaming = source.execution_options(stream_results=True, yield_per=20_000)
        for batch in streaming.exec_driver_sql(f"SELECT {names} FROM {TABLE}").partitions(20_000):
            rows = [tuple(row) for row in batch]
            if on_clickhouse:
                driver.client.insert(TABLE, rows, column_names=COLUMNS)
            else:
                marks = ", ".join(["%s"] * len(COLUMNS))
                driver.cursor().executemany(f"INSERT INTO {TABLE} ({names}) VALUES ({marks})", rows)


def change_customers(url: str, share: float) -> int:
    """Change the city of a share of the rows and return their number; a second call undoes the first."""
    every = round(1 / share)
    toggled = "CASE WHEN city LIKE 'New %' THEN substr(city, 5) ELSE concat('New ', coalesce(city, 'city')) END"
    with open_engine(url).begin() as connection:
        on_clickhouse = connection.dialect.name == "clickhousedb"
        update = f"ALTER TABLE {TABLE} UPDATE" if on_clickhouse else f"UPDATE {TABLE} SET"
        end = " SETTINGS mutations_sync = 1" if on_clickhouse else ""
        connection.execute(sa.text(f"{update} city = {toggled} WHERE customer_id % {every} = 2{end}"))
        count = connection.execute(
            sa.text(f"SELECT count(*) FROM {TABLE} WHERE customer_id % {every} = 2")
        ).scalar_one()
    return int(count)


def scatter_customers(url: str) -> None:
    """Rewrite the table in random key order, as a model with joins does on each run."""
    engine = open_engine(url)
    on_postgres = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        order = "hashint8(customer_id)" if on_postgres else "hash(customer_id)"
        connection.exec_driver_sql(f"CREATE TABLE scattered AS SELECT * FROM {TABLE} ORDER BY {order}")
        connection.exec_driver_sql(f"DROP TABLE {TABLE}")
        connection.exec_driver_sql(f"ALTER TABLE scattered RENAME TO {TABLE}")
        if on_postgres:
            connection.exec_driver_sql(f"ALTER TABLE {TABLE} ADD PRIMARY KEY (customer_id)")
    if on_postgres:
        vacuum(url, TABLE)


def vacuum(postgres_url: str, *tables: str) -> None:
    """Do what autovacuum would do within a minute."""
    with open_engine(postgres_url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM ANALYZE {', '.join(tables)}")


def state_column(column: str) -> str:
    """The name of a column in the snapshot."""
    return next(m.state_column for m in customers_sync().mapped_fields if m.column == column)
