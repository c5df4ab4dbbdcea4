"""The tables of one sync: names, columns and types. Users may read all of them with plain SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    FromClause,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    and_,
    false,
    func,
)
from sqlalchemy.schema import SchemaItem

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT, SqlType, SqlValue, stored_type
from dagster_dailystory.engine.state.schema.columns import integers, texts
from dagster_dailystory.engine.state.schema.location import StateLocation
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import ContactSync

SYNC_TABLES = (
    "snapshot", "contact_map", "changes", "intents", "rejections", "row_hashes", "hash_sums", "history", "adoption",
)  # fmt: skip
"""The tables of one sync, named without the prefix and the sync's name."""


KEY_BUCKET = "key_bucket"
"""The column with the bucket of a key, by which row hashes are added up."""


_LONGEST_NAME = 60  # PostgreSQL truncates identifiers after 63 bytes


DROPPED = "dropped_fields"
"""The column of `changes` with the fields that are not sent because their value is invalid: JSON, name -> reason."""


IDENTITY_COLUMNS = {FieldKind.EMAIL: "identity_email", FieldKind.MOBILE: "identity_mobile"}
"""Kind of a field -> the column with its value as it is matched."""


HASH_COLUMNS = {"identity_email": "identity_email_hash", "identity_mobile": "identity_mobile_hash"}
"""Column of the snapshot with a part of an identity -> the column with its keyed hash, once the value is dropped."""


UNKNOWN_FIELDS = "unknown_fields"
"""The dropped fields of a row that DailyStory may have another value of than NULL, each in quotation marks."""


EMPTY_FIELDS = "empty_fields"
"""The fields of `fill` that are empty in DailyStory; see `field_lists`."""

KEPT_FIELDS = "kept_fields"
"""The fields whose value in DailyStory is another one and stays until the source changes; see `field_lists`."""


def is_dropped(changes: FromClause, name: str) -> ColumnElement[bool]:
    """Whether a state column is among the dropped fields of a change."""
    return func.coalesce(changes.c[DROPPED].contains(f'"{name}":', autoescape=True), false())


CONTACT_MAP_TIMES = {
    "first_synced_at": "When the contact was mapped (UTC)",
    "last_synced_at": "When DailyStory last accepted a change (UTC)",
    "deactivated_at": "When the contact was deactivated because its key left the source (UTC)",
    "deleted_at": "When the contact was deleted because its key left the source (UTC)",
    "deleted_in_dailystory_at": "When the contact was found deleted in DailyStory; its row is held (UTC)",
}
"""The columns of the contact map with a time, and their meaning."""


HISTORY_TEXTS = {
    "plan_id": "The plan that the change was part of",
    "run_id": "The run that sent it",
    "dsid": "The contact in DailyStory",
    "operation": "create, update, opt_out, deactivate or delete",
    "outcome": "created, updated, mapped (found, and not written), opted_out or deleted",
    "before": "JSON: the acknowledged values that were replaced, by field; a value that is not known is missing",
    "after": "JSON: the values that were written, by field; a field that was emptied is missing",
}
"""The columns of the history beside the key and the time, and their meaning."""


def differs_column(name: str) -> str:
    """The name of the flag that records whether a field differs."""
    return f"differs_{name}"


