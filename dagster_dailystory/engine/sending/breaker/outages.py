"""Finds out whether failed requests are the matter of some rows, or whether DailyStory is down for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from dagster_dailystory.engine.sending.slots import Attempts, Concurrency
from dagster_dailystory.errors import (
    ConfigurationError,
    DailyStoryError,
    OutageError,
    RetryableError,
    ThrottledError,
    UnreadableError,
)

_log = logging.getLogger("dagster_dailystory")


_NOTICED_FAILURES = 5
"""Consecutive failed requests that are worth a line in the log."""


_MOST_DOUBLINGS = 2
"""How often a cleared suspicion doubles the number of failures that raise the next one."""


class Outages:
    """Counts answers and failures.

    An error that seems to concern all rows is at first a suspicion: the rows that met it may be neighbours with one
    fault in common. The sender then tries rows from elsewhere (`probe`). Any answer clears the suspicion; if each of
    these rows fails too, the error is fatal. Each suspicion that was cleared makes the next one less likely until
    many answers came in a row: the rows tried for it would otherwise use up those that DailyStory accepts.

    Args:
        concurrency: The number of slots; more of them may fail at once.
        on_cleared: Called when an answer clears a suspicion.
        on_fatal: Called with an error after which nothing may be sent.
        on_suspicion: Called when rows from elsewhere are wanted.

    Attributes:
        suspicion: The error that seems to concern all rows.
    """

    def __init__(
        self,
        concurrency: Concurrency,
        on_cleared: Callable[[], None],
        on_fatal: Callable[[DailyStoryError], None],
        on_suspicion: Callable[[], None],
    ) -> None:
        self._concurrency = concurrency
        self._on_cleared = on_cleared
        self._on_fatal = on_fatal
        self._on_suspicion = on_suspicion
        self._is_over = False
        self._requests = self._answers = self._answered_reads = self._good = 0
        self._consecutive_failures = self._unanswered = self._cleared = self._suspected_after = 0
        self._writes_fail = self._is_single = False
        self._is_account_forbidden = False
        self._last_failure: RetryableError | None = None
        self.suspicion: DailyStoryError | None = None
        self._probes: int | None = None

    def stop(self) -> None:
        """Suspect nothing more: rows that are cancelled do not fail."""
        self._is_over = True

    @property
    def unanswered(self) -> OutageError | None:
        """The error of a run without any answer; None if there was one, or if no request failed."""
        last = self._last_failure
        if last is None or self._answers or self._answered_reads or self._is_account_forbidden:
            return None
        return OutageError(f"{last}. No request of this run had an answer", status=last.status)

    @property
    def ongoing(self) -> str:
        """The last failure, if the latest requests failed often enough to be worth a line in the log; else empty."""
        return str(self._last_failure) if self._unanswered >= _NOTICED_FAILURES else ""

    def note_forbidden_account(self) -> None:
        """Note that DailyStory forbids /about: it responds, although it answers nothing."""
        self._is_account_forbidden = True

    def note_request(self) -> int:
        """Number a request that is about to be sent."""
        self._requests += 1
        return self._requests

    def note_answer(self, number: int, *, is_read: bool) -> None:
        """Count a request that DailyStory accepted or refused.

        Args:
            number: From `note_request`. An answer to a request that left before the suspicion does not clear it.
            is_read: The request changed nothing; while those that do fail, it does not show that DailyStory is up.
        """
        if is_read and self._writes_fail:
            self._answered_reads += 1
            return
        self._answers += 1
        if self.suspicion is not None and number <= self._suspected_after:
            return
        if self.ongoing:
            _log.info("DailyStory responds again")
        self._consecutive_failures = self._unanswered = 0
        self._writes_fail = False
        self._good += 1
        if self.suspicion is not None:
            self._clear()
        elif self._good >= self._concurrency.outage_threshold:
            self._cleared = 0

    def note_failure(
        self, error: RetryableError, *, is_own: bool, is_read: bool, too_long_seconds: float | None
    ) -> None:
        """Count a failed request.

        Args:
            error: What happened.
            is_own: The failure is its row's own matter; see `is_of_one_row`.
            is_read: The request changed nothing.
            too_long_seconds: How long DailyStory asks to wait, if that is longer than a row may take.
        """
        self._last_failure, self._good = error, 0
        self._writes_fail = self._writes_fail or not is_read
        self._consecutive_failures += not is_own
        if not (is_own or isinstance(error, ThrottledError)):  # a request to wait is usual
            self._unanswered += 1
            if self._unanswered == _NOTICED_FAILURES:
                _log.warning("%d requests in a row failed, and are sent again. Last: %s", _NOTICED_FAILURES, error)
        count, is_first = self._consecutive_failures, not self._cleared
        if is_first and isinstance(error, UnreadableError):
            self._suspect_all(ConfigurationError(str(error)))
        elif is_first and too_long_seconds is not None:
            self._suspect_all(OutageError(f"DailyStory asks to wait {too_long_seconds:.0f} s; run again after that"))
        elif count >= self._concurrency.outage_threshold * 2 ** min(self._cleared, _MOST_DOUBLINGS):
            self.suspect(
                OutageError(f"{count} requests in a row failed; run again when DailyStory responds. Last: {error}")
            )

    def is_of_one_row(self, attempts: Attempts) -> bool:
        """Whether a failure is the row's own matter: it failed before, and answers, as many as slots, came in between.

        Once that was seen it holds for the row, also when only such rows are left and no further answer comes.
        """
        if attempts.answers is not None and self._answers - attempts.answers >= self._concurrency.size:
            attempts.fails_alone = True
        attempts.answers = self._answers
        return attempts.fails_alone

    def suspect(self, error: DailyStoryError) -> None:
        """Suspect that an error concerns all rows."""
        if self.suspicion is None and not self._is_over:
            self.suspicion, self._suspected_after = error, self._requests
            self._on_suspicion()

    def _suspect_all(self, error: DailyStoryError) -> None:
        """Suspect that an error concerns all rows. Before any other answer that is sure."""
        if self._answers:
            self._is_single = True
            self.suspect(error)
        else:
            self._on_fatal(error)

    def probe(self, rows: int) -> None:
        """Expect that many rows from elsewhere, with `Attempts.is_probe`.

        Without any, many failures confirm the suspicion; a single one is taken for its row's own, because the rows
        before it were answered.
        """
        if self.suspicion is not None and not rows and self._is_single:
            self._clear()
        elif self.suspicion is not None:
            self._probes = rows
            self._confirm()

    def end_probe(self, attempts: Attempts) -> None:
        """Count a row from elsewhere that failed, or that ended without a request."""
        if attempts.is_probe and self._probes is not None:
            attempts.is_probe = False
            self._probes -= 1
            self._confirm()

    def _clear(self) -> None:
        self.suspicion = self._probes = None
        self._is_single = False
        self._cleared += 1
        self._on_cleared()

    def _confirm(self) -> None:
        if self.suspicion is not None and self._probes is not None and self._probes <= 0:
            self._on_fatal(self.suspicion)
