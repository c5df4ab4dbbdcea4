"""The requests and the result of an update and of a deletion, against the sandbox over real HTTP."""

from __future__ import annotations

import time

import httpx
import pytest
from support.fake_api import QUICK
from support.one_change import EMAIL, change_of, create, send, send_through, sync_of, update

from dagster_dailystory.model.change import Identity, Operation, Outcome, Reason
from dagster_dailystory.sandbox import Fault, Sandbox

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
