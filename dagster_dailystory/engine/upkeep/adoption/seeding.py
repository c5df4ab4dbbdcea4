"""The seeding of an adoption: writes what look-ups found to contact map and snapshot, each batch in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Table,
    TableClause,
    and_,
    case,
    delete,
    false,
    literal,
    null,
    select,
)

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.fingerprint import refusal_fingerprint
from dagster_dailystory.contacts.identity import e164, email_for_matching, region_of, stripped_text
from dagster_dailystory.databases.expressions import among, empty_to_null, rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT, SqlType, SqlValue
from dagster_dailystory.engine.interrupts import interrupts_held
from dagster_dailystory.engine.sending.read_back.held_values import held_value
from dagster_dailystory.engine.state.contact_map import live_holders
from dagster_dailystory.engine.state.incremental import require_full_comparison
from dagster_dailystory.engine.state.layout.mapped_columns import is_canonical
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.custom_fields import remember_custom_fields
from dagster_dailystory.engine.state.schema import EMPTY_FIELDS, KEPT_FIELDS, SyncTables, list_of
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.adoption.look_ups import AdoptedRow
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.partitions import PARTITION_VALUE
from dagster_dailystory.model.runs.adoption import AdoptionOutcome, Differing
from dagster_dailystory.model.sync import Mode, OnDeleted

_MAPPED = (AdoptionOutcome.EXISTING, AdoptionOutcome.DELETED)
"""What gives a key its contact."""

_HELD_ROW = "the contact was deleted in DailyStory; the row is held, unless on_deleted='reactivate' and no opt-out"


class Seeding:
    """Writes the look-ups of one adoption.

    Args:
        state: The sync's state.
        tables: Its tables.
        lease: The lease of the sync.
        pending: The rows that were compared, by sequence.
        differing: What the snapshot takes where values differ.
    """

    def __init__(
        self, state: State, tables: SyncTables, lease: Lease, pending: TableClause, differing: Differing
    ) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease
        self._pending = pending
        self._differing = differing
        self._fields = tables.sync.mapped_fields

    def write(self, batch: Sequence[AdoptedRow]) -> None:
        """Write the answered rows of a batch of look-ups, in one transaction."""
        if not any(row.outcome for row in batch):
            return
        with interrupts_held(), self._lease.transaction(self._state):
            rows = self._without_shared([row for row in batch if row.outcome is not None])
            execute, tables = self._state.connection.execute, self._tables
            parameter = rows_parameter([self._given(row) for row in rows])
            execute(self._looked_up(), parameter)
            if any(row.outcome in _MAPPED for row in rows):
                require_full_comparison(self._state)
                remember_custom_fields(self._state, _custom_fields(rows))
                execute(self._mapped(), parameter)
                execute(self._acknowledged(), parameter)
                adopted = select(*tables.keys_of(self._rows)).where(self._is(*_MAPPED))
                execute(delete(tables.rejections).where(among(tables.keys_of(tables.rejections), adopted)), parameter)
            if tables.sync.on_deleted is OnDeleted.RESPECT:
                self._hold([row for row in rows if row.outcome is AdoptionOutcome.DELETED])

    def _without_shared(self, rows: Sequence[AdoptedRow]) -> list[AdoptedRow]:
        """Map none of the rows whose contact another key has, or several rows that were looked up before."""
        adoption, execute = self._tables.adoption, self._state.connection.execute
        found = sorted({row.contact.dsid for row in rows if row.contact is not None})
        ambiguous = adoption.c.outcome == AdoptionOutcome.AMBIGUOUS.value
        before = execute(select(adoption.c.dsid).where(adoption.c.dsid.in_(found), ambiguous)).scalars().all()
        held = live_holders(self._state, self._tables, found)
        if held:
            self._take_back(sorted(held))
        shared = {*before, *held}
        return [
            replace(row, outcome=AdoptionOutcome.AMBIGUOUS) if row.contact and row.contact.dsid in shared else row
            for row in rows
        ]

    def _take_back(self, dsids: Sequence[str]) -> None:
        """Unmap the keys that this adoption gave these contacts, unless a run has written to them since."""
        tables, execute = self._tables, self._state.connection.execute
        adoption, snapshot, contact_map = tables.adoption, tables.snapshot, tables.contact_map
        unwritten = (
            select(*tables.keys_of(adoption))
            .join(snapshot, tables.same_key(adoption, snapshot))
            .where(adoption.c.dsid.in_(dsids), adoption.c.outcome.in_([each.value for each in _MAPPED]))
            .where(snapshot.c.acknowledged_plan.is_(None))
        )
        for key in execute(unwritten).all():
            execute(delete(snapshot).where(self._has_key(snapshot, key)))
            execute(delete(contact_map).where(self._has_key(contact_map, key)))
            outcome = {"outcome": AdoptionOutcome.AMBIGUOUS.value, "differing": None}
            execute(adoption.update().where(self._has_key(adoption, key)).values(**outcome))

    def _has_key(self, table: Table, key: Sequence[object]) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in zip(self._tables.key_names, key, strict=True)))

    def _given(self, row: AdoptedRow) -> dict[str, object]:
        """A row of the batch, by the columns of `_rows`."""
        given: dict[str, object] = {
            "sequence": row.sequence,
            "outcome": None if row.outcome is None else row.outcome.value,
            "dsid": None if row.contact is None else row.contact.dsid,
            "identity_email": row.identity.email,
            "identity_mobile": row.identity.mobile,
        }
        if row.outcome is AdoptionOutcome.DELETED:
            given[KEPT_FIELDS] = list_of(row.uncleared(self._tables.sync))
        if row.outcome is not AdoptionOutcome.EXISTING:
            return given
        differing = row.differing(self._tables.sync)
        given["differing"] = json.dumps([mapped.name for mapped in differing]) if differing else None
        empty = {mapped.state_column for mapped in row.empty(self._tables.sync)}
        given[EMPTY_FIELDS] = list_of(empty)
        kept = {mapped.state_column for mapped in differing if self._keeps(mapped)}
        given[KEPT_FIELDS] = list_of(kept | row.uncleared(self._tables.sync))
        own = {mapped.state_column for mapped in differing if not self._keeps(mapped)} | row.invalid | empty
        given |= {_use(m): m.state_column not in own for m in self._fields}
        for mapped in differing if self._differing is Differing.SEND else ():
            if mapped.kind is not FieldKind.OPT_OUT:
                given |= self._of_dailystory(row, mapped)
        return given

    def _keeps(self, mapped: MappedField) -> bool:
        """Whether the snapshot takes the source's value of a field that differs; never of an opt-out."""
        return self._differing is Differing.KEEP and mapped.kind is not FieldKind.OPT_OUT

    def _of_dailystory(self, row: AdoptedRow, mapped: MappedField) -> dict[str, object]:
        """DailyStory's value as the snapshot has it; NULL, which differs too, if its column cannot have it."""
        held = None if row.contact is None else held_value(mapped, row.contact)
        try:
            text = canonical_text(held)
        except UnsupportedValueError:
            text = None
        fits = text is not None and is_canonical(text, self._tables.snapshot.c[mapped.state_column].type)
        found: dict[str, object] = {_held(mapped): _like(row.values[mapped.state_column], text) if fits else None}
        if mapped.kind is FieldKind.EMAIL:
            found["identity_email"] = email_for_matching(text) if text else None
        if mapped.kind is FieldKind.MOBILE:
            found["identity_mobile"] = e164(stripped_text(text), region_of(self._tables.sync, row.values))
        return found

    @cached_property
    def _rows(self) -> FromClause:
        """The rows of a batch with their keys and the source's values."""
        types = {m.state_column: self._tables.snapshot.c[m.state_column].type for m in self._fields}
        columns: dict[str, SqlType] = {"sequence": BIG_INTEGER}
        columns |= dict.fromkeys(
            ("outcome", "dsid", "differing", "identity_email", "identity_mobile", EMPTY_FIELDS, KEPT_FIELDS), TEXT
        )
        columns |= {_use(m): BOOLEAN for m in self._fields}
        columns |= {_held(m): types[m.state_column] for m in self._fields if self._differing is Differing.SEND}
        given, pending = self._state.database.json_rows(columns), self._pending
        names = [*self._tables.key_names, *types, *([PARTITION_VALUE] if PARTITION_VALUE in pending.c else [])]
        joined = select(*(pending.c[name] for name in names), *(given.c[name] for name in columns))
        return joined.join(given, given.c.sequence == pending.c.sequence).subquery("found")

    def _is(self, *outcomes: AdoptionOutcome) -> ColumnElement[bool]:
        return self._rows.c.outcome.in_([outcome.value for outcome in outcomes])

    def _looked_up(self) -> Insert:
        rows, adoption = self._rows, self._tables.adoption
        names = [*self._tables.key_names, "outcome", "dsid", "differing", "looked_up_at"]
        row = (*self._tables.keys_of(rows), rows.c.outcome, rows.c.dsid, rows.c.differing)
        return adoption.insert().from_select(names, select(*row, literal(self._state.now(), MOMENT)))

    def _mapped(self) -> Insert:
        tables, rows, now = self._tables, self._rows, literal(self._state.now(), MOMENT)
        names = [*tables.key_names, "dsid", "first_synced_at", "last_synced_at", "deleted_in_dailystory_at"]
        deleted_at = case((self._is(AdoptionOutcome.DELETED), now), else_=null())
        row = select(*tables.keys_of(rows), rows.c.dsid, now, now, deleted_at).where(self._is(*_MAPPED))
        return tables.contact_map.insert().from_select(names, row)

    def _acknowledged(self) -> Insert:
        """The values that the next run compares with; those of a deleted contact are not known."""
        tables, rows = self._tables, self._rows
        values: dict[str, SqlValue] = {m.state_column: self._value(m) for m in self._fields}
        values |= {"identity_email": rows.c.identity_email, "identity_mobile": rows.c.identity_mobile}
        values |= {PARTITION_VALUE: rows.c[PARTITION_VALUE]} if PARTITION_VALUE in rows.c else {}
        values |= {name: rows.c[name] for name in (EMPTY_FIELDS, KEPT_FIELDS)}
        values["resend_all"] = self._is(AdoptionOutcome.DELETED)
        values["only_mapped"] = literal(tables.sync.mode is Mode.CREATE)
        row = select(*tables.keys_of(rows), *values.values()).where(self._is(*_MAPPED))
        return tables.snapshot.insert().from_select([*tables.key_names, *values], row)

    def _value(self, mapped: MappedField) -> SqlValue:
        rows = self._rows
        other = rows.c[_held(mapped)] if _held(mapped) in rows.c else null()
        return case((rows.c[_use(mapped)], empty_to_null(rows.c[mapped.state_column])), else_=other)

    def _hold(self, rows: Sequence[AdoptedRow]) -> None:
        """Record the rows of deleted contacts, as a run that finds them does."""
        if not rows:
            return
        sync, secret, reason = self._tables.sync, self._state.secret, Reason.DELETED_IN_DAILYSTORY
        given = self._state.database.json_rows({"sequence": BIG_INTEGER, "fingerprint": TEXT})
        pending, now, one = self._pending, literal(self._state.now(), MOMENT), literal(1, BIG_INTEGER)
        values: dict[str, SqlValue] = {"reason": literal(reason.value, TEXT), "message": literal(_HELD_ROW, TEXT)}
        values |= {"fingerprint": given.c.fingerprint, "opts_out": false(), "source_rows": one, "attempts": one}
        values |= {PARTITION_VALUE: pending.c[PARTITION_VALUE]} if PARTITION_VALUE in pending.c else {}
        values |= {"first_seen_at": now, "last_seen_at": now}
        row = select(*self._tables.keys_of(pending), *values.values())
        row = row.join(given, given.c.sequence == pending.c.sequence)
        fingerprints: list[dict[str, object]] = [
            {"sequence": row.sequence, "fingerprint": refusal_fingerprint(sync, row.valid_values, secret, reason)}
            for row in rows
        ]
        held = self._tables.rejections.insert().from_select([*self._tables.key_names, *values], row)
        self._state.connection.execute(held, rows_parameter(fingerprints))


def _custom_fields(rows: Sequence[AdoptedRow]) -> set[str]:
    """The custom fields that DailyStory has, so that the first plan does not name them as new."""
    found = [row.contact.fields.get("extendedProperties") for row in rows if row.contact is not None]
    return {name for custom in found if isinstance(custom, Mapping) for name in custom}


def _like(value: object, text: str | None) -> object:
    """A canonical text as a number if the source has one: a column without a type keeps what it is given."""
    is_number = isinstance(value, int) and text is not None and is_canonical(text, BIG_INTEGER)
    return int(text or "") if is_number else text


def _use(mapped: MappedField) -> str:
    """The flag whether the snapshot takes the source's value of a field."""
    return f"use_{mapped.state_column}"


def _held(mapped: MappedField) -> str:
    """The value that the snapshot takes otherwise."""
    return f"held_{mapped.state_column}"
