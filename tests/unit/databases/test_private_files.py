"""The files of a state are made for their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from dagster_dailystory.databases.connect import connect, open_engine


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def used(tmp_path: Path) -> Callable[[str], Path]:
    """Write to a database of this kind as a state is written to, and return its file."""

    def use(kind: str) -> Path:
        file = tmp_path / f"state.{kind}"
        with connect(open_engine(f"{kind}:///{file}"), "state", writes=True, is_private=True) as connection:
            with connection.begin():
                connection.execute(sa.text("CREATE TABLE IF NOT EXISTS t (a TEXT)"))
            with connection.begin():
                others = [each for each in tmp_path.iterdir() if each != file]
                assert all(mode(each) & 0o077 == mode(file) & 0o077 for each in others if each.is_file())
        return file

    return use


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_new_database_is_its_owners_and_one_that_exists_keeps_its_permissions(used: Callable[[str], Path], kind: str):
    file = used(kind)
    assert mode(file) == 0o600
    file.chmod(0o644)
    assert mode(used(kind)) == 0o644


def test_spill_files_are_their_owners_and_those_of_a_killed_process_are_removed(
    used: Callable[[str], Path], tmp_path: Path
):
    folder = tmp_path / "state.duckdb.tmp"
    used("duckdb")
    assert mode(folder) == 0o700
    stale, own = folder / "duckdb_temp_block-1.block", folder / "duckdb_temp_block-2.block"
    for path in (stale, own):
        path.write_bytes(b"rows")
    os.utime(stale, (0, 0))
    used("duckdb")
    assert not stale.exists()
    assert own.exists(), "this process may still use it"
