from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dagster_dailystory.errors import ConfigurationError, DailyStoryError
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Result
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import Nulls
from dagster_dailystory.model.partitions import ColumnValues
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.settings import choice
from dagster_dailystory.model.sync import SETTING_TYPES, ContactSync, DeletePolicy, Mode, Scope


def sync(**settings: object) -> ContactSync:
    known: dict[str, object] = {
        "name": "customers",
        "source": "select * from customers",
        "key": "id",
        "fields": {"email": "email", "firstName": "first_name"},
        "extended_properties": {"plan": "plan"},
    }
    return ContactSync(**{**known, **settings})  # type: ignore[arg-type]  # settings under test have any type


INVALID: list[tuple[dict[str, object], str]] = [
    ({"name": "Customers"}, "name='Customers' must have small letters"),
    ({"name": ""}, "must have small letters"),
    ({"name": "1st"}, "must have small letters"),
    ({"name": "a" * 32}, "must have small letters"),
    ({"name": "customers\n"}, "must have small letters"),
    ({"key": ""}, "key must name"),
    ({"key": []}, "key must name"),
    ({"key": ["id", ""]}, "key must name"),
    ({"key": ["id", "ID"]}, "names a column twice: id, ID"),
    ({"key": "dsid"}, "give it an alias"),
    ({"key": ["id", "Status"]}, "'Status' is a name of the state tables"),
    ({"fields": {}, "extended_properties": {}}, "nothing would be sent"),
    ({"fields": {"city": "city"}}, "neither email nor mobilePhone"),
    ({"fields": {"firstname": "f"}}, "no contact field 'firstname'; did you mean 'firstName'?"),
    ({"fields": {"shoe_size": "s"}}, "no contact field 'shoe_size'; its fields are "),
    ({"fields": {"dsId": "dsid"}}, "no contact field 'dsId'"),
    ({"extended_properties": {" ": "plan"}}, "empty custom field name"),
    ({"extended_properties": {"plan": "a", "Plan": "b"}}, "maps both 'plan' and 'Plan'"),
    ({"mode": "upsrt"}, "mode='upsrt' is not one of upsert, update, create; did you mean 'upsert'?"),
    ({"deletes": "remove"}, "deletes='remove' is not one of keep, deactivate, delete"),
    ({"nulls": "clean"}, "nulls='clean' is not one of keep, clear; did you mean 'clear'?"),
    ({"nulls": {"firstnam": "clear"}}, "nulls names 'firstnam', which is not mapped; did you mean 'firstName'?"),
    ({"nulls": {"plan": "clean"}}, "nulls['plan']='clean'"),
    ({"nulls": {"email": "clear"}}, "cannot clear 'email'"),
    ({"max_changed_fraction": 1.1}, "max_changed_fraction=1.1 must be between 0 and 1"),
    ({"max_deleted_fraction": -0.1}, "max_deleted_fraction"),
    ({"max_rejected_fraction": float("nan")}, "max_rejected_fraction"),
    ({"min_guard_rows": -1}, "min_guard_rows=-1 must not be negative"),
    ({"max_value_length": 0}, "max_value_length=0 must be at least 1"),
    ({"history_days": -1}, "history_days=-1 must not be negative"),
    ({"retain_absent_days": -1}, "retain_absent_days=-1 must not be negative"),
    (
        {"key": "login", "personal_keys": ["logn"]},
        "personal_keys names 'logn', which is not a key; did you mean 'login'?",
    ),
    ({"consent_override": ["optoutemail"]}, "consent_override names 'optoutemail'; did you mean 'optOutEmail'?"),
    ({"consent_override": ["email"]}, "consent_override names 'email'"),
    ({"fields": {"email": "e", "optOut": "o"}}, "no contact field 'optOut'; DailyStory has optOutEmail, optOutPhone"),
    ({"fields": {"email": "e", "unsubscribed": "o"}}, "'unsubscribed'; DailyStory has optOutEmail"),
    ({"fields": {"mobile": "m"}}, "'mobile'; DailyStory has mobilePhone"),
    ({"extended_properties": {"Email": "e"}}, "'Email', DailyStory's own field; map it in fields"),
    ({"extended_properties": {"optOutEmail": "o"}}, "'optOutEmail', DailyStory's own field; map it in fields"),
    ({"invalid": "drop"}, "invalid='drop' is not one of reject_row, drop_field"),
    ({"fields": {"email": "e", "optOutSms": "o"}, "invalid": {"optOutSms": "drop_field"}}, "never dropped"),
    ({"invalid": {"emial": "drop_field"}}, "invalid names 'emial', which is not mapped; did you mean 'email'?"),
    ({"default_region": {"colum": "country"}}, "did you mean 'column'?"),
    ({"default_region": "us"}, "two capital letters"),
    ({"default_region": "UK"}, "is not the ISO code of a country; the United Kingdom is 'GB'"),
    ({"default_region": "ZZ"}, "is not the ISO code of a country"),
    ({"key": None}, "key=None must be a column name, or a list of them"),
    ({"fields": ["email"]}, "fields=['email'] must be a mapping of fields to source columns"),
    ({"partitions": 4}, "partitions=4 must be HashBuckets(8), ColumnValues"),
    ({"partitions": {"buckets": 4}}, "must be HashBuckets(8)"),
    ({"watermark": "updated_at"}, "watermark='updated_at' must be Watermark('updated_at')"),
    ({"plan_expires_hours": "24h"}, "plan_expires_hours='24h' must be a number of hours"),
    ({"max_value_length": "x"}, "max_value_length='x' must be a whole number"),
    ({"min_guard_rows": True}, "min_guard_rows=True must be a whole number"),
    ({"personal_keys": "id"}, "personal_keys='id' must be a list of key columns"),
    ({"source": None}, "source=None must be a SELECT statement"),
    ({"default_region": "USA"}, "two capital letters"),
    ({"deletes": "deactivate", "fields": {"email": "e", "status": "s"}}, "contradict each other"),
]


