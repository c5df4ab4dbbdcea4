"""The files of a state that is a local database: only the user who runs the sync can read them.

A database that exists keeps its permissions. Its log gets the same ones once the first transaction is over.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, event

from dagster_dailystory.databases.kinds.base import Database

_STARTED = time.time()
"""Before this process could write a spill file; no other process has the database open."""


@dataclass(frozen=True)
class PrivateFiles:
    """The files of one database.

    Attributes:
        file: The database; None if it is on a server or in memory.
        takes_empty_file: Whether an empty file becomes a database.
        log: The file of its transactions that are not in the database yet; None if it has the same permissions.
        spill: The folder of rows that do not fit into memory; None if there is none.
    """

    file: Path | None
    takes_empty_file: bool = False
    log: Path | None = None
    spill: Path | None = None

    @classmethod
    def of(cls, database: Database, url: URL) -> PrivateFiles:
        """The files of a database."""
        name = database.file_of(url)
        if name is None:
            return cls(None)
        folder = url.query.get("temp_directory", f"{name}.tmp")
        spill = Path(folder) if database.spills and isinstance(folder, str) and folder else None
        log = Path(f"{name}.wal") if database.spills else None
        return cls(Path(name), not database.spills, log, spill)

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make what is missing, around the opening of a connection, and remove the spill files of killed processes."""
        if self.file is None:
            yield
            return
        with contextlib.suppress(OSError):  # opening the database says what is wrong
            if self.spill is not None:
                self.spill.mkdir(mode=0o700, exist_ok=True)
        with _made_for_owner(self.file, is_empty=self.takes_empty_file):
            yield
        self._remove_stale()

    def _remove_stale(self) -> None:
        for path in [] if self.spill is None else self.spill.glob("duckdb_temp_*"):
            with contextlib.suppress(OSError):  # another process removed it, or it is of another user
                if path.stat().st_mtime < _STARTED:
                    path.unlink()

    def watch(self, connection: Connection) -> None:
        """Give the log the permissions of the database whenever a transaction begins."""
        if self.log is not None:
            event.listen(connection, "begin", self._restrict)

    def _restrict(self, _connection: Connection) -> None:
        with contextlib.suppress(OSError):  # the log is gone by now, or of another user, who set its mode
            if self.file is not None and self.log is not None:
                mode = self.file.stat().st_mode & 0o777
                if self.log.stat().st_mode & 0o777 != mode:
                    self.log.chmod(mode)


@contextmanager
def _made_for_owner(file: Path, *, is_empty: bool) -> Iterator[None]:
    """Let a missing file be made for its owner alone."""
    if file.exists():
        yield
    elif is_empty:
        with contextlib.suppress(OSError):  # opening the database says what is wrong
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield
    else:
        former = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(former)
