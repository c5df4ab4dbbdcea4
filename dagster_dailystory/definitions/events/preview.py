"""The preview of a plan: one record for each change, within the bytes that an event log should keep for ever."""

import json
from collections.abc import Mapping, Sequence

from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview
from dagster_dailystory.model.change import Operation
from dagster_dailystory.model.runs.plan import PlanSummary, some
from dagster_dailystory.model.sync import ContactSync

MOST_BYTES = 64_000
"""Most bytes of a preview as JSON. Each run stores one, twice."""


Record = dict[str, str | int]


def preview_records(sync: ContactSync, plan: PlanSummary, changes: Sequence[ChangePreview]) -> list[Record]:
    """The changes of a plan as records, within the most bytes.

    If they are too many, each row shows the fields that differ most often, and how many it leaves out; the last record
    counts the rows that are left out.
    """
    records = [_record(sync, change, _texts(change)) for change in changes]
    if sum(map(_size, records)) <= MOST_BYTES:
        return records
    left, shown = MOST_BYTES - _size(_rest(len(changes))), list[Record]()
    for number, change in enumerate(changes):
        record = _shortened(sync, change, plan.changes_by_field, left // (len(changes) - number))
        if _size(record) > left:
            return [*shown, _rest(len(changes) - number)]
        shown.append(record)
        left -= _size(record)
    return shown


def _rest(rows: int) -> Record:
    return {"key": "…", "operation": "", "changes": f"{some(rows, 'row is', 'rows are')} left out of this preview"}


def _shortened(sync: ContactSync, change: ChangePreview, by_field: Mapping[str, int], most: int) -> Record:
    """A record with as many fields as fit, those that differ most often first."""
    texts = _texts(change, by_field)
    shown, room = list[str](), most - _size(_record(sync, change, [_left_out(len(texts))]))
    for text in texts:
        room -= len(json.dumps(f"; {text}")) - len('""')
        if room < 0:
            break
        shown.append(text)
    left_out = len(texts) - len(shown)
    return _record(sync, change, [*shown, _left_out(left_out)] if left_out else shown)


def _left_out(fields: int) -> str:
    return f"{some(fields, 'field', 'fields')} left out"


def _texts(change: ChangePreview, by_field: Mapping[str, int] | None = None) -> Sequence[str]:
    """The fields of a change in words: in the order of the mapping, or those that differ most often first."""
    fields, dropped = list(change.fields), list(change.dropped)
    if by_field is not None:
        fields.sort(key=lambda each: -by_field.get(each.field, 0))
    return [*map(str, fields), *(f"{name}: not sent, {change.dropped[name]}" for name in dropped)]


def _record(sync: ContactSync, change: ChangePreview, texts: Sequence[str]) -> Record:
    is_deletion = change.operation is Operation.DELETE
    operation = sync.delete_policy.value if is_deletion else change.operation.value.replace("_", " ")
    return {"key": change.key_label, "operation": operation, "changes": "; ".join(texts)}


def _size(record: Record) -> int:
    """The bytes of a record as JSON, which Dagster writes in ASCII."""
    return len(json.dumps(record))
