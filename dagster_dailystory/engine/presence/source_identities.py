"""Looks up whether a missing key's email or mobile number is in the source under another key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, String, cast, func, or_, select

from dagster_dailystory.contacts.identity import identity_of, stripped_text
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import SqlQuery, SqlValue
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.state.schema import IDENTITY_COLUMNS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField


class SourceIdentities:
    """Finds rows that have no contact yet, and the email or the mobile number of a contact whose key is missing.

    The source is asked for the spellings that are known: that of the snapshot, in any case, and the normalised one.

    Args:
        state: The sync's state.
        tables: The sync's tables.
        source: Reads the source.
    """

    def __init__(self, state: State, tables: SyncTables, source: SourceKeys) -> None:
        self._state = state
        self._tables = tables
        self._source = source
        self._fields = [m for m in tables.sync.read_fields if m.kind in IDENTITY_COLUMNS or m.kind is FieldKind.REGION]

    def taken_up(self, known: Sequence[RowMapping]) -> set[str]:
        """Select those of the identities that a new row of the source has, within the caller's transaction.

        Args:
            known: Rows of the snapshot.

        Returns:
            Normalised emails and mobile numbers.

        Raises:
            WarehouseError: The source cannot be asked.
        """
        spellings = self.spellings(known)
        if not any(spellings.values()):
            return set()
        found = self._source.select(lambda source: self._query(source, spellings))
        width = len(self._tables.key_names)
        rows = [(self._source.staged(row[:width]), row[width:]) for row in found if None not in row[:width]]
        mapped_keys = self._mapped([key[0] for key, _ in rows])
        names = [mapped.state_column for mapped in self._fields]
        identities = (
            identity_of(self._tables.sync, dict(zip(names, values, strict=True)))
            for key, values in rows
            if key not in mapped_keys
        )
        return {each for identity in identities for each in (identity.email, identity.mobile) if each is not None}

    def spellings(self, known: Sequence[RowMapping]) -> Mapping[MappedField, set[str]]:
        """The known spellings of the identities of some rows of the snapshot, by field and in lower case."""
        return {m: set(self._spellings(m, known)) for m in self._fields if m.kind in IDENTITY_COLUMNS}

    def _spellings(self, mapped: MappedField, known: Sequence[RowMapping]) -> Iterator[str]:
        for row in known:
            for value in (row[mapped.state_column], row[IDENTITY_COLUMNS[mapped.kind]]):
                text = stripped_text(value)
                if text:
                    yield text.lower()

    def _query(self, source: Source, spellings: Mapping[MappedField, set[str]]) -> SqlQuery:
        values = [self._value(source, mapped) for mapped in self._fields]
        return select(*self._source.key_columns(source), *values).where(self.has_identity(source, spellings))

    def has_identity(self, source: Source, spellings: Mapping[MappedField, set[str]]) -> ColumnElement[bool]:
        """Whether a row of the source has one of these emails or mobile numbers."""
        return or_(
            *(
                func.lower(func.trim(cast(self._value(source, mapped), String))).in_(sorted(texts))
                for mapped, texts in spellings.items()
                if texts
            )
        )

    def _value(self, source: Source, mapped: MappedField) -> SqlValue:
        return source.relation.c[source.columns[mapped.column]]

    def _mapped(self, first_keys: Sequence[object]) -> set[tuple[object, ...]]:
        """The keys of the contact map whose first part is one of these."""
        contact_map, names = self._tables.contact_map, self._tables.key_names
        rows = select(*(contact_map.c[name] for name in names)).where(contact_map.c[names[0]].in_(first_keys))
        return {tuple(row) for row in self._state.connection.execute(rows)} if first_keys else set()
