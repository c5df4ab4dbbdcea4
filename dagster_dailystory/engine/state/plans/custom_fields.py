"""The custom fields that the syncs of a state have sent: DailyStory makes a new field of every other name."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dagster_dailystory.engine.state.store import State

_PREFIX = "custom_fields:"


def new_custom_fields(state: State) -> tuple[str, ...]:
    """The custom fields of the sync that no sync of this state has sent, within the caller's transaction.

    Returns:
        Their names; none if the sync lists the names that it may send.
    """
    sync = state.sync
    if sync.known_custom_fields is not None or not sync.extended_properties:
        return ()
    sent = {name for row in state.meta_names(_PREFIX) for name in json.loads(state.meta(row) or "[]")}
    return tuple(name for name in sync.extended_properties if name not in sent)


def sent_custom_fields(state: State) -> list[str]:
    """The custom fields that the state's sync has sent, within the caller's transaction."""
    return sorted(json.loads(state.meta(f"{_PREFIX}{state.sync.name}") or "[]"))


def remember_custom_fields(state: State, names: Iterable[str]) -> None:
    """Add the custom fields that a plan of the sync sent, within the caller's transaction."""
    row = f"{_PREFIX}{state.sync.name}"
    known = set(json.loads(state.meta(row) or "[]"))
    if not known.issuperset(names := set(names) & state.sync.extended_properties.keys()):
        state.set_meta(row, json.dumps(sorted(known | names)))
