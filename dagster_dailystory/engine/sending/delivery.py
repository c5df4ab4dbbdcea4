"""What is asked of DailyStory for one change, and what its answers mean for the row. No concurrency in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.canonical import UnsupportedValueError
from dagster_dailystory.contacts.masking import mask_values
from dagster_dailystory.contacts.payload import payload
from dagster_dailystory.engine.sending.dispatcher import Attempts, Dispatcher, LostResponseError
from dagster_dailystory.errors import NotFoundError, RejectedError, RetryableError
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Reason, Result
from dagster_dailystory.model.sync import ContactSync, Deletes, Mode

_T = TypeVar("_T")


_OUR_STATUSES = frozenset({"Inactive", "Deleted"})
"""The statuses that a contact has after this sync took it out."""


async def find_contact(client: DailyStoryClient, dispatcher: Dispatcher, person: Identity) -> RemoteContact | None:
    """Look somebody up who is not a row of this plan: the subject of an intent.

    An identity that the service refuses to look up cannot have been created: None.
    """
    attempts = Attempts()
    try:
        return await _find_by_identity(client, dispatcher, attempts, person)
    except RejectedError:
        return None
    finally:
        dispatcher.slots.release(attempts)


async def _find_by_identity(
    client: DailyStoryClient, dispatcher: Dispatcher, attempts: Attempts, person: Identity
) -> RemoteContact | None:
    """Look somebody up in DailyStory's own order: by email, and if that finds nobody by mobile number."""
    found = None
    if person.email is not None:
        found = await dispatcher.send(attempts, partial(client.find, email=person.email))
    if found is None and person.mobile is not None:
        found = await dispatcher.send(attempts, partial(client.find, mobile=person.mobile))
    return found


