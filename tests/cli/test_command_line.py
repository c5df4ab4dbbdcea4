"""The command line: what it prints, what it hides, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from support.console import Console
from support.scenario import customer, customers

from dagster_dailystory import errors
from dagster_dailystory.cli.command_line import COMMANDS
from dagster_dailystory.cli.exit_codes import ExitCode, code_of_error
from dagster_dailystory.cli.sync_command import SyncCommand
from dagster_dailystory.cli.target import find_target
from dagster_dailystory.sandbox.faults import Fault

PERSONAL = ("Paris", "Name 1", "p1@example.com")


def test_the_help_of_each_command_begins_with_what_it_does():
    assert [each.name for each in COMMANDS if (each.help or "").split()[0] in ("A", "An", "The")] == []


def test_a_plan_shows_the_command_that_sends_exactly_it(console: Console):
    made = console.run("plan", "--state-url", f"sqlite:///{console.folder}/state.db")
    assert (made.exit_code, made.stderr) == (0, "")
    assert "3 rows read, 0 unchanged, 3 to create" in made.stdout
    assert "source_not_empty" in made.stdout
    assert not [value for value in PERSONAL if value in made.stdout]
    assert console.scenario.sandbox.counts.posts == 0
    command = shlex.split(made.stdout.splitlines()[-1])
    assert command[0] == "dagster-dailystory"
    sent = console.invoke(*command[1:])
    assert (sent.exit_code, len(console.scenario.sandbox.contacts())) == (0, 3)
    assert "3 created" in sent.stdout
    again = console.invoke(*command[1:])
    assert (again.exit_code, again.stdout) == (ExitCode.BLOCKED, "")
    assert again.stderr == f"error: plan {command[3]} of sync 'customers' is sent already; plan again\n"


def test_a_shown_command_has_no_password(console: Console):
    given = {"state_url": "postgresql+psycopg://sync:secret@host/x", "state_schema": "reverse_etl", "max_attempts": 3}
    target = find_target(f"{console.module}:customers", given, console.environment)
    shown = f"dagster-dailystory send {console.module}:customers p1 --state-url … --state-schema reverse_etl"
    assert target.command("send", "p1").replace("'", "") == shown


def test_values_and_personal_keys_are_shown_only_if_asked_for(console: Console):
    console.run("run", "--key", PERSONAL[2], sync="by_email")
    [plan] = console.scenario.rows("plans")
    console.run("send", plan["plan_id"], "--approved-by", "Ada", sync="by_email")
    key = PERSONAL[2]
    for command, shown in (
        (["show-plan", plan["plan_id"]], PERSONAL), (["history", key], PERSONAL), (["contact-map"], [key]),
    ):  # fmt: skip
        for form in ([], ["--json"]):
            masked = console.run(*command, *form, sync="by_email").stdout
            assert not [value for value in PERSONAL if value in masked]
            assert "id-" in masked
            clear = console.run(*command, *form, "--show-values", sync="by_email").stdout
            assert [value for value in shown if value not in clear] == []


def test_each_command_prints_one_json_document_with_the_documented_keys(console: Console):
    console.scenario.insert(customer(4, email="none"))
    plan_id = console.json("plan")["plan"]["plan_id"]
    printed = {"send": console.json("send", plan_id), "plan": console.json("plan"), "run": console.json("run")}
    printed |= {"show-plan": console.json("show-plan", plan_id)}
    printed |= {each: console.json(each) for each in ("runs", "history", "rejections", "contact-map")}
    documented = {each.name: set(each.answers) for each in COMMANDS if isinstance(each, SyncCommand)}
    assert {name: set(document) for name, document in printed.items()} == {name: documented[name] for name in printed}
    assert (printed["send"]["report"]["outcome"], printed["run"]["report"]["outcome"]) == ("done", "empty")
    assert [row["customer_id"] for row in printed["contact-map"]["contact_map"]] == [1, 2, 3]
    assert [row["reason"] for row in printed["rejections"]["rejections"]] == ["invalid_email"]
    assert {row["acknowledged_at"][10] for row in printed["history"]["history"]} == {"T"}
    for command in ("send", "show-plan"):
        failed = console.run(command, "none", "--json")
        assert failed.stdout.startswith('{\n  "error": {\n    "kind": "UnknownPlanError"')


@pytest.mark.parametrize("arguments", [["run", "--limit", "x"], ["send"], ["history", "--since", "yesterday"]])
def test_a_mistake_on_the_command_line_is_a_json_document_too(console: Console, arguments: list[str]):
    failed = console.run(*arguments, "--json")
    error = json.loads(failed.stdout)["error"]
    assert (failed.exit_code, error["exit_code"], "Usage:" in failed.stderr) == (2, 2, True)
    assert error["message"]
    assert console.run(*arguments).stdout == ""


def test_the_history_names_the_run_and_is_found_by_a_contact(console: Console):
    console.run("run")
    [run] = console.json("runs")["runs"]
    assert console.run("history", "1").stdout.splitlines()[1].endswith(run["run_id"])
    records = console.json("history", "1")["history"]
    assert console.json("history", "--email", PERSONAL[2])["history"] == records
    assert console.json("history", "--dsid", records[0]["dsid"])["history"] == records
    assert console.run("history", "1", "--dsid", "x").exit_code == ExitCode.USAGE


def test_a_run_is_explained_and_undone(console: Console):
    console.run("run")
    console.scenario.update(1, city="Rome")
    console.run("run")
    run_id = console.json("runs")["runs"][0]["run_id"]
    assert run_id in console.run("runs").stdout
    console.scenario.update(1, city="Paris")
    [explained] = console.json("explain", "1", "--live")["explanation"]["keys"]
    assert (explained["next_step"], bool(explained["live"])) == ("sent", True)
    masked = console.run("explain", "--email", PERSONAL[2]).stdout
    assert not [value for value in (*PERSONAL, "Rome") if value in masked]
    assert "Paris" in console.run("explain", "1", "--show-values").stdout
    assert console.run("explain").exit_code == ExitCode.USAGE
    posts = console.scenario.sandbox.counts.posts
    assert console.json("undo", run_id)["undo"]["contacts_undone"] == 1
    assert console.scenario.sandbox.counts.posts == posts
    assert console.run("undo", run_id, "--yes").exit_code == ExitCode.DONE
    assert console.scenario.contact(PERSONAL[2])["city"] == "Paris"


def test_a_sync_is_copied_renamed_and_dropped(console: Console):
    console.run("run")
    copy = f"sqlite:///{console.folder}/copy.db"
    assert console.json("copy-state", "--to", copy)["copied"]["rows"]["contact_map"] == 3
    assert console.run("contact-map", "--state-url", copy).exit_code == ExitCode.DONE
    assert console.run("copy-state", "--to", copy).exit_code == ExitCode.STATE
    assert console.json("rename", "people")["renamed"] == "people"
    renamed = console.run("contact-map")
    assert (renamed.exit_code, "people" in renamed.stderr) == (ExitCode.STATE, True), renamed.stderr
    assert console.run("drop", "--confirm", "others", "--state-url", copy).exit_code == ExitCode.USAGE
    assert console.json("drop", "--confirm", "customers", "--state-url", copy)["keys"] == 3


def test_the_doctor_says_by_its_exit_code_whether_a_run_could_work(console: Console):
    healthy = console.json("doctor", "--probe", "me@example.com")["examination"]
    assert healthy["is_healthy"]
    assert healthy["announced"]
    assert console.scenario.sandbox.counts.posts == 0
    assert console.run("doctor", DAILYSTORY_API_TOKEN="wrong").exit_code == ExitCode.UNHEALTHY
    assert console.run("doctor", "--yes").exit_code == ExitCode.USAGE
    console.run("run")
    refused = console.run("doctor", "--probe", PERSONAL[2], "--yes")
    assert (refused.exit_code, "nothing was made" in refused.stdout) == (ExitCode.UNHEALTHY, True)


def test_requests_to_forget_are_repeated_from_their_file_alone(console: Console):
    console.run("run")
    shown = console.run("forget", "1", "9")
    assert ("key 1, contact" in shown.stdout, "Nothing was forgotten. Add --yes" in shown.stdout) == (True, True)
    assert "key 9, no contact: unknown." in shown.stdout
    console.run("forget", "1", "--yes")
    exported, name = console.folder / "requests.json", f"{console.module}:customers"
    exported.write_text(console.invoke("forgotten", "export", name).stdout)
    repeated = console.invoke("forgotten", "apply", name, str(exported))
    assert repeated.stdout.endswith("0 keys were removed from its tables\n")
    for text in ("no JSON", '{"other": []}', '[{"hash": "1"}]', "3"):
        exported.write_text(text)
        assert console.invoke("forgotten", "apply", name, str(exported)).exit_code == ExitCode.USAGE


def test_a_mistyped_state_is_not_made_and_does_not_answer(console: Console):
    missing = console.folder / "nothing.sqlite"
    result = console.run("runs", "--state-url", f"sqlite:///{missing}")
    assert (result.exit_code, "which does not exist" in result.stderr, missing.exists()) == (2, True, False)


def test_a_plan_says_which_of_its_changes_are_not_shown(console: Console):
    console.scenario.insert(*customers(20)[3:])
    plan_id = console.json("plan")["plan"]["plan_id"]
    assert "5 more changes; to see them:\n" in console.run("plan").stdout
    for _ in range(6):
        console.run("plan", "--dry-run")
    assert "are not kept any more" in console.run("show-plan", plan_id).stdout


def test_a_table_is_short_and_the_json_document_is_complete(console: Console):
    console.run("run")
    assert "1 more row after these" in console.run("contact-map", "--rows", "2").stdout
    assert len(console.json("contact-map", "--rows", "2")["contact_map"]) == 3


def test_the_exit_code_says_what_to_do(console: Console):
    scenario = console.scenario
    assert console.run("run", sync="no_table").exit_code == ExitCode.WAREHOUSE
    assert console.run("run", DAILYSTORY_API_TOKEN="wrong").exit_code == ExitCode.AUTHENTICATION
    scenario.sandbox.script([Fault.REFUSED, Fault.SERVER_ERROR])
    assert console.run("run", "--max-attempts", "1", "--max-concurrency", "1").exit_code == ExitCode.INCOMPLETE
    assert console.run("run").exit_code == ExitCode.DONE
    assert console.run("run", DAILYSTORY_BASE_URL="http://127.0.0.1:9").exit_code == ExitCode.STATE
    scenario.sandbox.stop()
    scenario.update(1, city="Rome")
    stopped = console.run("run", "--max-attempts", "1")
    assert stopped.exit_code == ExitCode.RETRY_LATER
    assert stopped.stderr.splitlines()[-1].startswith("error: ")
    scenario.delete(1, 2, 3)
    for command in ("plan", "run"):
        assert console.run(command).exit_code == ExitCode.BLOCKED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere:x"], "cannot import 'nowhere': no module 'nowhere'"),
        (["run", "{module}:custmers"], "did you mean 'customers'?"),
        (["run", "customers"], "'customers' names no sync: write MODULE:ATTRIBUTE, or the path of its defs.yaml"),
        (["run", "defs.yaml"], "there is no file 'defs.yaml'"),
        (["history", "{module}:customers", "--field", "town"], "field names 'town', which is not mapped"),
        (["run", "{module}:customers", "--limit", "0"], "limit=0 must be at least 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(console: Console, arguments: list[str], message: str):
    ran = console.invoke(*(each.format(module=console.module) for each in arguments))
    assert (ran.exit_code, ran.stdout) == (ExitCode.USAGE, "")
    assert ran.stderr.startswith("error: ")
    assert message in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_missing_setting_names_its_option_and_its_variable(console: Console):
    ran = console.run("run", WAREHOUSE_URL=None)
    assert "warehouse_url is missing: give --warehouse-url, or set the environment variable WAREHOUSE_URL" in ran.stderr
    ran = console.run("run", DAILYSTORY_API_TOKEN=None)
    assert "api_token is missing: set the environment variable DAILYSTORY_API_TOKEN" in ran.stderr
    assert console.run("contact-map", DAILYSTORY_API_TOKEN=None, DAILYSTORY_BASE_URL=None).exit_code == 0
    assert "did you mean 'WAREHOUSE_URL'?" in console.run("run", WAREHOUSE_URL=None, WAREHOSE_URL="x").stderr


def test_a_module_that_raises_is_named_without_its_message(console: Console):
    (console.folder / f"{console.module}_broken.py").write_text("raise ValueError('secret')")
    ran = console.invoke("run", f"{console.module}_broken:x")
    assert ran.exit_code == ExitCode.USAGE
    assert "raises ValueError; --debug shows where" in ran.stderr
    assert "secret" not in ran.stderr
    assert "secret" in console.invoke("run", f"{console.module}_broken:x", "--debug").stderr


def test_each_error_has_an_exit_code():
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    codes = {each.__name__: code_of_error(each.__new__(each)) for each in kinds}
    unexpected = {name for name, code in codes.items() if code is ExitCode.FAILED}
    assert unexpected == {"DailyStoryError", "ConsentError"}
    assert codes["BusyError"] is ExitCode.RETRY_LATER
    assert codes["StateError"] is ExitCode.STATE


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_the_help_loads_nothing_heavy(arguments: list[str]):
    check = (
        "import atexit, sys; from dagster_dailystory.cli.command_line import command_line;"
        "atexit.register(lambda: print(sorted({'dagster', 'pandas', 'sqlalchemy', 'duckdb'} & set(sys.modules))));"
        f"command_line({arguments!r})"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_after_the_requests_in_flight(console: Console, number: int, code: int):
    sandbox = console.scenario.sandbox
    sandbox.configure(latency_seconds=0.5)
    command = [sys.executable, "-m", "dagster_dailystory.cli", "run", f"{console.module}:customers"]
    environment = {**os.environ, **console.environment, "DAILYSTORY_MAX_CONCURRENCY": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=console.folder
    ) as process:
        while not sandbox.counts.posts and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[-1] == "error: interrupted; the next run goes on where this one stopped"
    assert "Traceback" not in err
    assert len(sandbox.contacts()) < 3
    sandbox.configure(latency_seconds=0)
    assert console.run("run").exit_code == 0
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert len(sandbox.contacts()) == 3
