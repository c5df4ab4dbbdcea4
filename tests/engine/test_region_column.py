"""`default_region` may name a column: the country of each row's number."""

from __future__ import annotations

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, sync_of
from support.steps import plan_run, read_state

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.engine.upkeep.records.inspection import preview_changes
from dagster_dailystory.model.partitions import ColumnValues
from dagster_dailystory.model.sync import ContactSync

FIELDS = {"email": "email", "mobilePhone": "mobile", "optOutEmail": "opted_out"}
GERMAN, SWISS = "0151 23456789", "079 123 45 67"


def by_country(**settings: object) -> ContactSync:
    return sync_of(**{"fields": FIELDS, "default_region": {"column": "country"}, **settings})


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql", "sqlite"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.create(**scenario.source.columns, country="varchar(20)")
    return scenario


def row(number: int, mobile: str | None, country: str | None, **columns: object) -> dict[str, object]:
    return {**customer(number, mobile=mobile, **columns), "country": country}


def numbers(scenario: Scenario) -> list[str]:
    return sorted(str(each["mobilePhone"]) for each in scenario.sandbox.contacts())


def test_each_row_is_read_in_its_country(scenario: Scenario):
    scenario.insert(
        row(1, GERMAN, "DE"), row(2, SWISS, " ch "), row(3, "07400 123456", "UK"), row(4, "+12025550142", "DE"),
        row(5, GERMAN, "Germany"), row(6, GERMAN, None),
    )  # fmt: skip
    scenario.run(by_country())
    assert numbers(scenario) == ["+12025550142", "+41791234567", "+447400123456", "+4915123456789"]
    assert scenario.rejections() == {"5": "invalid_mobile", "6": "invalid_mobile"}
    message = scenario.rows("rejections")[0]["message"]
    assert "column 'country' has no ISO country" in message


def test_another_country_is_another_number(scenario: Scenario):
    scenario.insert(row(1, "0676 1234567", "AT"), row(2, "+41791234567", "CH"), row(3, None, "CH"))
    scenario.run(by_country())
    scenario.sandbox.clear_journal()
    scenario.execute("UPDATE customers SET country = 'DE'")
    scenario.run(by_country())
    assert scenario.sent() == []
    assert scenario.rejections() == {"1": "invalid_mobile"}
    scenario.update(1, mobile="0171 1234567")
    scenario.run(by_country())
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+491711234567"})]
    scenario.update(1, country="FR", mobile="06 12 34 56 78")
    scenario.update(2, country="FR")
    scenario.run(by_country())
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+33612345678"})]
    assert scenario.run(by_country()).rows_unchanged == 3


def test_the_same_digits_in_another_country_are_sent(scenario: Scenario):
    scenario.insert(row(1, "0612345678", "FR"))
    scenario.run(by_country())
    scenario.sandbox.clear_journal()
    scenario.update(1, country="NL")
    planned = plan_run(by_country(), scenario.warehouse, scenario.account)
    (change,) = read_state(preview_changes, by_country(), scenario.warehouse, planned.plan_id)
    assert [each.field for each in change.fields] == ["mobilePhone"]
    scenario.run(by_country())
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+31612345678"})]
    assert scenario.run(by_country()).api_requests == 0


@pytest.mark.parametrize("number", [None, "n/a"])
def test_a_country_counts_only_with_its_number(scenario: Scenario, number: str | None):
    sync = by_country(invalid="drop_field")
    scenario.insert(row(1, "0612345678", "FR"))
    scenario.run(sync)
    scenario.update(1, country="NL", mobile=number)
    assert scenario.run(sync).api_requests == 0
    scenario.sandbox.clear_journal()
    scenario.update(1, mobile="0612345678")
    scenario.run(sync)
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+31612345678"})]
    assert scenario.run(sync).api_requests == 0


def test_an_opt_out_beside_another_country_is_sent_once(scenario: Scenario):
    scenario.insert(row(1, "+12025550142", "FR"))
    scenario.run(by_country())
    scenario.sandbox.clear_journal()
    scenario.update(1, country="NL", opted_out=True)
    scenario.run(by_country(max_opted_out_fraction=None))
    assert scenario.sent() == [("p1@example.com", "update", {"optOutEmail": True})]


def test_a_drift_check_compares_the_number_that_was_sent(scenario: Scenario):
    sync = by_country(invalid="drop_field")
    scenario.insert(row(1, "0612345678", "FR"))
    scenario.run(sync)
    scenario.update(1, country="DE")
    scenario.run(sync)
    assert audit_contacts(sync, scenario.warehouse, scenario.account).contacts_drifted == 0
    scenario.edit("p1@example.com", mobilePhone="+33612345679")
    assert audit_contacts(sync, scenario.warehouse, scenario.account).drift_by_field == {"mobilePhone": 1}


