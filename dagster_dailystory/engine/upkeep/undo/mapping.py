"""The mapping of an undo: also the fields that the run wrote and that are no longer mapped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dagster_dailystory.engine.state.plans.custom_fields import sent_custom_fields
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.undo.report import Created, UndoSettings
from dagster_dailystory.engine.upkeep.undo.written import written_columns
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.sync import ContactSync


def sync_to_undo(state: State, settings: UndoSettings) -> ContactSync:
    """The state's sync as an undo sends it: with all fields that a run wrote, and deletions if they are asked for.

    The fields that are no longer mapped name columns that no source has; the source is read with the sync as it is.

    Args:
        state: The open state.
        settings: What is taken back.

    Raises:
        ConfigurationError: A setting of the sync contradicts what is asked for.
    """
    sync = state.sync
    with state.connection.begin():
        tables = state.load_tables()
        written = frozenset[str]() if tables is None else written_columns(state, tables, settings.run_id)
        lost = written - {m.state_column for m in sync.mapped_fields}
        sent = sent_custom_fields(state)
    fields = {name: f"field_{name}" for name in CONTACT_FIELDS if f"field_{name}" in lost}
    custom = {name: column for name in sent if (column := _state_column(name)) in lost}
    changed: dict[str, Any] = {"fill": ()}  # what the run wrote is taken back, although the field has a value
    if fields or custom:
        changed = {
            "fields": {**fields, **sync.fields},
            "extended_properties": {**custom, **sync.extended_properties},
            "known_custom_fields": None,
        }
    if settings.created is not Created.KEEP:
        changed["deletes"] = settings.created.value
    return replace(sync, **changed)


def _state_column(custom_field: str) -> str:
    return MappedField(custom_field, "", FieldKind.CUSTOM, Nulls.KEEP, 0).state_column
