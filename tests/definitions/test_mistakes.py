"""Mistakes that users make. Each ends in one message of this package: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from support.workplace import Workplace

from dagster_dailystory import (
    ContactSync,
    DailyStoryResource,
    PlanConfig,
    WarehouseResource,
    Watermark,
    alert_sensors,
    build_contact_sync_assets,
    drift_check,
    every,
    observed_source,
    resources_from_environment,
    retire_sync,
    retry_sensor,
    run_contact_sync,
    sync_schedule,
)
from dagster_dailystory.errors import DailyStoryError
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.sandbox import Sandbox

pytestmark = [  # raised by Dagster's YAML loader
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:Class `[A-Za-z]*CodeReference"),
]


class Mistake(NamedTuple):
    """A mistake, and two parts of its message: what is wrong, and the next step."""

    name: str
    make: Callable[[Workplace], object]
    happened: str
    remedy: str


def settings(**given: object) -> Callable[[Workplace], object]:
    return lambda at: at.sync(**given)


def runs(**given: object) -> Callable[[Workplace], object]:
    return lambda at: at.run(None, **given)


def options(**given: object) -> Callable[[Workplace], object]:
    return lambda at: at.run(given)


def account(**given: object) -> Callable[[Workplace], object]:
    usual = {"base_url": "https://us-1.dailystory.com/api/v1", "api_token": "SECRET"}
    return lambda _: DailyStoryResource(**usual, **given)


PYTHON = [
    Mistake("an unknown field", settings(fields={"emial": "email"}), "field 'emial'", "did you mean 'email'"),
    Mistake(
        "another name of a field", settings(fields={"email": "email", "unsubscribed": "x"}), "no contact field",
        "DailyStory has optOutEmail",
    ),
    Mistake("no identity", settings(fields={"firstName": "first_name"}), "neither email nor mobilePhone", "map one"),
    Mistake("a text for fields", settings(fields="email"), "fields='email'", "must be a mapping of fields"),
    Mistake("a wrong mode", settings(mode="upsrt"), "mode='upsrt' is not one of", "did you mean 'upsert'"),
    Mistake("a number for partitions", settings(partitions=4), "partitions=4", "HashBuckets(8)"),
    Mistake("two columns for a field", settings(fields={"email": ["a", "b"]}), "maps 'email' to", "name one column"),
    Mistake("buckets in quotes", lambda _: HashBuckets("8"), "HashBuckets('8')", "whole number"),
    Mistake(
        "a text for deps", lambda at: build_contact_sync_assets(at.sync(), deps="analytics"), "deps must be a list",
        "write ['analytics']",
    ),
    Mistake("a list of syncs", lambda at: build_contact_sync_assets([at.sync()]), "one ContactSync", "once for each"),
    Mistake("a text for a watermark", settings(watermark="updated_at"), "watermark='updated_at'", "Watermark("),
    Mistake("a country in small letters", settings(default_region="us"), "default_region='us'", "for example 'US'"),
    Mistake("the code of another list", settings(default_region="UK"), "default_region='UK'", "'GB'"),
    Mistake("a percentage for a share", settings(max_deleted_fraction=10), "fraction=10", "between 0 and 1"),
    Mistake(
        "a consent as a custom field", settings(extended_properties={"optOutEmail": "x"}), "'optOutEmail'",
        "map it in fields",
    ),
    Mistake(
        "a dropped opt-out", settings(fields={"email": "e", "optOutSms": "x"}, invalid={"optOutSms": "drop_field"}),
        "invalid cannot drop_field 'optOutSms'", "never dropped",
    ),
    Mistake("a misspelled option", lambda _: PlanConfig(dry_rnu=True), "'dry_rnu'", "did you mean 'dry_run'"),
    Mistake(
        "a number as a custom field", settings(known_custom_fields=[1]), "known_custom_fields=[1]",
        "such as ['plan']",
    ),
    Mistake("a number as a key", settings(key=["id", 2]), "key=['id', 2]", "a column name, or a list of them"),
    Mistake(
        "one column for two identities", settings(fields={"email": "contact", "mobilePhone": "Contact"}),
        "email and mobilePhone are both filled from 'contact'", "name a column for each",
    ),
    Mistake(
        "a misspelled column of the region", settings(default_region={"col": "country"}),
        "default_region has no setting 'col'", "did you mean 'column'",
    ),
    Mistake("a region without a column", settings(default_region={}), "default_region needs column", "column"),
    Mistake(
        "a number as a slice", lambda _: ColumnValues("year", [2025]), "values=[2025]", "such as ['emea', 'amer']"
    ),
    Mistake("one slice as a text", lambda _: ColumnValues("region", "abc"), "values='abc'", "must be a list of texts"),
    Mistake(
        "an overlap in words", lambda _: Watermark("updated_at", overlap_seconds="1h"), "overlap_seconds='1h'",
        "a number of seconds, such as 3600",
    ),
    Mistake(
        "a preview of an unmapped field",
        lambda at: build_contact_sync_assets(at.sync(), preview_fields=["frstName"]), "preview_fields names 'frstName'",
        "not mapped",
    ),
]  # fmt: skip

NAMES = [
    Mistake(
        "a misspelled setting of a sync", settings(feilds={}), "ContactSync has no setting 'feilds'",
        "mean 'fields'",
    ),
    Mistake(
        "a setting of no sync", settings(colour="red"), "ContactSync has no setting 'colour'",
        "its settings are name,",
    ),
    Mistake("a sync without a key", lambda _: ContactSync(name="people"), "ContactSync needs source, key", "key"),
    Mistake("a sync by place", lambda _: ContactSync("people", "people"), "takes its settings by name", "write name=…"),
    Mistake(
        "a misspelled run option", options(dryrun=True), "run_contact_sync has no setting 'dryrun'",
        "mean 'dry_run'",
    ),
    Mistake(
        "a run without a token", lambda at: run_contact_sync(at.sync(), warehouse_url="sqlite:///x"),
        "run_contact_sync needs base_url, api_token", "api_token",
    ),
    Mistake(
        "a URL by place", lambda at: run_contact_sync(at.sync(), "sqlite:///x"), "by name",
        "write warehouse_url=…",
    ),
    Mistake(
        "a misspelled watermark", lambda _: Watermark("updated_at", overlap=5), "Watermark has no setting 'overlap'",
        "did you mean 'overlap_seconds'",
    ),
    Mistake(
        "a misspelled count", lambda _: HashBuckets(counts=8), "HashBuckets has no setting 'counts'",
        "mean 'count'",
    ),
    Mistake("slices without a column", lambda _: ColumnValues(), "ColumnValues needs column", "column"),
    Mistake(
        "a misspelled setting of assets", lambda at: build_contact_sync_assets(at.sync(), group="x"),
        "build_contact_sync_assets has no setting 'group'", "did you mean 'group_name'",
    ),
    Mistake(
        "a misspelled time zone", lambda at: sync_schedule(at.sync(), "0 * * * *", time_zone="UTC"),
        "sync_schedule has no setting 'time_zone'", "did you mean 'timezone'",
    ),
    Mistake("a misspelled sample", lambda at: drift_check(at.sync(), samples=9), "drift_check has", "mean 'sample'"),
    Mistake("a misspelled retry", lambda at: retry_sensor(at.sync(), max_run=9), "retry_sensor has", "mean 'max_runs'"),
    Mistake(
        "a misspelled alert", lambda at: alert_sensors(at.sync(), print, max_rows=9), "alert_sensors has no setting",
        "did you mean 'max_failed_rows'",
    ),
    Mistake(
        "a watched table", lambda _: observed_source("people", query="x"), "observed_source has",
        "are version_query,",
    ),
    Mistake("a retired sync", lambda at: retire_sync(at.sync(), "old", url="x"), "retire_sync has no", "warehouse_url"),
]  # fmt: skip

NUMBERS = [
    Mistake(
        "a sample in quotes", lambda at: drift_check(at.sync(), sample="9"), "sample must be a whole",
        "it is a text",
    ),
    Mistake(
        "a repair in words", lambda at: drift_check(at.sync(), repair="no"), "repair must be true or",
        "it is a text",
    ),
    Mistake(
        "runs in quotes", lambda at: retry_sensor(at.sync(), max_runs="3"), "max_runs must be a whole",
        "it is a text",
    ),
    Mistake(
        "an interval in words", lambda at: retry_sensor(at.sync(), minimum_interval_seconds="1h"),
        "minimum_interval_seconds must be a whole number", "it is a text",
    ),
    Mistake(
        "rejected rows in quotes", lambda at: alert_sensors(at.sync(), print, "5"), "max_rejected_rows must be a whole",
        "it is a text",
    ),
    Mistake(
        "a wait in words", lambda at: build_contact_sync_assets(at.sync(), wait_seconds="1h"),
        "wait_seconds must be a number", "it is a text",
    ),
]  # fmt: skip

SCHEDULES = [
    Mistake(
        "a schedule in words", lambda at: sync_schedule(at.sync(), "hourly"), "cron='hourly' is not a cron expression",
        "did you mean '@hourly'",
    ),
    Mistake("a condition in words", lambda _: every("daily"), "cron='daily' is not a cron", "did you mean '@daily'"),
    Mistake("seconds in a schedule", lambda _: every("0 0 * * * *"), "cron='0 0 * * * *'", "such as '0 * * * *'"),
    Mistake("a number for a schedule", lambda at: sync_schedule(at.sync(), 60), "cron=60", "such as '0 * * * *'"),
    Mistake(
        "another planet", lambda at: sync_schedule(at.sync(), "0 * * * *", timezone="Mars/X"),
        "timezone='Mars/X' is not the name of a time zone", "such as 'Europe/Berlin'",
    ),
    Mistake(
        "a misspelled city", lambda _: every("0 * * * *", "Europe/Berln"), "timezone='Europe/Berln'",
        "did you mean 'Europe/Berlin'",
    ),
]  # fmt: skip

COLUMNS_AND_KEYS = [
    Mistake("a misspelled column", runs(fields={"email": "emial"}), "has no column 'emial'", "did you mean 'email'"),
    Mistake("a misspelled table", runs(source="poeple"), "poeple", "did you mean 'people'"),
    Mistake("a missing key column", runs(key="person_id"), "has no column 'person_id'", "it has"),
    Mistake("a reserved key", settings(key="dsid"), "key column 'dsid'", "alias in the query"),
    Mistake("a key named twice", settings(key=["id", "ID"]), "names a column twice", "id, ID"),
    Mistake(
        "two statements", runs(source="select id, email from people; select 2"), "it has more than one statement",
        "a source is one SELECT",
    ),
    Mistake(
        "two statements in order", runs(source="create table t (id int); select * from t"), "more than one statement",
        "a source is one SELECT",
    ),
    Mistake(
        "an unknown schema", runs(source="analytics.people"), "analytics.people",
        "the schemas of the database: main",
    ),
    Mistake("a misspelled schema", runs(source="mian.people"), "mian.people", "did you mean the schema 'main'"),
    Mistake("an unknown schema of the state", options(state_schema="mian"), "no schema 'mian'", "did you mean 'main'"),
    Mistake("a query that fails", runs(source="select nonsense from people"), "cannot be read", "nonsense"),
    Mistake(
        "a missing file", runs(source="syncs/people.sql"), "'syncs/people.sql' cannot be read",
        "starts at the working",
    ),
    Mistake("a watermark of texts", runs(watermark=Watermark("first_name")), "holds texts", "write it as YYYY-MM-DD"),
    Mistake("a watermark of numbers", runs(watermark=Watermark("id")), "holds whole numbers", "a date or a timestamp"),
    Mistake("no key at all", options(keys=[]), "keys is empty", "omit it"),
    Mistake("a text for keys", options(keys="1"), "keys must be a list", "keys=['...']"),
    Mistake("a limit of nothing", options(limit=0), "limit=0", "dry_run"),
    Mistake("a wrong scope", options(scope="rejectd"), "scope='rejectd' is not one of", "did you mean 'rejected'"),
    Mistake("a slice of a sync without slices", options(partition="emea"), "partition", "no partitions"),
]  # fmt: skip

URLS_AND_TOKENS = [
    Mistake("an old scheme", options(warehouse_url="postgres://host/db"), "postgres", "postgresql+psycopg://"),
    Mistake("not a URL", options(warehouse_url="analytics"), "warehouse_url", "dialect+driver://"),
    Mistake("an unknown database", options(warehouse_url="oracel://host/db"), "oracel", "warehouse_url"),
    Mistake(
        "a mistyped path", lambda at: at.run({"warehouse_url": f"sqlite:///{at.folder}/warehuose.sqlite"}),
        "warehuose.sqlite", "does not exist",
    ),
    Mistake("a state that cannot be one", options(state_url="snowflake://u@a/d/s"), "Snowflake", "state"),
    Mistake("a wrong token", options(api_token="wrong-us-1"), "401", "token"),
    Mistake("an empty token", options(api_token=""), "api_token is empty", "Account Settings > API Tokens"),
    Mistake("a token with its scheme", options(api_token="Bearer abc"), "the token alone", "leave out 'Bearer '"),
    Mistake("no request at once", options(max_concurrency=0), "max_concurrency=0", "at least 1"),
    Mistake("a limit in quotes", options(limit="10"), "limit='10'", "must be a whole number"),
    Mistake("a dry run in words", options(dry_run="no"), "dry_run='no'", "must be True or False"),
    Mistake("an API without a scheme", options(base_url="us-1.dailystory.com"), "base_url", "https://"),
    Mistake("a negative rate", options(requests_per_second=-1), "requests_per_second=-1 must be positive", "omit it"),
    Mistake(
        "a rate in quotes", options(requests_per_second="5"), "requests_per_second",
        "must be a number, such as 5",
    ),
    Mistake(
        "a rate in words", options(requests_per_second=True), "requests_per_second=True",
        "must be a number, such as 5",
    ),
    Mistake(
        "requests in quotes", options(max_concurrency="8"), "max_concurrency",
        "must be a whole number, such as 8",
    ),
    Mistake("half a request", options(max_concurrency=1.5), "max_concurrency=1.5", "must be a whole number, such as 8"),
    Mistake("an account in words", options(accept_account="no"), "accept_account", "must be True or False"),
    Mistake("no token at all", options(api_token=None), "api_token must be the API token, a text", "it is empty"),
    Mistake("no API at all", options(base_url=None), "base_url must be the URL of the data centre", "it is empty"),
    Mistake(
        "a rate of a resource in quotes", account(requests_per_second="5"), "requests_per_second must be",
        "it is a text",
    ),
    Mistake(
        "a rate of a resource in words", account(requests_per_second=True), "requests_per_second must be",
        "it is true",
    ),
    Mistake(
        "requests of a resource in quotes", account(max_concurrency="8"), "must be a whole number, such as 8",
        "a text",
    ),
    Mistake(
        "a time limit in quotes", account(timeout_seconds="30"), "DailyStoryResource.timeout_seconds",
        "such as 30",
    ),
    Mistake("an account of a resource in words", account(accept_account="no"), "must be true or false", "it is a text"),
    Mistake(
        "a limit of a config in quotes", lambda _: PlanConfig(limit="10"), "PlanConfig.limit must be a whole",
        "a text",
    ),
    Mistake(
        "a misspelled setting", lambda _: WarehouseResource(url="sqlite:///x", state_ulr="y"), "no setting 'state_ulr'",
        "did you mean 'state_url'",
    ),
    Mistake(
        "a missing setting", lambda _: DailyStoryResource(base_url="https://us-1.dailystory.com/api/v1"), "needs",
        "api_token",
    ),
]  # fmt: skip

ENVIRONMENT = [
    Mistake(
        "half of the variables", lambda _: resources_from_environment({"WAREHOUSE_URL": "sqlite:///x"}),
        "WAREHOUSE_URL is set", "set all or none",
    ),
    Mistake(
        "an empty token", lambda _: resources_from_environment({
            "WAREHOUSE_URL": "sqlite:///x", "DAILYSTORY_BASE_URL": "https://us-1.x.com", "DAILYSTORY_API_TOKEN": "",
        }),
        "DAILYSTORY_BASE_URL, WAREHOUSE_URL are set", "DAILYSTORY_API_TOKEN is missing or empty",
    ),
    Mistake(
        "a misspelled variable", lambda _: resources_from_environment({"WAREHUOSE_URL": "sqlite:///x"}),
        "WAREHUOSE_URL", "WAREHOUSE_URL",
    ),
    Mistake(
        "an API without a scheme in a variable", lambda _: resources_from_environment({
            "WAREHOUSE_URL": "sqlite:///x", "DAILYSTORY_BASE_URL": "us-1.dailystory.com", "DAILYSTORY_API_TOKEN": "x",
        }),
        "DAILYSTORY_BASE_URL must start with https://", "for example https://us-1",
    ),
]  # fmt: skip


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield Workplace(tmp_path, sandbox, instance)


RAISED = [*PYTHON, *NAMES, *NUMBERS, *SCHEDULES, *COLUMNS_AND_KEYS, *URLS_AND_TOKENS, *ENVIRONMENT]


@pytest.mark.parametrize("mistake", RAISED, ids=[mistake.name for mistake in RAISED])
def test_a_mistake_ends_in_one_message(workplace: Workplace, mistake: Mistake):
    with pytest.raises(DailyStoryError) as caught:
        mistake.make(workplace)
    check(str(caught.value), mistake.happened, mistake.remedy)
    assert workplace.project.sandbox.contacts() == []


def check(message: str, happened: str, remedy: str) -> None:
    assert happened in message
    assert remedy in message
    assert "\n" not in message


LAUNCHPAD = [
    ("a limit of nothing", {"limit": 0}, "limit must be at least 1", "dry_run: true"),
    ("a misspelled option", {"dry_rnu": True}, "dry_rnu", "dry_run"),
    ("a limit in words", {"limit": "ten"}, 'Value "ten"', 'expected type "limit_whole_number_from_1"'),
    ("a key of two parts", {"keys": [["1"]]}, "keys", "written id"),
]


@pytest.mark.parametrize(
    ("config", "happened", "remedy"), [each[1:] for each in LAUNCHPAD], ids=[each[0] for each in LAUNCHPAD]
)
def test_a_mistake_in_the_launchpad_does_not_start(
    workplace: Workplace, config: dict[str, object], happened: str, remedy: str
):
    with pytest.raises(dg.DagsterInvalidConfigError) as caught:
        workplace.launch(**config)
    assert happened in str(caught.value)
    assert remedy in str(caught.value)
