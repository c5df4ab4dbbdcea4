"""The exit codes of the command line, chosen by what the reader should do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from dagster_dailystory.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    DailyStoryError,
    OutageError,
    RejectedError,
    RetryableError,
    SafetyError,
    StateError,
    WarehouseError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    """Done. Also a dry run, a plan that waits for approval, and a run that had nothing to send."""
    FAILED = 1
    """An unexpected error, which is a bug: report it. `--debug` shows where it happened."""
    USAGE = 2
    """An option, a setting or the mapping is not valid: correct it. Nothing has run."""
    BLOCKED = 3
    """A guard blocks the plan, or it must not be sent: nothing was sent. Or the canary stopped it. Look at the plan."""
    INCOMPLETE = 4
    """Rows or opt-outs failed, wait or are in doubt: the next run sends them again."""
    RETRY_LATER = 5
    """DailyStory is down or unreachable, or another run has the sync: run again later."""
    AUTHENTICATION = 6
    """DailyStory does not accept the API token: replace it."""
    STATE = 7
    """The state belongs to another version, destination or key: read the message."""
    WAREHOUSE = 8
    """The warehouse cannot be reached or refuses the query: correct the query, the permissions or the connection."""
    UNHEALTHY = 9
    """`doctor` found something with which a run would fail, or could not probe: its findings say what to do."""
    INTERRUPTED = 130
    """Ctrl-C ended the run after the requests in flight: the next run goes on."""
    TERMINATED = 143
    """SIGTERM ended the run in the same way."""


_BY_ERROR: Mapping[type[DailyStoryError], ExitCode] = {
    ConfigurationError: ExitCode.USAGE,
    WarehouseError: ExitCode.WAREHOUSE,
    StateError: ExitCode.STATE,
    BusyError: ExitCode.RETRY_LATER,
    SafetyError: ExitCode.BLOCKED,
    AuthenticationError: ExitCode.AUTHENTICATION,
    OutageError: ExitCode.RETRY_LATER,
    RejectedError: ExitCode.INCOMPLETE,
    RetryableError: ExitCode.RETRY_LATER,
}


def code_of_error(error: BaseException) -> ExitCode:
    """The exit code of an error: that of the nearest class in the tree of `errors`."""
    return next((_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR), ExitCode.FAILED)


def code_of_outcome(outcome: str) -> ExitCode:
    """The exit code of a run that no error stopped."""
    return {"incomplete": ExitCode.INCOMPLETE, "blocked": ExitCode.BLOCKED}.get(outcome, ExitCode.DONE)
