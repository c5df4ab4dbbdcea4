"""The sandbox over real HTTP: authentication, envelopes, faults, life cycle."""

from __future__ import annotations

import base64
import email.utils
import threading
import time

import httpx
import pytest

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox import FaultShares, Sandbox, SandboxSettings
from dagster_dailystory.sandbox.fixtures import dailystory_sandbox  # noqa: F401  # the fixture under test

ADA = {"email": "ada@example.com", "firstName": "Ada"}


def client_of(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)


def post(api, **body):
    return api.post("/contact", json=body)


def test_a_contact_is_created_updated_read_and_deleted(sandbox, api):
    created = post(api, **ADA)
    dsid = created.json()["Response"]["id"]
    assert created.json() == {"Status": True, "Message": "", "Response": {"id": dsid}}
    assert post(api, dsId=dsid, city="London").json()["Response"]["id"] == dsid
    by_email = api.get("/contact", params={"email": "ada@example.com"}).json()["Response"]
    assert (by_email["id"], by_email["contact"]["city"]) == (dsid, "London")
    assert api.delete(f"/contact/{dsid}").json() == {"Status": True, "Message": "", "Response": {}}
    assert api.get(f"/contact/{dsid}").json()["Response"]["contact"]["status"] == "Deleted"
    counts = sandbox.counts
    assert (counts.posts, counts.gets, counts.deletes) == (2, 2, 1)
    assert (counts.creates, counts.updates, counts.deleted) == (1, 1, 1)
    assert counts.contact_requests == 5


def test_a_number_is_looked_up_with_its_plus_sign(api):
    dsid = post(api, mobilePhone="+15557140059").json()["Response"]["id"]
    assert api.get("/contact", params={"mobilephone": "+15557140059"}).json()["Response"]["id"] == dsid


def test_bearer_and_basic_are_accepted_and_anything_else_is_401(sandbox):
    def status(authorization: str | None) -> int:
        headers = {"Authorization": authorization} if authorization else {}
        return httpx.get(f"{sandbox.base_url}/about", headers=headers).status_code

    def basic(credentials: str) -> str:
        return "Basic " + base64.b64encode(credentials.encode()).decode()

    assert [
        status(f"Bearer {sandbox.token}"),
        status(f"bearer {sandbox.token}"),
        status(basic(f"api:{sandbox.token}")),
    ] == [200] * 3
    wrong = [None, "Bearer", "Bearer nope", sandbox.token, basic("api:nope"), basic(f"me:{sandbox.token}"), "Basic !!!"]
    assert [status(authorization) for authorization in wrong] == [401] * len(wrong)
    response = httpx.get(f"{sandbox.base_url}/about")
    assert response.json()["Status"] is False
    assert sandbox.counts.unauthorized == len(wrong) + 1


def test_a_sandbox_without_a_token_makes_its_own_at_random():
    with Sandbox() as one, Sandbox() as other, client_of(one) as client:
        assert one.token != other.token
        assert len(one.token) > 32
        assert client.get("/about").status_code == 200
        assert client.get(f"{other.base_url}/about").status_code == 401
        made = one.token
        one.configure(SandboxSettings(not_found="400"))
        assert one.token == made, "other settings keep it"


def test_a_token_can_be_rotated_while_running(sandbox, api):
    sandbox.configure(tokens=("new", sandbox.token))
    assert api.get("/about").status_code == 200
    sandbox.configure(tokens=("new",))
    assert api.get("/about").status_code == 401
    assert sandbox.token == "new"


@pytest.mark.parametrize(
    ("setting", "status", "accepted", "contact"),
    [
        ("404", 404, False, {}),
        ("400", 400, False, {}),
        ("status_false", 200, False, {}),
        ("null_contact", 200, True, {"contact": None}),
        ("empty_contact", 200, True, {"contact": {}}),
    ],
)
def test_the_response_for_a_missing_contact_depends_on_the_settings(sandbox, api, setting, status, accepted, contact):
    sandbox.configure(not_found=setting)
    for response in (api.get("/contact/unknown"), api.get("/contact", params={"email": "unknown@example.com"})):
        assert (response.status_code, response.json()["Status"], response.json()["Response"]) == (
            status,
            accepted,
            contact,
        )
    assert sandbox.counts.not_found == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b'{"email": NaN}', b'{"a": 1e999}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_not_a_contact_is_refused_with_an_envelope(sandbox, api, content):
    response = api.post("/contact", content=content)
    assert (response.status_code, response.json()["Status"]) == (400, False)
    assert sandbox.counts.refused == 1


