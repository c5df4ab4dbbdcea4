"""The requests that the sandbox remembers."""

from __future__ import annotations

import json

import pytest

from dagster_dailystory.sandbox.page.history import RequestHistory, identities, subjects_of
from dagster_dailystory.sandbox.replies import RecentRequest


def request(number: int, dsid: str = "", body: bytes = b"", status: int = 200, subjects: tuple[str, ...] = ()):
    return RecentRequest(
        float(number), "POST", f"/{number}", status, dsid, (), "", "", body, len(body), subjects
    )  # fmt: skip


def paths(requests) -> list[str]:
    return [each.path for each in requests]


def test_the_oldest_requests_are_forgotten_and_still_counted():
    history = RequestHistory(most_requests=3)
    for number in range(5):
        history.add(request(number, dsid="even" if number % 2 == 0 else "odd"))
    assert (history.total, len(history)) == (5, 3)
    assert paths(history.latest(10)) == ["/4", "/3", "/2"]
    assert paths(history.latest(1, 1)) == ["/3"]
    assert paths(history.about(["even"])) == ["/2", "/4"]
    assert paths(history.about(["odd", "even"])) == ["/2", "/3", "/4"]


def test_the_bodies_have_a_limit_in_bytes():
    history = RequestHistory(most_bytes=100)
    for number in range(10):
        history.add(request(number, dsid="ada", body=b"x" * 40))
    assert paths(history.latest(10)) == ["/9", "/8"]
    assert paths(history.about(["ada"])) == ["/8", "/9"]


def test_a_dump_has_everything_and_loading_it_replaces_what_was_there():
    history = RequestHistory(most_requests=2)
    for number in range(3):
        history.add(request(number, body=b"\xff\xc3\xbc\x00", status=400, subjects=("email:a@example.com",)))
    dumped = json.loads(json.dumps(history.dump()))
    other = RequestHistory()
    other.add(request(9, dsid="gone"))
    other.load(dumped, history.total)
    assert (other.latest(9), other.total) == (history.latest(9), 3)
    assert other.about(["email:a@example.com"]) == history.about(["email:a@example.com"])
    assert other.about(["gone"]) == []
    for wrong in ({}, [1], [[1, "POST"]]):
        with pytest.raises(ValueError, match="of a sandbox"):
            other.load(wrong, 1)


def test_the_rate_is_that_of_the_last_five_seconds():
    history = RequestHistory()
    for number in range(100):
        history.add(request(number))
    assert history.per_second(99.5) == 1
    assert history.per_second(200.0) == 0


@pytest.mark.parametrize(
    ("path", "query", "body", "subjects"),
    [
        ("/contact/d1", "", b"", ("d1",)),
        ("/contact/d%201", "", b"", ("d 1",)),
        ("/contact", "", b'{"dsId": "d1", "email": "a@example.com"}', ("d1",)),
        ("/contact", "", b'{"Email": " A@b.example", "mobilePhone": "+1 555"}', ("email:a@b.example", "mobile:1555")),
        ("/contact", "email=a%40example.com", b"", ("email:a@example.com",)),
        ("/contact/upsert", "mobilephone=%2B1555", b"", ("mobile:1555",)),
        ("/contact/import", "", b'[{"dsid": "d1"}, {"dsId": "d1"}, {"email": "b@c.d"}, 3]', ("d1", "email:b@c.d")),
        ("/contact", "", b"no JSON", ()),
        ("/contact", "", b'{"dsId": 3, "email": ["a"]}', ()),
        ("/contact", "", None, ()),
        ("/about", "", b"", ()),
    ],
)  # fmt: skip
def test_a_request_is_about_the_contacts_that_it_names(path, query, body, subjects):
    assert subjects_of(path, query, body) == subjects


def test_an_identity_is_compared_as_contacts_are():
    assert identities(" Ada@Example.com", "+1 (555) 7") == ("email:ada@example.com", "mobile:15557")
    assert identities(None, "") == ()
