"""Mistakes in the `defs.yaml` of a component. Each ends in one message of this package, which shows no secret."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator
from support.defs_yaml import PEOPLE, load_error

from dagster_dailystory import DailyStorySyncComponent

pytestmark = [  # raised by Dagster's YAML loader
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:Class `[A-Za-z]*CodeReference"),
]

ACCOUNT = {"base_url": "https://us-1.dailystory.com/api/v1"}


def account_of(**given: object) -> dict[str, object]:
    return {"dailystory": {**ACCOUNT, **given}}


def alerts_of(**given: object) -> dict[str, object]:
    return {"alerts": {"webhook_variable": "UNSET_WEBHOOK", **given}}


JOIN = {"source": "select people.id, email, first_name from people join extra on people.id = extra.id"}
WATCHED = {"observed_source": {"version_query": "select max(id) from people"}}

YAML = [
    ("a text for a watermark", {"watermark": "updated_at"}, "watermark must be a mapping", "{'column': 'updated_at'}"),
    ("a number for partitions", {"partitions": 8}, "partitions must be a mapping", "{'buckets': 8}"),
    ("a misspelled setting", {"feilds": {"email": "email"}}, "feilds", "feilds"),
    ("a list for fields", {"fields": ["email"]}, "fields must be a mapping of texts", "it is a list"),
    ("a number for a column", {"fields": {"email": 5}}, "fields must be a mapping of texts", "with a whole number"),
    ("a number for the name", {"name": 5}, "name must be a text, such as customers", "it is a whole number"),
    ("words for a number", {"min_guard_rows": "many"}, "min_guard_rows must be a whole number, such as 20", "a text"),
    ("a list for a number", {"min_guard_rows": [1]}, "min_guard_rows must be a whole number", "it is a list"),
    ("no for a share", {"max_deleted_fraction": False}, "max_deleted_fraction must be a number", "it is false"),
    ("yes in quotes", {"allow_empty_source": "yes"}, "allow_empty_source must be true or false", "it is a text"),
    ("a text for a list", {"known_custom_fields": "plan"}, "must be a list of texts, such as ['plan'", "it is a text"),
    ("a text for deps", {"deps": "people"}, "deps must be a list, such as ['analytics/customers']", "it is a text"),
    ("a number for a slice", {"partitions": {"column": "year", "values": [2025]}}, "partitions.values", "whole number"),
    ("an unknown watermark", {"watermark": {"column": "x", "max_value": 1}}, "no setting 'max_value'", "are column,"),
    ("words for an overlap", {"watermark": {"column": "x", "overlap_seconds": "1h"}}, "overlap_seconds", "as 3600"),
    ("a condition in words", {"automation_condition": "eager"}, "must be a template, such as {{ dg.", "it is a text"),
    ("an unknown template", {"group_name": "{{ team }}"}, "template of group_name", "'team' not found in scope"),
    ("a template of a text", {"min_guard_rows": "{{ 'x' }}"}, "min_guard_rows must be a whole number", "it is a text"),
    ("a rate in words", account_of(requests_per_second="fast"), "dailystory.requests_per_second must be", "such as 5"),
    ("yes for a rate", account_of(requests_per_second=True), "dailystory.requests_per_second must be", "it is true"),
    ("an API without a scheme", account_of(base_url="us-1.dailystory.com"), "dailystory.base_url", "https://"),
    ("a token for its variable", account_of(api_token_variable="abc-us-1"), "api_token_variable", "name of an environ"),
    ("a token in the file", account_of(api_token="abc-us-1"), "dailystory.api_token must be the template", "env.NAME"),
    (
        "a token twice",
        account_of(api_token="{{ env.A }}", api_token_variable="B"),
        "dailystory: give either",
        "api_tok",
    ),
    ("a part of a URL", {"warehouse": {"url": "duckdb:///{{ env.A }}"}}, "warehouse.url must have nothing", "env.NAME"),
    ("a missing file", {"source": "sql/people.sql"}, "file 'sql/people.sql' does not exist", "the folder of"),
    ("an unset variable", {"dailystory": {**ACCOUNT, "timeout_seconds": "{{ seconds }}"}}, "dailystory", "unknown"),
    ("an account without address", {"dailystory": {}}, "dailystory needs base_url", "base_url"),
    ("a URL for its variable", {"warehouse": {"url_variable": "sqlite:///x"}}, "warehouse.url_variable", "the name of"),
    ("a wrong policy", {"deletes": "remove"}, "deletes='remove' is not one of", "keep, deactivate, delete"),
    ("not a cron", {"schedule": "daily"}, "schedule='daily' is not a cron expression", "'0 * * * *'"),
    (
        "a number for a cron",
        {"schedule": 60},
        "schedule must be a text or a mapping, such as 0 * * * *",
        "it is a whole number",
    ),
    ("not a cron in settings", {"schedule": {"cron": "daily"}}, "schedule.cron='daily' is not a cron", "'0 * * * *'"),
    ("a time zone", {"schedule": {"cron": "@daily", "timezone": "Oslo"}}, "timezone='Oslo'", "such as 'Europe/Berlin'"),
    ("no cron", {"schedule": {"timezone": "UTC"}}, "schedule needs cron", "cron"),
    ("no for a truth value", {"schedule": {"cron": "@daily", "skip_if_running": "no"}}, "skip_if_running", "true or"),
    ("a misspelled limit", alerts_of(max_rejected=5), "alerts has no setting 'max_rejected'", "'max_rejected_rows'"),
    ("a negative limit", alerts_of(max_failed_rows=-1), "max_failed_rows=-1", "must be at least 0"),
    ("a small factor", alerts_of(max_rows_to_send_factor=0.5), "max_rows_to_send_factor=0.5", "more than 1"),
    ("alerts to nowhere", {"alerts": {}}, "alerts needs webhook", "webhook_variable"),
    (
        "an address for its variable",
        alerts_of(webhook_variable="http://x"),
        "alerts.webhook_variable",
        "the name of",
    ),
    ("words for a number of runs", {"retry": {"max_runs": "three"}}, "retry.max_runs must be a whole number", "as 3"),
    ("no retries", {"retry": {"max_runs": 0}}, "max_runs=0", "at least 1"),
    ("no sample", {"drift_check": {"sample": 0}}, "sample=0", "at least 1"),
    ("a negative interval", alerts_of(minimum_interval_seconds=-5), "minimum_interval_seconds=-5", "at least 0"),
    ("true for a check", {"drift_check": True}, "drift_check must be a mapping, such as {'sample': 100}", "it is true"),
    ("yes for a repair", {"drift_check": {"repair": "yes"}}, "drift_check.repair must be true or false", "a text"),
    ("no version", {"observed_source": {}}, "observed_source needs version_query", "version_query"),
    ("a query of two tables", {**JOIN, **WATCHED}, "observed_source needs key", "reads 2 tables"),
    (
        "no key of a watched table",
        {"observed_source": {"version_query": "select 1", "key": ""}},
        "names no asset",
        "deps",
    ),
    ("a cron of a condition", {"automation_condition": "{{ every('daily') }}"}, "cron='daily' is not", "'0 * * * *'"),
    ("half of the slices", {"partitions": {"values": ["emea"]}}, "partitions", "buckets, or column and values"),
    ("an unknown field", {"fields": {"emial": "email"}}, "no contact field 'emial'", "did you mean 'email'"),
]


@pytest.mark.parametrize(("wrong", "happened", "remedy"), [each[1:] for each in YAML], ids=[each[0] for each in YAML])
def test_a_mistake_in_yaml_does_not_load(wrong: dict[str, object], happened: str, remedy: str):
    message = load_error({**PEOPLE, **wrong})
    assert happened in message
    assert remedy in message
    assert "pydantic" not in message


WITH_SECRETS = [
    {"warehouse": {"url": "postgresql://u:SECRET@host/db", "bogus": 1}},
    {"warehouse": {"url": "postgresql://u:SECRET@host/db", "state_schema": 5}},
    {"warehouse": {"url": "postgresql://u:SECRET@host/db", "state_schema": "{{ nonsense }}"}},
    {"warehouse": {"url": "postgresql://u:SECRET@host/db"}, "watermark": {"column": "{{ nonsense }}"}},
    {"warehouse": {"url": ["postgresql://u:SECRET@host/db"]}},
    {"warehouse": {"url_variable": "postgresql://u:SECRET@host/db"}},
    {"warehouse": {"url_variable": "X", "state_url_variable": "postgresql://u:SECRET@host/db"}},
    {"warehouse_url": "postgresql://u:SECRET@host/db"},
    {"dailystory": {"api_token": "SECRET"}},
    account_of(api_token="SECRET"),
    account_of(api_token_variable="SECRET-us-1"),
    account_of(requests_per_second="SECRET"),
    account_of(base_url="https://user:SECRET@us-1.dailystory.com/api/v1"),
    account_of(base_url="https://us-1.dailystory.com/SECRET"),
    {"api_token": "SECRET"},
    {"min_guard_rows": "SECRET"},
    {"alerts": {"webhook_variable": "https://hooks.example/SECRET"}},
    {"alerts": {"webhook": "https://hooks.example/SECRET"}},
    {"alerts": "https://hooks.example/SECRET"},
    {"alerts": {"webhook_variable": ["https://hooks.example/SECRET"]}},
    {"alerts": {"webhook_variable": "{{ env.WRONG_CONTENT }}"}},
    account_of(api_token_variable="{{ env.WRONG_CONTENT }}"),
    account_of(api_token="{{ env.WRONG_CONTENT | trim }}"),
    {"warehouse": {"url": "postgresql://u:{{ env('WRONG_CONTENT') }}@host/db"}},
    {"warehouse": {"url": "{% if env.WRONG_CONTENT %}{{ env.WRONG_CONTENT }}{% endif %}"}},
    {"warehouse": {"url": "{{ env.WRONG_CONTENT }}"}},
]


@pytest.fixture(autouse=True)
def _secret_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG_CONTENT", "SECRET")


@pytest.mark.parametrize("wrong", WITH_SECRETS, ids=map(str, range(len(WITH_SECRETS))))
def test_a_mistake_in_yaml_shows_no_value_that_may_be_a_secret(wrong: dict[str, object]):
    message = load_error({**PEOPLE, **wrong})
    assert "SECRET" not in message
    assert "pydantic" not in message


@pytest.mark.parametrize("wrong", WITH_SECRETS, ids=map(str, range(len(WITH_SECRETS))))
def test_the_schema_finds_no_mistake_because_dg_would_print_the_lines_around_it(wrong: dict[str, object]):
    validator = Draft202012Validator(DailyStorySyncComponent.model().model_json_schema())
    assert list(validator.iter_errors({**PEOPLE, **wrong})) == []


def test_a_url_in_a_variable_is_checked_when_the_file_is_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STATE_OF_PEOPLE", "SECRET")
    message = load_error({**PEOPLE, "warehouse": {"url_variable": "UNSET", "state_url_variable": "STATE_OF_PEOPLE"}})
    assert "STATE_OF_PEOPLE is not a database URL" in message
    assert "SECRET" not in message


def test_an_address_in_a_variable_is_checked_when_the_file_is_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPS_WEBHOOK", "SECRET")
    message = load_error({**PEOPLE, "alerts": {"webhook_variable": "OPS_WEBHOOK"}})
    assert "OPS_WEBHOOK must hold the address of a webhook" in message
    assert "SECRET" not in message
