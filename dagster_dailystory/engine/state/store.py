"""The open state of one sync: connection, meta values and tables. Opening it checks grants and layout version."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version

from sqlalchemy import ColumnClause, Connection, Dialect, column, inspect, literal, select, table
from sqlalchemy.exc import DBAPIError

from dagster_dailystory.databases.connect import connect, open_engine, reflected_types, require_schema
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.registry import DATABASES, check_key_names, database_of, require_state_database
from dagster_dailystory.databases.sql_types import MOMENT, SqlType, SqlValue
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, SYNC_TABLES, SharedTables, StateLocation, SyncTables
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.sync import ContactSync

_PACKAGE = "dagster-dailystory"


def utc_now() -> datetime:
    """Now in UTC without a zone, as all state tables store times."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


_ANSWERED = {"_contact_map": "dsid", "_intents": "plan_id", "_rejections": "fingerprint"}
"""End of a table's name -> the column that has a value once DailyStory has answered, or may have."""


@dataclass(frozen=True)
class SumSettings:
    """When and how sums of row hashes are compared.

    Attributes:
        from_rows: Remembered hashes from which sums pay: fewer are compared as fast one by one.
        divisor: A bucket is the remainder of a key's hash by it, which may be negative: there are almost twice as many
            buckets. With 65,535 of them, sums and rows read have the fewest bytes if 1,000 of 10 million rows changed.
        most: The share of the rows above which those of the buckets that differ are not read apart: the sums took half
            of the time that all keys take.
        stored: Most rows of the table of sums, to which each plan appends: more are added up, a few for each bucket.
    """

    from_rows: int = 3_000_000
    divisor: int = 32_768
    most: float = 0.25
    stored: int = 300_000

    @property
    def buckets(self) -> int:
        """How many buckets there are."""
        return 2 * self.divisor - 1


