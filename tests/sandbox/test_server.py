"""The sandbox over real HTTP: authentication, envelopes, faults, the page, the command line."""

from __future__ import annotations

import base64
import email.utils
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from playwright.sync_api import sync_playwright

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox import DEFAULT_TOKEN, FaultShares, Sandbox, SandboxSettings
from dagster_dailystory.sandbox.fixtures import dailystory_sandbox  # noqa: F401  # the fixture under test

ADA = {"email": "ada@example.com", "firstName": "Ada"}


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    with client_of(sandbox) as client:
        yield client


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

    def basic(words: str) -> str:
        return "Basic " + base64.b64encode(words.encode()).decode()

    assert [
        status(f"Bearer {sandbox.token}"),
        status(f"bearer {sandbox.token}"),
        status(basic(f"api:{sandbox.token}")),
    ] == [200] * 3
    wrong = [None, "Bearer", "Bearer nope", sandbox.token, basic("api:nope"), basic(f"me:{sandbox.token}"), "Basic !!!"]
    assert [status(authorization) for authorization in wrong] == [401] * len(wrong)
    answer = httpx.get(f"{sandbox.base_url}/about")
    assert answer.json()["Status"] is False
    assert sandbox.counts.unauthorized == len(wrong) + 1


def test_a_token_can_be_rotated_while_running(sandbox, api):
    sandbox.configure(tokens=("new", DEFAULT_TOKEN))
    assert api.get("/about").status_code == 200
    sandbox.configure(tokens=("new",))
    assert api.get("/about").status_code == 401
    assert sandbox.token == "new"


@pytest.mark.parametrize(
    ("mode", "status", "verdict", "response"),
    [
        ("404", 404, False, {}),
        ("400", 400, False, {}),
        ("status_false", 200, False, {}),
        ("null_contact", 200, True, {"contact": None}),
        ("empty_contact", 200, True, {"contact": {}}),
    ],
)
def test_a_missing_contact_is_answered_as_the_settings_say(sandbox, api, mode, status, verdict, response):
    sandbox.configure(not_found=mode)
    for answer in (api.get("/contact/unknown"), api.get("/contact", params={"email": "nobody@example.com"})):
        assert (answer.status_code, answer.json()["Status"], answer.json()["Response"]) == (status, verdict, response)
    assert sandbox.counts.not_found == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b'{"email": NaN}', b'{"a": 1e999}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_no_contact_is_refused_with_an_envelope(sandbox, api, content):
    answer = api.post("/contact", content=content)
    assert (answer.status_code, answer.json()["Status"]) == (400, False)
    assert sandbox.counts.refused == 1


def test_an_unknown_dsid_is_refused_with_404(api):
    answer = post(api, dsId="unknown", city="London")
    assert (answer.status_code, answer.json()["Status"]) == (404, False)


def test_a_refusal_may_come_as_200_with_status_false_or_as_html_or_empty(sandbox, api):
    sandbox.configure(refuse_if=lambda body: "This city is not known", refusal_status=200, envelope_has_code=True)
    answer = post(api, **ADA)
    assert answer.json() == {"Status": False, "Message": "This city is not known", "Code": 200, "Response": {}}
    sandbox.configure(refusal_status=422, error_body="html")
    answer = post(api, **ADA)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "text/html")
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
def test_a_scripted_fault_hits_the_next_post_only(sandbox, api, step, status, stored):
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


def test_a_script_can_name_another_method(sandbox, api):
    sandbox.script(["html_502"], method="GET")
    assert post(api, **ADA).status_code == 200
    assert api.get("/contact/unknown").status_code == 502


def test_a_slow_answer_outlasts_the_clients_patience_and_is_stored(sandbox, api):
    sandbox.configure(slow_seconds=30)
    sandbox.script(["slow"])
    with pytest.raises(httpx.ReadTimeout):
        api.post("/contact", json=ADA, timeout=0.1)
    assert sandbox.find(email="ada@example.com")