def test_each_setting_without_choices_has_a_type() -> None:
    with_choices = {"mode", "deletes", "on_deleted", "nulls", "invalid"}
    settings = {each.name for each in dataclasses.fields(ContactSync) if each.init}
    assert settings - with_choices == SETTING_TYPES.keys()


@pytest.mark.parametrize(("settings", "words"), INVALID)
def test_an_invalid_setting_is_refused_with_a_remedy(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        sync(**settings)
    assert isinstance(caught.value, DailyStoryError)


@pytest.mark.parametrize("field", ["optOutEmail", "status", "email", "mobilePhone", "dateBirth", "annualRevenue"])
def test_a_field_that_cannot_be_emptied_is_kept_when_others_are_cleared(field: str) -> None:
    mapped = sync(fields={field: "column", "city": "city"}, nulls="clear", mode="update").mapped_fields
    assert [(m.name, m.nulls) for m in mapped] == [
        (field, Nulls.KEEP),
        ("city", Nulls.CLEAR),
        ("plan", Nulls.CLEAR),
    ]


def test_nulls_can_be_chosen_field_by_field() -> None:
    mapped = sync(nulls={"plan": "clear", "email": Nulls.KEEP}).mapped_fields
    assert [m.nulls for m in mapped] == [Nulls.KEEP, Nulls.KEEP, Nulls.CLEAR]


def test_texts_become_enum_members_and_defaults_are_the_safe_ones() -> None:
    assert (sync().mode, sync().deletes) == (Mode.UPSERT, DeletePolicy.KEEP)
    assert sync().max_deleted_fraction == 0.1
    assert sync().allow_empty_source is False
    assert (sync(mode="create").mode, sync(deletes=DeletePolicy.DELETE).deletes) == (Mode.CREATE, DeletePolicy.DELETE)
    assert choice(Mode, Mode.UPDATE, "mode") is Mode.UPDATE


def test_a_custom_and_a_documented_field_of_one_name_have_two_columns() -> None:
    mapped = sync(fields={"city": "city"}, extended_properties={"city": "favourite_city"}, mode="update").mapped_fields
    assert [m.state_column for m in mapped] == ["field_city", "custom_city"]
    assert [m.is_custom for m in mapped] == [False, True]
    assert [m.kind for m in mapped] == [FieldKind.TEXT, FieldKind.CUSTOM]


def test_unusual_custom_field_names_give_distinct_valid_column_names() -> None:
    names = ["a-b", "a b", "a.b", "ü", "x" * 100, "x" * 101]
    columns = [m.state_column for m in sync(extended_properties=dict.fromkeys(names, "plan")).mapped_fields]
    assert len({column.casefold() for column in columns}) == len(columns)
    assert all(re.fullmatch(r"[A-Za-z0-9_]{1,63}", column) for column in columns)


def test_a_key_is_one_column_or_several() -> None:
    assert sync(key="id").key_columns == ("id",)
    assert sync(key=["region", "id"]).key_columns == ("region", "id")


def test_personal_key_columns_are_found_whatever_their_case() -> None:
    assert sync().personal_key_columns == frozenset()
    assert sync(key=["id", "login"], personal_keys=["login"]).personal_key_columns == {"login"}
    assert sync(key="email").personal_key_columns == {"email"}
    assert sync(key="MOBILE", fields={"mobilePhone": "mobile"}).personal_key_columns == {"MOBILE"}


def test_settings_that_are_sets_have_one_order_in_every_process() -> None:
    """The order of a set of texts differs from process to process, and a plan must be sent by another one."""
    fields = {"email": "email", "optOutEmail": "a", "optOutSms": "b"}
    backwards = Backwards(["b", "a"])
    made = sync(key=backwards, fields=fields, consent_override=["optOutSms", "optOutEmail"])
    assert (made.key, made.key_columns) == (("a", "b"), ("a", "b"))
    assert made.consent_override == ("optOutEmail", "optOutSms")
    assert ColumnValues("region", backwards).values == ("a", "b")
    assert ColumnValues("region", ["b", "a"]).values == ("b", "a"), "a list has an order"
    with pytest.raises(ConfigurationError, match="the list of values is empty; omit it"):
        ColumnValues("region", [])


class Backwards(frozenset[str]):
    """A set whose order is known."""

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__(), reverse=True))