def test_an_unknown_dsid_is_refused_with_404(api):
    response = post(api, dsId="unknown", city="London")
    assert (response.status_code, response.json()["Status"]) == (404, False)


def test_a_refusal_can_be_200_with_status_false_html_or_empty(sandbox, api):
    sandbox.configure(refuse_if=lambda body: "This city is not known", refusal_status=200, envelope_has_code=True)
    response = post(api, **ADA)
    assert response.json() == {"Status": False, "Message": "This city is not known", "Code": 200, "Response": {}}
    sandbox.configure(refusal_status=422, error_body="html")
    response = post(api, **ADA)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "text/html")
    sandbox.configure(error_body="empty")
    assert post(api, **ADA).content == b""
    assert (sandbox.counts.refused, sandbox.contacts(), sandbox.writes()) == (3, [], [])


@pytest.mark.parametrize(
    ("step", "status", "stored"),
    [
        ("throttled", 429, False),
        ("server_error", 500, False),
        ("server_error_after", 500, True),
        ("html_502", 502, False),
        ("html_503", 503, False),
        ("empty_body", 200, True),
        ("refused", 400, False),
        ("refused_with_200", 200, False),
        ("cut_before", 0, False),
        ("cut_after", 0, True),
        ("slow", 200, True),
        (408, 408, False),
        (None, 200, True),
    ],
)
def test_a_scripted_fault_affects_only_the_next_post(sandbox, api, step, status, stored):
    sandbox.configure(slow_seconds=0.05)
    sandbox.script([step])
    assert api.get("/about").status_code == 200
    try:
        seen = post(api, **ADA).status_code
    except httpx.RemoteProtocolError:
        seen = 0
    assert (seen, sandbox.find(email="ada@example.com") is not None) == (status, stored)
    assert post(api, **ADA).json()["Status"] is True
    assert sandbox.creates_by_identity() == {"ada@example.com": 1}


def test_a_script_can_apply_to_another_method(sandbox, api):
    sandbox.script(["html_502"], method="GET")
    assert post(api, **ADA).status_code == 200
    assert api.get("/contact/unknown").status_code == 502


def test_a_slow_response_exceeds_the_timeout_and_the_write_is_stored(sandbox, api):
    sandbox.configure(slow_seconds=30)
    sandbox.script(["slow"])
    with pytest.raises(httpx.ReadTimeout):
        api.post("/contact", json=ADA, timeout=0.1)
    assert sandbox.find(email="ada@example.com")


def test_random_faults_occur_in_their_shares(sandbox, api):
    sandbox.configure(faults=FaultShares(throttled=0.3, refused_with_200=0.2))
    for number in range(200):
        post(api, email=f"p{number}@example.com")
    counts = sandbox.counts
    assert counts.creates + counts.throttled + counts.refused == 200
    assert 35 < counts.throttled < 90
    assert 15 < counts.refused < 70


def test_the_rate_limit_responds_with_429_and_retry_after(sandbox, api):
    sandbox.configure(requests_per_second=2)
    responses = [api.get("/about") for _ in range(4)]
    assert [response.status_code for response in responses[:2]] == [200, 200]
    assert responses[-1].status_code == 429
    assert responses[-1].headers["Retry-After"] == "1"
    sandbox.configure(retry_after="date", throttle_status=503)
    response = api.get("/about")
    assert response.status_code == 503
    until = email.utils.parsedate_to_datetime(response.headers["Retry-After"]).timestamp()
    assert 0 <= until - time.time() <= 3
    sandbox.configure(retry_after="none")
    assert "Retry-After" not in api.get("/about").headers


def test_about_has_the_three_known_shapes(sandbox, api):
    assert api.get("/about").json()["Response"]["uid"] == sandbox.settings.tenant_uid
    sandbox.configure(about_shape="2025", tenant_uid="another")
    assert api.get("/about").json()["Response"]["tenant"]["TenantUID"] == "another"
    sandbox.configure(about_shape="bare")
    assert api.get("/about").json()["uid"] == "another"


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_upsert_finds_or_creates_with_both_verbs(api, verb):
    first, second = (api.request(verb, "/contact/upsert", params={"email": "ada@example.com"}) for _ in range(2))
    assert first.json()["Response"]["id"] == second.json()["Response"]["id"]
    assert api.request(verb, "/contact/upsert").status_code == 400


