"""The contenders. `python -m benchmarks.contenders NAME JSON` runs one in a process of its own and prints a JSON line.

Time and CPU exclude imports; peak memory is that of the whole process.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pandas as pd  # DuckDB's driver imports it at the first parameter; here it counts as process start for all
import sqlalchemy as sa

from benchmarks.data import COLUMNS, FIELDS, TABLE, customers_sync, state_column
from benchmarks.servers import TOKEN
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.state.store import SumSettings
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions

SNAPSHOT, CONTACT_MAP = "dailystory_customers_snapshot", "dailystory_customers_contact_map"
_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
_NOWHERE = AccountSettings("http://127.0.0.1:9/api/v1", "none")


@dataclass(frozen=True, kw_only=True)
class Task:
    """The input of a contender, which ignores what it does not need."""

    url: str
    state_url: str | None = None
    base_url: str = ""
    rows: int = 0
    concurrency: int = 16
    requests_per_second: float = math.inf
    buckets: int = 0
    adds_hashes_up: bool = True
    history_days: int = 90

    def encoded(self) -> str:
        """Encode for the command line."""
        return json.dumps(asdict(self))


Facts = Mapping[str, float]


def ours_plan(task: Task) -> Facts:
    """This package: the whole plan, or one of each slice, from opening the state to the stored changes."""
    sync = replace(customers_sync(), partitions=HashBuckets(task.buckets) if task.buckets else None)
    plans = []
    for partition in sync.partitions.names if sync.partitions else [None]:
        with open_run(sync, Warehouse.at(task.url, task.state_url), _NOWHERE) as run:
            run.state.sums = run.state.sums if task.adds_hashes_up else SumSettings(from_rows=sys.maxsize)
            plans.append(run.plan(PlanOptions(partition=partition)))
    return {
        "changes": sum(plan.rows_to_send for plan in plans),
        "rows_transferred": sum(plan.rows_transferred for plan in plans),
        "bytes_read": sum(plan.bytes_read for plan in plans),
    }


def whole_sql(task: Task) -> Facts:
    """Hand-written, the same answer as a plan: row counts, changes with their flags and dsids."""
    flags = ", ".join(f's.{name} IS DISTINCT FROM p."{state_column(name)}" AS differs_{name}' for name in COLUMNS[1:])
    differs = " OR ".join(f's.{name} IS DISTINCT FROM p."{state_column(name)}"' for name in COLUMNS[1:])
    engine = open_engine(task.url)
    with engine.begin() as connection:
        rows = connection.execute(sa.text(f"SELECT count(*) FROM {TABLE}")).scalar_one()
        connection.execute(
            sa.text(
                f"CREATE TEMPORARY TABLE delta AS SELECT s.*, p.customer_id AS known_id, {flags}"
                f" FROM {TABLE} s FULL JOIN {SNAPSHOT} p ON s.customer_id = p.customer_id"
                f" WHERE s.customer_id IS NULL OR p.customer_id IS NULL OR {differs}"
            )
        )
        if engine.dialect.name == "postgresql":  # otherwise the planner assumes a large table
            connection.execute(sa.text("ANALYZE delta (customer_id)"))
        connection.execute(
            sa.text(
                f"CREATE TABLE changes AS SELECT delta.*, m.dsid FROM delta LEFT JOIN {CONTACT_MAP} m"
                " ON m.customer_id = coalesce(delta.customer_id, delta.known_id)"
            )
        )
        changes = connection.execute(sa.text("SELECT count(*) FROM changes")).scalar_one()
        connection.execute(sa.text("DROP TABLE changes"))
    return {"changes": changes, "rows": rows}


def pandas_diff(task: Task) -> Facts:
    """The naive way: both sides as DataFrames, merged and compared column by column."""
    with open_engine(task.url).connect() as connection:
        new = pd.read_sql(f"SELECT * FROM {TABLE}", connection)
        old = pd.read_sql(f"SELECT * FROM {SNAPSHOT}", connection)
    both = new.merge(old, on="customer_id", how="outer", indicator=True)
    changed = both["_merge"] != "both"
    for name in COLUMNS[1:]:
        left, right = both[name], both[state_column(name)]
        changed |= (left != right) & ~(left.isna() & right.isna())
    return {"changes": int(changed.sum())}


def ours_send(task: Task) -> Facts:
    """This package: plan, intents, requests, acknowledgements."""
    report = run_contact_sync(
        replace(customers_sync(), history_days=task.history_days),
        warehouse_url=task.url,
        state_url=task.state_url,
        base_url=task.base_url,
        api_token=TOKEN,
        requests_per_second=task.requests_per_second,
        max_concurrency=task.concurrency,
    )
    return {
        "contacts": report.rows_created + report.rows_updated,
        "send_seconds": report.send_seconds,
        "diff_seconds": report.diff_seconds,
    }


def naive_send(task: Task) -> Facts:
    """The naive way: the table as a DataFrame, and requests.post in a loop over one session."""
    import requests

    with open_engine(task.url).connect() as connection:
        rows = pd.read_sql(f"SELECT * FROM {TABLE}", connection).to_dict("records")
    with requests.Session() as session:
        session.headers.update(_HEADERS)
        for row in rows[: task.rows]:
            session.post(task.base_url + "/contact", data=_body(row), timeout=30).raise_for_status()
    return {"contacts": min(task.rows, len(rows))}


def bare_send(task: Task) -> Facts:
    """The upper bound: prepared bodies, aiohttp, one worker per request in flight; nothing is stored."""
    with open_engine(task.url).connect() as connection:
        found = connection.execute(sa.text(f"SELECT * FROM {TABLE} LIMIT {task.rows}")).mappings()
        bodies = [_body(dict(row)) for row in found]
    contacts, started, cpu = len(bodies), time.perf_counter(), time.process_time()
    asyncio.run(_post_all(task, bodies))
    return {
        "contacts": contacts,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
    }


async def _post_all(task: Task, bodies: list[bytes]) -> None:
    async with aiohttp.ClientSession(headers=_HEADERS) as session:

        async def work() -> None:
            while bodies:
                async with session.post(task.base_url + "/contact", data=bodies.pop()) as response:
                    await response.read()

        count = len(bodies)
        await asyncio.gather(*(work() for _ in range(min(task.concurrency, count))))


def _body(row: Mapping[Any, Any]) -> bytes:
    known = {name: value for name, value in row.items() if value is not None and value == value}  # NaN != NaN
    body: dict[str, object] = {field: str(known[column]) for field, column in FIELDS.items() if column in known}
    body["extendedProperties"] = {n: str(v) for n, v in known.items() if n not in (*FIELDS.values(), "customer_id")}
    return json.dumps(body).encode()


CONTENDERS: Mapping[str, Callable[[Task], Facts]] = {
    each.__name__: each for each in (ours_plan, whole_sql, pandas_diff, ours_send, naive_send, bare_send)
}


def _peak_mb() -> float:
    """The kernel's peak for this process; `ru_maxrss` would include the peak of the parent process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Run one contender and print what was measured."""
    contender, task = CONTENDERS[sys.argv[1]], Task(**json.loads(sys.argv[2]))
    started, cpu = time.perf_counter(), time.process_time()
    facts = contender(task)
    measured = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({**measured, "peak_mb": _peak_mb(), **facts}))


if __name__ == "__main__":
    main()
