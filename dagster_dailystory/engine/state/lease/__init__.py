"""One run at a time plans or sends a sync: it holds the lease, and the lease of a dead run is taken over."""

from dagster_dailystory.engine.state.lease.heartbeat import LEASE_SECONDS
from dagster_dailystory.engine.state.lease.lease import Lease
from dagster_dailystory.engine.state.lease.session import hold_syncs, open_session
from dagster_dailystory.engine.state.lease.waiting import NO_WAIT, WAIT_SECONDS, Waiting

__all__ = ["LEASE_SECONDS", "NO_WAIT", "WAIT_SECONDS", "Lease", "Waiting", "hold_syncs", "open_session"]
