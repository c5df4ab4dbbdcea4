"""Frames without personal data: keys and values as logs may show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster_dailystory.contacts.fingerprint import key_parts
from dagster_dailystory.contacts.values import KINDS
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.inspection import shown_value
from dagster_dailystory.model.mapping import MappedField

if TYPE_CHECKING:
    import pandas


def masked_frame(state: State, frame: pandas.DataFrame) -> pandas.DataFrame:
    """Mask a frame of the sync: personal parts of its keys, and values that may identify a person.

    Opt-out flags, the status and numbers stay. So do keys that are not personal, and dsids: they identify rows.

    Args:
        state: The open state, whose secret makes the keys opaque.
        frame: A frame of `SyncRecords`.
    """
    sync = state.sync
    found: pandas.DataFrame = frame.astype(object).where(frame.notna(), None)
    masked: dict[str, Any] = {}
    if set(sync.key_columns) <= set(found.columns):
        keys = found[list(sync.key_columns)].itertuples(index=False, name=None)
        parts = [key_parts(sync, key, state.secret) for key in keys]
        masked |= {column: [each[place] for each in parts] for place, column in enumerate(sync.key_columns)}
    if "field" in found.columns:
        fields = {mapped.name: mapped for mapped in sync.mapped_fields}
        names = [fields.get(name) for name in found["field"]]
        masked |= {column: list(map(_masked, names, found[column])) for column in ("before", "after")}
    shown: pandas.DataFrame = found.assign(**masked)
    return shown


def _masked(mapped: MappedField | None, value: object) -> object:
    """A value, or only its length; of a field that is not mapped any more always that."""
    is_shown = value is None or (mapped is not None and KINDS[mapped.kind].is_impersonal)
    return value if is_shown else shown_value(value)
