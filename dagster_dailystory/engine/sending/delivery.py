"""The delivery of one change: which requests it takes, and the result that follows from their responses."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.canonical import UnsupportedValueError
from dagster_dailystory.contacts.identity import email_spellings
from dagster_dailystory.contacts.masking import mask, mask_values
from dagster_dailystory.contacts.payload import identity_as_sent, only_opts_out, payload, sends_nothing
from dagster_dailystory.contacts.values import is_blank
from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES
from dagster_dailystory.engine.sending.dispatcher import Dispatcher, LateError, LostResponseError, gather
from dagster_dailystory.engine.sending.slots import Attempts
from dagster_dailystory.errors import ForbiddenError, NotFoundError, OutageError, RejectedError, RetryableError
from dagster_dailystory.model.change import DEPARTURE_IN_DOUBT, Change, Identity, Operation, Outcome, Reason, Result
from dagster_dailystory.model.contact_fields import IDENTITY_FIELDS
from dagster_dailystory.model.sync import ContactSync, DeletePolicy, Mode, OnDeleted

_T = TypeVar("_T")


_DELETED = "Deleted"

_log = logging.getLogger("dagster_dailystory")


@dataclass(frozen=True, slots=True)
class LookUp:
    """The look-up of one identity.

    Attributes:
        is_answered: Whether it is known which contact has the identity, or that none has.
        contact: That contact.
    """

    is_answered: bool
    contact: RemoteContact | None = None


class LookUps:
    """Looks up the contacts of intents. One without an answer stops no other, unless none is answered: an outage."""

    def __init__(self, client: DailyStoryClient, dispatcher: Dispatcher) -> None:
        self._client = client
        self._dispatcher = dispatcher
        self._answered = self._unanswered = 0

    async def find_many(self, identities: Sequence[Identity]) -> list[LookUp]:
        """Look up each identity.

        Raises:
            OutageError: Not one look-up was answered.
        """
        return await gather([partial(self._find, each, min(PROBES, len(identities))) for each in identities])

    async def _find(self, identity: Identity, most_unanswered: int) -> LookUp:
        """Find a contact; an identity that DailyStory does not accept cannot have been created."""
        attempts, found = Attempts(is_look_up=True), None
        try:
            found = await _find_by_identity(self._client, self._dispatcher, attempts, identity)
        except (RetryableError, ForbiddenError) as error:  # a firewall may forbid what it let through before
            self._unanswered += 1
            if not self._answered and self._unanswered >= most_unanswered:
                raise no_answer(str(error), error.status) from None
            return LookUp(is_answered=False)
        except RejectedError:
            pass  # no contact can have such an identity
        finally:
            self._dispatcher.slots.release(attempts)
        self._answered += 1
        return LookUp(is_answered=True, contact=found)


def no_answer(failure: str, status: int | None = None) -> OutageError:
    """The error of look-ups without an answer."""
    return OutageError(f"{failure}. A look-up had no answer; run again later", status=status)


async def _find_by_identity(
    client: DailyStoryClient, dispatcher: Dispatcher, attempts: Attempts, identity: Identity
) -> RemoteContact | None:
    """Look a contact up in DailyStory's own order: by email, and if no contact has it, by mobile number.

    The address is looked up as it was sent first: DailyStory may compare exactly.
    """
    found = None
    for spelling in email_spellings(identity.email) if identity.email else ():
        found = await dispatcher.send(attempts, partial(client.find, email=spelling), is_read=True)
        if found is not None:
            return found
    if identity.mobile is not None:
        found = await dispatcher.send(attempts, partial(client.find, mobile=identity.mobile), is_read=True)
    return found


class Delivery:
    """Delivers one change.

    Args:
        sync: Mode and deletion policy.
        change: A create, an update or a delete.
        client: The contact API.
        dispatcher: Sends each request.
        attempts: The row's requests and its slot.

    Attributes:
        change: As given; without the fields of `fill` that have a value in DailyStory, once its contact was read.
        attempts: As given; `in_doubt` is set while a create without a response may have been applied.
    """

    def __init__(
        self, sync: ContactSync, change: Change, client: DailyStoryClient, dispatcher: Dispatcher, attempts: Attempts
    ) -> None:
        self._sync = sync
        self.change = change
        self._client = client
        self._dispatcher = dispatcher
        self._fills = {m.state_column: m.name for m in sync.mapped_fields if m.fills} if sync.fill else {}
        self._left = frozenset[str]()
        self.attempts = attempts

    async def deliver(self) -> Result:
        """Send the requests of the change.

        Returns:
            The result. If the budget runs out it is `failed`, or `in_doubt` if a create may have been applied.

        Raises:
            DailyStoryError: The run must stop; the change has no result.
            StoppedError: The sender stops; the change has no result.
        """
        steps = {
            Operation.CREATE: self._create,
            Operation.UPDATE: self._update,
            Operation.DELETE: self._delete,
            Operation.OPT_OUT: self._opt_out,
        }
        try:
            return await steps[self.change.operation]()
        except UnsupportedValueError as error:
            return self._result(Outcome.REJECTED, reason=Reason.INVALID_VALUE, message=str(error))
        except RejectedError as error:
            if self.attempts.in_doubt:
                return self.in_doubt(str(error))
            if only_opts_out(self._sync, self.change) and not isinstance(error, NotFoundError):
                return self._not_accepted(error)
            return self._result(Outcome.REJECTED, reason=Reason.REFUSED, message=str(error))
        except RetryableError as error:
            if self.attempts.in_doubt:
                return self.in_doubt(str(error))
            return self._result(Outcome.FAILED, message=str(error))
        except LateError:
            if self.attempts.failures or self.attempts.throttled:
                return self._result(Outcome.FAILED, message="the request had no answer in time; the next run goes on")
            return self._result(Outcome.WAITING, message="waits for another look at the source")

    def in_doubt(self, reason: str = "the sender stopped") -> Result:
        """The result of a create that may have been applied, and whose contact is not known to equal the row."""
        message = f"a create got no response; the contact is looked up before it is sent again; {reason}"
        return self._result(Outcome.IN_DOUBT, message=message)

    async def _create(self) -> Result:
        mode = self._sync.mode
        if self.change.look_up_first or mode is not Mode.UPSERT or self._fills:
            self.attempts.in_doubt = self.change.look_up_first and mode is not Mode.UPDATE
            found = await self._look_up()
            if found is not None:
                return await self._adopt(found)
            self.attempts.in_doubt = False
            if mode is Mode.UPDATE:
                return self._not_found()
        return await self._post()

    async def _post(self) -> Result:
        body = payload(self._sync, self.change, everything=True, makes_contact=True)
        if not self.change.identity or body.keys().isdisjoint(IDENTITY_FIELDS):
            message = "DailyStory has no such contact, and it cannot be created without an email or a mobile number"
            return self._result(Outcome.REJECTED, reason=Reason.NO_IDENTITY, message=message)
        while True:
            try:
                dsid = await self._send(partial(self._client.create_or_update, body), is_repeatable=False)
            except LostResponseError:
                found = await self._look_up()
            else:
                return self._result(Outcome.CREATED, dsid, replaced=True)
            if found is not None:
                break
            self.attempts.in_doubt = False
        if self._sync.mode is Mode.CREATE:
            return self._result(Outcome.CREATED, found.dsid, replaced=True)
        return await self._overwrite(found)

    async def _adopt(self, found: RemoteContact) -> Result:
        """Map the row to an existing contact, and overwrite the contact unless the mode is `create`."""
        if self._sync.mode is Mode.CREATE:
            return self._result(Outcome.MAPPED, found.dsid)
        return await self._overwrite(found)

    async def _overwrite(self, found: RemoteContact) -> Result:
        dsid = found.dsid
        self._leave_filled(found)
        body: dict[str, object] = {"dsId": dsid, **payload(self._sync, self.change, everything=True)}
        allowed: tuple[str, ...] = ()
        if found.status == _DELETED:
            if not self._reactivates(found):
                return self._deleted_in_dailystory(dsid)
            body["status"], allowed = "Active", ("status",)
        try:
            returned = await self._send(partial(self._client.create_or_update, body, allowed=allowed))
        except NotFoundError as error:
            return self._result(Outcome.REJECTED, reason=Reason.NOT_FOUND, message=str(error))
        if returned != dsid:
            return self._conflict(returned, "DailyStory found the contact and then returned another id")
        return self._result(Outcome.UPDATED, dsid, replaced=True)

    async def _update(self) -> Result:
        change, dsid = self.change, self.change.dsid
        if dsid is None:
            return await self._create()
        if change.new_identity:
            owner = await self._other_owner(dsid)
            if owner is not None:
                return self._conflict(owner.dsid, "the new email or mobile number belongs to another contact")
        is_in_doubt = change.absent_action == DEPARTURE_IN_DOUBT
        must_read = change.deactivated_by_us or is_in_doubt or change.deleted_in_dailystory
        if not must_read and change.differing.isdisjoint(self._fills):
            return await self._write(dsid)
        contact = await self._send(partial(self._client.get, dsid))
        if contact is None:
            return await self._relink()
        ours = ("Inactive", _DELETED) if change.absent_action == DeletePolicy.DELETE.value else ("Inactive",)
        is_ours = change.deactivated_by_us and contact.status in ours
        if contact.status == _DELETED and not is_ours:
            return await self._overwrite(contact)
        doubt = ""
        if is_in_doubt and contact.status != "Active":
            doubt = (
                f"its contact is {mask(contact.status)}: a deactivation of this sync that was not acknowledged, or"
                " a person in DailyStory, may have set that, so it is left as it is"
            )
            _log.warning("sync %s: row %s: %s", self._sync.name, change.key_label, doubt)
        self._leave_filled(contact)
        if self._left and not is_ours and sends_nothing(self._sync, self.change):
            return self._result(Outcome.RECORDED, dsid, message="DailyStory has a value in each field to fill")
        return await self._write(dsid, activates=is_ours and not contact.opted_out, message=doubt)

    def _leave_filled(self, contact: RemoteContact) -> None:
        """Leave out the fields of `fill` that have a value in DailyStory: a person may have written to them since."""
        has_value = {name for name, field in self._fills.items() if not is_blank(contact.fields.get(field))}
        left = self.change.differing & has_value
        self.change, self._left = replace(self.change, differing=self.change.differing - left), self._left | left

    async def _write(self, dsid: str, *, activates: bool = False, message: str = "") -> Result:
        change = self.change
        body: dict[str, object] = {"dsId": dsid, **payload(self._sync, change, everything=change.resend_all)}
        allowed: tuple[str, ...] = ()
        if activates and "status" not in body:
            body["status"], allowed = "Active", ("status",)
        try:
            returned = await self._send(partial(self._client.create_or_update, body, allowed=allowed))
        except NotFoundError as error:
            return await self._relink(error)
        if returned != dsid:
            return await self._resolve_other_dsid(dsid, returned)
        return self._result(Outcome.UPDATED, dsid, replaced=change.resend_all, message=message)

    def _reactivates(self, contact: RemoteContact) -> bool:
        """Whether a contact that was deleted in DailyStory may become active again."""
        return self._sync.on_deleted is OnDeleted.REACTIVATE and not contact.opted_out

    def _deleted_in_dailystory(self, dsid: str) -> Result:
        message = (
            "the contact was deleted in DailyStory; the row is held, unless on_deleted='reactivate' and no opt-out"
        )
        _log.warning("sync %s: row %s: %s", self._sync.name, self.change.key_label, message)
        reason = Reason.DELETED_IN_DAILYSTORY
        return self._result(Outcome.DELETED_IN_DAILYSTORY, dsid, reason=reason, message=message)

    async def _relink(self, error: NotFoundError | None = None) -> Result:
        """Find the contact by its identity, because its dsid is not known any more; create it if there is none."""
        found = await self._look_up()
        if found is None:
            return self._not_found() if self._sync.mode is Mode.UPDATE else await self._post()
        if found.dsid != self.change.dsid:
            return await self._adopt(found)
        message = str(error) if error else "DailyStory finds the contact by its identity and not by its id"
        return self._result(Outcome.REJECTED, reason=Reason.REFUSED, message=message)

    async def _resolve_other_dsid(self, dsid: str, returned: str) -> Result:
        """Resolve a response that names another contact, which acknowledges nothing.

        If our contact still exists, the other one has the identity. If it is gone, it was merged, or DailyStory created
        a new contact: that one is looked up by the identity. No further contact is created.
        """
        if await self._send(partial(self._client.get, dsid)) is None:
            found = await self._look_up()
            if found is not None and found.dsid != dsid:
                return await self._adopt(found)
        return self._conflict(returned, "DailyStory returned another contact's id for an update")

    async def _opt_out(self) -> Result:
        """Set the opt-out flags alone. A refusal is a failure: the opt-out stays a difference and is sent again."""
        change, dsid = self.change, self.change.dsid or ""
        flags = {m.name: True for m in self._sync.mapped_fields if m.state_column in change.differing}
        try:
            returned = await self._send(partial(self._client.create_or_update, {"dsId": dsid, **flags}))
        except RejectedError as error:
            return self._not_accepted(error)
        if returned != dsid:
            return self._result(Outcome.FAILED, message="DailyStory returned another contact's id for an opt-out")
        return self._result(Outcome.OPTED_OUT, dsid)

    def _not_accepted(self, error: RejectedError) -> Result:
        return self._result(Outcome.FAILED, message=f"the opt-out was not accepted: {error}")

    async def _delete(self) -> Result:
        dsid = self.change.dsid
        if dsid is None:
            return self._result(Outcome.DELETED)
        if self.change.deleted_in_dailystory:  # a status would bring it back
            return self._result(Outcome.RECORDED, dsid, message="the contact was deleted in DailyStory before")
        try:
            if not (status := self._sync.delete_policy.status):
                await self._send(partial(self._client.delete, dsid))
            else:
                body = {"dsId": dsid, "status": status}
                returned = await self._send(partial(self._client.create_or_update, body))
                if returned != dsid:
                    return self._conflict(returned, "DailyStory returned another contact's id for a deactivation")
        except NotFoundError:
            pass  # the contact is gone already
        return self._result(Outcome.DELETED, dsid)

    async def _look_up(self, identity: Identity | None = None) -> RemoteContact | None:
        return await _find_by_identity(self._client, self._dispatcher, self.attempts, identity or self._as_sent)

    async def _other_owner(self, dsid: str) -> RemoteContact | None:
        """Look for another contact that has the new email or the new mobile number."""
        new, sent = self.change.new_identity, self._as_sent
        for identity in (Identity(email=new.email and sent.email), Identity(mobile=new.mobile and sent.mobile)):
            owner = await self._look_up(identity) if identity else None
            if owner is not None and owner.dsid != dsid:
                return owner
        return None

    @property
    def _as_sent(self) -> Identity:
        change, sent = self.change, identity_as_sent(self._sync, self.change)
        return Identity(change.email_as_sent or sent.email, change.mobile_as_sent or sent.mobile)

    async def _send(self, request: Callable[[], Awaitable[_T]], *, is_repeatable: bool = True) -> _T:
        leave_before = self.change.leave_before
        return await self._dispatcher.send(
            self.attempts, request, is_repeatable=is_repeatable, leave_before=leave_before
        )

    def _not_found(self) -> Result:
        message = "DailyStory has no such contact, and the mode 'update' does not create it"
        return self._result(Outcome.REJECTED, reason=Reason.NOT_FOUND, message=message)

    def _conflict(self, dsid: str, message: str) -> Result:
        return self._result(Outcome.CONFLICTED, dsid, reason=Reason.IDENTITY_TAKEN, message=message)

    def _result(
        self,
        outcome: Outcome,
        dsid: str | None = None,
        *,
        reason: Reason | None = None,
        message: str = "",
        replaced: bool = False,
    ) -> Result:
        return Result(
            sequence=self.change.sequence,
            outcome=outcome,
            answered_at=datetime.now(timezone.utc),
            dsid=dsid,
            attempts=self.attempts.requests,
            reason=reason,
            # The message may quote fields that the request did not carry.
            message=mask_values(message, self.change.values.values()) if message else "",
            replaced=replaced,
            left=self._left,
        )
