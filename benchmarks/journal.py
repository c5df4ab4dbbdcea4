"""CPU per intent and per acknowledgement, with and without the history. `python -m benchmarks.journal [DATABASE ...]`.

A sender at 1,000 requests a second uses 400 to 900 microseconds of CPU per request; intents and acknowledgements should
stay below a tenth of that, and so should what the history adds. PostgreSQL runs in another process, which is not
counted.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import product

import sqlalchemy as sa

from benchmarks.servers import postgres
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.sending.results.acknowledgements import Acknowledgements
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.plans.row_reader import RowReader
from dagster_dailystory.engine.state.recovery import Intents
from dagster_dailystory.engine.state.store import utc_now
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.change import USUAL_PRIORITY, Change, Operation, Outcome, Result
from dagster_dailystory.model.sync import ContactSync

ROWS, CHANGED, BATCH = 100_000, 20_000, 1_000
SYNC = ContactSync(
    name="customers",
    source="people",
    key="id",
    fields={"email": "email", "firstName": "first_name", "lastName": "last_name", "city": "city"},
    extended_properties={name: name for name in ("plan", "visits", "region", "company", "score", "note")},
)
_COLUMNS = (
    "i AS id, 'person' || i || '@example.com' AS email, 'Given ' || i AS first_name, 'Family ' || i AS last_name,"
    " 'Paris' AS city, 'gold' AS plan, 'v' || i AS visits, 'r' || i AS region, 'c' || i AS company, 's' || i AS score,"
    " 'n' || i AS note"
)
ACCOUNT = AccountSettings("http://127.0.0.1:9", "no-token")


def main(databases: Sequence[str]) -> None:
    """Measure each database."""
    logging.disable(logging.WARNING)
    for name, days in product(databases, (0, 90)):
        server = postgres() if name == "postgresql" else nullcontext("")
        with tempfile.TemporaryDirectory() as home, server as postgres_url:
            url, sync = postgres_url or f"{name}:///{home}/state.{name}", replace(SYNC, history_days=days)
            prepare(url)
            for operation in (Operation.UPDATE, Operation.CREATE):
                measure(f"{name}{' with history' if days else ''}", sync, Warehouse.at(url), operation)


def prepare(url: str) -> None:
    """Make a synced table in which a tenth of the rows is changed in one field and a tenth is new."""
    series = f"generate_series(1, {ROWS}) AS t(i)"
    if url.startswith("sqlite"):
        numbers = f"WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < {ROWS})"
        make = f"CREATE TABLE people AS {numbers} SELECT {_COLUMNS} FROM t"
    else:
        make = f"CREATE TABLE people AS SELECT {_COLUMNS} FROM {series}"
    run(url, make, "CREATE TABLE everyone AS SELECT * FROM people", "DELETE FROM people WHERE id > 1")
    with open_run(SYNC, Warehouse.at(url), ACCOUNT) as opened:
        opened.plan()
    values = [f'"{m.state_column}"' for m in SYNC.mapped_fields]
    columns = ", ".join(m.column for m in SYNC.mapped_fields)
    known = f"everyone WHERE id <= {ROWS - CHANGED // 2}"
    run(
        url,
        "INSERT INTO people SELECT * FROM everyone WHERE id > 1",
        f"INSERT INTO dailystory_customers_snapshot (id, {', '.join(values)}, identity_email)"
        f" SELECT id, {columns}, email FROM {known}",
        f"INSERT INTO dailystory_customers_contact_map (id, dsid) SELECT id, 'd' || id FROM {known}",
        f"UPDATE people SET city = 'Rome' WHERE id <= {CHANGED // 2}",
    )


def run(url: str, *statements: str) -> None:
    """Execute plain SQL."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def measure(name: str, sync: ContactSync, warehouse: Warehouse, operation: Operation) -> None:
    """Plan, then write the intents and acknowledgements of all changes of one operation as if they had been sent."""
    with open_run(sync, warehouse, ACCOUNT) as opened:
        plan = opened.plan()
    with open_session(sync, warehouse.state) as (state, lease):
        with state.connection.begin():
            tables = state.load_tables()
            assert tables is not None
            rows = []
            wanted = tables.changes.c.plan_id == plan.plan_id
            reader = RowReader(state, tables)
            for chunk in reader.chunks(tables.changes, wanted, 1, ROWS):
                rows += [reader.change(row) for row in chunk]
        changes = [change for change in rows if change.operation is operation]
        acknowledgements, intents = Acknowledgements(state, tables, lease, plan.plan_id), Intents(state, tables, lease)
        spent = {"intent": 0.0, "acknowledgement": 0.0}
        for start in range(0, len(changes), BATCH):
            batch = changes[start : start + BATCH]
            if operation is Operation.CREATE:
                began = time.process_time()
                intents.add(plan.plan_id, USUAL_PRIORITY, batch, {change.sequence: change.identity for change in batch})
                spent["intent"] += time.process_time() - began
            began = time.process_time()
            acknowledgements.acknowledge([_result(change) for change in batch], {c.sequence: c for c in batch})
            spent["acknowledgement"] += time.process_time() - began
        with state.connection.begin():
            size = sa.func.coalesce(sa.func.avg(sa.func.length(tables.history.c.after)), 0)
            bytes_kept = round(float(state.connection.execute(sa.select(size)).scalar_one()))
    costs = ", ".join(f"{1e6 * s / len(changes):5.0f} us of CPU per {what}" for what, s in spent.items() if s)
    kept = f", {bytes_kept} bytes of values per change" if bytes_kept else ""
    print(f"{name:25} {operation.value:7} {len(changes)} rows: {costs}{kept}", flush=True)


def _result(change: Change) -> Result:
    is_new = change.operation is Operation.CREATE
    outcome = Outcome.CREATED if is_new else Outcome.UPDATED
    return Result(change.sequence, outcome, utc_now(), change.dsid or f"n{change.sequence}", 1, replaced=is_new)


if __name__ == "__main__":
    main(sys.argv[1:] or ["sqlite", "duckdb", "postgresql"])