def test_an_import_accepts_an_object_or_an_array_or_is_gone(sandbox, api):
    assert api.post("/contact/import", json=ADA).json() == {"Status": True, "Message": "", "Response": {}}
    assert api.post("/contact/import", json=[ADA]).status_code == 400
    sandbox.configure(import_form="object_or_array")
    assert api.post("/contact/import", json=[{"email": "bob@example.com"}]).status_code == 200
    sandbox.configure(import_form="gone")
    assert api.post("/contact/import", json=ADA).status_code == 404
    assert len(sandbox.contacts()) == 2


def test_opt_out_segments_and_custom_fields_are_available(sandbox, api):
    dsid = post(api, **ADA, extendedProperties={"plan": "pro"}).json()["Response"]["id"]
    assert api.post("/contact/optout/email", json=[{"dsid": dsid}]).status_code == 200
    assert sandbox.find(dsid=dsid)["optOutEmail"] is True
    assert api.get("/segments").json()["Response"]["segments"][0]["total_members"] == 1
    assert api.get("/segment/1/members").json()["Response"]["contacts"] == [dsid]
    assert api.get("/_unverified/custom-contact-fields").json()["Response"]["graph"][0]["apiname"] == "plan"
    assert api.get(f"/_unverified/contact/{dsid}/custom-fields").json()["Response"]["graph"][0]["value"] == "pro"


def test_paths_are_tolerant_unless_strict(sandbox, api):
    dsid = post(api, **ADA).json()["Response"]["id"]
    loose = [f"/contact/{dsid}/", f"/Contact/{dsid}", "/About", "/about/"]
    assert [api.get(path).status_code for path in loose] == [200] * 4
    sandbox.configure(strict_paths=True)
    assert [api.get(path).status_code for path in loose] == [404] * 4
    assert api.get(f"/contact/{dsid}").status_code == 200


def test_a_wrong_host_redirects_or_refuses(sandbox, api):
    sandbox.configure(wrong_host="302", redirect_to="https://us-2.example.invalid/api/v1")
    response = api.get("/contact", params={"email": "ada@example.com"})
    assert response.status_code == 302
    assert response.headers["Location"] == "https://us-2.example.invalid/api/v1/contact?email=ada%40example.com"
    sandbox.configure(wrong_host="401")
    assert api.get("/about").status_code == 401


def test_a_large_body_gets_413_where_a_limit_is_set(sandbox, api):
    large = {**ADA, "title": "t" * 2_000_000}
    assert post(api, **large).status_code == 200
    sandbox.configure(max_body_bytes=1_000_000)
    assert post(api, **large).status_code == 413


def test_an_undocumented_method_or_path_is_a_client_error(api):
    statuses = [api.put("/contact").status_code, api.post("/about").status_code, api.delete("/contact").status_code]
    assert statuses == [405] * 3
    assert [api.get("/nothing").status_code, api.get("/contact/a/b").status_code] == [404, 404]


def test_the_repr_of_a_request_has_no_query_and_no_body(sandbox, api):
    post(api, **ADA)
    api.get("/contact", params={"email": "ada@example.com"})
    created, looked_up = sandbox.requests()
    assert (created.method, created.status, created.keys) == ("POST", 200, ("email", "firstName"))
    assert created.dsid == looked_up.dsid == sandbox.writes()[0].dsid
    assert (looked_up.path, looked_up.query) == ("/api/v1/contact", "email=ada%40example.com")
    assert b"ada@example.com" in created.body
    assert "example.com" not in repr(sandbox.requests())


def test_clearing_the_journal_keeps_the_contacts(sandbox, api):
    post(api, **ADA)
    sandbox.clear_journal()
    assert (sandbox.counts.requests, sandbox.writes(), sandbox.requests()) == (0, [], [])
    post(api, **ADA)
    assert sandbox.writes_by_email() == {"ada@example.com": 1}
    assert sandbox.creates_by_identity() == {}


