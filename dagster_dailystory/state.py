"""The state database: opened and checked, its tables laid out and kept in step with the mapping."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import Column, Connection, Dialect, inspect, select
from sqlalchemy.schema import CreateColumn

from dagster_dailystory.dialect import SqlType, require_state_dialect, same_storage
from dagster_dailystory.errors import StateError
from dagster_dailystory.model import ContactSync
from dagster_dailystory.source import reflected_types
from dagster_dailystory.tables import SCHEMA_VERSION, SharedTables, StateLocation, SyncTables
from dagster_dailystory.warehouse import connect, open_engine


def utc_now() -> datetime:
    """Now in UTC without a zone, as all state tables hold times."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


@dataclass
class State:
    """One open connection to the state of one sync.

    Attributes:
        connection: Carries one transaction at a time; see `begin`.
        location: Where the tables are.
        sync: The sync.
        shared: The tables that all syncs share.
        secret: Keys the opaque ids and fingerprints of this state.
        now: The clock, UTC without a zone.
    """

    connection: Connection
    location: StateLocation
    sync: ContactSync
    shared: SharedTables
    secret: bytes
    now: Callable[[], datetime] = utc_now

    @property
    def dialect(self) -> Dialect:
        """The state database's dialect."""
        return self.connection.dialect

    def meta(self, name: str) -> str | None:
        """Read one fact of this state, None where it is not set."""
        meta = self.shared.meta
        found: str | None = self.connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
        return found

    def set_meta(self, name: str, value: str) -> None:
        """Write one fact of this state."""
        meta = self.shared.meta
        self.connection.execute(meta.delete().where(meta.c.name == name))
        self.connection.execute(meta.insert().values(name=name, value=value))

    def check_destination(self, destination: str, *, bind: bool) -> None:
        """Make sure that this state belongs to a destination; the first real run binds it.

        Raises:
            StateError: The state was made for another destination.
        """
        known = self.meta("destination")
        if known is None:
            if bind:
                self.set_meta("destination", destination)
        elif known != destination:
            raise StateError(
                f"this state belongs to {known}, but the run would send to {destination}; give the other destination "
                "a state of its own (state_url or state_prefix)"
            )

    def load_tables(self) -> SyncTables | None:
        """The sync's tables as they are, None before its first plan.

        Raises:
            StateError: The sync's key is not the one that the tables were made for.
        """
        name = self.location.table_name(self.sync.name, "snapshot")
        found = reflected_types(self.connection, name, self.location.schema)
        if found is None:
            return None
        first_bookkeeping = next(i for i, column in enumerate(found) if column.startswith(("field_", "custom_")))
        keys = dict(list(found.items())[:first_bookkeeping])
        if set(keys) != set(self.sync.key_columns):
            raise StateError(
                f"the state of sync {self.sync.name!r} was made for the key {', '.join(keys)}, not "
                f"{', '.join(self.sync.key_columns)}; give the sync a new name, or restore the key"
            )
        values = {m.state_column: found[m.state_column] for m in self.sync.mapped_fields if m.state_column in found}
        ordered = {key: keys[key] for key in self.sync.key_columns}
        return SyncTables(self.sync, self.location, ordered, values, self.dialect)

    def lay_out(self, key_types: Mapping[str, SqlType], value_types: Mapping[str, SqlType]) -> SyncTables:
        """Create the sync's tables, or add the columns of new fields. Runs in a transaction of its own.

        Raises:
            StateError: The key's columns or their types are not those of the tables.
        """
        existing = self.load_tables()
        wanted = SyncTables(self.sync, self.location, key_types, value_types, self.dialect)
        if existing is None:
            wanted.metadata.create_all(self.connection)
            return wanted
        self._check_key_types(existing, key_types)
        for name in wanted.value_names:
            if name not in existing.value_names:
                self._add_columns(wanted, name)
        return wanted

    def _check_key_types(self, existing: SyncTables, key_types: Mapping[str, SqlType]) -> None:
        for name, kind in key_types.items():
            old = existing.snapshot.c[name].type
            if not same_storage(old, kind, self.dialect):
                raise StateError(
                    f"key {name!r} of sync {self.sync.name!r} was {old.compile(self.dialect)} and is now "
                    f"{kind.compile(self.dialect)}; cast it in the query, or give the sync a new name"
                )

    def _add_columns(self, wanted: SyncTables, name: str) -> None:
        for table in (wanted.snapshot, wanted.changes):
            columns: list[Column[object]] = [table.c[name]]
            if table is wanted.changes:
                columns.append(table.c[f"differs_{name}"])
            for column in columns:
                declaration = CreateColumn(column).compile(dialect=self.dialect)
                qualified = self.dialect.identifier_preparer.format_table(table)
                self.connection.exec_driver_sql(f"ALTER TABLE {qualified} ADD COLUMN {declaration}")


@contextmanager
def open_state(location: StateLocation, sync: ContactSync) -> Iterator[State]:
    """Open the state, make its shared tables on first use, and check its version.

    Raises:
        ConfigurationError: This database cannot hold state.
        StateError: The state was written by another version of this package.
        WarehouseError: The database cannot be reached.
    """
    engine = open_engine(location.url)
    require_state_dialect(engine.dialect)
    with connect(engine, "state", writes=True) as connection:
        shared = SharedTables(location)
        with connection.begin():
            if not inspect(connection).has_table(shared.meta.name, schema=location.schema):
                shared.metadata.create_all(connection)
                _found(connection, shared)
            facts = dict(connection.execute(select(shared.meta.c.name, shared.meta.c.value)).tuples().all())
        version = facts.get("schema_version")
        if version != str(SCHEMA_VERSION):
            raise StateError(
                f"the state tables have layout version {version}, this package writes {SCHEMA_VERSION}; "
                "use the package version that wrote them, or a new state_prefix"
            )
        yield State(connection, location, sync, shared, bytes.fromhex(facts["secret"] or ""))


def _found(connection: Connection, shared: SharedTables) -> None:
    for name, value in (("schema_version", str(SCHEMA_VERSION)), ("secret", secrets.token_hex(32))):
        connection.execute(shared.meta.insert().values(name=name, value=value))
