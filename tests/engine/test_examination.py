"""The examination of a sync, against a real sandbox over HTTP and a state in SQLite."""

from __future__ import annotations

import logging
import math
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION
from dagster_dailystory.engine.upkeep.doctor.identities import taken_emails
from dagster_dailystory.engine.upkeep.doctor.probe import examine_sync
from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS, UNASKED, Answer, Question
from dagster_dailystory.engine.upkeep.doctor.report import ExaminationReport, Finding, FindingStatus
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Contact, Sandbox, SandboxSettings

SYNC = ContactSync(name="customers", source="customers", key="id", fields={"email": "email"})
EMAIL = "Quillon@example.com"
ALONE = {question.name: (question,) for question in QUESTIONS} | {
    "the id of a merged contact": tuple(
        each for each in QUESTIONS if each.trial is taken_emails or each.number == "U30"
    )
}
"""Question -> what has to be tried out to answer it."""

SWITCHES = [
    pytest.param(question, answer, id=f"{question.number}-{question.name}-{answer.name}".replace(" ", "_"))
    for question in QUESTIONS
    for answer in question.answers
    if answer.sandbox
]
SEEN_BY_CHECKS = {"wrong_host", "redirect_to", "about_shape", "tenant_name", "tenant_uid", "data_center"}
"""Settings that the checks see, and what /about says."""

UNSEEN = {
    **dict.fromkeys(
        ("requests_per_second", "rate_limit", "rate_window_seconds", "retry_after", "retry_after_seconds"), "U1"
    ),
    **dict.fromkeys(("latency_seconds", "slow_seconds", "faults"), "U2"),
    **dict.fromkeys(("import_form", "import_delay_seconds"), "U3, U4"),
    **dict.fromkeys(("null_value", "null_custom_removes"), "U5, U6 (null)"),
    "throttle_status": "U1", "unauthorized_status": "U20 (401, 5xx)", "contact_quota": "U21", "tokens": "U29",
}  # fmt: skip
"""Setting of the sandbox -> the question that is not tried out."""

LAYOUT = "update dailystory_meta set value = cast(? as text) where name = 'schema_version'"

NOT_OF_DAILYSTORY = {"strict", "refuse_if", "allowed_hosts"}