class Delivery:
    """One change on its way.

    Args:
        sync: Mode and deletion policy.
        change: The change; `record` and `depart` are never sent.
        client: The contact API.
        dispatcher: The way of each request.
        attempts: The row's account.

    Attributes:
        change: As given.
        attempts: As given; its `in_doubt` says whether a create may have been stored without an answer.
    """

    def __init__(
        self, sync: ContactSync, change: Change, client: DailyStoryClient, dispatcher: Dispatcher, attempts: Attempts
    ) -> None:
        self._sync = sync
        self.change = change
        self._client = client
        self._dispatcher = dispatcher
        self.attempts = attempts

    async def deliver(self) -> Result:
        """Do what the change asks for.

        Returns:
            The verdict. A budget that ran out is `failed`, or `in_doubt` where a create may have been stored.

        Raises:
            DailyStoryError: The run must stop; there is no verdict.
            StoppedError: The sender stops; there is no verdict.
        """
        steps = {Operation.CREATE: self._create, Operation.UPDATE: self._update, Operation.DELETE: self._delete}
        try:
            return await steps[self.change.operation]()
        except UnsupportedValueError as error:
            return self._answer(Outcome.REJECTED, reason=Reason.INVALID_VALUE, message=str(error))
        except RejectedError as error:
            if self.attempts.in_doubt:
                return self.in_doubt(str(error))
            return self._answer(Outcome.REJECTED, reason=Reason.REFUSED, message=str(error))
        except RetryableError as error:
            if self.attempts.in_doubt:
                return self.in_doubt(str(error))
            return self._answer(Outcome.FAILED, message=str(error))

    def in_doubt(self, reason: str = "the sender stopped") -> Result:
        """The verdict on a create that may have been stored, and is not known to equal the row yet."""
        message = f"the answer to a create was lost, the contact is looked up before it is sent again; {reason}"
        return self._answer(Outcome.IN_DOUBT, message=message)

    async def _create(self) -> Result:
        mode = self._sync.mode
        if self.change.look_up_first or mode is not Mode.UPSERT:
            self.attempts.in_doubt = self.change.look_up_first and mode is not Mode.UPDATE
            found = await self._look_up()
            if found is not None:
                return await self._adopt(found)
            self.attempts.in_doubt = False
            if mode is Mode.UPDATE:
                return self._not_found()
        return await self._create_anew()

    async def _create_anew(self) -> Result:
        if not self.change.identity:
            message = "DailyStory does not know the contact, and without an email or a mobile number none can be made"
            return self._answer(Outcome.REJECTED, reason=Reason.NO_IDENTITY, message=message)
        body = payload(self._sync, self.change, everything=True)
        while True:
            try:
                dsid = await self._send(partial(self._client.create_or_update, body), is_repeatable=False)
            except LostResponseError:
                found = await self._look_up()
            else:
                return self._answer(Outcome.CREATED, dsid, replaced=True)
            if found is not None:
                break
            self.attempts.in_doubt = False
        if self._sync.mode is Mode.CREATE:
            return self._answer(Outcome.CREATED, found.dsid, replaced=True)
        return await self._overwrite(found.dsid)

    async def _adopt(self, found: RemoteContact) -> Result:
        """Take an existing contact for the row; only the mode `create` leaves it as it is."""
        if self._sync.mode is Mode.CREATE:
            return self._answer(Outcome.MAPPED, found.dsid)
        return await self._overwrite(found.dsid)

    async def _overwrite(self, dsid: str) -> Result:
        body = {"dsId": dsid, **payload(self._sync, self.change, everything=True)}
        try:
            answered = await self._send(partial(self._client.create_or_update, body))
        except NotFoundError as error:
            return self._answer(Outcome.REJECTED, reason=Reason.NOT_FOUND, message=str(error))
        if answered != dsid:
            return self._conflict(answered, "DailyStory found the contact and then answered with another id")
        return self._answer(Outcome.UPDATED, dsid, replaced=True)

    async def _update(self) -> Result:
        change, dsid = self.change, self.change.dsid
        if dsid is None:
            return await self._create()
        if change.new_identity:
            owner = await self._other_owner(dsid)
            if owner is not None:
                return self._conflict(owner.dsid, "the new email or mobile number belongs to another contact")
        body: dict[str, object] = {"dsId": dsid, **payload(self._sync, change, everything=change.resend_all)}
        allowed: tuple[str, ...] = ()
        if change.deactivated_by_us:
            contact = await self._send(partial(self._client.get, dsid))
            if contact is None:
                return await self._relink()
            if contact.status in _OUR_STATUSES and not contact.opted_out and "status" not in body:
                body["status"], allowed = "Active", ("status",)
        try:
            answered = await self._send(partial(self._client.create_or_update, body, allowed=allowed))
        except NotFoundError as error:
            return await self._relink(error)
        if answered != dsid:
            return await self._other_dsid_answered(dsid, answered)
        return self._answer(Outcome.UPDATED, dsid, replaced=change.resend_all)

    async def _relink(self, error: NotFoundError | None = None) -> Result:
        """The dsid is not known any more: find the person again, else make the contact anew."""
        found = await self._look_up()
        if found is None:
            return self._not_found() if self._sync.mode is Mode.UPDATE else await self._create_anew()
        if found.dsid != self.change.dsid:
            return await self._adopt(found)
        message = str(error) if error else "DailyStory finds the contact by its identity and not by its id"
        return self._answer(Outcome.REJECTED, reason=Reason.REFUSED, message=message)

    async def _other_dsid_answered(self, dsid: str, answered: str) -> Result:
        """The answer names another contact: not an acknowledgement.

        If ours still exists, the other one owns the identity. If ours is gone, it was merged, or the service made a
        new contact: then the person is found again by the identity. Nothing further is created here.
        """
        if await self._send(partial(self._client.get, dsid)) is None:
            found = await self._look_up()
            if found is not None and found.dsid != dsid:
                return await self._adopt(found)
        return self._conflict(answered, "DailyStory answered an update with another contact's id")

    async def _delete(self) -> Result:
        dsid = self.change.dsid
        if dsid is None:
            return self._answer(Outcome.DELETED)
        try:
            if self._sync.deletes is Deletes.DELETE:
                await self._send(partial(self._client.delete, dsid))
            else:
                body = {"dsId": dsid, "status": "Inactive"}
                answered = await self._send(partial(self._client.create_or_update, body))
                if answered != dsid:
                    return self._conflict(answered, "DailyStory answered a deactivation with another contact's id")
        except NotFoundError:
            pass  # it is gone already
        return self._answer(Outcome.DELETED, dsid)

    async def _look_up(self, person: Identity | None = None) -> RemoteContact | None:
        return await _find_by_identity(self._client, self._dispatcher, self.attempts, person or self._as_sent)

    async def _other_owner(self, dsid: str) -> RemoteContact | None:
        """Who, other than this contact, has one of the identity fields that are about to change."""
        new, sent = self.change.new_identity, self._as_sent
        for person in (Identity(email=new.email and sent.email), Identity(mobile=new.mobile and sent.mobile)):
            owner = await self._look_up(person) if person else None
            if owner is not None and owner.dsid != dsid:
                return owner
        return None

    @property
    def _as_sent(self) -> Identity:
        change = self.change
        return Identity(change.email_as_sent or change.identity.email, change.mobile_as_sent or change.identity.mobile)

    async def _send(self, request: Callable[[], Awaitable[_T]], *, is_repeatable: bool = True) -> _T:
        return await self._dispatcher.send(self.attempts, request, is_repeatable=is_repeatable)

    def _not_found(self) -> Result:
        message = "DailyStory has no such contact, and the mode 'update' creates none"
        return self._answer(Outcome.REJECTED, reason=Reason.NOT_FOUND, message=message)

    def _conflict(self, dsid: str, message: str) -> Result:
        return self._answer(Outcome.CONFLICTED, dsid, reason=Reason.IDENTITY_TAKEN, message=message)

    def _answer(
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
            # The service may name the row by fields that the request did not carry.
            message=mask_values(message, self.change.values.values()) if message else "",
            replaced=replaced,
        )
