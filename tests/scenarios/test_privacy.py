"""Promise 11: no token, email, phone number or name in a log line, an exception, a message or a repr."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from support.dagster_project import DagsterProject, people_sync
from support.steps import plan_run, send_run

from dagster_dailystory import build_contact_sync_assets
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.recovery import Intent, Intents
from dagster_dailystory.engine.state.store import utc_now
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import AuthenticationError, DailyStoryError
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Result
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Fault, Sandbox

TOKEN = "poisontoken4b7c1f09d2e8-us-1"
POISONS = ("poisontoken", "poisonmail", "oisonfirst", "oisoncity", "5557140", "oison-plan")
"""Parts of every secret and personal value below, as they would appear in any spelling."""

SYNC = ContactSync(
    name="customers",
    source="people",
    key="login",
    fields={"email": "login", "mobilePhone": "mobile", "firstName": "first_name", "city": "city"},
    extended_properties={"plan": "plan"},
    deletes="delete",
)


class Everything(logging.Handler):
    """Keeps every record of every logger as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.name} {record.getMessage()} {trace} {record.exc_text or ''}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What is logged at DEBUG, by anyone."""
    names = ["httpx", "httpcore", "aiohttp", "aiohttp.client", "sqlalchemy", "sqlalchemy.engine", "asyncio", "psycopg"]
    handler, root = Everything(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in names}
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def person(number: int) -> dict[str, object]:
    return {
        "login": f"poisonmail{number}@example.com",
        "mobile": f"+1415555{7140 + number:04d}"[:12],
        "first_name": f"Poisonfirst{number}",
        "city": f"Poisoncity{number}",
        "plan": f"poison-plan{number}",
    }


def fill(url: str, *people: dict[str, object]) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    logging.disable(logging.DEBUG)  # this engine is the test's
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS people")
        columns = ", ".join(f"{name} VARCHAR(99)" for name in person(0))
        connection.exec_driver_sql(f"CREATE TABLE people ({columns})")
        marks = ", ".join(f":{name}" for name in person(0))
        connection.execute(sa.text(f"INSERT INTO people VALUES ({marks})"), list(people))
    logging.disable(logging.NOTSET)


def shown(url: str) -> list[str]:
    """What users read of plans, runs and rejections: all but their keys."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    logging.disable(logging.DEBUG)
    with engine.connect() as connection:
        found = [
            str(row)
            for name in ("plans", "runs")
            for row in connection.exec_driver_sql(f"SELECT * FROM dailystory_{name}")
        ]
        for query in (
            "SELECT reason, message, fingerprint FROM dailystory_customers_rejections",
            "SELECT reason, message FROM dailystory_customers_changes",
        ):
            found += [str(row) for row in connection.exec_driver_sql(query)]
    logging.disable(logging.NOTSET)
    return found


def assert_clean(*texts: object) -> None:
    for text in map(str, texts):
        for poison in POISONS:
            assert poison not in text.lower(), text


def failure(*arguments: object, **options: object) -> str:
    """Everything that a failed run shows, with what its exception carries."""
    with pytest.raises(DailyStoryError) as raised:
        run_contact_sync(*arguments, **options)  # type: ignore[arg-type]  # passed on as given
    error = raised.value
    return "".join([*traceback.format_exception(error, chain=True), repr(error), str(vars(error))])


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.configure(tokens=(TOKEN,), retry_after_seconds=0)
    return sandbox


def test_a_syncs_whole_life_shows_no_secret_or_personal_data(
    warehouse_url: str, sandbox: Sandbox, logged: list[str], tmp_path: Path
) -> None:
    places = {
        "warehouse_url": warehouse_url,
        "base_url": sandbox.base_url,
        "api_token": TOKEN,
        "requests_per_second": math.inf,
    }
    fill(warehouse_url, *map(person, range(6)), {**person(6), "mobile": person(5)["mobile"]})
    sandbox.script([Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.HTML_503, Fault.SERVER_ERROR, Fault.EMPTY_BODY])
    reports = [run_contact_sync(SYNC, **places)]  # type: ignore[arg-type]  # as above

    sandbox.configure(
        refuse_if=lambda body: f"{body.get('firstName')} of {body.get('city')} <{body.get('email')}> is barred"
    )
    fill(
        warehouse_url,
        *map(person, range(1, 5)),
        {**person(5), "city": "Poisoncity99"},
        person(8),
        {**person(9), "mobile": "poison5557140"},
    )
    reports += [run_contact_sync(SYNC, **places) for _ in range(2)]  # type: ignore[arg-type]  # as above

    def barred(body: Mapping[str, object]) -> str:
        return f"{body.get('firstName')} of {body.get('city')} <{body.get('email')}> is barred"

    sandbox.configure(refuse_if=barred)
    people = [*map(person, range(1, 4)), person(8), {**person(9), "mobile": "poison5557140"}]
    fill(warehouse_url, *people, {**person(4), "city": "Poisoncity99"})
    reports += [run_contact_sync(SYNC, **places) for _ in range(2)]  # type: ignore[arg-type]  # as above

    # The message names fields that this request does not carry.
    sandbox.configure(refuse_if=lambda body: "Poisonfirst4, +1 415 555 7144 of Poisoncity4 is barred")
    fill(warehouse_url, *people, {**person(4), "plan": "other poison-plan"})
    later = run_contact_sync(SYNC, **places, keys=["poisonmail4@example.com"])  # type: ignore[arg-type]  # as above
    assert (later.rows_to_update, later.rows_refused) == (1, 1)
    reports.append(later)

    fill(warehouse_url, *map(person, range(1, 5)), person(7))
    misread = "json(city)" if warehouse_url.startswith("sqlite") else "cast(city as integer)"
    broken = f"select {misread} as id, login from people"
    failures = [
        failure(SYNC, **{**places, "api_token": f"wrong{TOKEN}"}),
        failure(
            ContactSync(
                name="broken",
                source=broken,
                key="id",
                fields={"email": "login"},
            ),
            **places,
        ),
    ]
    assert_clean(*logged, *reports, *map(repr, reports), *failures, *shown(warehouse_url))
    assert len(logged) > 10


