"""What an examination never does to other contacts, and what is left of it, on each database that holds the state."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.examined import EMAIL, SYNC, Examined, named

from dagster_dailystory import open_sync, plan_contact_sync
from dagster_dailystory.api.connections import HttpResponse
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS
from dagster_dailystory.engine.upkeep.doctor.report import FindingStatus
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import StateError
from dagster_dailystory.sandbox import Sandbox

AN_HOUR_LATER = time.time() + 3600


@pytest.fixture
def engine_name() -> str:
    """The state of most of these tests; the others name every database."""
    return "sqlite"


@pytest.fixture
def examined(warehouse_url: str, sandbox: Sandbox) -> Examined:
    examined = Examined(warehouse_url, sandbox)
    examined.begin()
    return examined


on_each_database = pytest.mark.parametrize("engine_name", ["sqlite", "duckdb", "postgresql"])


@on_each_database
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
    shown = f"{report}{report!r}{caplog.text}".encode() + examined.stored()
    assert (b"quillon" in shown.lower(), b"example.com" in shown) == (False, False)
    assert "3 contacts with the status Deleted" in str(report)
    assert "the custom field dailystory_probe" in str(report)


@pytest.mark.parametrize("known", [EMAIL, EMAIL.lower()])
def test_an_address_that_a_contact_has_is_refused(examined: Examined, known: str) -> None:
    examined.sandbox.configure(email_case_matters=True)
    examined.sandbox.add(email=known)
    contacts = examined.sandbox.contacts()
    refusal = named(examined.examine(), "probe_email")
    assert (refusal.status, examined.sandbox.contacts()) == (FindingStatus.FAILED, contacts)


@pytest.mark.parametrize(
    ("engine_name", "posts", "email", "remaining"),
    [
        ("sqlite", 0, EMAIL, ""),
        ("sqlite", 0, None, "perhaps a contact with the given address and the last name probe-"),
        ("sqlite", 12, None, ""),
        pytest.param("duckdb", 12, None, "", marks=pytest.mark.slow),
        ("postgresql", 12, None, ""),
    ],
    ids=["create-in-flight", "create-in-flight-address-unknown", *(f"in-the-middle-{n}" for n in ("s", "d", "p"))],
)
def test_what_a_killed_examination_made_is_deleted_at_the_next_start(
    examined: Examined, posts: int, email: str | None, remaining: str
) -> None:
    others = examined.others()
    examined.sandbox.configure(slow_seconds=1.5)
    examined.sandbox.script([*[None] * posts, "slow"])
    examined.kill(posts + 1)
    assert (len(examined.living()) > 0, len(examined.notes()) > 0) == (True, True)
    left, stored = examined.living(), examined.stored()
    assert (b"quillon" in stored.lower(), b"example.com" in stored) == (False, False)
    report = examined.examine(email, questions=QUESTIONS[:2])
    assert remaining in "\n".join(report.remaining)
    assert (len(examined.notes()), examined.others()) == (1 if remaining else 0, others)
    assert examined.living() == (left if remaining else [])
    assert len(report.answers) == (0 if email is None else 2)
    assert "status Deleted" in examined.examine(questions=()).remaining[-1]
    assert examined.living() == []


def test_a_contact_that_only_has_the_address_of_a_lost_create_is_left_alone(examined: Examined) -> None:
    examined.sandbox.script(["cut_before"])
    stopped = named(examined.examine(), "examination")
    assert (stopped.status, len(examined.notes())) == (FindingStatus.FAILED, 1)
    examined.sandbox.add(email=EMAIL, lastName="Moreau")
    contacts = examined.sandbox.contacts()
    assert named(examined.examine(), "probe_email").status is FindingStatus.FAILED
    assert (examined.sandbox.contacts(), len(examined.notes())) == (contacts, 1)  # it may still appear
    examined.examine(now=lambda: AN_HOUR_LATER)
    assert (examined.sandbox.contacts(), examined.notes()) == (contacts, [])


def test_a_lost_create_that_look_ups_find_late_is_deleted_when_they_do(examined: Examined) -> None:
    examined.sandbox.configure(lookup_lag_seconds=60.0)
    examined.sandbox.script(["cut_after"])
    examined.examine()
    assert (len(examined.living()), len(examined.notes())) == (1, 1)
    assert "perhaps a contact" in str(examined.examine(None))
    examined.sandbox.configure(lookup_lag_seconds=0.0)
    examined.examine(questions=())
    assert (examined.living(), examined.notes()) == ([], [])


def test_a_lost_create_is_told_from_a_deleted_contact_with_its_address(examined: Examined) -> None:
    examined.sandbox.configure(duplicates_allowed=True)
    examined.sandbox.script([None, None, "cut_after"])
    report = examined.examine(questions=QUESTIONS[-2:])
    assert "status Deleted" in report.remaining[-1]
    assert (examined.living(), examined.notes()) == ([], [])


def test_a_contact_that_a_look_up_does_not_show_gets_a_last_name_and_nothing_else(examined: Examined) -> None:
    """A deleted contact that only a create matches: nothing shows it beforehand."""
    dsid = examined.sandbox.add(email=EMAIL, lastName="Moreau")
    examined.sandbox.edit(dsid, status="Deleted")
    examined.sandbox.configure(deleted_readable=False, deleted_matched=True)
    waits: list[float] = []
    report = examined.examine(pause=waits.append)
    assert [write.payload.keys() for write in examined.sandbox.writes()] == [{"email", "lastName"}]
    assert (named(report, "examination").status, sum(waits) > 30) == (FindingStatus.FAILED, True)
    assert f"the contact {dsid}" in report.remaining[0]


def test_a_contact_that_existed_before_its_create_gets_a_last_name_and_nothing_else(examined: Examined) -> None:
    """A service whose creates match contacts that its look-ups do not show, whatever their status."""
    dsid = examined.sandbox.add(email=EMAIL, lastName="Moreau")

    def lie(method: str, url: str, body: bytes) -> HttpResponse | None:
        [contact] = (each for each in examined.sandbox.contacts() if each["dsId"] == dsid)
        old = {**contact, "dateContactCreated": "2020-01-01T00:00:00"}
        shown = answered({"Status": True, "Response": {"contact": old}}) if url.endswith(dsid) else None
        return answered({"Status": False}, 404) if "?" in url else shown

    report = examined.examine(lie=lie)
    assert [write.payload.keys() for write in examined.sandbox.writes()] == [{"email", "lastName"}]
    assert f"the contact {dsid}, which is not a test contact" in report.remaining[0]
    contacts = examined.sandbox.contacts()
    examined.examine(None, lie=lie, now=lambda: AN_HOUR_LATER)
    assert examined.sandbox.contacts() == contacts


def test_a_response_with_the_id_of_another_contact_leads_to_no_request_that_changes_it(examined: Examined) -> None:
    [eve] = examined.others()
    examined.sandbox.edit(str(eve["dsId"]), lastName="Moreau")
    others, lied = examined.others(), answered({"Status": True, "Response": {"id": eve["dsId"]}})
    report = examined.examine(lie=lambda method, url, body: lied if is_create(method, body) else None)
    assert (named(report, "examination").status, examined.sandbox.contacts()) == (FindingStatus.FAILED, others)
    assert [request.method for request in examined.sandbox.requests() if request.method != "GET"] == []


def test_a_contact_that_is_there_after_its_deletion_is_named(examined: Examined) -> None:
    def lie(method: str, url: str, body: bytes) -> HttpResponse | None:
        return answered({"Status": True, "Response": {}}) if method == "DELETE" else None

    report = examined.examine(questions=(), lie=lie)
    [contact] = examined.living()
    assert f"the contact {contact['dsId']}: delete it in DailyStory" in report.remaining[0]
    assert (examined.examine(None).remaining, examined.living()) == (
        ("1 contact with the status Deleted: DailyStory keeps what is deleted",), [],
    )  # fmt: skip


def test_a_number_that_a_contact_has_in_another_format_is_not_taken(examined: Examined) -> None:
    examined.sandbox.configure(phone_format_matters=True)
    for line in range(100, 200):
        examined.sandbox.add(email=f"p{line}@example.com", mobilePhone=f"(202) 555-0{line}")
    report = examined.examine(questions=tuple(each for each in QUESTIONS if "mobile" in each.name))
    assert "every number that was tried belongs to a contact" in named(report, "format of mobile numbers").seen
    assert not [write for write in examined.sandbox.writes() if str(write.payload.get("mobilePhone", "")) > "+1"]


def test_an_outage_in_the_middle_ends_the_examination_soon(examined: Examined) -> None:
    answers = iter(range(1_000))
    failed = answered({"Status": False}, 500)
    report = examined.examine(lie=lambda method, url, body: failed if next(answers) > 20 else None)
    assert [each.status for each in report.answers[-1:]] == [FindingStatus.FAILED]
    assert len(report.answers) < 12
    assert "delete it in DailyStory" in str(report)
    examined.examine(None)
    assert (examined.living(), examined.notes()) == ([], [])


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_an_examination_that_meets_a_run_makes_nothing(examined: Examined) -> None:
    with open_session(SYNC, examined.warehouse.state):
        stopped = named(examined.examine(), "examination")
    assert ("another run holds sync 'customers'" in stopped.seen, examined.sandbox.writes()) == (True, [])


def is_create(method: str, body: bytes) -> bool:
    return method == "POST" and b"dsId" not in body


def answered(document: dict[str, object], status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_role_without_a_grant_examines_and_makes_nothing(examined: Examined) -> None:
    url = examined.engine.url.set(username="examining_role").render_as_string(hide_password=False)
    examined.execute("create role examining_role login")
    try:
        examined.execute("grant select on customers to examining_role")
        examined.warehouse = Warehouse.at(url)
        report = examined.examine()
    finally:
        examined.execute("drop owned by examining_role")
        examined.execute("drop role examining_role")
    state = named(report, "state")
    assert (state.status, "run GRANT CREATE ON SCHEMA" in state.seen) == (FindingStatus.FAILED, True)
    assert (named(report, "source").status, named(report, "token").status) == (FindingStatus.OK, FindingStatus.OK)
    assert "which runs share it is not known until the state can be opened" in named(report, "rate").seen
    assert (examined.sandbox.writes(), named(report, "examination").advice) == (
        [],
        "correct what failed, and examine again",
    )


@pytest.fixture
def noted(examined: Examined) -> Examined:
    """A planned sync with test contacts that an outage left in DailyStory."""
    ends = {"base_url": examined.sandbox.base_url, "api_token": examined.sandbox.token}
    plan_contact_sync(SYNC, warehouse_url=examined.url, **ends)
    answers = iter(range(1_000))
    failed = answered({"Status": False}, 500)
    examined.examine(lie=lambda method, url, body: failed if next(answers) > 20 else None)
    assert (len(examined.living()) > 0, len(examined.notes()) > 0) == (True, True)
    return examined


@on_each_database
def test_the_notes_of_test_contacts_follow_a_renamed_sync(noted: Examined) -> None:
    with open_sync(SYNC, warehouse_url=noted.url) as records:
        records.rename("people")
    people = replace(SYNC, name="people")
    noted.examine(None, sync=people)
    assert (noted.living(), noted.notes()) == ([], [])


def test_the_notes_of_test_contacts_follow_a_moved_sync(noted: Examined, new_database: Callable[[str], str]) -> None:
    url, backup = new_database("sqlite"), new_database("sqlite")
    with open_sync(SYNC, warehouse_url=noted.url) as records:
        records.copy_to(state_url=backup)
        assert len(noted.notes()) > 0
        records.move_to(state_url=url)
        assert noted.notes() == []
        records.drop(confirm="customers")
    noted.warehouse = Warehouse.at(noted.url, url)
    noted.examine(None)
    assert noted.living() == []
    with open_sync(SYNC, warehouse_url=noted.url, state_url=url) as records:
        assert records.drop(confirm="customers") == 0
    noted.warehouse = Warehouse.at(noted.url, backup)
    assert noted.examine(None).is_healthy  # its notes are of contacts that are deleted
    with open_sync(SYNC, warehouse_url=noted.url, state_url=backup) as records:
        assert records.drop(confirm="customers") == 0


def test_a_sync_whose_test_contacts_are_still_to_be_deleted_is_not_dropped(noted: Examined) -> None:
    with open_sync(SYNC, warehouse_url=noted.url) as records:
        with pytest.raises(StateError, match="may still be in DailyStory; examine the sync with the same account"):
            records.drop(confirm="customers")
        noted.examine(None)
        assert records.drop(confirm="customers") == 0
