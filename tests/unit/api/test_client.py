from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
import pytest

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import Account, RemoteContact
from dagster_dailystory.api.settings import ClientSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConsentError,
    DailyStoryError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThrottledError,
)
from dagster_dailystory.sandbox import Sandbox, SandboxSettings

T = TypeVar("T")
TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
EMAIL = "ada+news@example.com"
MOBILE = "+15557140059"
Handler = Callable[[httpx.Request], httpx.Response]


def ask(handler: Handler, question: Callable[[DailyStoryClient], Awaitable[T]], *, override: str = "") -> T:
    settings = ClientSettings(
        "https://us-1.dailystory.test", TOKEN, consent_override=frozenset(filter(None, [override]))
    )

    async def scenario() -> T:
        async with DailyStoryClient(settings, HttpxConnections(settings, httpx.MockTransport(handler))) as client:
            return await question(client)

    return asyncio.run(scenario())


def ask_at(base_url: str, question: Callable[[DailyStoryClient], Awaitable[T]], *, token: str = TOKEN) -> T:
    async def scenario() -> T:
        async with DailyStoryClient(ClientSettings(base_url, token, timeout_seconds=1.0)) as client:
            return await question(client)

    return asyncio.run(scenario())


def answering(status: int, body: object = None, *, text: str = "", headers: dict[str, str] | None = None) -> Handler:
    content = text.encode() if body is None else json.dumps(body).encode()
    return lambda request: httpx.Response(status, content=content, headers=headers or {})


def post(client: DailyStoryClient) -> Awaitable[str]:
    return client.create_or_update({"email": EMAIL, "firstName": "Grace"})


def post_with_dsid(client: DailyStoryClient) -> Awaitable[str]:
    return client.create_or_update({"dsId": "d1", "firstName": "Grace"})


def get(client: DailyStoryClient) -> Awaitable[RemoteContact | None]:
    return client.get("d1")


def failure(handler: Handler, question: Callable[[DailyStoryClient], Awaitable[object]] = post) -> DailyStoryError:
    with pytest.raises(DailyStoryError) as caught:
        ask(handler, question)
    assert caught.value.__context__ is None
    return caught.value


# Requests


def test_a_post_is_one_compact_utf8_object_with_a_bearer_token() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"Status": True, "Message": "", "Response": {"id": "d9"}})

    dsid = ask(handler, lambda client: client.create_or_update({"email": EMAIL, "extendedProperties": {"k": "é"}}))
    assert dsid == "d9"
    [request] = seen
    assert (request.method, str(request.url)) == ("POST", "https://us-1.dailystory.test/api/v1/contact")
    assert request.content == ('{"email":"' + EMAIL + '","extendedProperties":{"k":"é"}}').encode()
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("dagster-dailystory/")


@pytest.mark.parametrize(
    ("question", "method", "target"),
    [
        (lambda client: client.get("a/b c?"), "GET", "/api/v1/contact/a%2Fb%20c%3F"),
        (lambda client: client.find(email=EMAIL), "GET", "/api/v1/contact?email=ada%2Bnews%40example.com"),
        (lambda client: client.find(mobile=MOBILE), "GET", "/api/v1/contact?mobilephone=%2B15557140059"),
        (lambda client: client.delete("d1"), "DELETE", "/api/v1/contact/d1"),
        (lambda client: client.about(), "GET", "/api/v1/about"),
    ],
)
def test_addresses_are_percent_encoded(
    question: Callable[[DailyStoryClient], Awaitable[object]], method: str, target: str
) -> None:
    seen: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.raw_path.decode()))
        return httpx.Response(200, json={"Status": True, "Response": {}})

    ask(handler, question)
    assert seen == [(method, target)]


@pytest.mark.parametrize("dsid", ["", " ", ".", ".."])
def test_a_dsid_that_would_name_another_address_is_never_sent(dsid: str) -> None:
    error = failure(answering(500), lambda client: client.delete(dsid))
    assert isinstance(error, NotFoundError)


def test_a_body_that_opts_back_in_does_not_leave() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"Status": True, "Response": {"id": "d1"}})

    with pytest.raises(ConsentError):
        ask(handler, lambda client: client.create_or_update({"dsId": "d1", "optOutEmail": False}))
    with pytest.raises(ConsentError):
        ask(handler, lambda client: client.create_or_update({"dsId": "d1", "status": "Active"}))
    assert requests == []
    ask(handler, lambda client: client.create_or_update({"optOutEmail": False}), override="optOutEmail")
    ask(handler, lambda client: client.create_or_update({"status": "Active"}, allowed=("status",)))
    assert len(requests) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object()])
def test_a_value_that_json_cannot_hold_rejects_its_row_alone(value: object) -> None:
    error = failure(answering(500), lambda client: client.create_or_update({"email": EMAIL, "city": value}))
    assert type(error) is RejectedError


# Verdicts