def test_a_sync_that_gets_a_region_column_sends_nothing(scenario: Scenario):
    scenario.insert(row(1, "+41791234567", "CH"), row(2, "+12025550142", "US"))
    scenario.run(by_country(default_region=None))
    assert scenario.run(by_country()).api_requests == 0
    assert scenario.run(by_country()).rows_unchanged == 2


def test_another_default_region_sends_the_numbers_without_a_country_code(scenario: Scenario):
    french, dutch = (by_country(default_region=region) for region in ("FR", "NL"))
    scenario.insert(
        row(1, "0612345678", "NL"), row(2, "+33612345670", "FR"), row(3, None, None), row(4, "0033612345679", "NL")
    )
    scenario.run(french)
    scenario.sandbox.clear_journal()
    planned = plan_run(dutch, scenario.warehouse, scenario.account)
    (change,) = read_state(preview_changes, dutch, scenario.warehouse, planned.plan_id)
    assert [each.field for each in change.fields] == ["mobilePhone"]
    assert scenario.run(french).rows_unchanged == 4
    scenario.run(dutch)
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+31612345678"})]
    assert scenario.run(dutch).rows_unchanged == 4
    assert scenario.run(by_country()).api_requests == 0


def test_a_slice_has_the_default_region_of_all_rows(scenario: Scenario):
    sync = by_country(default_region="FR", partitions=ColumnValues("country", ["FR", "NL"]))
    scenario.insert(row(1, "0612345678", "NL"), row(2, "0612345670", "FR"))
    for name in sync.partitions.names:
        scenario.run(sync, partition=name)
    assert numbers(scenario) == ["+33612345670", "+33612345678"]
    assert {each["field_default_region"] for each in scenario.rows("snapshot")} == {"FR"}
    assert {each["partition_value"] for each in scenario.rows("snapshot")} == {"FR", "NL"}
    assert [scenario.run(sync, partition=name).api_requests for name in sync.partitions.names] == [0, 0, 0]


def test_a_country_column_that_returns_is_read_again(scenario: Scenario):
    scenario.insert(row(1, "347 5550101", "IT"), row(2, "+33612345670", "FR"))
    scenario.run(by_country())
    scenario.run(by_country(default_region="US"))
    scenario.sandbox.clear_journal()
    scenario.run(by_country())
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+393475550101"})]
    assert scenario.run(by_country()).rows_unchanged == 2


def test_the_same_digits_are_another_number_of_a_country_with_the_same_code(scenario: Scenario):
    scenario.insert(row(1, "318 1234", None), row(2, "011-1234 5678", None))
    sent = {}
    for region in ("BB", "TC", "MY", "EG", "MY", "BB"):
        scenario.run(by_country(default_region=region, invalid="drop_field"))
        sent[region] = numbers(scenario)
    assert sent["BB"][0] == "+12463181234"
    assert "+16493181234" in sent["TC"]
    assert "+601112345678" in sent["MY"]
    assert "+201112345678" in sent["EG"]


@pytest.mark.parametrize("region", ["FR", "US", "JP", "RU", "GB"])
def test_a_number_with_its_own_country_code_is_sent_once(scenario: Scenario, region: str):
    written = [
        " +49 151 2345678{}", "\u00a0+49 151 2345678{}", "(+49) 151 2345678{}", "tel:+49-151-2345678{}",
        "+49 (0)151 2345678{}", "0049 151 2345678{}", "(0049) 151 2345678{}", "00-49/151.2345678{}",
        "010 49 151 2345678{}", "011 49 151 2345678{}", "\u202a+49 151 2345678{}\u202c", "Tel:+49 0151 2345678{}",
        "\u200b0049 151 2345678{}", "8 10 49 151 2345678{}",
    ]  # fmt: skip
    scenario.insert(*(row(number, each.format(number), None) for number, each in enumerate(written)))
    sync = by_country(default_region=region)
    first = scenario.run(sync)
    assert first.rows_created >= 4
    assert scenario.run(sync).api_requests == 0


def test_an_opt_out_reaches_the_number_of_its_country(scenario: Scenario):
    scenario.insert(row(1, GERMAN, "DE"), row(2, None, None), row(2, None, None))
    sync = by_country(max_opted_out_fraction=None)
    scenario.run(sync)
    scenario.execute(
        f"UPDATE customers SET opted_out = true, mobile = '{GERMAN}', country = 'DE' WHERE customer_id = 2"
    )
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["optOutEmail"] is True


def test_the_column_is_not_a_contact_field():
    assert [m.name for m in by_country().sent_fields][:2] == ["email", "mobilePhone"]
    assert "default_region" not in [m.name for m in by_country().sent_fields]