@dataclass
class State:
    """An open connection to the state of one sync.

    Attributes:
        connection: Carries one transaction at a time.
        location: Where the tables are.
        sync: The sync.
        shared: The tables that all syncs share.
        secret: Keys the opaque ids and fingerprints of this state.
        layout: The layout version of the tables when they were opened.
        now: The clock of this host, UTC without a zone.
        clock: In place of the database's clock, which all hosts share; None for that.
        sums: When and how sums of row hashes are compared.
    """

    connection: Connection
    location: StateLocation
    sync: ContactSync
    shared: SharedTables
    secret: bytes = field(repr=False)
    layout: int = SCHEMA_VERSION
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], datetime] | None = None
    sums: SumSettings = SumSettings()  # frozen

    @property
    def present(self) -> datetime:
        """The same as `now()`, with the zone UTC: time windows begin at a local time."""
        return self.now().replace(tzinfo=timezone.utc)

    def database_time(self) -> SqlValue:
        """The time by the clock that all hosts share, UTC without a zone; a file has the clock of its host."""
        found = self.database.clock() if self.clock is None else None
        return literal((self.clock or utc_now)(), MOMENT) if found is None else found

    def database_now(self) -> datetime:
        """Read that clock, within the caller's transaction."""
        now: datetime = self.connection.execute(select(self.database_time())).scalar_one()
        return now

    @property
    def dialect(self) -> Dialect:
        """The state database's dialect."""
        return self.connection.dialect

    @property
    def database(self) -> Database:
        """What differs between state databases."""
        return database_of(self.dialect)

    def meta(self, name: str) -> str | None:
        """Read one value of the meta table, None if it is not set."""
        meta = self.shared.meta
        found: str | None = self.connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
        return found

    def meta_names(self, start: str) -> list[str]:
        """The names of the meta table that begin with `start`."""
        meta = self.shared.meta
        names = self.connection.execute(select(meta.c.name).where(meta.c.name.startswith(start, autoescape=True)))
        return sorted(names.scalars().all())

    def set_meta(self, name: str, value: str) -> None:
        """Write one value of the meta table; for a new one that all syncs share see `keep_meta`."""
        meta, execute = self.shared.meta, self.connection.execute
        if execute(select(meta.c.name).where(meta.c.name == name)).first() is None:
            execute(meta.insert().values(name=name, value=value))
        else:
            execute(meta.update().where(meta.c.name == name).values(value=value))

    def drop_meta(self, name: str) -> None:
        """Remove one value of the meta table."""
        meta = self.shared.meta
        self.connection.execute(meta.delete().where(meta.c.name == name))

    def record_layout(self, layout: int) -> None:
        """Record which layout the tables have now, and which version of this package wrote it."""
        self.set_meta("written_by", version(_PACKAGE))
        self.set_meta("schema_version", str(layout))

    def is_retired(self, sync_name: str) -> bool:
        """Whether a sync of this state was retired, so that it holds no contact any more."""
        return bool(self.meta(f"retired:{sync_name}"))

    def retire(self, sync_name: str) -> None:
        """Let other syncs delete the contacts of a sync that runs no more."""
        self.set_meta(f"retired:{sync_name}", self.now().isoformat())

    def end_retirement(self) -> None:
        """Let the state's own sync hold its contacts again, because it runs."""
        if self.is_retired(self.sync.name):
            self.set_meta(f"retired:{self.sync.name}", "")

    def mark_as_moved(self, target: str) -> None:
        """Let no further run use the state's sync here, because another state has it now."""
        self.set_meta(f"moved:{self.sync.name}", target)

    def check_moved(self) -> None:
        """Make sure, within the caller's transaction, that the sync is not in another state by now.

        Raises:
            StateError: It was moved: two states of one sync would each send what the other one has sent.
        """
        target = self.meta(f"moved:{self.sync.name}")
        if target is not None:
            raise StateError(
                f"sync {self.sync.name!r} was moved from this state to {target}; set state_url to that database. This "
                "state can still be read, and `drop` removes the sync from it"
            )

    def keep_meta(self, name: str, value: str) -> str:
        """Write a value that all syncs share, unless it is set, in a short transaction of its own.

        Returns:
            The stored value: another run may have written one at the same moment.
        """
        with self.connection.begin():
            stored = self.meta(name)
        if stored is not None:
            return stored
        try:
            with self.connection.begin():
                self.connection.execute(self.shared.meta.insert().values(name=name, value=value))
        except DBAPIError:
            with self.connection.begin():
                stored = self.meta(name)
            if stored is None:
                raise
        return stored or value

    def bind_destination(self, destination: str) -> None:
        """Let the state belong to this destination, unless it has contacts of another one.

        Raises:
            StateError: The state was made for another destination.
        """
        known = self.keep_meta("destination", destination)
        if known not in (None, destination):
            with self.connection.begin():
                self._compare_destination(known, destination)
                self.set_meta("destination", destination)

    def check_destination(self, destination: str) -> None:
        """Make sure, within the caller's transaction, that this state does not belong to another destination.

        Raises:
            StateError: The state was made for another destination.
        """
        self._compare_destination(self.meta("destination"), destination)

    def _compare_destination(self, known: str | None, destination: str) -> None:
        if known not in (None, destination) and self._is_used():
            raise StateError(
                f"this state belongs to {known}, but the run would send to {destination}. If that address is wrong, "
                "correct base_url; if it is another account, give it a state of its own (state_url or state_schema)"
            )

    def _is_used(self) -> bool:
        """Whether DailyStory named the account, or the state has a contact, an open create or a refused row."""
        if self.meta("account") is not None:
            return True
        tables = inspect(self.connection).get_table_names(schema=self.location.schema)
        return any(
            self._has_value(name, column_name)
            for name in tables
            for ending, column_name in _ANSWERED.items()
            if name.startswith(f"{self.location.prefix}_") and name.endswith(ending)
        )

    def _has_value(self, table_name: str, column_name: str) -> bool:
        value: ColumnClause[object] = column(column_name)
        rows = select(value).select_from(table(table_name, schema=self.location.schema))
        return self.connection.execute(rows.where(value.is_not(None)).limit(1)).first() is not None

    def load_tables(self) -> SyncTables | None:
        """Load the sync's tables as the database has them, None before its first plan.

        Raises:
            StateError: The tables were made for another key, or the sync has another name now.
        """
        mapped = self._columns("contact_map")
        if mapped is None:
            self._require_name()
            return None
        keys = dict(list(mapped.items())[: list(mapped).index("dsid")])
        if set(keys) != set(self.sync.key_columns):
            raise StateError(
                f"the state of sync {self.sync.name!r} was made for the key {', '.join(keys)}, not "
                f"{', '.join(self.sync.key_columns)}; give the sync a new name, or restore the key"
            )
        found = self._columns("snapshot") or {}
        values = {m.state_column: found[m.state_column] for m in self.sync.mapped_fields if m.state_column in found}
        removed = {
            name: kind
            for name, kind in found.items()
            if name.startswith(("field_", "custom_")) and name not in {*keys, *values}
        }
        ordered = {key: keys[key] for key in self.sync.key_columns}
        return SyncTables(self.sync, self.location, ordered, values, self.dialect, removed)

    def _require_name(self) -> None:
        """Refuse the former name of a renamed sync: it would create all its contacts again."""
        renamed = self.meta(f"renamed:{self.sync.name}")
        if renamed is not None:
            raise StateError(
                f"sync {self.sync.name!r} of this state was renamed to {renamed!r}; give it that name in your"
                " definitions too"
            )

    def _columns(self, table: str) -> dict[str, SqlType] | None:
        name = self.location.table_name(self.sync.name, table)
        return reflected_types(self.connection, name, self.location.schema)


