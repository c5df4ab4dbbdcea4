"""Makes the senders of a state. Only this module does, so that every request draws from the rate of the account."""

from __future__ import annotations

import math

from dagster_dailystory.api.rate.limiter import Limiter, RateLimiter
from dagster_dailystory.api.rate.shared import SharedRateLimiter
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.account.permits import StatePermits
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.sync import ContactSync


def sender_of(state: State, account: AccountSettings, sync: ContactSync | None = None) -> Sender:
    """Make a sender, which keeps to the rate of the account together with all other runs of the state.

    Args:
        state: The open state.
        account: Where to send to, and how.
        sync: Mode, deletion policy and consent; those of the state's sync if it is None.
    """
    return Sender(state.sync if sync is None else sync, account, _limiter(state, account))


def rate_is_shared(state: State) -> bool:
    """Whether all runs of the state share one rate: its database must have a clock, and its layout the table."""
    return state.database.clock() is not None and state.layout == SCHEMA_VERSION


def _limiter(state: State, account: AccountSettings) -> Limiter:
    rate = account.requests_per_second
    if rate == math.inf or not rate_is_shared(state):
        return RateLimiter(rate)
    return SharedRateLimiter(StatePermits(state.location, account.base_url, rate), rate)
