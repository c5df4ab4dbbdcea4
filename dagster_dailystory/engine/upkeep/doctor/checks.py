"""The checks of an examination that make nothing: source, state, service, token, account, clock and rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dagster_dailystory.api.responses import Account
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.databases.source import open_source
from dagster_dailystory.engine.account import compare_account, rate_is_shared, sender_of
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION
from dagster_dailystory.engine.state.store import State, connect_state
from dagster_dailystory.engine.upkeep.doctor.observations import Observations
from dagster_dailystory.engine.upkeep.doctor.report import Finding, FindingStatus
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyStoryError,
    ForbiddenError,
    OutageError,
    StateError,
    WarehouseError,
)
from dagster_dailystory.model.runs.plan import some
from dagster_dailystory.model.sync import ContactSync, FrameSource

_OK, _WARNING, _FAILED = FindingStatus.OK, FindingStatus.WARNING, FindingStatus.FAILED

OLDER = "older"
"""The answer of a state whose tables have an earlier layout."""

_ATTEMPTS = 3
"""Attempts at a response, as few as those of a dry run: seconds, not minutes."""

_MOST_SECONDS_APART = 30.0
"""Difference of two clocks that Retry-After dates and the times in the state bear."""


@dataclass(frozen=True)
class Examined:
    """What the checks look at.

    Attributes:
        sync: The sync.
        warehouse: Its warehouse and state.
        account: The account, with observed connections.
        observations: What its responses show.
    """

    sync: ContactSync
    warehouse: Warehouse
    account: AccountSettings
    observations: Observations


def examine(examined: Examined) -> tuple[Finding, ...]:
    """Check what a run needs. Of the state, missing tables that all syncs share and the row of the rate are written."""
    return (*_source(examined), *_state(examined), *_service(examined))


def _source(examined: Examined) -> Iterator[Finding]:
    sync = examined.sync
    if isinstance(sync.source, FrameSource):
        yield Finding("source", _OK, "the rows are handed over as a frame")
        return
    try:
        with connect(open_engine(examined.warehouse.url), "warehouse") as connection, connection.begin():
            open_source(sync, connection)
    except DailyStoryError as error:
        yield Finding("source", _FAILED, str(error))
    else:
        yield Finding("source", _OK, "it can be read, and has every mapped column")


def _state(examined: Examined) -> Iterator[Finding]:
    try:
        with connect_state(examined.warehouse.state, examined.sync) as state:
            with state.connection.begin() as transaction:
                state.set_meta("examined", "")
                transaction.rollback()
            yield Finding("state", _OK, "its tables can be read and written")
            yield _layout(state)
            with state.connection.begin():
                state.check_destination(examined.account.base_url)
    except DailyStoryError as error:
        yield Finding("state", _FAILED, str(error))


def _layout(state: State) -> Finding:
    if state.layout == SCHEMA_VERSION:
        return Finding("layout", _OK, f"version {state.layout}, that of this version of the package")
    seen = f"version {state.layout}, and this version of the package writes {SCHEMA_VERSION}"
    return Finding("layout", _WARNING, seen, "back the state up; the next run upgrades it", OLDER)


def _service(examined: Examined) -> Iterator[Finding]:
    sender, is_shared = _sender(examined)
    try:
        with sender:
            account = sender.about()
    except AuthenticationError as error:
        yield Finding("token", _FAILED, str(error), answer="refused")
        return
    except ForbiddenError:
        yield Finding("service", _OK, "it responds")
        yield Finding(
            "token", _WARNING, "DailyStory forbids /about, or does not accept the token", "run once with limit=1",
            answer="forbidden",
        )  # fmt: skip
        account = None
    except (OutageError, ConfigurationError) as error:
        answer = "redirect" if 300 <= examined.observations.status < 400 else "no_answer"
        yield Finding("service", _FAILED, str(error), answer=answer)
        return
    except WarehouseError as error:  # the rate of the account is in the state, and another connection asks for it
        yield Finding("state", _FAILED, str(error))
        return
    else:
        yield Finding("service", _OK, "it responds")
    if account is not None:
        yield from _token_and_account(examined, account)
    yield _clock(examined.observations.clock_offset)
    yield rate_finding(examined.account, sender.counts.api_throttled, is_shared=is_shared)


def _sender(examined: Examined) -> tuple[Sender, bool | None]:
    """A sender, and whether runs share the rate of the account: it is not known unless the state can be opened."""
    account = replace(examined.account, max_attempts=min(_ATTEMPTS, examined.account.max_attempts))
    try:
        with connect_state(examined.warehouse.state, examined.sync) as state:
            return sender_of(state, account), rate_is_shared(state)
    except DailyStoryError:  # the check of the state names it
        return Sender(examined.sync, account), None


def _token_and_account(examined: Examined, account: Account) -> Iterator[Finding]:
    if not account.is_answered:
        seen = "/about does not respond as the API of DailyStory does"
        yield Finding("token", _WARNING, seen, "make sure that base_url is right", answer="text")
    else:
        yield Finding("token", _OK, "it is accepted")
    try:
        with connect_state(examined.warehouse.state, examined.sync) as state:
            doubt = compare_account(state, account, examined.account)
    except StateError as error:
        yield Finding("account", _FAILED, str(error))
        return
    except DailyStoryError:
        return  # the check of the state names it
    form = _form_of_about(examined.observations)
    if account.tenant_uid is None and account.tenant is None:
        seen = "DailyStory does not say which account the token belongs to (/about)"
        advice = "make sure that it is the account of this state; a new token needs accept_account=True once"
        yield Finding("account", _WARNING, seen, advice, form)
    else:
        yield Finding("account", _WARNING if doubt else _OK, doubt or "it is that of the state, or its first", "", form)


def _form_of_about(observations: Observations) -> str:
    """Which documented form /about has (U14)."""
    envelope = observations.envelope
    if envelope is None:
        return "text"
    response = envelope.get("Response")
    if not isinstance(response, dict):
        return "bare"
    if isinstance(response.get("tenant"), dict):
        return "2025"
    return "2019" if response.get("tenant") else "nameless"


def _clock(offset: float | None) -> Finding:
    if offset is None:
        return Finding("clock", _OK, "not compared: the responses have no Date header")
    if abs(offset) <= _MOST_SECONDS_APART:
        return Finding("clock", _OK, "it differs from that of DailyStory by less than half a minute")
    direction = "behind" if offset > 0 else "ahead of"
    seen = f"the clock of this machine is {abs(offset):,.0f} s {direction} that of DailyStory"
    return Finding("clock", _WARNING, seen, "set it by NTP: the times in the state come from it")


def rate_finding(account: AccountSettings, throttled: int, *, is_shared: bool | None) -> Finding:
    """What is known about the permitted rate, and which runs keep to it together; it is never tried out (U1).

    Args:
        account: The account.
        throttled: How many requests were asked to wait.
        is_shared: Whether all runs of the state share it; None if the state cannot be opened.
    """
    together = {
        True: "all syncs of this state share it",
        False: "each process keeps to it alone",
        None: "which runs share it is not known until the state can be opened",
    }[is_shared]
    if throttled:
        return Finding(
            "rate",
            _WARNING,
            f"{some(throttled, 'request was', 'requests were')} asked to wait",
            "lower requests_per_second",
        )
    if account.requests_per_second is None:
        seen = {
            True: "not set: the first run starts at 2 requests a second, and all find the rate together",
            False: "not set: each run starts at 2 requests a second and finds the rate",
            None: "not set: a run starts at 2 requests a second and finds the rate",
        }[is_shared]
        return Finding("rate", _OK, seen, "ask DailyStory for the permitted rate, and set requests_per_second")
    seen = f"{account.requests_per_second:g} requests a second are set, {together}, and no request had to wait"
    return Finding("rate", _OK, seen)