class SyncTables:
    """The tables of one sync.

    Attributes:
        key_names: The key columns.
        value_names: The snapshot's columns of mapped fields.
        removed_names: Its columns of fields that are no longer mapped.
    """

    def __init__(
        self,
        sync: ContactSync,
        location: StateLocation,
        key_types: Mapping[str, SqlType],
        value_types: Mapping[str, SqlType],
        dialect: Dialect,
        removed_types: Mapping[str, SqlType] = MappingProxyType({}),
    ) -> None:
        self.sync = sync
        self.metadata = MetaData(schema=location.schema)
        self.key_names: tuple[str, ...] = tuple(key_types)
        self.value_names: tuple[str, ...] = tuple(value_types)
        self.removed_names: tuple[str, ...] = tuple(removed_types)
        self._location = location
        self._dialect = dialect
        self._removed_types = removed_types
        self._key_types = key_types
        self._value_types = value_types
        self._is_indexed = database_of(dialect).uses_indexes
        self.snapshot = self._snapshot(removed_types)
        self.contact_map = self._contact_map()
        self.changes = self._changes()
        self.intents = self._intents()
        self.rejections = self._rejections()
        self.row_hashes = self._row_hashes()
        self.hash_sums = self._table("hash_sums", (), *integers(KEY_BUCKET, "hashes", "high", "low"))
        self.history = self._history()
        self.adoption = self._adoption()
        self._add_indexes()

    @property
    def key_types(self) -> Mapping[str, SqlType]:
        """The types of the key columns."""
        return {name: stored_type(kind) for name, kind in self._key_types.items()}

    @property
    def keyed(self) -> Sequence[Table]:
        """The tables that have the key columns."""
        return [each for each in self.metadata.sorted_tables if set(self.key_names) <= set(each.columns.keys())]

    def with_text_keys(self, names: Collection[str]) -> SyncTables:
        """The same tables, with text in these key columns."""
        keys = {key: TEXT if key in names else kind for key, kind in self._key_types.items()}
        return SyncTables(self.sync, self._location, keys, self._value_types, self._dialect, self._removed_types)

    def named(self, sync_name: str) -> SyncTables:
        """The same tables of a sync of another name."""
        sync = replace(self.sync, name=sync_name)
        return SyncTables(sync, self._location, self._key_types, self._value_types, self._dialect, self._removed_types)

    def _table(self, name: str, primary_key: Sequence[str], *columns: SchemaItem) -> Table:
        keyed = [PrimaryKeyConstraint(*primary_key)] if primary_key and self._is_indexed else []
        return Table(self._location.table_name(self.sync.name, name), self.metadata, *columns, *keyed)

    def _keys(self, *, nullable: bool = False) -> list[Column[object]]:
        return [Column(key, kind, nullable=nullable, autoincrement=False) for key, kind in self._key_types.items()]

    def _values(self) -> list[Column[object]]:
        return [Column(value, kind) for value, kind in self._value_types.items()]

    def _snapshot(self, removed_types: Mapping[str, SqlType]) -> Table:
        return self._table(
            "snapshot",
            self.key_names,
            *self._keys(),
            *self._values(),
            *texts("identity_email", "identity_mobile", "partition_value"),
            Column("resend_all", BOOLEAN),
            Column(UNKNOWN_FIELDS, TEXT),
            Column(EMPTY_FIELDS, TEXT),
            Column(KEPT_FIELDS, TEXT),
            Column("absent_since", MOMENT),
            Column("absent_action", TEXT),
            Column("acknowledged_plan", BIG_INTEGER),
            Column("only_mapped", BOOLEAN),  # mode `create` found the contact and did not write it
            *texts(*HASH_COLUMNS.values()),
            *(Column(removed, kind) for removed, kind in removed_types.items()),
        )

    def _contact_map(self) -> Table:
        return self._table(
            "contact_map",
            self.key_names,
            *self._keys(),
            Column("dsid", TEXT, nullable=False),
            *(Column(name, MOMENT) for name in CONTACT_MAP_TIMES),
        )

    def _changes(self) -> Table:
        return self._table(
            "changes",
            ("plan_id", "sequence"),
            Column("plan_id", TEXT, nullable=False),
            Column("sequence", BIG_INTEGER, nullable=False, autoincrement=False),
            *self._keys(nullable=True),  # a forgotten change has none
            *texts("operation", "partition_value", "identity_email", "identity_mobile"),
            *(Column(flag, BOOLEAN) for flag in ("is_new", "replaces", "identity_changed", "rekeyed", "reactivates")),
            Column("absent_action", TEXT),  # of the key that had the contact of a re-keyed row, as is the next one
            Column("deleted_in_dailystory", BOOLEAN),
            Column("dsid", TEXT),
            Column("priority", BIG_INTEGER),
            Column("waits_for", BIG_INTEGER),
            *self._values(),
            *(Column(differs_column(value), BOOLEAN) for value in self.value_names),
            *texts(DROPPED, "outcome", "reason", "message"),
            Column("attempts", BIG_INTEGER),
            Column("answered_at", MOMENT),
        )

    def _intents(self) -> Table:
        return self._table(
            "intents",
            self.key_names,
            *self._keys(),
            *texts("email_as_sent", "mobile_as_sent", "dsid", "plan_id"),
            Column("sequence", BIG_INTEGER),
            Column("sent_at", MOMENT),
        )

    def _rejections(self) -> Table:
        return self._table(
            "rejections",
            (),
            *self._keys(nullable=True),
            *texts("reason", "message", "fingerprint", "partition_value"),
            Column("opts_out", BOOLEAN),  # the row opts out, and no contact is known for it
            Column("source_rows", BIG_INTEGER),
            Column("attempts", BIG_INTEGER),
            Column("first_seen_at", MOMENT),
            Column("last_seen_at", MOMENT),
        )

    def _row_hashes(self) -> Table:
        return self._table("row_hashes", self.key_names, *self._keys(), *integers("row_hash", KEY_BUCKET))

    def _history(self) -> Table:
        return self._table(
            "history",
            (),
            *self._keys(),
            *texts(*HISTORY_TEXTS),
            Column("acknowledged_at", MOMENT),
        )

    def _adoption(self) -> Table:
        """What the look-ups of the last adoption found; it goes on with the keys that are not here."""
        found = texts("outcome", "dsid", "differing")
        return self._table("adoption", (), *self._keys(), *found, Column("looked_up_at", MOMENT))

    def _add_indexes(self) -> None:
        if not self._is_indexed:
            return
        for table, columns in (
            (self.snapshot, ("identity_email",)),
            (self.snapshot, ("identity_mobile",)),
            (self.contact_map, ("dsid",)),
            (self.rejections, self.key_names),
        ):
            Index(_index_name(table.name, columns), *(table.c[column] for column in columns))
        index_of_the_set(self.snapshot, "partition_value", *self.key_names)
        index_of_the_set(self.snapshot, "absent_since")

    def keys_of(self, relation: FromClause) -> list[SqlValue]:
        """The key columns of a relation."""
        return [relation.c[key] for key in self.key_names]

    def same_key(self, one: FromClause, other: FromClause) -> ColumnElement[bool]:
        """Whether rows of two relations have the same key."""
        return and_(*(one.c[key] == other.c[key] for key in self.key_names))


def index_of_the_set(table: Table, name: str, *more: str) -> Index:
    """An index of the rows whose column `name` is not NULL: it is NULL in most syncs, or in most rows."""
    is_set, columns = table.c[name].is_not(None), [table.c[each] for each in (name, *more)]
    return Index(_index_name(table.name, [name]), *columns, sqlite_where=is_set, postgresql_where=is_set)


def _index_name(table: str, columns: Sequence[str]) -> str:
    digest = hashlib.sha256(":".join((table, *columns)).encode()).hexdigest()[:8]
    return f"{table[: _LONGEST_NAME - 9]}_{digest}"
