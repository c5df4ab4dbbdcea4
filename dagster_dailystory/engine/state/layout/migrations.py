"""Numbered steps that bring state tables of an earlier version to the layout of this one.

A step names tables, columns and types itself: the definitions in `schema` are those of the newest layout. Every step
can be repeated after a crash, because it adds only what is missing, and because its number is committed last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Float,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    and_,
    bindparam,
    inspect,
    select,
)
from sqlalchemy.schema import CreateColumn, DropTable

from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT, SqlType, stored_type
from dagster_dailystory.engine.state.schema import StateLocation, index_of_the_set

_LAST_TABLE = "contact_map"


@dataclass(frozen=True)
class StoredTables:
    """The state tables as the database has them.

    Attributes:
        connection: An open connection without a transaction.
        location: Where the tables are.
        transaction: Begins a transaction during which no other process can use the state.
    """

    connection: Connection
    location: StateLocation
    transaction: Callable[[], AbstractContextManager[object]]

    def syncs(self) -> list[str]:
        """The syncs that have tables, in order of their names."""
        with self.connection.begin():
            return sync_names(self.connection, self.location)

    def columns(self, *parts: str) -> dict[str, SqlType]:
        """The columns of a table by name; empty if there is no such table."""
        with self.connection.begin():
            return self._columns(*parts)

    def _columns(self, *parts: str) -> dict[str, SqlType]:
        name = self.location.table_name(*parts)
        return reflected_types(self.connection, name, self.location.schema) or {}

    def table(self, *parts: str) -> Table:
        """A table with all its columns, for statements within a transaction."""
        name, metadata = self.location.table_name(*parts), MetaData(schema=self.location.schema)
        return Table(name, metadata, *(Column(each, kind) for each, kind in self._columns(*parts).items()))

    def add_columns(self, parts: Sequence[str], columns: Mapping[str, SqlType]) -> None:
        """Add the columns that a table lacks, each in a transaction of its own; an absent table stays absent."""
        found = self.columns(*parts)
        for name, kind in columns.items():
            if found and name not in found:
                self._add_column(self.location.table_name(*parts), Column(name, kind))

    def add_index_of_the_set(self, parts: Sequence[str], *names: str) -> None:
        """Index the rows of a table whose column is not NULL, where the database uses indexes."""
        if database_of(self.connection.dialect).uses_indexes:
            with self.transaction():
                index_of_the_set(self.table(*parts), *names).create(self.connection, checkfirst=True)

    def add_table(self, parts: Sequence[str], columns: Mapping[str, SqlType], primary_key: Sequence[str] = ()) -> None:
        """Create a table that is missing."""
        made = Table(self.location.table_name(*parts), MetaData(schema=self.location.schema))
        for name, kind in columns.items():
            made.append_column(Column(name, stored_type(kind)))
        if primary_key:
            made.append_constraint(PrimaryKeyConstraint(*primary_key))
        with self.transaction():
            made.create(self.connection, checkfirst=True)

    def allow_nulls(self, parts: Sequence[str], names: Sequence[str], kept: Sequence[str]) -> None:
        """Let columns have NULLs; where that cannot be altered, a new table takes the rows and the name.

        Args:
            parts: Names the table.
            names: The columns.
            kept: The primary key, which has no NULLs.
        """
        if not self.columns(*parts):
            return
        if database_of(self.connection.dialect).alters_column_types:
            for name in names:
                self._alter(self.location.table_name(*parts), f"ALTER COLUMN {self._quoted(name)} DROP NOT NULL")
            return
        with self.transaction():
            old = self.table(*parts)
            columns = (Column(c.name, stored_type(c.type), nullable=c.name not in kept) for c in old.columns)
            new = Table(f"{old.name}_new", MetaData(schema=old.schema), *columns, PrimaryKeyConstraint(*kept))
            self.connection.execute(DropTable(new, if_exists=True))
            new.create(self.connection)
            self.connection.execute(new.insert().from_select([c.name for c in old.columns], select(*old.columns)))
            self.connection.execute(DropTable(old))
            renamed = f"ALTER TABLE {self._quoted(new.name)} RENAME TO {self._quoted(old.name)}"
            self.connection.exec_driver_sql(renamed)

    def _quoted(self, name: str) -> str:
        return self.connection.dialect.identifier_preparer.quote(name)

    def _alter(self, table: str, action: str) -> None:
        preparer = self.connection.dialect.identifier_preparer
        qualified = preparer.format_table(Table(table, MetaData(schema=self.location.schema)))
        with self.transaction():
            self.connection.exec_driver_sql(f"ALTER TABLE {qualified} {action}")

    def _add_column(self, table: str, column: Column[object]) -> None:
        self._alter(table, f"ADD COLUMN {CreateColumn(column).compile(dialect=self.connection.dialect)}")


def sync_names(connection: Connection, location: StateLocation) -> list[str]:
    """The syncs that have tables in the state's schema, within the caller's transaction.

    Tables of another prefix that begins with this one belong to another state, which has shared tables of its own.
    """
    tables = set(inspect(connection).get_table_names(schema=location.schema))
    start, end = f"{location.prefix}_", f"_{_LAST_TABLE}"
    names = [table[len(start) : -len(end)] for table in tables if table.startswith(start) and table.endswith(end)]
    return sorted(name for name in names if name and not any(_shared_tables(tables, location, name)))


def _shared_tables(tables: set[str], location: StateLocation, name: str) -> Iterator[bool]:
    parts = name.split("_")
    for end in range(1, len(parts)):
        yield location.table_name(*parts[:end], "meta") in tables


def prepare_leases(tables: StoredTables) -> None:
    """Add the columns with which this version describes a lease, before any lease is taken.

    Earlier versions name the columns that they read and write, so a running process is not disturbed.
    """
    tables.add_columns(("meta",), {"run_id": TEXT, "taken_at": MOMENT})


def migrate(tables: StoredTables, version: int) -> Iterator[int]:
    """Run each step from `version` on, and yield the number of each layout that was reached.

    The caller commits the number. It holds the leases of all syncs.
    """
    while version in _STEPS:
        _STEPS[version](tables)
        version += 1
        yield version


def _to_3(tables: StoredTables) -> None:
    counts = ("opt_outs_pending", "rows_delete_skipped_shared")
    planned: dict[str, SqlType] = {
        "number": BIG_INTEGER,
        "settings": TEXT,
        "expires_at": MOMENT,
        "first_load": BOOLEAN,
        "whole_source": BOOLEAN,
        **dict.fromkeys(("live_keys", "opt_outs_to_send", "opt_outs_ahead", *counts), BIG_INTEGER),
    }
    tables.add_columns(("plans",), planned)
    sent = (
        "opt_outs_sent",
        "rows_skipped",
        *counts,
        "rows_deleted_in_dailystory",
        "rows_delete_waiting",
        "rows_delete_returned",
    )
    tables.add_columns(("runs",), dict.fromkeys(sent, BIG_INTEGER))
    syncs = tables.syncs()
    for sync in syncs:
        tables.add_columns((sync, "contact_map"), {"deleted_in_dailystory_at": MOMENT})
        tables.add_columns((sync, "rejections"), {"opts_out": BOOLEAN})
        tables.add_columns((sync, "snapshot"), {"acknowledged_plan": BIG_INTEGER, "only_mapped": BOOLEAN})
        tables.add_columns((sync, "changes"), {"absent_action": TEXT, "deleted_in_dailystory": BOOLEAN})
    with tables.transaction():
        for sync in syncs:
            _mark_only_mapped(tables, sync)
        _number_plans(tables)
        _finish_first_loads(tables)
        meta = tables.table("meta")
        tables.connection.execute(meta.update().where(meta.c.name == "tenant").values(name="account"))


def _mark_only_mapped(tables: StoredTables, sync: str) -> None:
    """Mark the contacts that mode `create` found and never wrote: no identity of theirs was acknowledged."""
    snapshot = tables.table(sync, "snapshot")
    identities = [snapshot.c[name] for name in ("field_email", "field_mobilePhone") if name in snapshot.c]
    found = and_(snapshot.c.resend_all.is_(None), *(value.is_(None) for value in identities))
    tables.connection.execute(snapshot.update().where(found).values(only_mapped=True))


def _number_plans(tables: StoredTables) -> None:
    """Number the plans of each sync in the order of their times."""
    plans, execute = tables.table("plans"), tables.connection.execute
    rows = execute(select(plans.c.plan_id).order_by(plans.c.sync_name, plans.c.created_at, plans.c.plan_id))
    numbers = [{"id": plan_id, "new": number} for number, plan_id in enumerate(rows.scalars().all(), start=1)]
    if numbers:
        numbered = plans.update().where(plans.c.plan_id == bindparam("id")).values(number=bindparam("new"))
        execute(numbered, numbers)


def _finish_first_loads(tables: StoredTables) -> None:
    """Record for each sync that its first load is done, if a plan of its whole source was sent.

    That of a sync in slices ends when each was sent once more: layout 2 does not say how many slices there were.
    """
    plans, meta, execute = tables.table("plans"), tables.table("meta"), tables.connection.execute
    columns = (plans.c.sync_name, plans.c.finished_at, plans.c.scope, plans.c.options)
    sent = select(*columns).where(plans.c.status == "done", plans.c.partition_value.is_(None))
    done: dict[str, datetime] = {}
    for row in execute(sent.order_by(plans.c.number)):
        if _is_whole(row.scope, row.options):
            done.setdefault(row.sync_name, row.finished_at)
    for sync, finished_at in sorted(done.items()):
        name = f"first_load:{sync}"
        if execute(select(meta.c.value).where(meta.c.name == name)).first() is None:
            execute(meta.insert().values(name=name, value=finished_at.isoformat()))


def _is_whole(scope: str, options: str) -> bool:
    """Whether a plan of layout 2 compared every row: without keys, without a limit."""
    chosen = json.loads(options)
    return scope != "rejected" and not chosen.get("keys") and chosen.get("limit") is None


def _to_4(tables: StoredTables) -> None:
    tables.add_columns(("plans",), dict.fromkeys(("fields_dropped", "new_custom_fields", "opt_outs_waiting"), TEXT))
    syncs = tables.syncs()
    for sync in syncs:
        tables.add_columns((sync, "changes"), {"dropped_fields": TEXT})
        tables.add_columns((sync, "snapshot"), {"unknown_fields": TEXT})
    with tables.transaction():
        for sync in syncs:
            _remember_custom_fields(tables, sync)


def _remember_custom_fields(tables: StoredTables, sync: str) -> None:
    """Take the custom fields of the snapshot for sent. A name that its column does not show is named as new once."""
    snapshot, meta = tables.table(sync, "snapshot"), tables.table("meta")
    columns = [column.name for column in snapshot.columns]
    names = sorted(name.removeprefix("custom_") for name in columns if name.startswith("custom_"))
    row = f"custom_fields:{sync}"
    if names and tables.connection.execute(select(meta.c.value).where(meta.c.name == row)).first() is None:
        tables.connection.execute(meta.insert().values(name=row, value=json.dumps(names)))


def _to_5(tables: StoredTables) -> None:
    numbers = dict.fromkeys(("rows_transferred", "keys_transferred", "bytes_read"), BIG_INTEGER)
    tables.add_columns(("plans",), {"compared": TEXT, "compared_why": TEXT, **numbers})
    for sync in tables.syncs():
        tables.add_columns((sync, "rejections"), {"partition_value": TEXT})
        tables.add_index_of_the_set((sync, "snapshot"), "partition_value", *_key_columns(tables, sync))
        tables.add_index_of_the_set((sync, "snapshot"), "absent_since")


def _to_6(tables: StoredTables) -> None:
    tables.add_columns(("plans",), {"superseded_by": TEXT, "approved_by": TEXT, "approved_at": MOMENT})


def _to_7(tables: StoredTables) -> None:
    """Forget the row hashes: the buckets of their keys are not known."""
    for sync in tables.syncs():
        tables.add_columns((sync, "row_hashes"), {"key_bucket": BIG_INTEGER})
        tables.add_table((sync, "hash_sums"), dict.fromkeys(("key_bucket", "hashes", "high", "low"), BIG_INTEGER))
        if tables.columns(sync, "row_hashes"):
            with tables.transaction():
                tables.connection.execute(tables.table(sync, "row_hashes").delete())
                meta = tables.table("meta")
                forgotten = meta.update().where(meta.c.name == f"row_hashes:{sync}").values(value="")
                tables.connection.execute(forgotten)


def _to_8(tables: StoredTables) -> None:
    tables.add_columns(("plans",), {"canary_found": TEXT, "canary_accepted_by": TEXT})
    texts = dict.fromkeys(("plan_id", "run_id", "dsid", "operation", "outcome", "before", "after"), TEXT)
    for sync in tables.syncs():
        keys = _key_columns(tables, sync)
        tables.add_table((sync, "history"), {**keys, **texts, "acknowledged_at": MOMENT})
        tables.add_columns((sync, "snapshot"), {"empty_fields": TEXT})
        found = dict.fromkeys(("outcome", "dsid", "differing"), TEXT)
        tables.add_table((sync, "adoption"), {**keys, **found, "looked_up_at": MOMENT})
        tables.add_columns((sync, "snapshot"), dict.fromkeys(("identity_email_hash", "identity_mobile_hash"), TEXT))
        tables.allow_nulls((sync, "changes"), list(keys), kept=("plan_id", "sequence"))
    tables.add_columns(("runs",), {"rows_matched": BIG_INTEGER})
    forgotten: dict[str, SqlType] = dict.fromkeys(("sync_name", "kind", "hash"), TEXT)
    tables.add_table(("forgotten",), {**forgotten, "forgotten_at": MOMENT})


def _to_9(tables: StoredTables) -> None:
    """The rate has a row once a run asks for it."""
    for sync in tables.syncs():
        tables.add_columns((sync, "snapshot"), {"kept_fields": TEXT})
    tables.add_columns(("runs",), {"rows_unsent": BIG_INTEGER, "stopped_by": TEXT})
    numbers = ("requests_per_second", "ceiling", "paused_until", "lowered_at", "stepped_at", "confirmed_at")
    times = ("next_at", "seen_at", "counted_from")
    columns: dict[str, SqlType] = {"destination": TEXT, "is_ramping": BOOLEAN, "version": BIG_INTEGER}
    columns |= dict.fromkeys((*numbers, *times), Float(53))
    columns |= dict.fromkeys(("sent", "sent_before", "refused", "refused_before"), BIG_INTEGER)
    tables.add_table(("rate",), columns, primary_key=("destination",))


def _key_columns(tables: StoredTables, sync: str) -> dict[str, SqlType]:
    """The key columns of a sync: in the contact map they come before the dsid."""
    columns = tables.columns(sync, "contact_map")
    return {name: columns[name] for name in list(columns)[: list(columns).index("dsid")]}


_STEPS: Mapping[int, Callable[[StoredTables], None]] = {
    2: _to_3, 3: _to_4, 4: _to_5, 5: _to_6, 6: _to_7, 7: _to_8, 8: _to_9,
}  # fmt: skip
"""Layout version -> the step to the next one."""
