"""The examination: the checks, and on request trials on test contacts that are deleted at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.identity import is_email
from dagster_dailystory.engine.account import account_ids, check_account, rate_is_shared, sender_of
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.store import connect_state
from dagster_dailystory.engine.upkeep.doctor.bench import CUSTOM_FIELD, Bench, ForeignContactError, UnclearError
from dagster_dailystory.engine.upkeep.doctor.checks import OLDER, Examined, examine, rate_finding
from dagster_dailystory.engine.upkeep.doctor.notes import NOTES, Notes
from dagster_dailystory.engine.upkeep.doctor.observations import Observations
from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS, Question
from dagster_dailystory.engine.upkeep.doctor.report import ExaminationReport, Finding, FindingStatus
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import (
    ConfigurationError,
    DailyStoryError,
    OutageError,
    RejectedError,
)
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")

_LONGEST_LOCAL = 40
"""Most characters before the @ of the given address: the derived ones have some more, and 64 are possible."""

_MOST_FAILURES = 3
"""Questions in a row without a usable response after which no other one is asked: each takes all of its attempts."""

_ANNOUNCED = (
    "one contact with the given address, which no contact may have yet, not even a deleted one",
    "three contacts with plus-addresses of it, and up to three more if DailyStory makes a contact where one exists",
    f"the custom field {CUSTOM_FIELD}, which DailyStory keeps for good",
    "a mobile number of 202-555-0100 to 0199 (reserved for fiction) at the first contact; nothing is sent to it",
    "the contacts are deleted at the end, and DailyStory keeps deleted contacts with the status Deleted",
    "workflows of the account that start with a new contact start for these too",
)


def examine_sync(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    probe_email: str | None = None,
    *,
    confirmed: bool = False,
    questions: Sequence[Question] = QUESTIONS,
    now: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> ExaminationReport:
    """Examine a sync; see `examine_contact_sync`.

    Args:
        sync: The sync.
        warehouse: Its warehouse and state.
        account: The account.
        probe_email: The address of the first test contact; None for the checks alone.
        confirmed: Whether test contacts may be made.
        questions: What to try out.
        now: Seconds since the epoch.
        pause: Waits that many seconds.
    """
    if probe_email is not None:
        _check_address(probe_email)
    observations = Observations(now)
    examined = Examined(sync, warehouse, observations.of(account), observations)
    report = ExaminationReport(sync.name, examine(examined))
    if probe_email is not None and not confirmed:
        return replace(report, announced=_ANNOUNCED)
    if probe_email is None and not (report.is_healthy and _has_notes(examined)):
        return report
    if not report.is_healthy:
        return replace(report, answers=(_refused("a check failed", "correct what failed, and examine again"),))
    if any(each.answer == OLDER for each in report.findings):
        return replace(report, answers=(_refused("the state tables have an earlier layout", "run the sync first"),))
    probe = _Probe(examined, probe_email, questions, pause)
    try:
        probe.run()
    except DailyStoryError as error:
        probe.answers.append(_stopped(error))
    return replace(report, answers=tuple(probe.answers), remaining=tuple(probe.remaining))


def _check_address(email: str) -> None:
    if not isinstance(email, str) or not is_email(email) or len(email.rpartition("@")[0]) > _LONGEST_LOCAL:
        raise ConfigurationError(
            f"probe_email must be an email address, with at most {_LONGEST_LOCAL} characters before the @"
        )


def _has_notes(examined: Examined) -> bool:
    with connect_state(examined.warehouse.state, examined.sync) as state, state.connection.begin():
        return bool(state.meta_names(NOTES))


def _refused(why: str, advice: str) -> Finding:
    return Finding("examination", FindingStatus.FAILED, f"no test contact was made or deleted: {why}", advice)


def _stopped(error: DailyStoryError | ForeignContactError) -> Finding:
    advice = "examine again later"
    if isinstance(error, ForeignContactError):
        advice = "look at what remains, and ask DailyStory before a run creates contacts"
    return Finding("examination", FindingStatus.FAILED, str(error), advice)


class _Probe:
    """Tries the questions out on test contacts, or, without an address, deletes those of earlier examinations.

    Attributes:
        answers: What was found out so far.
        remaining: What is still in DailyStory.
    """

    def __init__(
        self, examined: Examined, email: str | None, questions: Sequence[Question], pause: Callable[[float], None]
    ) -> None:
        self.answers: list[Finding] = []
        self.remaining: list[str] = []
        self._examined = examined
        self._email = email
        self._questions = questions
        self._pause = pause

    def run(self) -> None:
        """Run it to its end, whatever happens in between.

        Raises:
            BusyError: A run holds the lease of the sync.
            DailyStoryError: The token belongs to another account than the state.
        """
        sync, account = self._examined.sync, self._examined.account
        with (
            open_session(sync, self._examined.warehouse.state) as (state, lease),
            sender_of(state, account, sync) as sender,
        ):
            state.bind_destination(account.base_url)
            check_account(state, sender, account)
            notes = Notes(state, lease, account_ids(state, account), self._examined.observations.now)
            bench = Bench(sender, notes, self._examined.observations, self._email, self._pause)
            try:
                bench.clean_up()
                if self._email is not None:
                    self._try_out(bench, notes)
            except (DailyStoryError, ForeignContactError) as error:
                self.answers.append(_stopped(error))
            finally:
                self._end(bench, notes)
            if throttled := sender.counts.api_throttled:
                self.answers.append(rate_finding(account, throttled, is_shared=rate_is_shared(state)))

    def _try_out(self, bench: Bench, notes: Notes) -> None:
        name = self._examined.sync.name
        if bench.is_taken():
            seen = "a contact of DailyStory has this address, so nothing was made"
            advice = "give an address of yours that no contact has, such as you+probe@example.com"
            self.answers.append(Finding("probe_email", FindingStatus.FAILED, seen, advice))
            return
        _log.info("sync %s: test contacts are made in DailyStory, with the last name %s", name, bench.tag)
        _ = bench.first
        failures = 0
        for question in self._questions:
            notes.keep_alive()
            try:
                self.answers.append(_answered(question, bench))
                failures = 0
            except OutageError as error:
                failures += 1
                if error.status is None or failures == _MOST_FAILURES:
                    raise
                self.answers.append(_unclear(question, error))

    def _end(self, bench: Bench, notes: Notes) -> None:
        try:
            bench.clean_up()
        except DailyStoryError as error:
            if _stopped(error) not in self.answers:
                self.answers.append(_stopped(error))
        self.remaining = [*bench.remaining(), *notes.of_others()]
        _log.info("sync %s: %d test contacts were deleted", self._examined.sync.name, bench.deleted)


def _answered(question: Question, bench: Bench) -> Finding:
    """Try one question out.

    Raises:
        OutageError: A request of it has no usable response.
    """
    try:
        found = question.trial(bench)
    except (UnclearError, RejectedError) as unclear:
        return _unclear(question, unclear)
    answer = question.answer(found)
    if answer is None:
        return _unclear(question, f"the unexpected answer {found}")
    name = _name_of(question)
    if answer.is_assumed:
        return Finding(name, FindingStatus.OK, answer.meaning, answer.advice, answer.name)
    seen = f"{answer.meaning}; this package assumes: {question.assumed}"
    return Finding(name, FindingStatus.WARNING, seen, answer.advice, answer.name)


def _unclear(question: Question, why: Exception | str) -> Finding:
    return Finding(_name_of(question), FindingStatus.WARNING, f"not found out: {why}")


def _name_of(question: Question) -> str:
    return f"{question.number} {question.name}"