def test_public_objects_show_no_secret_or_personal_data(warehouse_url: str, sandbox: Sandbox) -> None:
    fill(warehouse_url, person(1))
    warehouse = Warehouse.at(f"{warehouse_url}", None)
    account = AccountSettings(sandbox.base_url, TOKEN)
    run_id = new_run_id()
    plan = plan_run(SYNC, warehouse, account, run_id=run_id)
    result = send_run(SYNC, warehouse, account, [run_id])
    identity = Identity("poisonmail1@example.com", "+14155557141")
    values = {m.state_column: "Poisonfirst" for m in SYNC.mapped_fields}
    with open_session(SYNC, warehouse.state) as (state, lease):
        with state.connection.begin():
            tables = state.load_tables()
        assert tables is not None
        secret = state.secret.hex()
        shown_objects = [state, lease, Intents(state, tables, lease), Intent("plan", 1, identity)]
        texts = list(map(repr, shown_objects))
    with Sender(SYNC, account) as sender:
        [look_up] = sender.find_many([identity])
        texts += map(repr, (sender, look_up))
    texts += map(repr, (warehouse, account, plan, result, sandbox, sandbox.settings))
    texts += map(repr, (identity, Change(1, "id-1", Operation.CREATE, None, values, frozenset(values), identity)))
    texts += map(repr, (Result(1, Outcome.CREATED, utc_now()), PlanOptions(keys=("poisonmail1@example.com",))))
    assert_clean(*texts)
    assert not [text for text in texts if secret[:16] in text or str(bytes.fromhex(secret))[2:20] in text]


def test_a_wrong_token_is_never_repeated(warehouse_url: str, sandbox: Sandbox, logged: list[str]) -> None:
    fill(warehouse_url, person(1))
    with pytest.raises(AuthenticationError) as raised:
        run_contact_sync(SYNC, warehouse_url=warehouse_url, base_url=sandbox.base_url, api_token=f"other{TOKEN}")
    assert_clean(*logged, *traceback.format_exception(raised.value))


def test_dagsters_event_log_shows_no_secret_or_personal_data(
    sandbox: Sandbox, logged: list[str], tmp_path: Path
) -> None:
    """Every entry of every run: metadata, observations, checks, failures with their causes, and what was logged."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)  # of Dagster's own storage, and of the test
    with dg.DagsterInstance.ephemeral() as instance:
        project = DagsterProject.in_folder(tmp_path, sandbox, instance)
        project.token, project.requests_per_second = TOKEN, 10.0
        sync = people_sync(key="email", deletes="delete", max_deleted_fraction=None)
        assets = build_contact_sync_assets(sync, progress_seconds=0, retry_policy=None)
        broken = build_contact_sync_assets(
            people_sync(name="broken", source="select json(city) as id, email, first_name, city from people"),
            retry_policy=None,
        )

        def put(*numbers: int, **values: object) -> None:
            for number in numbers:
                row = {"email": f"poisonmail{number}@example.com", "first_name": f"Poisonfirst{number}"}
                project.put(number, **{**row, "city": f"Poisoncity{number}", **values})

        put(*range(1, 9))
        put(9, first_name="Poisonfirst" * 30)
        sandbox.script([None, Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.HTML_503, Fault.EMPTY_BODY])
        project.materialize(assets)
        sandbox.configure(refuse_if=lambda body: f"{body.get('firstName')} of {body.get('city')} is barred")
        put(1, 2, city="Poisoncity99")
        put(3, email="poisonmail1@example.com")
        runs = [project.materialize(assets), project.materialize(assets, dry_run=True)]
        assert (runs[0].value("contacts", "rows_refused"), runs[0].value("contacts", "rows_deleted")) == (1, 1)
        runs.append(project.materialize(broken, name="broken"))
        project.token = f"wrong{TOKEN}"
        put(5, city="Poisoncity98")
        runs.append(project.materialize(assets))
        assert [run.success for run in runs] == [True, True, False, False]
        entries = [entry for run in instance.get_run_records() for entry in instance.all_logs(run.dagster_run.run_id)]
    assert_clean(*logged, *map(repr, entries), *(entry.to_json() for entry in entries))
    assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_FAILURE", "ASSET_OBSERVATION"} <= {
        entry.dagster_event_type.value for entry in entries if entry.dagster_event_type
    }