def test_random_faults_come_in_their_shares(sandbox, api):
    sandbox.configure(faults=FaultShares(throttled=0.3, refused_with_200=0.2))
    for number in range(200):
        post(api, email=f"p{number}@example.com")
    counts = sandbox.counts
    assert counts.creates + counts.throttled + counts.refused == 200
    assert 35 < counts.throttled < 90
    assert 15 < counts.refused < 70


def test_the_rate_limit_answers_429_and_names_the_wait(sandbox, api):
    sandbox.configure(requests_per_second=2)
    answers = [api.get("/about") for _ in range(4)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"
    sandbox.configure(retry_after="date", throttle_status=503)
    answer = api.get("/about")
    assert answer.status_code == 503
    until = email.utils.parsedate_to_datetime(answer.headers["Retry-After"]).timestamp()
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


def test_an_import_takes_an_object_an_array_by_switch_or_is_gone(sandbox, api):
    assert api.post("/contact/import", json=ADA).json() == {"Status": True, "Message": "", "Response": {}}
    assert api.post("/contact/import", json=[ADA]).status_code == 400
    sandbox.configure(import_form="object_or_array")
    assert api.post("/contact/import", json=[{"email": "bob@example.com"}]).status_code == 200
    sandbox.configure(import_form="gone")
    assert api.post("/contact/import", json=ADA).status_code == 404
    assert len(sandbox.contacts()) == 2


def test_opt_out_and_segments_and_custom_fields_answer(sandbox, api):
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
    answer = api.get("/contact", params={"email": "ada@example.com"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://us-2.example.invalid/api/v1/contact?email=ada%40example.com"
    sandbox.configure(wrong_host="401")
    assert api.get("/about").status_code == 401


def test_a_large_body_gets_413_where_a_limit_is_set(sandbox, api):
    large = {**ADA, "title": "t" * 2_000_000}
    assert post(api, **large).status_code == 200
    sandbox.configure(max_body_bytes=1_000_000)
    assert post(api, **large).status_code == 413


def test_an_undocumented_verb_or_path_is_no_server_error(api):
    statuses = [api.put("/contact").status_code, api.post("/about").status_code, api.delete("/contact").status_code]
    assert statuses == [405] * 3
    assert [api.get("/nothing").status_code, api.get("/contact/a/b").status_code] == [404, 404]


def test_requests_are_shown_without_query_values(sandbox, api):
    post(api, **ADA)
    api.get("/contact", params={"email": "ada@example.com"})
    created, looked_up = sandbox.requests()
    assert (created.method, created.status, created.keys) == ("POST", 200, ("email", "firstName"))
    assert created.dsid == sandbox.writes()[0].dsid
    assert looked_up.path == "/api/v1/contact"
    assert "ada" not in repr(sandbox.requests()).casefold()


def test_clearing_the_journal_keeps_the_contacts(sandbox, api):
    post(api, **ADA)
    sandbox.clear_journal()
    assert (sandbox.counts.requests, sandbox.writes(), sandbox.requests()) == (0, [], [])
    post(api, **ADA)
    assert sandbox.writes_by_email() == {"ada@example.com": 1}
    assert sandbox.creates_by_identity() == {}


def test_people_inside_the_product_edit_merge_and_remove(sandbox):
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


def test_latency_delays_every_answer(sandbox, api):
    sandbox.configure(latency_seconds=0.1)
    started = time.monotonic()
    api.get("/about")
    assert time.monotonic() - started >= 0.1


def test_small_requests_do_not_wait_for_delayed_acknowledgements(api):
    """Without TCP_NODELAY each request would take 40 ms."""
    started = time.monotonic()
    for _ in range(100):
        api.get("/about")
    assert time.monotonic() - started < 2


def test_many_threads_make_each_contact_once(sandbox):
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


def test_a_sandbox_stops_with_requests_under_way_and_starts_again():
    sandbox = Sandbox(SandboxSettings(latency_seconds=60))
    sandbox.start()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            with client_of(sandbox) as client:
                client.get("/about")
        except httpx.HTTPError as problem:
            failures.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    while not sandbox.counts.requests:
        time.sleep(0.01)
    started = time.monotonic()
    sandbox.stop()
    asking.join()
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


def test_a_store_file_keeps_the_contacts_over_a_restart(tmp_path):
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
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "contacts.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"contacts\.json"):
        Sandbox(store=file).start()
    assert file.read_text() == content


def test_the_page_needs_nothing_from_outside_and_its_state_is_json(sandbox, api):
    post(api, **ADA)
    page = httpx.get(sandbox.url)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "innerHTML" not in page.text
    state = httpx.get(f"{sandbox.url}_sandbox/state", params={"search": "ADA@"}).json()
    assert (state["contacts_total"], state["contacts"][0]["fullname"], state["counts"]["creates"]) == (1, "Ada", 1)
    assert state["requests"][0]["path"] == "/api/v1/contact"
    assert httpx.get(f"{sandbox.url}_sandbox/state", params={"search": "nobody"}).json()["contacts"] == []
    assert sandbox.counts.requests == 1
    assert httpx.get(f"{sandbox.url}favicon.ico").status_code == 404


def test_the_page_stays_small_with_many_contacts(sandbox):
    for number in range(2000):
        sandbox.add(email=f"p{number}@example.com")
    state = httpx.get(f"{sandbox.url}_sandbox/state")
    assert len(state.json()["contacts"]) == 200
    assert state.json()["contacts"][0]["email"] == "p1999@example.com"
    assert len(state.content) < 200_000


BROWSER = shutil.which("chromium")
HOSTILE = "<img src=x onerror=\"document.title='broken'\">"


@pytest.mark.ui
@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_the_page_shows_contacts_as_they_arrive_and_never_as_markup(sandbox, api):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(sandbox.url)
        page.get_by_text("No contact yet.").wait_for()
        post(api, **ADA)
        post(api, email="eve@example.com", firstName=HOSTILE, extendedProperties={HOSTILE: HOSTILE})
        page.get_by_text("eve@example.com").wait_for()
        assert page.locator("#contacts tr").count() == 2
        assert page.locator("#contacts img").count() == 0
        page.get_by_label("Search contacts").fill("ADA")
        page.get_by_text("1 found").wait_for()
        assert page.locator("#contacts tr").count() == 1
        assert (page.title(), problems) == ("DailyStory sandbox", [])
        browser.close()


def test_users_get_a_sandbox_from_the_fixture(dailystory_sandbox):  # noqa: F811
    with client_of(dailystory_sandbox) as client:
        assert post(client, **ADA).status_code == 200
    assert dailystory_sandbox.find(email="ada@example.com")["firstName"] == "Ada"


def started_command(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-W", "default::ResourceWarning", "-m", "dagster_dailystory.sandbox", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path, number):
    file = tmp_path / "contacts.json"
    process, line = started_command(
        "--port", "0", "--token", "secret-us-1", "--latency-ms", "5", "--fault", "throttled=1", "--store", str(file)
    )
    base_url = line.split("base URL: ")[1].split()[0]
    assert "secret" not in line
    headers = {"Authorization": "Bearer secret-us-1"}
    assert httpx.get(f"{base_url}/about", headers=headers).status_code == 200
    assert httpx.post(f"{base_url}/contact", headers=headers, json=ADA).status_code == 429
    process.send_signal(number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert json.loads(file.read_text())["contacts"] == []


def test_the_command_says_why_it_cannot_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process, _ = started_command("--port", str(port))
        errors = process.communicate(timeout=20)[1]
    assert (process.returncode, f"port {port} is in use" in errors) == (2, True)
    for arguments in (["--fault", "thottled=1"], ["--fault", "throttled=2"], ["--requests-per-second", "0"]):
        process, _ = started_command("--port", "0", *arguments)
        process.communicate(timeout=20)
        assert process.returncode == 2
