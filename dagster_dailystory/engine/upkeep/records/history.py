"""Reads the history of a sync: what was written to which contact, when, and which values it replaced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select

from dagster_dailystory.databases.sql_types import SqlType, SqlValue, Untyped, stored_type
from dagster_dailystory.databases.stored_values import reader_of, typed_keys
from dagster_dailystory.engine.sending.read_back.held_values import value_to_send
from dagster_dailystory.engine.state.layout.mapped_columns import is_nested, nested_value
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.sync import ContactSync

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One acknowledged change. It holds personal data, which its `repr` leaves out.

    Attributes:
        key: The values of the key columns at that time.
        plan_id: The plan that the change was part of.
        run_id: The run that sent it; None if it is not known.
        dsid: The contact.
        operation: `create`, `update`, `opt_out`, `deactivate` or `delete`.
        outcome: `created`, `updated`, `mapped` (found, and not written), `opted_out` or `deleted`.
        before: State column -> the acknowledged value that was replaced. A field without one is missing: DailyStory
            may have had a value that this sync does not know.
        after: State column -> the value that was written. A field that was emptied is missing.
        acknowledged_at: When DailyStory accepted it (UTC without a zone).
    """

    key: tuple[object, ...] = field(repr=False)
    plan_id: str
    run_id: str | None
    dsid: str
    operation: str
    outcome: str
    before: Mapping[str, object] = field(repr=False)
    after: Mapping[str, object] = field(repr=False)
    acknowledged_at: datetime

    @property
    def written(self) -> Sequence[str]:
        """The state columns of the fields that were written."""
        return list(dict.fromkeys((*self.before, *self.after)))


def read_history(
    state: State,
    tables: SyncTables,
    *,
    any_of: Sequence[ColumnElement[bool]] = (),
    run_id: str | None = None,
    since: datetime | None = None,
) -> Iterator[HistoryEntry]:
    """Read the history in the order of its times, within the caller's transaction.

    The rows are streamed: the connection executes no other statement before the last one.

    Args:
        state: The open state.
        tables: The sync's tables.
        any_of: Only entries that fulfil one of these conditions, on columns of the history; all if there are none.
        run_id: Only what this run sent.
        since: Only what was acknowledged from this time on; a time without a zone is UTC.
    """
    history = tables.history
    conditions: list[ColumnElement[bool]] = []
    if any_of:
        conditions.append(or_(*any_of))
    if run_id is not None:
        conditions.append(history.c.run_id == run_id)
    if since is not None:
        conditions.append(history.c.acknowledged_at >= _utc(since))
    query = select(history).where(*conditions).order_by(history.c.acknowledged_at, history.c.plan_id)
    kinds = {column.name: column.type for column in tables.snapshot.columns}
    nested = frozenset(name for name, kind in kinds.items() if is_nested(state, kind))
    streamed = {"stream_results": True, "yield_per": _BATCH}
    for rows in state.connection.execute(query, execution_options=streamed).mappings().partitions(_BATCH):
        for row in rows:
            yield _entry(row, tables, kinds, nested)


def has_key(tables: SyncTables, columns: Mapping[str, SqlValue], keys: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """For each key as a user writes it, whether a row has it.

    Raises:
        ConfigurationError: A key is not a value of its columns' types.
    """
    for key in keys:
        for typed in typed_keys(key, tables.key_types):
            yield and_(*(columns[name] == value for name, value in typed.items()))


def as_sent(sync: ContactSync, mapped: MappedField | None, value: object) -> object:
    """A value of the history as it was sent: a number in its international form, however the source writes it.

    It stays as the source writes it where its country is that of a column of its row, which the history does not have.
    """
    if mapped is None or mapped.kind is not FieldKind.MOBILE:
        return value
    sent = value_to_send(sync, mapped, value)
    return value if sent is None else sent


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(timezone.utc).replace(tzinfo=None)


def _entry(row: RowMapping, tables: SyncTables, kinds: Mapping[str, SqlType], nested: frozenset[str]) -> HistoryEntry:
    return HistoryEntry(
        tuple(row[name] for name in tables.key_names),
        row["plan_id"],
        row["run_id"],
        row["dsid"],
        row["operation"],
        row["outcome"],
        values_of(row["before"], kinds, nested),
        values_of(row["after"], kinds, nested),
        row["acknowledged_at"],
    )


class _Number(str):
    """A number of a JSON text, with all its digits."""

    __slots__ = ()


def values_of(text: str | None, kinds: Mapping[str, SqlType], nested: frozenset[str]) -> dict[str, object]:
    """The values of one JSON text of the history, by their columns.

    Args:
        text: The text.
        kinds: Column -> type.
        nested: The columns with lists or objects.
    """
    stored = json.loads(text or "{}", parse_float=_Number)
    return {n: nested_value(v) if n in nested else _value(v, kinds.get(n)) for n, v in stored.items()}


def _value(stored: object, kind: SqlType | None) -> object:
    """A value of the history as a value of its column's type; of a field that was mapped otherwise, as it is stored."""
    if kind is None or isinstance(stored_type(kind), Untyped):
        return float(stored) if isinstance(stored, _Number) else stored
    read = reader_of(kind)
    with contextlib.suppress(ValueError):  # the field had another type
        return stored if read is None else read(str(stored))
    return str(stored)
