"""Results whose contact belongs to another row: they are conflicts, and that row is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from sqlalchemy import select

from dagster_dailystory.engine.state.contact_map import live_holders
from dagster_dailystory.engine.state.incremental import require_full_comparison
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Change, Outcome, Reason, Result


def without_shared(
    state: State,
    tables: SyncTables,
    results: Sequence[Result],
    changes: Mapping[int, Change],
    linking: Set[Outcome],
) -> list[Result]:
    """Turn results whose contact belongs to another live key of this sync into conflicts.

    Args:
        state: The open state.
        tables: The sync's tables.
        results: The results of a batch.
        changes: Its changes by sequence.
        linking: The outcomes that give a key its contact.
    """
    linked = {r.sequence: r.dsid for r in results if r.outcome in linking and r.dsid}
    fresh = {sequence: dsid for sequence, dsid in linked.items() if dsid != changes[sequence].dsid}
    holders = live_holders(state, tables, sorted(set(fresh.values())))
    labels = {dsid: changes[sequence].key_label for sequence, dsid in linked.items() if sequence not in fresh}
    checked = []
    for result in results:
        dsid = fresh.get(result.sequence)
        if dsid is None or (dsid not in holders and dsid not in labels):
            checked.append(result)
            if dsid is not None:
                labels[dsid] = changes[result.sequence].key_label
            continue
        message = "DailyStory returned the contact of another row; give the rows different emails and numbers"
        shared = replace(result, outcome=Outcome.CONFLICTED, reason=Reason.SHARED_DSID, message=message)
        checked.append(shared)
    taken = sorted({dsid for dsid in fresh.values() if dsid in holders})
    if taken:
        _send_again(state, tables, taken)
    return checked


def _send_again(state: State, tables: SyncTables, dsids: Sequence[str]) -> None:
    """Send these contacts' own values again: the values of another row were written to them."""
    require_full_comparison(state)
    contact_map, snapshot = tables.contact_map, tables.snapshot
    held = select(contact_map.c.dsid).where(tables.same_key(contact_map, snapshot), contact_map.c.dsid.in_(dsids))
    state.connection.execute(snapshot.update().where(held.exists()).values(resend_all=True))
