"""The requests and the result of each kind of change, against the sandbox over real HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import httpx
import pytest
from support.fake_api import account_of

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Reason, Result
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Fault, Sandbox

EMAIL = "ada@example.com"
QUICK = account_of(first_wait_seconds=0.001, longest_wait_seconds=0.002, max_attempts=4)
FIELDS = {"email": "email", "firstName": "first_name", "city": "city"}


def sync_of(**settings: object) -> ContactSync:
    mapping = {"fields": FIELDS, "extended_properties": {"plan": "plan"}, **settings}
    return ContactSync(name="customers", source="customers", key="id", **mapping)  # type: ignore[arg-type]  # tests vary any setting


def change_of(operation: Operation, dsid: str | None = None, **facts: object) -> Change:
    values = {"field_email": EMAIL, "field_firstName": "Ada", "field_city": "Paris", "custom_plan": "gold"}
    values |= facts.pop("values", {})  # type: ignore[arg-type]  # a mapping by convention
    identity = facts.pop("identity", Identity(email=str(values["field_email"])))
    differing = facts.pop("differing", frozenset({"field_city"}))
    return Change(1, "7", operation, dsid, values, differing, identity, **facts)  # type: ignore[arg-type]  # as above


def create(**facts: object) -> Change:
    return change_of(Operation.CREATE, None, **facts)


def update(dsid: str, **facts: object) -> Change:
    return change_of(Operation.UPDATE, dsid, **facts)


def send(sandbox: Sandbox, change: Change, sync: ContactSync | None = None) -> Result:
    account = replace(QUICK, base_url=sandbox.base_url, api_token=sandbox.token, timeout_seconds=5.0)
    return result_of(change, sync, account)


def send_through(transport: httpx.AsyncBaseTransport, change: Change, sync: ContactSync | None = None) -> Result:
    return result_of(change, sync, replace(QUICK, connect=partial(HttpxConnections, transport=transport)))


def result_of(change: Change, sync: ContactSync | None, account: AccountSettings) -> Result:
    sender = Sender(sync or sync_of(), account)
    with sender:
        sender.submit([change])
        results: list[Result] = []
        while sender.pending:
            results += sender.collect(5.0)
    [result] = results
    assert result.sequence == change.sequence
    assert result.attempts == sender.counts.api_requests
    return result


# Create


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


# Update


def test_an_update_sends_the_differing_fields_only(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, firstName="Edited by hand")
    result = send(sandbox, update(dsid))
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.UPDATED, dsid, False)
    contact = sandbox.find(dsid=dsid)
    assert (contact["firstName"], contact["city"]) == ("Edited by hand", "Paris")
    assert sandbox.counts.requests == 1


def test_an_update_that_must_resend_all_replaces_the_snapshot_row(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, firstName="Edited by hand")
    result = send(sandbox, update(dsid, resend_all=True))
    assert (result.outcome, result.replaced) == (Outcome.UPDATED, True)
    assert sandbox.find(dsid=dsid)["firstName"] == "Ada"


def test_an_update_without_a_response_is_repeated(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    sandbox.script([Fault.CUT_AFTER, Fault.SERVER_ERROR])
    result = send(sandbox, update(dsid))
    assert (result.outcome, result.attempts) == (Outcome.UPDATED, 3)


def test_an_update_that_uses_up_its_budget_has_failed(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    sandbox.script([500] * 10)
    result = send(sandbox, update(dsid))
    assert (result.outcome, result.attempts, result.reason) == (Outcome.FAILED, QUICK.max_attempts, None)


def test_a_new_identity_of_another_contact_is_a_conflict_and_not_written(sandbox: Sandbox) -> None:
    other = sandbox.add(email=EMAIL)
    dsid = sandbox.add(email="old@example.com")
    result = send(sandbox, update(dsid, new_identity=Identity(email=EMAIL), differing=frozenset({"field_email"})))
    assert (result.outcome, result.reason, result.dsid) == (Outcome.CONFLICTED, Reason.IDENTITY_TAKEN, other)
    assert sandbox.counts.posts == 0


def test_a_new_mobile_number_that_another_contact_owns_is_a_conflict(sandbox: Sandbox) -> None:
    sandbox.add(mobilePhone="+15557140059")
    dsid = sandbox.add(email=EMAIL)
    identity = Identity(email=EMAIL, mobile="+15557140059")
    change = update(dsid, new_identity=Identity(mobile="+15557140059"), identity=identity)
    assert send(sandbox, change).outcome is Outcome.CONFLICTED


def test_a_free_new_identity_is_written(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email="old@example.com")
    result = send(sandbox, update(dsid, new_identity=Identity(email=EMAIL), differing=frozenset({"field_email"})))
    assert result.outcome is Outcome.UPDATED
    assert sandbox.find(dsid=dsid)["email"] == EMAIL


DELETED = "deleted_in_dailystory"


@pytest.mark.parametrize("facts", [{"deactivated_by_us": True, "absent_action": "deactivate"}, {DELETED: True}])
def test_a_contact_that_was_deleted_in_dailystory_is_not_written(sandbox: Sandbox, facts: dict[str, object]) -> None:
    dsid = sandbox.add(email=EMAIL, status="Deleted")
    result = send(sandbox, update(dsid, **facts))
    assert (result.outcome, result.reason, result.attempts) == (
        Outcome.DELETED_IN_DAILYSTORY, Reason.DELETED_IN_DAILYSTORY, 1,
    )  # fmt: skip
    assert sandbox.writes() == []


@pytest.mark.parametrize("mode", ["upsert", "update"])
def test_a_look_up_that_finds_a_deleted_contact_writes_nothing(sandbox: Sandbox, mode: str) -> None:
    sandbox.add(email=EMAIL, status="Deleted")
    result = send(sandbox, create(look_up_first=True), sync_of(mode=mode))
    assert result.outcome is Outcome.DELETED_IN_DAILYSTORY
    assert sandbox.writes() == []


def test_a_deleted_contact_is_reactivated_as_a_whole_if_the_sync_says_so(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, status="Deleted")
    result = send(sandbox, update(dsid, deleted_in_dailystory=True), sync_of(on_deleted="reactivate"))
    assert (result.outcome, result.replaced) == (Outcome.UPDATED, True)
    contact = sandbox.find(dsid=dsid)
    assert (contact["status"], contact["firstName"], contact["city"]) == ("Active", "Ada", "Paris")


def test_a_deleted_contact_that_opted_out_is_not_reactivated(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, status="Deleted", optOutSms=True)
    result = send(sandbox, update(dsid, deleted_in_dailystory=True), sync_of(on_deleted="reactivate"))
    assert result.outcome is Outcome.DELETED_IN_DAILYSTORY
    assert sandbox.writes() == []


@pytest.mark.parametrize("policy", ["deactivate", "delete"])
def test_a_contact_that_was_deleted_in_dailystory_is_not_deactivated(sandbox: Sandbox, policy: str) -> None:
    dsid = sandbox.add(email=EMAIL, status="Deleted")
    gone = change_of(Operation.DELETE, dsid, deleted_in_dailystory=True)
    assert send(sandbox, gone, sync_of(deletes=policy)).outcome is Outcome.RECORDED
    assert sandbox.writes() == []


@pytest.mark.parametrize(("status", "reported"), [("Inactive", True), ("Active", False)])
def test_after_a_departure_in_doubt_a_contact_is_updated_without_its_status(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, status: str, reported: bool
) -> None:
    dsid = sandbox.add(email=EMAIL, status=status)
    result = send(sandbox, update(dsid, absent_action="in_doubt", resend_all=True))
    assert result.outcome is Outcome.UPDATED
    contact = sandbox.find(dsid=dsid)
    assert (contact["status"], contact["city"]) == (status, "Paris")
    assert ("left as it is" in result.message) is reported
    assert EMAIL not in caplog.text + result.message


@pytest.mark.parametrize(("status", "action"), [("Inactive", "deactivate"), ("Deleted", "delete")])
def test_a_contact_taken_out_by_this_sync_is_activated_again(sandbox: Sandbox, status: str, action: str) -> None:
    dsid = sandbox.add(email=EMAIL, status=status)
    result = send(sandbox, update(dsid, deactivated_by_us=True, absent_action=action, resend_all=True))
    assert result.outcome is Outcome.UPDATED
    assert sandbox.find(dsid=dsid)["status"] == "Active"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "Inactive", "optOutEmail": True},
        {"status": "Inactive", "optOutSms": True},
        {"status": "Inactive", "donotcontact": True},
        {"status": "Spam"},
        {"status": "Bounced"},
    ],
)
def test_a_contact_that_opted_out_meanwhile_is_updated_and_not_activated(
    sandbox: Sandbox, fields: dict[str, str | bool]
) -> None:
    dsid = sandbox.add(email=EMAIL, **fields)
    result = send(sandbox, update(dsid, deactivated_by_us=True, resend_all=True))
    assert result.outcome is Outcome.UPDATED
    contact = sandbox.find(dsid=dsid)
    assert (contact["status"], contact["city"]) == (fields["status"], "Paris")


def test_a_deactivated_contact_that_is_gone_is_created_again(sandbox: Sandbox) -> None:
    result = send(sandbox, update("gone", deactivated_by_us=True, resend_all=True))
    assert (result.outcome, result.replaced) == (Outcome.CREATED, True)


@pytest.mark.parametrize("status", [400, 404, 200])
def test_an_unknown_dsid_is_found_by_identity_and_fully_updated(sandbox: Sandbox, status: int) -> None:
    sandbox.configure(refusal_status=status)
    kept = sandbox.add(email=EMAIL)
    result = send(sandbox, update("merged-away"))
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.UPDATED, kept, True)
    contact = sandbox.find(dsid=kept)
    assert (contact["firstName"], contact["city"], contact["extendedProperties"]) == ("Ada", "Paris", {"plan": "gold"})


def test_an_unknown_dsid_and_identity_is_created_with_every_field(sandbox: Sandbox) -> None:
    result = send(sandbox, update("gone"))
    contact = sandbox.find(email=EMAIL)
    assert contact is not None
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.CREATED, contact["dsId"], True)
    assert contact["firstName"] == "Ada"


def test_a_lost_re_creation_is_not_repeated(sandbox: Sandbox) -> None:
    sandbox.configure(duplicates_allowed=True)
    sandbox.script([None, Fault.CUT_AFTER])
    result = send(sandbox, update("gone"))
    assert result.outcome is Outcome.UPDATED
    assert len(sandbox.contacts()) == 1


def test_an_unknown_dsid_without_an_identity_cannot_be_created(sandbox: Sandbox) -> None:
    result = send(sandbox, update("gone", identity=Identity()))
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.NO_IDENTITY)
    assert sandbox.contacts() == []


def test_mode_update_does_not_create_a_lost_contact(sandbox: Sandbox) -> None:
    result = send(sandbox, update("gone"), sync_of(mode="update"))
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.NOT_FOUND)
    assert sandbox.contacts() == []


def test_another_returned_dsid_is_followed_if_ours_is_gone_and_it_is_found(sandbox: Sandbox) -> None:
    sandbox.configure(unknown_dsid="create")
    change = update("gone", differing=frozenset({"field_email"}))
    result = send(sandbox, change)
    [contact] = sandbox.contacts()
    assert (result.outcome, result.dsid, result.replaced) == (Outcome.UPDATED, contact["dsId"], True)
    assert contact["firstName"] == "Ada"


def test_another_returned_dsid_is_a_conflict_if_no_contact_is_found(sandbox: Sandbox) -> None:
    sandbox.configure(unknown_dsid="create", lookup_lag_seconds=60.0)
    result = send(sandbox, update("gone", differing=frozenset({"field_email"})))
    assert (result.outcome, result.reason) == (Outcome.CONFLICTED, Reason.IDENTITY_TAKEN)
    assert len(sandbox.contacts()) == 1


def respond_for_another(request: httpx.Request) -> httpx.Response:
    """A service that takes every POST for the contact `other`, and knows the contact `ours` as well."""
    response: dict[str, object] = {"id": "other"}
    if request.method == "GET":
        response["contact"] = {"dsId": "ours" if request.url.path.endswith("/ours") else "other", "email": EMAIL}
    return httpx.Response(200, json={"Status": True, "Response": response})


def test_another_returned_dsid_is_a_conflict_if_ours_still_exists() -> None:
    result = send_through(httpx.MockTransport(respond_for_another), update("ours"))
    assert (result.outcome, result.reason, result.dsid) == (Outcome.CONFLICTED, Reason.IDENTITY_TAKEN, "other")
    assert result.attempts == 2


def test_another_dsid_returned_after_a_look_up_is_a_conflict() -> None:
    def respond_for_another_contact(request: httpx.Request) -> httpx.Response:
        found = {"id": "found", "contact": {"dsId": "found"}}
        return httpx.Response(200, json={"Response": found if request.method == "GET" else {"id": "other"}})

    result = send_through(httpx.MockTransport(respond_for_another_contact), create(look_up_first=True))
    assert (result.outcome, result.dsid, result.attempts) == (Outcome.CONFLICTED, "other", 2)


def test_another_dsid_returned_for_a_deactivation_is_a_conflict() -> None:
    change, sync = change_of(Operation.DELETE, "ours"), sync_of(deletes="deactivate")
    result = send_through(httpx.MockTransport(respond_for_another), change, sync)
    assert (result.outcome, result.dsid) == (Outcome.CONFLICTED, "other")


# Delete


def test_a_deactivation_sets_the_status_and_nothing_else(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL, city="Rome")
    result = send(sandbox, change_of(Operation.DELETE, dsid), sync_of(deletes="deactivate"))
    assert (result.outcome, result.dsid) == (Outcome.DELETED, dsid)
    contact = sandbox.find(dsid=dsid)
    assert (contact["status"], contact["city"]) == ("Inactive", "Rome")
    assert sandbox.counts.deletes == 0


def test_a_delete_deletes(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    result = send(sandbox, change_of(Operation.DELETE, dsid), sync_of(deletes="delete"))
    assert result.outcome is Outcome.DELETED
    assert sandbox.find(dsid=dsid)["status"] == "Deleted"


@pytest.mark.parametrize("policy", ["deactivate", "delete"])
@pytest.mark.parametrize("status", [400, 404, 200])
def test_a_contact_that_is_gone_already_counts_as_deleted(sandbox: Sandbox, policy: str, status: int) -> None:
    sandbox.configure(refusal_status=status)
    result = send(sandbox, change_of(Operation.DELETE, "gone"), sync_of(deletes=policy))
    assert (result.outcome, result.dsid) == (Outcome.DELETED, "gone")


def test_a_delete_without_a_response_is_repeated_until_it_is_gone(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    sandbox.script([Fault.SERVER_ERROR_AFTER, Fault.HTML_502], method="DELETE")
    result = send(sandbox, change_of(Operation.DELETE, dsid), sync_of(deletes="delete"))
    assert result.outcome is Outcome.DELETED


@pytest.mark.parametrize("policy", ["delete", "deactivate"])
def test_a_deletion_that_is_late_is_not_sent(sandbox: Sandbox, policy: str) -> None:
    dsid = sandbox.add(email=EMAIL)
    late = change_of(Operation.DELETE, dsid, leave_before=time.monotonic() - 1)
    assert send(sandbox, late, sync_of(deletes=policy)).outcome is Outcome.WAITING
    assert sandbox.counts.requests == 0
    in_time = change_of(Operation.DELETE, dsid, leave_before=time.monotonic() + 60)
    assert send(sandbox, in_time, sync_of(deletes=policy)).outcome is Outcome.DELETED


def test_a_deletion_that_is_late_for_its_second_attempt_has_failed(sandbox: Sandbox) -> None:
    dsid = sandbox.add(email=EMAIL)
    sandbox.configure(retry_after="seconds", retry_after_seconds=1)
    sandbox.script([Fault.THROTTLED], method="DELETE")
    change = change_of(Operation.DELETE, dsid, leave_before=time.monotonic() + 0.9)
    assert send(sandbox, change, sync_of(deletes="delete")).outcome is Outcome.FAILED
    assert sandbox.counts.requests == 1
