"""The pages of the sandbox over real HTTP: what they show without any script."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import httpx
import pytest

from dagster_dailystory.sandbox import Sandbox

ADA = {"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "mobilePhone": "+15557140059"}
HOSTILE = "<img src=x onerror=\"document.title='broken'\">&amp;"


def page_of(sandbox: Sandbox, path: str = "", **query: str) -> str:
    response = httpx.get(f"{sandbox.url}{path}", params=query)
    assert response.status_code == 200
    return response.text


def counter(page: str, name: str) -> str:
    """The number on the card with this name."""
    return re.findall(rf"<dt>{name}</dt><dd>([\d,]+)</dd>", page)[0]


def counters(page: str, *names: str) -> list[str]:
    return [counter(page, name) for name in names]


def dsids(page: str) -> list[str]:
    """The contacts of a list, in order."""
    return re.findall(r'href="/contact/([0-9a-f]{32})"', page)


def bodies(page: str) -> list[str]:
    return [unescape(body) for body in re.findall(r"<pre>(.*?)</pre>", page, flags=re.S)]


def created(api: httpx.Client, **fields: object) -> str:
    return str(api.post("/contact", json=fields).json()["Response"]["id"])


def test_no_other_site_can_show_or_read_a_page(sandbox, api):
    dsid = created(api, **ADA)
    for path in ("", "requests", "alerts", f"contact/{dsid}", "page.js", "page.css"):
        response = httpx.get(f"{sandbox.url}{path}", headers={"Origin": "https://evil.example"})
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in response.headers
    assert httpx.options(f"{sandbox.url}").status_code == 404


def test_a_page_loads_nothing_from_elsewhere_and_hides_the_token(sandbox, api):
    dsid = created(api, **ADA)
    for path in ("", "requests", "alerts", f"contact/{dsid}"):
        page = page_of(sandbox, path)
        loaded = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page)
        assert sorted(loaded) == ["/page.css", "/page.js"]
        assert sandbox.token not in page
    assert "innerHTML" not in page_of(sandbox, "page.js")
    assert sandbox.counts.requests == 1, "a page is not a request of the API"
    assert [httpx.get(f"{sandbox.url}{path}").status_code for path in ("favicon.ico", "contact/none")] == [404, 404]


def test_the_counters_are_those_of_contacts_that_no_request_made(sandbox):
    for number in range(2020):
        sandbox.add(email=f"p{number}@example.com", optOutSms=number < 20, status="Deleted" if number < 5 else "Active")
    page = page_of(sandbox)
    names = ("contacts", "active", "deleted", "opted out", "created", "updated", "requests")
    assert counters(page, *names) == ["2,020", "2,015", "5", "20", "2,020", "0", "0"]


def test_the_counters_follow_every_kind_of_request(sandbox, api):
    ada, bob = created(api, **ADA), created(api, email="bob@example.com")
    created(api, dsId=ada, city="London")
    api.delete(f"/contact/{bob}")
    api.post("/contact/optout/email", json=[{"dsid": ada}])
    api.post("/contact", json={"dsId": ada, "email": "not an email"})
    api.get("/contact", params={"email": "ada@example.com"})
    sandbox.script(["throttled", "html_502", "cut_before"])
    for _ in range(2):
        api.post("/contact", json=ADA)
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/contact", json=ADA)
    httpx.get(f"{sandbox.base_url}/about")
    page = page_of(sandbox)
    assert counters(page, "contacts", "active", "deleted", "opted out") == ["2", "1", "1", "1"]
    assert counters(page, "created", "updated") == ["2", "2"]
    assert counters(page, "requests", "writes", "look-ups") == ["11", "9", "1"]
    assert counters(page, "refused", "throttled", "failed", "cut off", "bad token") == ["1"] * 5
    assert '<span class="chip warn">opt-out: email</span>' in page
    sandbox.edit(ada, optOutEmail=False)
    sandbox.remove(bob)
    page = page_of(sandbox)
    assert counters(page, "contacts", "deleted", "opted out", "created", "updated") == ["1", "0", "0", "2", "3"]


def test_counters_and_requests_survive_a_restart(tmp_path: Path):
    file = tmp_path / "contacts.json"
    body = b'{"email": "ada@example.com", "firstName": "\xc3\x85da", "lastName": "\\ud800"}'
    with Sandbox(store=file) as first:
        headers = {"Authorization": f"Bearer {first.token}"}
        dsid = httpx.post(f"{first.base_url}/contact", headers=headers, content=body).json()["Response"]["id"]
        httpx.post(f"{first.base_url}/contact", headers=headers, content=b"\xff no JSON")
        httpx.get(f"{first.base_url}/contact/{dsid}", headers=headers)
        before = (first.counts, first.requests())
    with Sandbox(store=file) as second:
        page = page_of(second)
        assert counters(page, "contacts", "created", "requests", "refused", "look-ups") == ["1", "1", "3", "1", "1"]
        assert (second.counts, second.requests()) == before
        assert bodies(page_of(second, f"contact/{dsid}")) == [body.decode()]
        assert len(second.contacts()) == 1
    with second:
        assert counters(page_of(second), "contacts", "active", "requests") == ["1", "1", "3"]


def test_a_store_file_of_an_earlier_version_counts_its_contacts_as_created(tmp_path: Path):
    file = tmp_path / "contacts.json"
    file.write_text('{"contacts": [["d1", {"optOutSms": true}, {}, 1, 2], ["d2", {}, {}, 1, 1]], "merged": {}}')
    with Sandbox(store=file) as sandbox:
        assert counters(page_of(sandbox), "contacts", "opted out", "created", "updated") == ["2", "1", "2", "0"]


def test_every_contact_is_on_one_part_of_the_list(sandbox):
    made = [sandbox.add(email=f"p{number}@example.com") for number in range(120)]
    pages = [page_of(sandbox, page=str(number)) for number in (1, 2, 3)]
    assert [len(dsids(page)) for page in pages] == [50, 50, 20]
    assert [dsid for page in pages for dsid in dsids(page)] == made[::-1]
    assert "51 to 100 of 120" in pages[1]
    assert '<a href="/?page=3">next</a>' in pages[1]
    beyond = [dsids(page_of(sandbox, page=text)) for text in ("99", "0", "-1", "x", "²", "9" * 5000)]
    assert beyond == [dsids(pages[2]), *[dsids(pages[0])] * 5]
    assert '<a href="/?search=example&amp;page=2">next</a>' in page_of(sandbox, search="example")


def test_the_page_stays_fast_and_small_with_100_000_contacts(sandbox):
    for number in range(100_000):
        sandbox.add(email=f"p{number}@example.com", extendedProperties={"loyalty_id": f"L-{number}"})
    page_of(sandbox, search="L-77777")  # the first search reads all values
    for query in ({}, {"page": "2000"}, {"search": "L-77777"}, {"search": "example", "page": "1999"}):
        started = time.monotonic()
        page = page_of(sandbox, **query)
        assert time.monotonic() - started < 1
        assert len(page) < 60_000
    assert "100,000" in page


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "ADA@",
        "+15557140059",
        "(555) 714-0059",
        "5557140059",
        "ada lovelace",
        "C-17",
        " lovelace ",
        "Ünï",
    ],
)
def test_the_search_finds_a_contact_by_any_value(sandbox, text):
    ada = sandbox.add(**ADA, city="üNïtown", extendedProperties={"customer_id": "C-17"})
    sandbox.add(email="bob@example.com", mobilePhone="+15550000000", extendedProperties={"customer_id": "C-18"})
    assert dsids(page_of(sandbox, search=text)) == [ada]
    assert dsids(page_of(sandbox, search=ada[:12])) == [ada]
    assert dsids(page_of(sandbox, search=ada)) == [ada]
    assert "No contact contains this text." in page_of(sandbox, search="nothing has this")


def test_a_key_in_a_custom_field_comes_before_values_that_contain_it(sandbox):
    exact = sandbox.add(email="ada@example.com", extendedProperties={"customer_id": "42"})
    for number in range(60):
        sandbox.add(email=f"p{number}@example.com", extendedProperties={"customer_id": f"42{number:03d}"})
    assert dsids(page_of(sandbox, search="42"))[0] == exact
    assert "A sync does not send the key of a row, unless one of its fields has the key" in page_of(sandbox)


def test_a_search_sees_changes(sandbox):
    dsid = sandbox.add(email="ada@example.com")
    assert dsids(page_of(sandbox, search="london")) == []
    sandbox.edit(dsid, city="London")
    assert dsids(page_of(sandbox, search="london")) == [dsid]


def test_a_contact_has_a_page_with_all_its_fields(sandbox, api):
    dsid = created(api, **ADA, optOutSms=True, extendedProperties={"plan": "pro", "notes": "n" * 3000})
    page = page_of(sandbox, f"contact/{dsid}")
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd><span[^>]*>([^<]*)</span></dd>", page))
    contact = sandbox.find(dsid=dsid)
    custom = contact.pop("extendedProperties")
    assert set(shown) == {*contact, *custom}
    assert (shown["dsId"], shown["email"], shown["notes"]) == (dsid, "ada@example.com", "n" * 3000)
    assert (shown["optOutSms"], shown["optOutEmail"], shown["city"], shown["dateBirth"]) == (
        "true", "false", "empty", "null",
    )  # fmt: skip


def test_a_contact_has_its_requests_in_order_with_their_bodies_as_sent(sandbox, api):
    sent = ['{"email":  "ada@example.com",\n "city": "Zürich"}', '{"email": "Ada@example.com"}']
    sandbox.script(["throttled", None, "cut_after"])
    api.get("/contact", params={"email": "ada@example.com"})
    for _ in range(2):
        api.post("/contact", content=sent[0].encode())
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/contact", content=sent[1].encode())
    [contact] = sandbox.contacts()
    dsid = contact["dsId"]
    refused = f'{{"DSID": "{dsid}", "email": "no email"}}'
    api.post("/contact", content=refused.encode())
    created(api, email="bob@example.com")
    api.get(f"/contact/{dsid}")
    api.post("/contact/optout/email", json=[{"email": "bob@example.com"}, {"dsid": dsid}])
    api.delete(f"/contact/{dsid}")
    page = page_of(sandbox, f"contact/{dsid}")
    lines = re.findall(
        r'class="chip \w+">([^<]+)</span><code><b>(\w+)</b> ([^<]+)</code><time datetime="([^"]+)Z"', page
    )
    assert [line[:3] for line in lines] == [
        ("404", "GET", "/api/v1/contact?email=ada%40example.com"),
        ("429", "POST", "/api/v1/contact"),
        ("200", "POST", "/api/v1/contact"),
        ("cut off", "POST", "/api/v1/contact"),
        ("400", "POST", "/api/v1/contact"),
        ("200", "GET", f"/api/v1/contact/{dsid}"),
        ("200", "POST", "/api/v1/contact/optout/email"),
        ("200", "DELETE", f"/api/v1/contact/{dsid}"),
    ]
    assert [line[3] for line in lines] == sorted(line[3] for line in lines)
    assert bodies(page)[:4] == [sent[0], sent[0], sent[1], refused]
    assert "email is not a valid email address" in page


def test_the_list_of_requests_is_newest_first_and_can_be_limited_to_what_was_not_accepted(sandbox, api):
    for number in range(60):
        created(api, email=f"p{number}@example.com")
    api.post("/contact", json={"city": "London"})
    page = page_of(sandbox, "requests")
    assert len(re.findall("<li>", page)) == 50
    assert bodies(page)[:2] == ['{"city":"London"}', '{"email":"p59@example.com"}']
    assert "1 to 50 of 61" in page
    assert dsids(page)[0] == sandbox.find(email="p59@example.com")["dsId"]
    assert len(bodies(page_of(sandbox, "requests", page="2"))) == 11
    assert bodies(page_of(sandbox, "requests", only="problems")) == ['{"city":"London"}']


def test_a_long_body_is_shown_up_to_a_limit_and_an_unread_one_is_named(sandbox, api):
    dsid = created(api, email="ada@example.com", title="t" * 1_000_000)
    api.post("/contact", content=b"x" * (4 * 1024 * 1024 + 1))
    page = page_of(sandbox, f"contact/{dsid}")
    assert "the first 65,536 of 1,000,0" in page
    assert len(bodies(page)[0]) == 65_536
    requests = page_of(sandbox, "requests")
    assert "The body is larger than the sandbox reads." in requests
    assert len(bodies(requests)[0]) == 4096


def test_the_contacts_are_listed_last_changed_first_also_after_a_restart(tmp_path: Path):
    file = tmp_path / "sandbox.json"
    with Sandbox(store=file) as first, httpx.Client(headers={"Authorization": f"Bearer {first.token}"}) as api:
        made = [
            str(api.post(f"{first.base_url}/contact", json={"email": f"p{n}@example.com"}).json()["Response"]["id"])
            for n in range(3)
        ]
        time.sleep(0.002)  # the store keeps times
        api.post(f"{first.base_url}/contact", json={"dsId": made[0], "city": "Rome"})
        expected = [made[0], made[2], made[1]]
        assert dsids(page_of(first)) == expected
    with Sandbox(store=file) as again:
        assert dsids(page_of(again)) == expected


@pytest.mark.parametrize("text", [HOSTILE, "\ud800", "a\x00b\u2028\u202e"])
def test_every_text_is_escaped(sandbox, text):
    custom = {text: text}
    dsid = sandbox.add(email=text, firstName=text, city=text, country=text, mobilePhone=text, extendedProperties=custom)
    with httpx.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.token}"}) as api:
        api.post("/contact", content=b'{"dsId": "' + dsid.encode() + b'", "email": "<img src=y>"}')
        api.get("/contact", params={"email": "<img src=y>"})
    sandbox.configure(tenant_name=text)
    for path in ("", f"contact/{dsid}", "requests", "?search=%3Cimg%20src=x%3E%22", "requests?only=%3Cimg"):
        response = httpx.get(f"{sandbox.url}{path}")
        assert response.status_code == 200
        assert "<img" not in response.text
    assert httpx.get(f"{sandbox.url}contact/%3Cimg").text.count("<img") == 0


def test_a_page_that_did_not_change_is_not_sent_again(sandbox, api):
    tag = httpx.get(sandbox.url).headers["ETag"]
    unchanged = httpx.get(sandbox.url, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    created(api, **ADA)
    assert httpx.get(sandbox.url, headers={"If-None-Match": tag}).status_code == 200