@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_token_is_an_authentication_error_with_a_hint(status: int) -> None:
    error = failure(answering(status, text="<html>"))
    assert isinstance(error, AuthenticationError)
    assert error.status == status
    assert "API Tokens" in str(error)


@pytest.mark.parametrize("status", [400, 402, 404, 405, 409, 413, 422])
def test_other_4xx_reject_the_row_with_the_masked_message(status: int) -> None:
    message = f"Sorry Grace, {EMAIL} or {MOBILE} is not valid"
    error = failure(answering(status, {"Status": False, "Message": message}))
    assert type(error) is RejectedError
    assert error.status == status
    assert "is not valid" in str(error)
    for personal in ("Grace", "ada", "5557140059"):
        assert personal not in str(error)


@pytest.mark.parametrize("text", ["", "<html>Bad request</html>", "[]", "null"])
def test_a_refusal_without_an_envelope_has_no_explanation(text: str) -> None:
    assert "no explanation" in str(failure(answering(400, text=text)))


def test_status_false_in_a_200_rejects_the_row() -> None:
    error = failure(answering(200, {"Status": False, "Message": "The plan is full"}))
    assert type(error) is RejectedError
    assert "The plan is full" in str(error)


def test_a_message_beside_status_true_is_no_error() -> None:
    body = {"Status": True, "Message": "Contact saved", "Response": {"id": "d1"}}
    assert ask(answering(200, body), post) == "d1"


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
def test_an_unknown_dsid_is_told_from_a_refusal(status: int, message: str) -> None:
    handler = answering(status, {"Status": False, "Message": message})
    assert isinstance(failure(handler, post_with_dsid), NotFoundError)
    assert isinstance(failure(handler, lambda client: client.delete("d1")), NotFoundError)
    assert type(failure(handler, post)) is RejectedError


@pytest.mark.parametrize("message", ["Unknown field 'foo'", "email is not valid", "Country not found"])
def test_other_refusals_of_an_update_are_no_unknown_dsid(message: str) -> None:
    assert type(failure(answering(400, {"Status": False, "Message": message}), post_with_dsid)) is RejectedError


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_faults_of_the_service_are_retryable_and_may_have_landed(status: int) -> None:
    error = failure(answering(status, text="<html>bad gateway</html>"))
    assert type(error) is RetryableError
    assert error.may_have_landed
    assert error.status == status


@pytest.mark.parametrize("text", ["", "<html></html>", "[]", "7", "null", '{"Status": tr'])
def test_a_2xx_without_a_json_object_is_retryable_and_may_have_landed(text: str) -> None:
    error = failure(answering(200, text=text))
    assert type(error) is RetryableError
    assert error.may_have_landed


@pytest.mark.parametrize("response", [{}, {"id": ""}, {"id": None}, {"id": True}, [], "d1"])
def test_a_post_without_a_contact_id_is_no_acknowledgement(response: object) -> None:
    assert type(failure(answering(200, {"Status": True, "Response": response}))) is RetryableError


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
def test_a_throttled_answer_names_its_wait(status: int, headers: dict[str, str], seconds: float | None) -> None:
    error = failure(answering(status, headers=headers))
    assert isinstance(error, ThrottledError)
    assert error.retry_after_seconds == seconds
    assert not error.may_have_landed


def test_a_503_without_a_readable_retry_after_is_a_plain_failure() -> None:
    assert type(failure(answering(503, headers={"Retry-After": "inf"}))) is RetryableError


def test_a_redirect_to_another_host_is_not_followed_and_names_the_data_centre_setting() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": f"https://uk-3.dailystory.test/api/v1/contact?email={EMAIL}"})

    error = failure(handler, lambda client: client.find(email=EMAIL))
    assert isinstance(error, ConfigurationError)
    assert "uk-3.dailystory.test" in str(error)
    assert "base_url" in str(error)
    assert "ada" not in str(error)
    assert asked == ["us-1.dailystory.test"]


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
def test_only_a_connection_that_never_stood_cannot_have_landed(raised: Exception, landed: bool) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise raised

    error = failure(handler)
    assert isinstance(error, RetryableError)
    assert error.may_have_landed is landed
    assert error.__cause__ is None


def test_an_endless_answer_is_cut_off() -> None:
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
        answering(404, {"Status": False, "Message": "nope"}),
        answering(404, text=""),
        answering(400, {"Status": False, "Message": "nope"}),
        answering(200, {"Status": False, "Message": "nope"}),
        answering(200, {"Status": True, "Response": {"contact": None}}),
        answering(200, {"Status": True, "Response": {"contact": {}}}),
        answering(200, {"Status": True, "Response": None}),
    ],
)
def test_a_missing_contact_is_recognised_in_all_its_forms(handler: Handler) -> None:
    assert ask(handler, get) is None
    assert ask(handler, lambda client: client.find(email=EMAIL)) is None