def test_a_sync_is_immutable() -> None:
    fields = {"email": "email"}
    made = sync(fields=fields)
    fields["city"] = "city"
    assert dict(made.fields) == {"email": "email"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "other"  # type: ignore[misc]  # the attempt is the test
    with pytest.raises(TypeError):
        made.fields["city"] = "city"  # type: ignore[index]  # the attempt is the test
    with pytest.raises(TypeError):
        made.extended_properties["a"] = "b"  # type: ignore[index]  # the attempt is the test


def test_a_changed_copy_is_validated_again() -> None:
    assert dataclasses.replace(sync(), nulls="clear").mapped_fields[1].nulls is Nulls.CLEAR
    assert dataclasses.replace(sync()) == sync()
    with pytest.raises(ConfigurationError):
        dataclasses.replace(sync(), mode="none")


def test_a_source_may_be_a_path() -> None:
    assert sync(source=Path("customers.sql")).source == Path("customers.sql")


def test_no_repr_shows_the_values_of_a_row() -> None:
    identity = Identity(email="jane@example.com", mobile="+14155552671")
    change = Change(
        sequence=1,
        key_label="id-1",
        operation=Operation.CREATE,
        dsid=None,
        values={"field_firstName": "Jane"},
        differing=frozenset({"field_firstName"}),
        identity=identity,
        email_as_sent="Jane@example.com",
        mobile_as_sent="(415) 555-2671",
    )
    shown = repr(change) + repr(identity)
    assert "field_firstName" in shown
    assert not any(personal in shown.casefold() for personal in ("jane", "415"))


def test_an_identity_is_true_when_it_has_a_part() -> None:
    assert not Identity()
    assert Identity(email="a@example.com")
    assert Identity(mobile="+14155552671")


@pytest.mark.parametrize("frozen", [Identity(), PlanOptions(), SyncReport("customers", "p1", "done")])
def test_model_values_are_frozen(frozen: Identity | PlanOptions | SyncReport) -> None:
    name = dataclasses.fields(frozen)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(frozen, name, "other")


def test_a_run_with_a_limit_or_keys_or_of_rejected_rows_plans_no_deletions() -> None:
    assert PlanOptions().plans_deletions
    assert PlanOptions(scope=Scope.ALL, partition="2024").plans_deletions
    assert not PlanOptions(limit=10).plans_deletions
    assert not PlanOptions(keys=("1",)).plans_deletions
    assert not PlanOptions(scope=Scope.REJECTED).plans_deletions


def test_rows_to_send_adds_up_creates_updates_and_deletions() -> None:
    summary = PlanSummary(
        plan_id="p1",
        sync_name="customers",
        status=PlanStatus.READY,
        guards=(),
        rows_read=10,
        rows_unchanged=4,
        rows_to_create=1,
        rows_to_update=2,
        rows_rejected=2,
        rows_held=1,
        rows_to_delete=3,
        changes_by_field={},
        rejections_by_reason={},
        diff_seconds=0.1,
    )
    assert summary.rows_to_send == 6


def test_the_numbers_of_a_report_are_flat_and_contain_no_text() -> None:
    numbers = SyncReport("customers", "p1", "done", rows_read=3, diff_seconds=0.5).numbers()
    assert numbers["rows_read"] == 3
    assert numbers["diff_seconds"] == 0.5
    assert not {"sync_name", "plan_id", "outcome"} & numbers.keys()
    expected = {
        "rows_read", "rows_unchanged", "rows_to_create", "rows_to_update", "rows_rejected", "rows_held",
        "rows_to_delete", "rows_created", "rows_updated", "rows_deleted", "rows_failed", "rows_in_doubt",
        "rows_conflicted", "api_requests", "api_retries", "api_throttled", "diff_seconds", "send_seconds",
        "requests_per_second",
    }  # fmt: skip
    assert expected <= numbers.keys()


def test_a_result_has_no_dsid_and_no_reason_by_default() -> None:
    result = Result(sequence=1, outcome=Outcome.FAILED, answered_at=datetime(2024, 1, 1, tzinfo=timezone.utc))
    assert (result.dsid, result.reason, result.message, result.replaced) == (None, None, "", False)
