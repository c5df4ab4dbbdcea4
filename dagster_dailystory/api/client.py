"""A client of DailyStory's contact API. Each method sends one HTTP request; the sender decides about retries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from urllib.parse import quote

from dagster_dailystory.api.connection_errors import connection_error
from dagster_dailystory.api.connections import Connections, MayWrite
from dagster_dailystory.api.responses import (
    Account,
    RemoteContact,
    classify_response,
    read_account,
    read_contact,
    read_dsid,
    read_envelope,
)
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import TRANSPORT_ERRORS, AiohttpConnections, silence_http_loggers
from dagster_dailystory.contacts.consent import check_consent
from dagster_dailystory.errors import ForbiddenError, NotFoundError, RejectedError, RetryableError

_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class DailyStoryClient:
    """The contact API over one pool of connections. Use it with `async with`, in one event loop.

    No method retries, follows a redirect or logs. Each raises AuthenticationError, RejectedError,
    NotFoundError, ForbiddenError, RetryableError, ThrottledError or UnreadableError (redirect).

    Args:
        settings: Address, token, timeout, connections.
        consent_override: The sync's `consent_override`.
        may_write: Asked last before a POST or a DELETE is sent; if it returns False, HeldBackError is raised.
    """

    def __init__(
        self,
        settings: AccountSettings,
        consent_override: Collection[str] = (),
        may_write: MayWrite = lambda: True,
    ) -> None:
        silence_http_loggers()
        self._settings = settings
        self._consent_override = frozenset(consent_override)
        self._connections: Connections = (settings.connect or AiohttpConnections)(settings, may_write)
        self._contact = settings.base_url + "/contact"

    async def __aenter__(self) -> DailyStoryClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def create_or_update(self, body: Mapping[str, object], *, allowed: Collection[str] = ()) -> str:
        """POST one contact: an update if the body has a `dsId`, else a create.

        Args:
            body: The JSON object.
            allowed: Consent fields that this request may set in addition to `consent_override`.

        Returns:
            The dsid in the response; it may differ from the one sent.

        Raises:
            ConsentError: The body would undo an opt-out; nothing was sent.
        """
        check_consent(body, self._consent_override | frozenset(allowed))
        content = _encoded(body)
        envelope = await self._request(
            "POST", self._contact, content, names_dsid="dsId" in body, personal=_personal_values(body)
        )
        response = envelope.get("Response", envelope)
        dsid = read_dsid(response.get("id")) if isinstance(response, Mapping) else None
        if dsid is None:
            raise RetryableError("the response of DailyStory to a POST has no contact id")
        return dsid

    async def get(self, dsid: str) -> RemoteContact | None:
        """GET a contact by its dsid; None if it does not exist."""
        return await self._look_up(self._url_of(dsid), ())

    async def find(self, *, email: str | None = None, mobile: str | None = None) -> RemoteContact | None:
        """GET the first contact with this email or mobile number; pass exactly one of them."""
        if (email is None) == (mobile is None):
            raise ValueError("find() takes either an email or a mobile number")
        query = f"email={_quoted(email)}" if email is not None else f"mobilephone={_quoted(mobile or '')}"
        return await self._look_up(f"{self._contact}?{query}", (email, mobile))

    async def delete(self, dsid: str) -> None:
        """DELETE a contact; the service keeps it with the status Deleted.

        Raises:
            NotFoundError: The contact does not exist.
        """
        await self._request("DELETE", self._url_of(dsid), names_dsid=True)

    async def about(self) -> Account:
        """GET /about: check the token and read the account, which may lack values.

        Raises:
            ForbiddenError: The token is not accepted, or may not read the account.
        """
        try:
            envelope = await self._request("GET", self._settings.base_url + "/about")
        except ForbiddenError:
            raise
        except RejectedError:
            return Account(is_answered=False)
        except RetryableError as error:
            if error.status != 200:
                raise
            return Account(is_answered=False)  # a text that is not JSON, which would come again
        return read_account(envelope)

    def _url_of(self, dsid: str) -> str:
        if not dsid.strip() or set(dsid) <= {"."}:
            raise NotFoundError("the contact's dsid is empty or only dots")
        return f"{self._contact}/{_quoted(dsid)}"

    async def _look_up(self, url: str, personal: Iterable[object]) -> RemoteContact | None:
        """The response for a missing contact is not documented (U12): 404, 400, `Status: false` or no contact."""
        try:
            envelope = await self._request("GET", url, personal=personal)
        except RejectedError as error:
            if error.status in (200, 400, 404):
                return None
            raise
        return read_contact(envelope)

    async def _request(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        *,
        names_dsid: bool = False,
        personal: Iterable[object] = (),
    ) -> Mapping[str, object]:
        failure: Exception | None = None
        try:
            response = await self._connections.exchange(method, url, content)
        except TRANSPORT_ERRORS as error:
            failure = connection_error(error, self._settings)
        if failure is None:
            envelope = read_envelope(response.body)
            failure = classify_response(response, envelope, names_dsid=names_dsid, personal=personal)
        if failure is not None:
            raise failure  # outside `except`, so that the transport's exception with its URL is not the __context__
        return envelope or {}


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return _json.encode(body).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        pass  # raised below, where the value is not in the traceback
    raise RejectedError("a value of this row cannot be written as JSON: numbers must be finite, texts valid Unicode")


def _personal_values(body: Mapping[str, object]) -> Iterator[object]:
    """Values that an error message of the service may repeat; dsid and status are not personal."""
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from value.values()
        elif name not in ("dsId", "status"):
            yield value


def _quoted(text: str) -> str:
    return quote(text, safe="")