@pytest.mark.parametrize("status", [409, 422, 500])
def test_a_look_up_that_failed_is_not_taken_for_a_missing_contact(status: int) -> None:
    failure(answering(status, {"Status": False}), get)


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
    found = ask(answering(200, {"Status": True, "Response": {"contact": {"dsId": "d1", "status": status}}}), get)
    assert found is not None
    assert (found.dsid, found.status) == ("d1", word)


def test_every_spelling_of_an_opt_out_counts_and_personal_fields_are_not_in_the_repr() -> None:
    contact = {
        "dsId": "d1", "email": EMAIL, "donotcontact": True, "optOut": "true", "optOutSms": False, "optOutPush": "",
        "optOutEmail": True, "isPushEnabled": True,
    }  # fmt: skip
    found = ask(answering(200, {"Status": True, "Response": {"contact": contact}}), get)
    assert found is not None
    assert found.opted_out == {"donotcontact", "optOut", "optOutEmail"}
    assert found.fields["email"] == EMAIL
    assert EMAIL not in repr(found)


def test_find_takes_exactly_one_identity() -> None:
    with pytest.raises(ValueError, match="email or a mobile"):
        ask(answering(200), lambda client: client.find())
    with pytest.raises(ValueError, match="email or a mobile"):
        ask(answering(200), lambda client: client.find(email=EMAIL, mobile=MOBILE))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"Status": True, "Response": {"tenant": "Acme", "uid": "u", "dataCenter": "us-1"}},
            Account("Acme", None, "us-1"),
        ),
        ({"tenant": "Acme", "dataCenter": "us-1"}, Account("Acme", None, "us-1")),
        (
            {"Response": {"tenant": {"Id": 7, "Name": "Acme", "TenantUID": "t7", "DataCenter": "uk-3"}}},
            Account("Acme", "t7", "uk-3"),
        ),
        ({"Status": True, "Response": {}}, Account()),
        ({"Status": False, "Message": "gone"}, Account()),
    ],
)
def test_about_reads_each_documented_shape(body: object, expected: Account) -> None:
    assert ask(answering(200, body), lambda client: client.about()) == expected


# Real HTTP


def test_a_contact_goes_round_through_real_http() -> None:
    async def scenario(client: DailyStoryClient) -> None:
        dsid = await client.create_or_update({"email": EMAIL, "mobilePhone": MOBILE, "city": "Zürich"})
        for found in (await client.get(dsid), await client.find(email=EMAIL), await client.find(mobile=MOBILE)):
            assert found is not None
            assert (found.dsid, found.fields["city"]) == (dsid, "Zürich")
        await client.delete(dsid)
        assert await client.find(email="nobody@example.com") is None
        assert (await client.about()).tenant == "Sandbox Account"

    with Sandbox() as sandbox:
        ask_at(sandbox.base_url, scenario, token=sandbox.token)


def test_a_wrong_token_is_noticed_over_real_http() -> None:
    with Sandbox() as sandbox, pytest.raises(AuthenticationError):
        ask_at(sandbox.base_url, post)


def test_a_redirect_is_not_followed_over_real_http() -> None:
    with Sandbox(SandboxSettings(wrong_host="302")) as sandbox, pytest.raises(ConfigurationError, match="uk-3"):
        ask_at(sandbox.base_url, post, token=sandbox.token)


@contextmanager
def listener(*, answers: bytes | None) -> Iterator[str]:
    """A server that reads a request, then sends these bytes and closes, or (None) never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            connection, _ = server.accept()
            held.append(connection)
            connection.recv(65536)
            if answers is not None:
                connection.sendall(answers)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "answers",
    [
        None,
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"what is this?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
    ],
)
def test_a_connection_that_breaks_after_the_request_may_have_landed(answers: bytes | None) -> None:
    with listener(answers=answers) as base_url, pytest.raises(RetryableError) as caught:
        ask_at(base_url, lambda client: client.create_or_update({"email": EMAIL}))
    assert caught.value.may_have_landed
    assert caught.value.__context__ is None


def test_a_refused_connection_cannot_have_landed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RetryableError) as caught:
        ask_at(f"http://127.0.0.1:{port}", post)
    assert not caught.value.may_have_landed


@pytest.mark.usefixtures("enabled_loggers")
def test_no_address_email_or_token_reaches_a_log_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore.http11").setLevel(logging.DEBUG)

    async def through_httpx(base_url: str, token: str) -> None:
        settings = ClientSettings(base_url, token)
        async with DailyStoryClient(settings, HttpxConnections(settings, httpx.AsyncHTTPTransport())) as client:
            await client.create_or_update({"email": EMAIL})
            await client.find(email=EMAIL)
        async with httpx.AsyncClient() as other:
            await other.get(f"{base_url}/contact", params={"email": EMAIL})

    with Sandbox() as sandbox:
        asyncio.run(through_httpx(sandbox.base_url, sandbox.token))
        ask_at(sandbox.base_url, lambda client: client.find(email=EMAIL), token=sandbox.token)
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert any(record.name == "httpx" for record in caplog.records)
    for trace in ("ada", "example.com", "%40", sandbox.token):
        assert trace not in caplog.text