class Examined:
    """A sandbox with a contact of its own, and an empty source with the state."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.file = folder / "warehouse.db"
        with sqlite3.connect(self.file) as connection:
            connection.execute("create table customers (id, email)")
        self.warehouse = Warehouse.at(f"sqlite:///{self.file}")
        with open_session(SYNC, self.warehouse.state):
            pass  # the state has its tables

    def begin(self) -> None:
        """Go back to the documented behaviour and to one contact, which has a name of a test contact."""
        self.sandbox.configure(SandboxSettings())
        for contact in self.sandbox.contacts():
            self.sandbox.remove(str(contact["dsId"]))
        self.sandbox.add(email="eve@example.com", lastName="probe-00000000", extendedProperties={"plan": "gold"})

    def examine(
        self, email: str | None = EMAIL, *, confirmed: bool = True, questions: tuple[Question, ...] = QUESTIONS
    ) -> ExaminationReport:
        account = AccountSettings(self.sandbox.base_url, self.sandbox.token, math.inf)
        return examine_sync(SYNC, self.warehouse, account, email, confirmed=confirmed, questions=questions)

    def others(self) -> list[Contact]:
        return [each for each in self.sandbox.contacts() if not is_test_contact(each)]

    def living(self) -> list[Contact]:
        """The test contacts that are not deleted."""
        made = filter(is_test_contact, self.sandbox.contacts())
        return [each for each in made if each["status"] not in ("Deleted", 100)]

    def notes(self) -> list[str]:
        with closing(sqlite3.connect(self.file)) as connection:
            rows = connection.execute(
                "select name || coalesce(value, '') from dailystory_meta where name like 'probe:%'"
            )
            return [text for (text,) in rows]


def is_test_contact(contact: Contact) -> bool:
    return not contact["email"] or str(contact["email"]).casefold().startswith("quillon")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    with Sandbox() as sandbox:
        yield Examined(tmp_path_factory.mktemp("examined"), sandbox)


@pytest.fixture
def examined(opened: Examined) -> Examined:
    opened.begin()
    return opened


def named(report: ExaminationReport, name: str) -> Finding:
    return next(each for each in (*report.findings, *report.answers) if each.name.endswith(name))


@pytest.mark.parametrize(("question", "answer"), SWITCHES)
def test_each_switch_of_the_sandbox_is_told_from_its_opposite(
    examined: Examined, question: Question, answer: Answer
) -> None:
    examined.sandbox.configure(SandboxSettings(**answer.sandbox))  # type: ignore[arg-type]
    others = examined.others()
    report = examined.examine(questions=ALONE[question.name])
    found = named(report, question.name)
    assert (found.answer, found.status is FindingStatus.OK) == (answer.name, answer.is_assumed)
    assert (examined.living(), examined.notes(), examined.others()) == ([], [], others)


def test_every_setting_of_the_sandbox_is_a_switch_or_has_a_reason() -> None:
    switched = {name for question in QUESTIONS for answer in question.answers for name in answer.sandbox}
    assert switched | SEEN_BY_CHECKS | set(UNSEEN) | NOT_OF_DAILYSTORY == {
        each.name for each in fields(SandboxSettings)
    }
    assert set(UNSEEN.values()) <= set(UNASKED)


def test_an_examination_leaves_no_living_contact_one_custom_field_and_no_address(
    examined: Examined, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    others = examined.others()
    for _ in range(2):  # the address is free again
        report = examined.examine()
        assert [each for each in report.answers if not each.answer] == []
        assert (report.is_healthy, report.warnings) == (True, ())
    assert (examined.living(), examined.notes(), examined.others()) == ([], [], others)
    bodies = [write.payload.get("extendedProperties") for write in examined.sandbox.writes()]
    assert {name for body in bodies if isinstance(body, dict) for name in body} == {"dailystory_probe"}
    shown = f"{report}{report!r}{caplog.text}".encode() + examined.file.read_bytes()
    assert (b"quillon" in shown.lower(), b"example.com" in shown) == (False, False)
    assert "3 contacts with the status Deleted" in str(report)
    assert "the custom field dailystory_probe" in str(report)


def test_nothing_is_made_without_confirmation(examined: Examined) -> None:
    examined.sandbox.clear_journal()
    report = examined.examine(confirmed=False)
    assert [each.path.removeprefix("/api/v1") for each in examined.sandbox.requests()] == ["/about"]
    assert "the custom field dailystory_probe, which DailyStory keeps for good" in str(report)
    assert (report.answers, examined.notes()) == ((), [])


@pytest.mark.parametrize("known", [EMAIL, EMAIL.lower()])
def test_an_address_that_a_contact_has_is_refused(examined: Examined, known: str) -> None:
    examined.sandbox.configure(email_case_matters=True)
    examined.sandbox.add(email=known)
    contacts = examined.sandbox.contacts()
    refusal = named(examined.examine(), "probe_email")
    assert (refusal.status, examined.sandbox.contacts()) == (FindingStatus.FAILED, contacts)


def test_a_text_that_is_not_an_address_is_refused_before_anything_else(examined: Examined) -> None:
    for text in ("quillon", f"{'q' * 60}@example.com"):
        with pytest.raises(ConfigurationError, match="probe_email must be an email address") as refused:
            examined.examine(text)
        assert "qq" not in str(refused.value)


@pytest.mark.parametrize(
    ("posts", "email", "remaining"),
    [(0, EMAIL, ""), (0, None, "perhaps a contact with the last name probe-"), (12, None, "")],
    ids=["create-in-flight", "create-in-flight-address-unknown", "in-the-middle-address-unknown"],
)
def test_what_a_killed_examination_made_is_deleted_at_the_next_start(
    examined: Examined, posts: int, email: str | None, remaining: str
) -> None:
    others = examined.others()
    examined.sandbox.configure(slow_seconds=3.0)
    examined.sandbox.script([*[None] * posts, "slow"])
    kill_examination(examined, posts + 1)
    assert (len(examined.living()) > 0, len(examined.notes()) > 0) == (True, True)
    left, stored = examined.living(), examined.file.read_bytes()
    assert (b"quillon" in stored.lower(), b"example.com" in stored) == (False, False)
    report = examined.examine(email)
    assert remaining in "\n".join(report.remaining)
    assert (len(examined.notes()), examined.others()) == (1 if remaining else 0, others)
    assert examined.living() == (left if remaining else [])
    assert len(report.answers) == (0 if email is None else len(QUESTIONS))
    assert (examined.examine().remaining[-1], examined.living()) == (report_of_custom_field(), [])


def report_of_custom_field() -> str:
    return "the custom field dailystory_probe: DailyStory keeps it for good"


def kill_examination(examined: Examined, posts: int) -> None:
    """Examine in another process, and kill it while its request number `posts` that writes has no response."""
    program = (
        "import sys; from dagster_dailystory import ContactSync, examine_contact_sync\n"
        "sync = ContactSync(name='customers', source='customers', key='id', fields={'email': 'email'})\n"
        "url, base_url, token, email = sys.argv[1:]\n"
        "examine_contact_sync(sync, warehouse_url=url, base_url=base_url, api_token=token, probe_email=email,"
        " confirmed=True, requests_per_second=float('inf'))"
    )
    sandbox = examined.sandbox
    sandbox.clear_journal()
    ends = (f"sqlite:///{examined.file}", sandbox.base_url, sandbox.token, EMAIL)
    process = subprocess.Popen([sys.executable, "-c", program, *ends])
    deadline = time.monotonic() + 60
    while len(sandbox.writes()) < posts:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_contact_that_only_has_the_address_of_a_lost_create_is_left_alone(examined: Examined) -> None:
    examined.sandbox.script(["cut_before"])
    stopped = named(examined.examine(), "examination")
    assert (stopped.status, len(examined.notes())) == (FindingStatus.FAILED, 1)
    examined.sandbox.add(email=EMAIL, lastName="Moreau")
    contacts = examined.sandbox.contacts()
    assert named(examined.examine(), "probe_email").status is FindingStatus.FAILED
    assert (examined.sandbox.contacts(), examined.notes()) == (contacts, [])


@pytest.mark.parametrize(
    ("settings", "name", "answer", "status"),
    [
        ({"about_shape": "2019"}, "account", "2019", "ok"),
        ({"about_shape": "2025"}, "account", "2025", "ok"),
        ({"about_shape": "bare"}, "account", "bare", "ok"),
        ({"about_shape": "nameless"}, "account", "nameless", "warning"),
        ({"about_shape": "text"}, "token", "text", "warning"),
        ({"about_shape": "forbidden"}, "token", "forbidden", "warning"),
        ({"tenant_uid": "another0tenant"}, "account", "", "failed"),
        ({"wrong_host": "301"}, "service", "redirect", "failed"),
        ({"wrong_host": "401"}, "token", "refused", "failed"),
    ],
)
def test_the_checks_name_what_is_wrong_and_make_nothing(
    examined: Examined, settings: dict[str, str], name: str, answer: str, status: str
) -> None:
    examined.examine(questions=())  # the state belongs to this account from now on
    examined.sandbox.configure(**settings)
    examined.sandbox.clear_journal()
    report = examined.examine(None)
    found = named(report, name)
    assert (found.answer, found.status) == (answer, status)
    assert (report.is_healthy, examined.sandbox.writes()) == (status != "failed", [])


def test_the_checks_name_source_layout_clock_and_rate(examined: Examined) -> None:
    examined.sandbox.clear_journal()
    account = AccountSettings(examined.sandbox.base_url, examined.sandbox.token, 7)
    with closing(sqlite3.connect(examined.file)) as connection, connection:
        connection.execute(LAYOUT, [SCHEMA_VERSION - 1])
    try:
        sync = ContactSync(name="customers", source="customers", key="id", fields={"email": "mail"})
        report = examine_sync(sync, examined.warehouse, account, now=lambda: time.time() - 90)
        refusal = named(examined.examine(), "examination")
    finally:
        with closing(sqlite3.connect(examined.file)) as connection, connection:
            connection.execute(LAYOUT, [SCHEMA_VERSION])
    assert "has no column 'mail'; did you mean 'email'?" in named(report, "source").seen
    assert (refusal.advice, examined.sandbox.writes()) == ("run the sync first", [])
    assert f"version {SCHEMA_VERSION - 1}," in named(report, "layout").seen
    assert "s behind that of DailyStory" in named(report, "clock").seen
    assert "7 requests a second are set" in named(report, "rate").seen
    assert [each.status.value for each in report.findings] == [
        "failed", "ok", "warning", "ok", "ok", "ok", "warning", "ok",
    ]  # fmt: skip


def test_an_examination_that_meets_a_run_makes_nothing(examined: Examined) -> None:
    examined.sandbox.clear_journal()
    with open_session(SYNC, examined.warehouse.state):
        stopped = named(examined.examine(), "examination")
    assert ("another run holds sync 'customers'" in stopped.seen, examined.sandbox.writes()) == (True, [])
