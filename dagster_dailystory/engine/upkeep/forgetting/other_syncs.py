"""What the other syncs of a state have of the rows to forget: rows to forget there too, and plans to send them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import ColumnElement, FromClause, TableClause, and_, column, select, table

from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.engine.state.contact_map import names_of_other_syncs
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import HASH_COLUMNS
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.traces import IDENTITY_KINDS, Key, Traces
from dagster_dailystory.model.runs.plan import PlanStatus

_MAY_BE_SENT = [each.value for each in (PlanStatus.READY, PlanStatus.WAITING, PlanStatus.SENDING)]


def may_be_sent(state: State, changes: FromClause) -> ColumnElement[bool]:
    """Whether a change has no result, and is of a plan that may still be sent."""
    plans = state.shared.plans
    open_plans = select(plans.c.plan_id).where(plans.c.status.in_(_MAY_BE_SENT))
    return and_(changes.c.plan_id.in_(open_plans), changes.c.outcome.is_(None))


@contextmanager
def transaction_with(state: State, lease: Lease, others: Sequence[Lease]) -> Iterator[None]:
    """A transaction of the sync during which no other holder of these leases writes either."""
    with ExitStack() as written:
        for other in others:  # no thread writes their heartbeats meanwhile: one of the transactions would fail
            written.enter_context(other.heartbeat.committed())
        written.enter_context(lease.during(state))
        for other in others:
            other.renew(state)
        yield


def look_into_other_syncs(state: State, traces: Traces) -> None:
    """Find the other syncs that have one of the identities, within the caller's transaction. A live row shares it."""
    for name in names_of_other_syncs(state):
        contact_map = state.location.table_name(name, "contact_map")
        columns = list(reflected_types(state.connection, contact_map, state.location.schema) or {})
        keys = columns[: columns.index("dsid")]
        snapshot = _relation(state, name, "snapshot", *keys, *IDENTITY_KINDS, *HASH_COLUMNS.values(), "absent_since")
        changes = _relation(state, name, "changes", *keys, *IDENTITY_KINDS, "plan_id", "outcome")
        found: set[Key] = set()
        for relation in (snapshot, changes):
            for identity in traces.among(relation, state.secret):
                rows = state.connection.execute(select(*(relation.c[key] for key in keys)).where(identity).distinct())
                found |= {tuple(row) for row in rows}
        if found:
            traces.other_syncs[name] = len(found)
        if found and not state.is_retired(name):
            live = snapshot.c.absent_since.is_(None)
            traces.shared |= _identities(state, traces, snapshot, live)
        if _identities(state, traces, changes, may_be_sent(state, changes)) - traces.shared:
            traces.senders.add(name)


def _relation(state: State, sync_name: str, name: str, *columns: str) -> TableClause:
    return table(state.location.table_name(sync_name, name), *map(column, columns), schema=state.location.schema)


def _identities(state: State, traces: Traces, relation: FromClause, which: ColumnElement[bool]) -> set[str]:
    """The hashes of the identities that some rows have."""
    found: set[str] = set()
    for identity in traces.among(relation, state.secret):
        query = select(relation.c.identity_email, relation.c.identity_mobile).where(which, identity)
        for email, mobile in state.connection.execute(query):
            found |= traces.hashes_of(state.secret, email, mobile)
    return found