def test_contacts_can_be_edited_merged_and_removed_in_the_product(sandbox):
    ada, bob = sandbox.add(email="ada@example.com"), sandbox.add(email="bob@example.com", city="Paris")
    sandbox.edit(ada, firstName="Ada")
    sandbox.merge(ada, bob)
    assert (sandbox.find(email="ada@example.com")["city"], sandbox.find(dsid=bob)) == ("Paris", None)
    sandbox.remove(ada)
    assert sandbox.contacts() == []


def test_an_unknown_setting_is_named(sandbox):
    with pytest.raises(ConfigurationError, match="latency"):
        sandbox.configure(latency=1)
    with pytest.raises(ConfigurationError, match="did you mean 'empty_contact'"):
        sandbox.configure(not_found="empty_contacts")


def test_latency_delays_every_response(sandbox, api):
    sandbox.configure(latency_seconds=0.1)
    started = time.monotonic()
    api.get("/about")
    assert time.monotonic() - started >= 0.1


def test_small_requests_do_not_wait_for_delayed_acknowledgements(api):
    """Without TCP_NODELAY each request takes 40 ms; the fastest of many shows it, however busy the machine is."""
    seconds = []
    for _ in range(100):
        started = time.monotonic()
        api.get("/about")
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.03


def test_many_threads_create_each_contact_once(sandbox):
    def work(offset: int) -> None:
        with client_of(sandbox) as client:
            for number in range(40):
                post(client, email=f"p{(number + offset) % 40}@example.com")

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert len(sandbox.contacts()) == 40
    assert sum(sandbox.writes_by_email().values()) == sandbox.counts.posts == 160


def test_a_sandbox_stops_with_open_requests_and_starts_again():
    sandbox = Sandbox(SandboxSettings(latency_seconds=60))
    sandbox.start()
    failures: list[Exception] = []

    def request() -> None:
        try:
            with client_of(sandbox) as client:
                client.get("/about")
        except httpx.HTTPError as error:
            failures.append(error)

    thread = threading.Thread(target=request)
    thread.start()
    while not sandbox.counts.requests:
        time.sleep(0.01)
    started = time.monotonic()
    sandbox.stop()
    thread.join()
    assert time.monotonic() - started < 5
    assert len(failures) == 1
    sandbox.stop()
    sandbox.configure(latency_seconds=0)
    with sandbox, client_of(sandbox) as client:
        assert client.get("/about").status_code == 200


def test_a_port_in_use_is_named(sandbox):
    port = int(sandbox.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"port {port} is in use"), Sandbox(port=port):
        pass
    with pytest.raises(ConfigurationError, match="runs already"):
        sandbox.start()


def test_a_store_file_keeps_the_contacts_between_runs(tmp_path):
    file = tmp_path / "contacts.json"
    with Sandbox(store=file) as first, client_of(first) as client:
        dsid = post(client, **ADA, extendedProperties={"plan": "pro"}).json()["Response"]["id"]
        before = first.contacts()
        deadline = time.monotonic() + 10
        while not file.exists() or dsid not in file.read_text():
            assert time.monotonic() < deadline, "the file is written while the sandbox runs"
            time.sleep(0.05)
        post(client, email="bob@example.com")
    assert file.stat().st_mode & 0o077 == 0
    with Sandbox(store=file) as second, client_of(second) as client:
        assert second.contacts()[0] == before[0]
        assert len(second.contacts()) == 2
        assert client.get(f"/contact/{dsid}").json()["Response"]["contact"]["extendedProperties"] == {"plan": "pro"}
    assert [path.name for path in tmp_path.iterdir()] == ["contacts.json"]


@pytest.mark.parametrize("content", ["", "[]", '{"contacts": [3], "merged": {}}'])
def test_an_invalid_store_file_is_refused_and_not_changed(tmp_path, content):
    file = tmp_path / "contacts.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"contacts\.json"):
        Sandbox(store=file).start()
    assert file.read_text() == content


def test_the_pytest_fixture_provides_a_sandbox(dailystory_sandbox):  # noqa: F811
    with client_of(dailystory_sandbox) as client:
        assert post(client, **ADA).status_code == 200
    assert dailystory_sandbox.find(email="ada@example.com")["firstName"] == "Ada"
