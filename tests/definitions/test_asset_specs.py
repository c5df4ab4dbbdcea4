"""The specs of the assets: keys, upstream tables, code version, settings."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
from support.dagster_project import NOUNS, people_sync

from dagster_dailystory import ConfigurationError, build_contact_sync_assets
from dagster_dailystory.definitions.assets import code_version
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.model.sync import ContactSync


def assets(sync: ContactSync | None = None, **settings: object):
    return build_contact_sync_assets(sync or people_sync(), **settings)


def spec_of(noun: str, made) -> dg.AssetSpec:
    [found] = [spec for definition in made for spec in definition.specs if spec.key.path[-1] == noun]
    return found


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ("customers", [["customers"]]),
        ("analytics.customers", [["analytics", "customers"]]),
        ('warehouse."Analytics".customers', [["Analytics", "customers"]]),
        ("select * from analytics.customers", [["analytics", "customers"]]),
        ("select id, email from a.b join c using (id)", [["a", "b"], ["c"]]),
        ("with new as (select * from raw.people) select id, email from new", [["raw", "people"]]),
        ("select id, email from a.b union all select id, email from a.c", [["a", "b"], ["a", "c"]]),
        ("select 1 as id, 'x' as email", []),
        ("not a query (", []),
    ],
)
def test_the_tables_of_the_source_are_upstream_with_dbt_keys(source: str, tables: list[list[str]]):
    made = assets(people_sync(source=source, fields={"email": "email"}))
    assert {dep.asset_key for dep in spec_of("changes", made).deps} == {dg.AssetKey(table) for table in tables}


def test_deps_replace_the_tables_of_the_source():
    made = assets(people_sync(source="analytics.customers"), deps=[["dbt", "customers"], "raw"])
    assert {dep.asset_key for dep in spec_of("changes", made).deps} == {
        dg.AssetKey(["dbt", "customers"]), dg.AssetKey("raw")
    }  # fmt: skip


def test_the_specs_have_the_settings_of_the_builder():
    fresh = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6))
    hourly = dg.AutomationCondition.on_cron("0 * * * *")
    made = assets(
        group_name="growth", tags={"domain": "growth"}, owners=["team:growth"], dialect="postgresql",
        freshness_policy=fresh, automation_condition=hourly, pool="other",
    )  # fmt: skip
    for noun in NOUNS:
        spec = spec_of(noun, made)
        assert (spec.group_name, spec.tags["domain"], list(spec.owners)) == ("growth", "growth", ["team:growth"])
        assert spec.automation_condition == hourly
        assert spec.code_version == code_version(people_sync())
        assert "postgres" in spec.kinds
    assert spec_of("changes", made).freshness_policy == fresh
    assert spec_of("contacts", made).freshness_policy is None
    assert "dailystory" in spec_of("contacts", made).kinds
    assert {definition.op.pool for definition in made} == {"other"}
    assert all(spec_of(noun, made).skippable for noun in ("contacts", "contact_map"))


def test_guards_block_downstream_and_checks_of_contacts_do_not():
    changes, contacts = assets()
    assert {check.name for check in changes.check_specs if check.blocking} == set(GUARD_NAMES)
    assert not any(check.blocking for check in contacts.check_specs)


def test_the_code_version_changes_with_the_query_and_the_mapping():
    versions = {
        code_version(people_sync(**settings))
        for settings in ({}, {"source": "others"}, {"fields": {"email": "email"}}, {"deletes": "delete"})
    }
    assert len(versions) == 4


def test_an_unmapped_preview_field_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="'cty', which is not mapped; did you mean 'city'"):
        assets(preview_fields=["cty"])
