"""The examination of a sync, against a real sandbox over HTTP and a state in SQLite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields

import pytest
from support.examined import Examined, named

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION
from dagster_dailystory.engine.upkeep.doctor.identities import taken_emails
from dagster_dailystory.engine.upkeep.doctor.probe import examine_sync
from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS, UNASKED, Answer, Question
from dagster_dailystory.engine.upkeep.doctor.report import FindingStatus
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox, SandboxSettings

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

LAYOUT = "update dailystory_meta set value = '{}' where name = 'schema_version'"

NOT_OF_DAILYSTORY = {"strict", "refuse_if", "allowed_hosts"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    with Sandbox() as sandbox:
        yield Examined(f"sqlite:///{tmp_path_factory.mktemp('examined')}/warehouse.db", sandbox)


@pytest.fixture
def examined(opened: Examined) -> Examined:
    opened.begin()
    return opened


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


def test_nothing_is_made_without_confirmation(examined: Examined) -> None:
    examined.sandbox.clear_journal()
    report = examined.examine(confirmed=False)
    assert [each.path.removeprefix("/api/v1") for each in examined.sandbox.requests()] == ["/about"]
    assert "the custom field dailystory_probe, which DailyStory keeps for good" in str(report)
    assert (report.answers, examined.notes()) == ((), [])


def test_a_text_that_is_not_an_address_is_refused_before_anything_else(examined: Examined) -> None:
    for text in ("quillon", f"{'q' * 60}@example.com"):
        with pytest.raises(ConfigurationError, match="probe_email must be an email address") as refused:
            examined.examine(text)
        assert "qq" not in str(refused.value)


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
    examined.execute(LAYOUT.format(SCHEMA_VERSION - 1))
    try:
        sync = ContactSync(name="customers", source="customers", key="id", fields={"email": "mail"})
        report = examine_sync(sync, examined.warehouse, account, now=lambda: time.time() - 90)
        refusal = named(examined.examine(), "examination")
    finally:
        examined.execute(LAYOUT.format(SCHEMA_VERSION))
    assert "has no column 'mail'; did you mean 'email'?" in named(report, "source").seen
    assert (refusal.advice, examined.sandbox.writes()) == ("run the sync first", [])
    assert f"version {SCHEMA_VERSION - 1}," in named(report, "layout").seen
    assert "s behind that of DailyStory" in named(report, "clock").seen
    assert "7 requests a second are set" in named(report, "rate").seen
    assert [each.status.value for each in report.findings] == [
        "failed", "ok", "warning", "ok", "ok", "ok", "warning", "ok",
    ]  # fmt: skip
