"""The requests of the client and the classification of responses, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import httpx
import pytest

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import Account, RemoteContact
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.errors import (
    AuthenticationError,
    ConsentError,
    DailyStoryError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThrottledError,
    UnreadableError,
)

T = TypeVar("T")
TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
EMAIL = "ada+news@example.com"
MOBILE = "+15557140059"
Handler = Callable[[httpx.Request], httpx.Response]


def run_with(handler: Handler, call: Callable[[DailyStoryClient], Awaitable[T]], *, override: str = "") -> T:
    settings = AccountSettings(
        "https://us-1.dailystory.test",
        TOKEN,
        connect=partial(HttpxConnections, transport=httpx.MockTransport(handler)),
    )

    async def scenario() -> T:
        async with DailyStoryClient(settings, list(filter(None, [override]))) as client:
            return await call(client)

    return asyncio.run(scenario())


def responding(status: int, body: object = None, *, text: str = "", headers: dict[str, str] | None = None) -> Handler:
    content = text.encode() if body is None else json.dumps(body).encode()
    return lambda request: httpx.Response(status, content=content, headers=headers or {})


def post(client: DailyStoryClient) -> Awaitable[str]:
    return client.create_or_update({"email": EMAIL, "firstName": "Grace"})


def post_with_dsid(client: DailyStoryClient) -> Awaitable[str]:
    return client.create_or_update({"dsId": "d1", "firstName": "Grace"})


def get(client: DailyStoryClient) -> Awaitable[RemoteContact | None]:
    return client.get("d1")


def failure(handler: Handler, call: Callable[[DailyStoryClient], Awaitable[object]] = post) -> DailyStoryError:
    with pytest.raises(DailyStoryError) as caught:
        run_with(handler, call)
    assert caught.value.__context__ is None
    return caught.value


# Requests


def test_a_post_is_one_compact_utf8_object_with_a_bearer_token() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"Status": True, "Message": "", "Response": {"id": "d9"}})

    dsid = run_with(handler, lambda client: client.create_or_update({"email": EMAIL, "extendedProperties": {"k": "é"}}))
    assert dsid == "d9"
    [request] = seen
    assert (request.method, str(request.url)) == ("POST", "https://us-1.dailystory.test/api/v1/contact")
    assert request.content == ('{"email":"' + EMAIL + '","extendedProperties":{"k":"é"}}').encode()
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("dagster-dailystory/")


@pytest.mark.parametrize(
    ("call", "method", "target"),
    [
        (lambda client: client.get("a/b c?"), "GET", "/api/v1/contact/a%2Fb%20c%3F"),
        (lambda client: client.find(email=EMAIL), "GET", "/api/v1/contact?email=ada%2Bnews%40example.com"),
        (lambda client: client.find(mobile=MOBILE), "GET", "/api/v1/contact?mobilephone=%2B15557140059"),
        (lambda client: client.delete("d1"), "DELETE", "/api/v1/contact/d1"),
        (lambda client: client.about(), "GET", "/api/v1/about"),
    ],
)
def test_urls_are_percent_encoded(
    call: Callable[[DailyStoryClient], Awaitable[object]], method: str, target: str
) -> None:
    seen: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.raw_path.decode()))
        return httpx.Response(200, json={"Status": True, "Response": {}})

    run_with(handler, call)
    assert seen == [(method, target)]


@pytest.mark.parametrize("dsid", ["", " ", ".", ".."])
def test_a_dsid_that_would_change_the_url_is_never_sent(dsid: str) -> None:
    error = failure(responding(500), lambda client: client.delete(dsid))
    assert isinstance(error, NotFoundError)


def test_a_body_that_opts_back_in_is_not_sent() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"Status": True, "Response": {"id": "d1"}})

    with pytest.raises(ConsentError):
        run_with(handler, lambda client: client.create_or_update({"dsId": "d1", "optOutEmail": False}))
    with pytest.raises(ConsentError):
        run_with(handler, lambda client: client.create_or_update({"dsId": "d1", "status": "Active"}))
    assert requests == []
    run_with(handler, lambda client: client.create_or_update({"optOutEmail": False}), override="optOutEmail")
    run_with(handler, lambda client: client.create_or_update({"status": "Active"}, allowed=("status",)))
    assert len(requests) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object()])
def test_a_value_that_json_cannot_represent_rejects_the_row(value: object) -> None:
    error = failure(responding(500), lambda client: client.create_or_update({"email": EMAIL, "city": value}))
    assert type(error) is RejectedError


# Classification


def test_a_bad_token_is_an_authentication_error_with_a_hint() -> None:
    error = failure(responding(401, text="<html>"))
    assert isinstance(error, AuthenticationError)
    assert error.status == 401
    assert "API Tokens" in str(error)


@pytest.mark.parametrize(
    ("handler", "is_page"),
    [
        (responding(403, {"Status": False, "Message": f"Grace at {EMAIL} is not allowed"}), False),
        (responding(403), False),
        (responding(403, text="\n<!DOCTYPE html><h1>Blocked</h1>"), True),
        (responding(403, text="Blocked", headers={"Content-Type": "text/html; charset=utf-8"}), True),
    ],
)
def test_a_403_is_forbidden_and_shows_whether_it_is_a_page_of_a_firewall(handler: Handler, is_page: bool) -> None:
    error = failure(handler)
    assert isinstance(error, ForbiddenError)
    assert (error.status, error.is_page) == (403, is_page)
    assert "Grace" not in str(error)
    assert "ada" not in str(error)


@pytest.mark.parametrize("status", [400, 402, 404, 405, 409, 413, 422])
def test_other_4xx_reject_the_row_with_the_masked_message(status: int) -> None:
    message = f"Sorry Grace, {EMAIL} or {MOBILE} is not valid"
    error = failure(responding(status, {"Status": False, "Message": message}))
    assert type(error) is RejectedError
    assert error.status == status
    assert "is not valid" in str(error)
    for personal in ("Grace", "ada", "5557140059"):
        assert personal not in str(error)


@pytest.mark.parametrize("text", ["", "<html>Bad request</html>", "[]", "null"])
def test_a_refusal_without_an_envelope_has_no_explanation(text: str) -> None:
    assert "no explanation" in str(failure(responding(400, text=text)))


def test_status_false_in_a_200_rejects_the_row() -> None:
    error = failure(responding(200, {"Status": False, "Message": "The plan is full"}))
    assert type(error) is RejectedError
    assert "The plan is full" in str(error)


def test_a_message_with_status_true_is_not_an_error() -> None:
    body = {"Status": True, "Message": "Contact saved", "Response": {"id": "d1"}}
    assert run_with(responding(200, body), post) == "d1"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, ""),
        (400, "Contact not found"),
        (200, "Unknown dsId"),
        (200, "The contact could not be found."),
        (400, "No such contact"),
        (422, "Contact does not exist"),
    ],
)
def test_an_unknown_dsid_is_distinguished_from_a_refusal(status: int, message: str) -> None:
    handler = responding(status, {"Status": False, "Message": message})
    assert isinstance(failure(handler, post_with_dsid), NotFoundError)
    assert isinstance(failure(handler, lambda client: client.delete("d1")), NotFoundError)
    assert type(failure(handler, post)) is RejectedError


@pytest.mark.parametrize("message", ["Unknown field 'foo'", "email is not valid", "Country not found"])
def test_other_refusals_of_an_update_do_not_mean_an_unknown_dsid(message: str) -> None:
    assert type(failure(responding(400, {"Status": False, "Message": message}), post_with_dsid)) is RejectedError


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_server_errors_are_retryable_and_may_have_landed(status: int) -> None:
    error = failure(responding(status, text="<html>bad gateway</html>"))
    assert type(error) is RetryableError
    assert error.may_have_landed
    assert error.status == status


@pytest.mark.parametrize("text", ["", "<html></html>", "[]", "7", "null", '{"Status": tr'])
def test_a_2xx_without_a_json_object_is_retryable_and_may_have_landed(text: str) -> None:
    error = failure(responding(200, text=text))
    assert type(error) is RetryableError
    assert error.may_have_landed


@pytest.mark.parametrize("response", [{}, {"id": ""}, {"id": None}, {"id": True}, [], "d1"])
def test_a_response_without_a_contact_id_is_not_an_acknowledgement(response: object) -> None:
    assert type(failure(responding(200, {"Status": True, "Response": response}))) is RetryableError


@pytest.mark.parametrize("dsid", ["a\ud800", "a\x00", "a\n", "é", " ", "x" * 129, "\u202e1"])
def test_a_contact_id_that_a_state_cannot_store_is_retryable(dsid: str) -> None:
    posted = failure(responding(200, {"Status": True, "Response": {"id": dsid}}))
    found = failure(responding(200, {"Status": True, "Response": {"contact": {"dsId": dsid}}}), get)
    assert (type(posted), type(found)) == (RetryableError, RetryableError)


@pytest.mark.parametrize("dsid", ["contact ada@example.com was not found", "ada@example.com", "contact +15550001111"])
def test_a_message_that_quotes_the_contact_does_not_pass_for_an_id(dsid: str) -> None:
    error = failure(responding(200, {"Status": True, "Response": {"id": dsid}}))
    assert (type(error), dsid in str(error)) == (RetryableError, False)


@pytest.mark.parametrize("dsid", ["d-1", "x" * 128, "a?[~", 7])
def test_a_contact_id_of_printable_ascii_is_kept(dsid: str | int) -> None:
    assert run_with(responding(200, {"Status": True, "Response": {"id": dsid}}), post) == str(dsid)


def test_a_message_with_characters_that_no_state_can_store_is_cleaned() -> None:
    refused = failure(responding(422, {"Status": False, "Message": "not\x00 \ud800allowed"}))
    assert str(refused).endswith("not allowed")


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (429, {}, None),
        (429, {"Retry-After": "soon"}, None),
        (503, {"Retry-After": "0"}, 0.0),
        (
            429,
            {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    error = failure(responding(status, headers=headers))
    assert isinstance(error, ThrottledError)
    assert error.retry_after_seconds == seconds
    assert not error.may_have_landed


def test_a_503_without_a_valid_retry_after_is_retryable() -> None:
    assert type(failure(responding(503, headers={"Retry-After": "inf"}))) is RetryableError


def test_a_redirect_is_not_followed_and_the_error_names_base_url() -> None:
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"Location": f"https://uk-3.dailystory.test/api/v1/contact?email={EMAIL}"})

    error = failure(handler, lambda client: client.find(email=EMAIL))
    assert isinstance(error, UnreadableError)
    assert not error.may_have_landed
    assert "uk-3.dailystory.test" in str(error)
    assert "base_url" in str(error)
    assert "ada" not in str(error)
    assert hosts == ["us-1.dailystory.test"]


@pytest.mark.parametrize(
    ("raised", "landed"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.PoolTimeout("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.WriteError("x"), True),
        (httpx.RemoteProtocolError("x"), True),
        (ConnectionResetError(), True),
    ],
)
def test_only_a_failed_connection_cannot_have_landed(raised: Exception, landed: bool) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise raised

    error = failure(handler)
    assert isinstance(error, RetryableError)
    assert error.may_have_landed is landed
    assert error.__cause__ is None


def test_an_endless_response_is_retryable() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]  # the base class has no annotation either
            while True:
                yield b"x" * 65536

    error = failure(lambda request: httpx.Response(200, stream=Endless()))
    assert type(error) is RetryableError


# Look-ups


@pytest.mark.parametrize(
    "handler",
    [
        responding(404, {"Status": False, "Message": "nope"}),
        responding(404, text=""),
        responding(400, {"Status": False, "Message": "nope"}),
        responding(200, {"Status": False, "Message": "nope"}),
        responding(200, {"Status": True, "Response": {"contact": None}}),
        responding(200, {"Status": True, "Response": {"contact": {}}}),
        responding(200, {"Status": True, "Response": None}),
    ],
)
def test_every_form_of_a_missing_contact_is_recognised(handler: Handler) -> None:
    assert run_with(handler, get) is None
    assert run_with(handler, lambda client: client.find(email=EMAIL)) is None


@pytest.mark.parametrize("status", [409, 422, 500])
def test_a_failed_look_up_does_not_mean_a_missing_contact(status: int) -> None:
    failure(responding(status, {"Status": False}), get)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("Active", "Active"),
        (0, "Active"),
        (100, "Deleted"),
        ("100", "Deleted"),
        ("Bounced", "Bounced"),
        (50, "50"),
        (None, ""),
    ],
)
def test_a_status_is_a_word_or_a_number(status: object, word: str) -> None:
    found = run_with(responding(200, {"Status": True, "Response": {"contact": {"dsId": "d1", "status": status}}}), get)
    assert found is not None
    assert (found.dsid, found.status) == ("d1", word)


def test_every_spelling_of_an_opt_out_counts_and_the_repr_is_private() -> None:
    contact = {
        "dsId": "d1", "email": EMAIL, "donotcontact": True, "optOut": "true", "optOutSms": False, "optOutPush": "",
        "optOutEmail": True, "isPushEnabled": True,
    }  # fmt: skip
    found = run_with(responding(200, {"Status": True, "Response": {"contact": contact}}), get)
    assert found is not None
    assert found.opted_out == {"donotcontact", "optOut", "optOutEmail"}
    assert found.fields["email"] == EMAIL
    assert EMAIL not in repr(found)


def test_find_takes_exactly_one_identity() -> None:
    with pytest.raises(ValueError, match="email or a mobile"):
        run_with(responding(200), lambda client: client.find())
    with pytest.raises(ValueError, match="email or a mobile"):
        run_with(responding(200), lambda client: client.find(email=EMAIL, mobile=MOBILE))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"Status": True, "Response": {"tenant": "Acme", "uid": "u", "dataCenter": "us-1"}},
            Account("Acme", "u", "us-1"),
        ),
        ({"tenant": "Acme", "dataCenter": "us-1"}, Account("Acme", None, "us-1")),
        (
            {"Response": {"tenant": {"Id": 7, "Name": "Acme", "TenantUID": "t7", "DataCenter": "uk-3"}}},
            Account("Acme", "t7", "uk-3"),
        ),
        ({"Status": True, "Response": {}}, Account()),
        ({"Status": False, "Message": "gone"}, Account(is_answered=False)),
        ("ok", Account(is_answered=False)),
    ],
)
def test_about_reads_each_documented_shape(body: object, expected: Account) -> None:
    assert run_with(responding(200, body), lambda client: client.about()) == expected
