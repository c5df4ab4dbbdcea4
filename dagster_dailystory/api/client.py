"""DailyStory's contact API: one method a call, one HTTP request a method; the sender decides about retries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from urllib.parse import quote

from dagster_dailystory.api.responses import (
    Account,
    RemoteContact,
    broken,
    failure_of,
    read_account,
    read_contact,
    read_envelope,
)
from dagster_dailystory.api.settings import ClientSettings
from dagster_dailystory.api.transport import TRANSPORT_ERRORS, AiohttpConnections, Connections, silence_http_loggers
from dagster_dailystory.contacts.consent import check_consent
from dagster_dailystory.errors import NotFoundError, RejectedError, RetryableError

_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class DailyStoryClient:
    """The contact API over one pool of connections. Use it as `async with`, inside one event loop.

    No method retries, follows a redirect or logs; each raises the errors of `dagster_dailystory.errors` by how one
    recovers: AuthenticationError, ConfigurationError (redirect), RejectedError, NotFoundError, RetryableError and
    ThrottledError.

    Args:
        settings: Address, token, time-out.
        connections: Replaces the network, in tests.
    """

    def __init__(self, settings: ClientSettings, connections: Connections | None = None) -> None:
        silence_http_loggers()
        self._settings = settings
        self._connections = connections or AiohttpConnections(settings)
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
        """POST one contact: with `dsId` an update, without one a create.

        Args:
            body: The JSON object.
            allowed: Consent fields that this one request may set, besides `consent_override`.

        Returns:
            The dsid that the service answered; it may differ from the one sent.

        Raises:
            ConsentError: The body would undo an opt-out; nothing was sent.
        """
        check_consent(body, self._settings.consent_override | frozenset(allowed))
        content = _encoded(body)
        answer = await self._request(
            "POST", self._contact, content, names_dsid="dsId" in body, personal=_personal_values(body)
        )
        response = answer.get("Response", answer)
        dsid = response.get("id") if isinstance(response, Mapping) else None
        if isinstance(dsid, bool) or not isinstance(dsid, (str, int)) or dsid == "":
            raise RetryableError("DailyStory answered a POST without a contact id")
        return str(dsid)

    async def get(self, dsid: str) -> RemoteContact | None:
        """GET a contact by its id; None if the service does not know it."""
        return await self._look_up(self._url_of(dsid), ())

    async def find(self, *, email: str | None = None, mobile: str | None = None) -> RemoteContact | None:
        """GET the first contact with this email or this mobile number; exactly one of them is given."""
        if (email is None) == (mobile is None):
            raise ValueError("find() takes an email or a mobile number")
        query = f"email={_quoted(email)}" if email is not None else f"mobilephone={_quoted(mobile or '')}"
        return await self._look_up(f"{self._contact}?{query}", (email, mobile))

    async def delete(self, dsid: str) -> None:
        """DELETE a contact; the service keeps it with the status Deleted.

        Raises:
            NotFoundError: There is none.
        """
        await self._request("DELETE", self._url_of(dsid), names_dsid=True)

    async def about(self) -> Account:
        """GET /about: checks the token and names the account, as far as the service tells."""
        try:
            answer = await self._request("GET", self._settings.base_url + "/about")
        except RejectedError:
            return Account()
        return read_account(answer)

    def _url_of(self, dsid: str) -> str:
        if not dsid.strip() or set(dsid) <= {"."}:
            raise NotFoundError("the contact's dsid is empty")
        return f"{self._contact}/{_quoted(dsid)}"

    async def _look_up(self, url: str, personal: Iterable[object]) -> RemoteContact | None:
        """How a missing contact is answered is not documented (U12): 404, 400, `Status: false` and no contact count."""
        try:
            answer = await self._request("GET", url, personal=personal)
        except RejectedError as error:
            if error.status in (200, 400, 404):
                return None
            raise
        return read_contact(answer)

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
            answer = await self._connections.exchange(method, url, content)
        except TRANSPORT_ERRORS as error:
            failure = broken(error)
        if failure is None:
            envelope = read_envelope(answer.body)
            failure = failure_of(answer, envelope, names_dsid=names_dsid, personal=personal)
        if failure is not None:
            raise failure  # outside the handlers: the transport's exception, with the address, is no context of it
        return envelope or {}


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return _json.encode(body).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        pass
    raise RejectedError("a value of this row cannot be written as JSON: numbers must be finite and text valid Unicode")


def _personal_values(body: Mapping[str, object]) -> Iterator[object]:
    """The values that a message of the service could repeat; the id is not personal."""
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from value.values()
        elif name not in ("dsId", "status"):
            yield value


def _quoted(text: str) -> str:
    return quote(text, safe="")
