"""The requests and the result of a create, against the sandbox over real HTTP."""

from __future__ import annotations

import pytest
from support.fake_api import QUICK
from support.one_change import EMAIL, create, send, sync_of

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.model.change import Identity, Outcome, Reason
from dagster_dailystory.sandbox import Fault, Sandbox


def test_a_create_sends_every_field_and_returns_the_dsid(sandbox: Sandbox) -> None:
    result = send(sandbox, create())
    contact = sandbox.find(email=EMAIL)
    assert contact is not None
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.CREATED, contact["dsId"], True)
    assert (contact["firstName"], contact["city"], contact["extendedProperties"]) == ("Ada", "Paris", {"plan": "gold"})
    assert sandbox.counts.requests == 1


def test_a_create_in_doubt_that_was_applied_becomes_a_full_update(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, city="Rome")
    result = send(sandbox, create(look_up_first=True))
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.UPDATED, dsid, True)
    assert len(sandbox.contacts()) == 1
    assert sandbox.find(dsid=dsid)["city"] == "Paris"


def test_a_create_in_doubt_is_looked_up_with_the_identity_as_sent(sandbox: Sandbox) -> None:
    sandbox.configure(email_case_matters=True)
    dsid = sandbox.add(email="Old@Example.com")
    result = send(sandbox, create(look_up_first=True, email_as_sent="Old@Example.com"))
    assert result.dsid == dsid


SPELLINGS = ("Ada@Example.com", "ada@xn--mller-kva.example", "Ada@m\u00fcller.example")


@pytest.mark.parametrize("email", SPELLINGS)
def test_a_lost_create_is_looked_up_in_the_spelling_that_was_sent(sandbox: Sandbox, email: str) -> None:
    sandbox.configure(strict=True)
    sandbox.script([Fault.CUT_AFTER])
    values = {"field_email": f" {email} "}
    result = send(sandbox, create(values=values, identity=Identity(email_for_matching(email))))
    assert [contact["dsId"] for contact in sandbox.contacts()] == [result.dsid]
    assert sandbox.counts.gets == 1


@pytest.mark.parametrize("stored", ["anna@xn--mller-kva.example", "anna@m\u00fcller.example"])
@pytest.mark.parametrize(
    "email", ["anna@xn--mller-kva.example", "anna@m\u00fcller.example", "Anna@M\u00dcLLER.example"]
)
def test_a_contact_is_found_in_the_other_spelling_of_its_address(sandbox: Sandbox, email: str, stored: str) -> None:
    sandbox.configure(strict=True)
    dsid = sandbox.add(email=stored)
    change = create(values={"field_email": email}, identity=Identity(email_for_matching(email)))
    result = send(sandbox, change, sync_of(mode="update"))
    assert (result.outcome, result.dsid) == (Outcome.UPDATED, dsid)


def test_a_create_in_doubt_is_found_by_its_mobile_number_too(sandbox: Sandbox) -> None:
    dsid = sandbox.add(mobilePhone="+15557140059")
    identity = Identity(email=EMAIL, mobile="+15557140059")
    assert send(sandbox, create(look_up_first=True, identity=identity)).dsid == dsid


def test_a_create_in_doubt_that_was_not_applied_is_posted(sandbox: Sandbox) -> None:
    assert send(sandbox, create(look_up_first=True)).outcome is Outcome.CREATED
    assert (sandbox.counts.gets, sandbox.counts.posts) == (1, 1)


def test_mode_create_maps_an_existing_contact_and_does_not_write_it(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, city="Rome")
    result = send(sandbox, create(), sync_of(mode="create"))
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.MAPPED, dsid, False)
    assert sandbox.counts.posts == 0


def test_mode_update_links_an_existing_contact_and_writes_everything(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    result = send(sandbox, create(look_up_first=True), sync_of(mode="update"))
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.UPDATED, dsid, True)


def test_mode_update_creates_no_contact(sandbox: Sandbox) -> None:
    result = send(sandbox, create(look_up_first=True), sync_of(mode="update"))
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.NOT_FOUND)
    assert sandbox.counts.posts == 0


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.EMPTY_BODY, Fault.SERVER_ERROR_AFTER])
def test_a_create_without_a_response_is_looked_up_and_not_repeated(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.configure(duplicates_allowed=True)
    sandbox.script([fault])
    result = send(sandbox, create())
    assert len(sandbox.contacts()) == 1
    assert result.dsid == sandbox.contacts()[0]["dsId"]
    assert (sandbox.counts.creates, sandbox.counts.gets) == (1, 1)


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.SERVER_ERROR, Fault.HTML_502])
def test_a_create_that_was_not_applied_is_looked_up_and_posted_again(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.script([fault])
    result = send(sandbox, create())
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 3)
    assert sandbox.counts.creates == 1


def test_mode_create_counts_a_lost_create_as_created_once_found(sandbox: Sandbox) -> None:
    sandbox.script([Fault.CUT_AFTER])
    result = send(sandbox, create(), sync_of(mode="create"))
    assert (result.outcome, result.replaced) == (Outcome.CREATED, True)
    assert sandbox.counts.posts == 1


def test_a_create_without_a_response_within_the_budget_is_in_doubt(sandbox: Sandbox) -> None:
    sandbox.script([Fault.CUT_BEFORE])
    sandbox.script([500] * 10, method="GET")
    result = send(sandbox, create())
    assert (result.outcome, result.dsid, result.attempts) == (Outcome.IN_DOUBT, None, QUICK.max_attempts)


def test_a_refused_look_up_leaves_a_lost_create_in_doubt(sandbox: Sandbox) -> None:
    sandbox.script([Fault.CUT_AFTER])
    sandbox.script([422], method="GET")
    assert send(sandbox, create()).outcome is Outcome.IN_DOUBT


@pytest.mark.parametrize("step", [400, 500])
def test_a_lost_create_that_is_found_but_not_completed_stays_in_doubt(sandbox: Sandbox, step: int) -> None:
    sandbox.script([Fault.CUT_AFTER, *[step] * QUICK.max_attempts])
    assert send(sandbox, create()).outcome is Outcome.IN_DOUBT


def test_a_create_in_doubt_whose_look_up_fails_stays_in_doubt(sandbox: Sandbox) -> None:
    sandbox.script([500] * QUICK.max_attempts, method="GET")
    assert send(sandbox, create(look_up_first=True)).outcome is Outcome.IN_DOUBT
    sandbox.script([500] * QUICK.max_attempts, method="GET")
    assert send(sandbox, create(look_up_first=True), sync_of(mode="update")).outcome is Outcome.FAILED


def test_a_throttled_create_is_posted_again_without_a_look_up(sandbox: Sandbox) -> None:
    sandbox.configure(retry_after_seconds=0)
    sandbox.script([Fault.THROTTLED, Fault.HTML_503])
    result = send(sandbox, create())
    assert result.outcome is Outcome.CREATED
    assert (sandbox.counts.posts, sandbox.counts.gets) == (3, 0)


@pytest.mark.parametrize("status", [400, 422, 200])
def test_a_refused_create_is_rejected_with_the_masked_message(sandbox: Sandbox, status: int) -> None:
    sandbox.configure(refusal_status=status, refuse_if=lambda body: f"{body['firstName']} <{body['email']}> is barred")
    result = send(sandbox, create(values={"field_firstName": "Adalbert"}))
    assert (result.outcome, result.reason, result.attempts) == (Outcome.REJECTED, Reason.REFUSED, 1)
    assert "is barred" in result.message
    assert "Adalbert" not in result.message
    assert EMAIL not in result.message
