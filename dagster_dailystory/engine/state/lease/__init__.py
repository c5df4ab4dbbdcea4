"""One run at a time plans or sends a sync: it holds the lease, and the lease of a dead run is taken over."""

from dagster_dailystory.engine.state.lease.lease import LEASE_SECONDS, Lease
from dagster_dailystory.engine.state.lease.session import open_session
from dagster_dailystory.engine.state.lease.waiting import NO_WAIT, Waiting

__all__ = ["LEASE_SECONDS", "NO_WAIT", "Lease", "Waiting", "open_session"]