@contextmanager
def open_state(location: StateLocation, sync: ContactSync, *, writes: bool = True) -> Iterator[State]:
    """Open the state for reading; its tables are created on first use.

    Args:
        location: Where the state is.
        sync: The sync.
        writes: False if nothing is written: SQLite then reads while a run holds the write lock.

    Raises:
        ConfigurationError: This database cannot hold state.
        StateError: The tables have another layout than this version of the package reads.
        WarehouseError: The database cannot be reached.
    """
    with connect_state(location, sync, writes=writes) as state:
        if state.layout < SCHEMA_VERSION:
            raise StateError(
                f"the state tables have layout version {state.layout}, and this version of dagster-dailystory reads "
                f"{SCHEMA_VERSION}. A run upgrades them: back the state up, then "
                "materialize the changes of any of its syncs, or call run_contact_sync"
            )
        yield state


@contextmanager
def connect_state(location: StateLocation, sync: ContactSync, *, writes: bool = True) -> Iterator[State]:
    """Open a state of this or of an earlier layout; see `open_state`.

    Raises:
        StateError: The tables were written by a newer version of this package.
    """
    name = location.url.split("://", 1)[0].split("+", 1)[0]
    if name in DATABASES:
        require_state_database(name)  # before its driver asks for credentials
    engine = open_engine(location.url, location.setting)
    require_state_database(engine.dialect.name)
    check_key_names(sync.key_columns, engine.dialect.name)
    with connect(engine, location.role, setting=location.setting, writes=writes, is_private=True) as connection:
        shared = SharedTables(location)
        database_of(engine.dialect).notice_dead_clients(connection)
        with connection.begin():
            require_schema(connection, location.schema)
            database_of(engine.dialect).check_state(connection, location.schema, _table_names(shared, location, sync))
        if not _has_shared_tables(connection, shared):
            _create(connection, shared)
        with connection.begin():
            stored = connection.execute(select(shared.meta.c.name, shared.meta.c.value))
            values = {row.name: row.value for row in stored}
        layout = int(values["schema_version"])
        if layout > SCHEMA_VERSION:
            raise StateError(
                f"the state tables have layout version {layout}, written by dagster-dailystory "
                f"{values.get('written_by', 'of a later version')}; this is version {version(_PACKAGE)}, which reads "
                f"{SCHEMA_VERSION}. Install that version, or restore the backup made before the upgrade"
            )
        yield State(connection, location, sync, shared, bytes.fromhex(values["secret"] or ""), layout)


def _table_names(shared: SharedTables, location: StateLocation, sync: ContactSync) -> list[str]:
    own = [location.table_name(sync.name, table) for table in SYNC_TABLES]
    return [*(table.name for table in shared.metadata.sorted_tables), *own]


def _has_shared_tables(connection: Connection, shared: SharedTables) -> bool:
    with connection.begin():
        return inspect(connection).has_table(shared.meta.name, schema=shared.meta.schema)


def _create(connection: Connection, shared: SharedTables) -> None:
    """Create the shared tables; if another run creates them at the same moment, its tables are used."""
    try:
        with connection.begin():
            shared.metadata.create_all(connection)
            _initialize(connection, shared)
    except DBAPIError:
        if not _has_shared_tables(connection, shared):
            raise


def _initialize(connection: Connection, shared: SharedTables) -> None:
    values = {"schema_version": str(SCHEMA_VERSION), "written_by": version(_PACKAGE), "secret": secrets.token_hex(32)}
    for name, value in values.items():
        connection.execute(shared.meta.insert().values(name=name, value=value))
