"""The tables of a sync as pandas frames, with unmasked values. Not for logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Table, select

from dagster_dailystory.databases.sql_types import SqlValue
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.schema import CONTACT_MAP_TIMES, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.history import HistoryEntry, as_sent, read_history
from dagster_dailystory.engine.upkeep.records.inspection import SHOWN, changes_of, check_shown_fields, is_part, reading
from dagster_dailystory.engine.upkeep.records.whose import EVERY_KEY, Whose
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.sync import ContactSync

if TYPE_CHECKING:
    import pandas


def plan_frame(state: State, plan_id: str) -> pandas.DataFrame:
    """A plan as a pandas frame: one row for each field that differs, with unmasked values. Not for logs.

    `before` is empty if the change has an outcome: then the snapshot holds the new value.

    Raises:
        UnknownPlanError: The sync has no such plan.
    """
    records: list[dict[str, object]] = []
    sync = state.sync
    keys = sync.key_columns
    with reading(state) as tables:
        Plans(state).named(plan_id)
        queries = {} if tables is None else {each: changes_of(tables, plan_id, each) for each in SHOWN}
        for operation, query in queries.items():
            for row in state.connection.execute(query).mappings():
                head = {**{key: row[key] for key in keys}, "operation": operation.value}
                head |= {"dsid": row["dsid"], "outcome": row["outcome"]}
                is_open = row["outcome"] is None
                fields = [m for m in sync.sent_fields if is_part(row, m, operation)]
                records += [
                    {
                        **head,
                        "field": m.name,
                        "before": row[f"old_{m.state_column}"] if is_open else None,
                        "after": row[m.state_column],
                    }
                    for m in fields
                ] or [head]
    return _frame(records, (*keys, "operation", "dsid", "outcome", "field", "before", "after"))


def contact_map_frame(state: State) -> pandas.DataFrame:
    """The contact map as a pandas frame: the key columns, the dsid, the times (UTC)."""
    return _table_frame(state, "contact_map", (*state.sync.key_columns, "dsid", *CONTACT_MAP_TIMES))


def rejections_frame(state: State) -> pandas.DataFrame:
    """The rejections as a pandas frame: the key columns, reason, message, counts, the times (UTC)."""
    columns = ("reason", "message", "source_rows", "attempts", "first_seen_at", "last_seen_at")
    return _table_frame(state, "rejections", (*state.sync.key_columns, *columns))


def history_frame(
    state: State, whose: Whose = EVERY_KEY, since: datetime | None = None, field: str | None = None
) -> pandas.DataFrame:
    """The history as a pandas frame: one row for each field that a change wrote, the oldest first.

    A change that wrote no field, such as a deletion, is one row without a field. Numbers are as they were sent.

    Args:
        state: The open state.
        whose: Only the history of these keys, or of this contact.
        since: Only from this time on; a time without a zone is UTC.
        field: Only this DailyStory field or custom field.

    Raises:
        ConfigurationError: The field is not mapped, or a key is not a value of its columns' types.
    """
    sync = state.sync
    if field is not None:
        check_shown_fields(sync, [field], "field")
    mapped = {m.state_column: m for m in sync.mapped_fields}
    records: list[dict[str, object]] = []
    with reading(state) as tables:
        for entry in [] if tables is None else _entries(state, tables, whose, since):
            head = {name: getattr(entry, name) for name in ("plan_id", "run_id", "dsid", "operation", "outcome")}
            head |= {**dict(zip(sync.key_columns, entry.key, strict=True)), "acknowledged_at": entry.acknowledged_at}
            values = [{**head, **_written(sync, entry, c, mapped.get(c))} for c in entry.written]
            records += [each for each in values or [head] if field in (None, each.get("field"))]
    columns = ("plan_id", "run_id", *sync.key_columns, "dsid", "operation", "outcome", "field", "before", "after")
    return _frame(records, (*columns, "acknowledged_at"))


def _written(sync: ContactSync, entry: HistoryEntry, column: str, mapped: MappedField | None) -> dict[str, object]:
    before, after = (as_sent(sync, mapped, values.get(column)) for values in (entry.before, entry.after))
    return {"field": column if mapped is None else mapped.name, "before": before, "after": after}


def _entries(state: State, tables: SyncTables, whose: Whose, since: datetime | None) -> Iterator[HistoryEntry]:
    conditions = whose.conditions(state, tables)
    return iter(()) if conditions is None else read_history(state, tables, any_of=conditions, since=since)


def runs_frame(state: State) -> pandas.DataFrame:
    """The run log of the sync as a pandas frame, the newest send first: run, plan, slice, outcome, times, counts."""
    with state.connection.begin():
        runs = state.shared.runs
        query = select(runs).where(runs.c.sync_name == state.sync.name).order_by(runs.c.started_at.desc())
        rows = state.connection.execute(query).mappings()
        return _frame([dict(row) for row in rows], [column.name for column in runs.c])


def _keys(table: Table, sync: ContactSync) -> list[SqlValue]:
    return [table.c[key] for key in sync.key_columns]


def _table_frame(state: State, name: str, columns: Sequence[str]) -> pandas.DataFrame:
    with reading(state) as tables:
        if tables is None:
            return _frame([], columns)
        table: Table = getattr(tables, name)
        query = select(*(table.c[column] for column in columns)).order_by(*_keys(table, state.sync))
        return _frame([dict(row) for row in state.connection.execute(query).mappings()], columns)


def _frame(records: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pandas.DataFrame:
    import pandas  # slow to load, and only frames need it

    frame: pandas.DataFrame = pandas.DataFrame.from_records(list(records), columns=list(columns)).convert_dtypes()
    return frame
