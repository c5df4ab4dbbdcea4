"""An invalid value costs its field and not its row, if the sync says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, sync_of
from support.steps import plan_run, read_state, send_run

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.engine.upkeep.records.inspection import preview_changes
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Fault

FIELDS = {
    "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "city": "city",
    "numberOfEmployees": "level", "optOutEmail": "opted_out",
}  # fmt: skip


def dropping(**settings: object) -> ContactSync:
    return sync_of(**{"fields": FIELDS, "invalid": "drop_field", **settings})


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql", "sqlite"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Two rows were synced."""
    scenario.seed(customer(1, mobile="+12025550142", level=5), customer(2, mobile="+12025550143"))
    scenario.run(dropping())
    scenario.sandbox.clear_journal()
    return scenario


def plan(scenario: Scenario, sync: ContactSync | None = None, **options: object) -> PlanSummary:
    settings = PlanOptions(**options)  # type: ignore[arg-type]  # each has its own type
    return plan_run(sync or dropping(), scenario.warehouse, scenario.account, settings, "a run")


def test_a_new_row_is_sent_without_its_invalid_fields(scenario: Scenario):
    scenario.insert(customer(3, mobile="ask reception", first_name="x" * 300))
    report = scenario.run(dropping())
    assert (report.rows_created, report.rows_rejected) == (1, 0)
    created = scenario.contact("p3@example.com")
    assert (created["mobilePhone"] or "", created["firstName"] or "", created["city"]) == ("", "", "Paris")


def test_a_known_contact_keeps_the_value_of_a_dropped_field(scenario: Scenario):
    scenario.update(1, mobile="n/a", city="Rome")
    scenario.run(dropping())
    assert scenario.sent() == [("p1@example.com", "update", {"city": "Rome"})]
    assert scenario.contact("p1@example.com")["mobilePhone"] == "+12025550142"


def test_a_row_that_differs_in_dropped_fields_only_is_unchanged(scenario: Scenario):
    scenario.update(1, mobile="n/a", first_name="y" * 300)
    for _ in range(2):
        report = scenario.run(dropping())
        assert (report.api_requests, report.rows_unchanged, report.rows_held) == (0, 2, 0)
    scenario.update(1, mobile="+12025550142", first_name="Name 1")
    assert scenario.run(dropping()).api_requests == 0


def test_a_repaired_value_is_sent(scenario: Scenario):
    scenario.update(1, mobile="n/a")
    scenario.run(dropping())
    scenario.update(1, mobile="+12025550199")
    scenario.run(dropping())
    assert scenario.sent() == [("p1@example.com", "update", {"mobilePhone": "+12025550199"})]


def test_dropped_values_are_counted_by_field_and_reason(scenario: Scenario):
    scenario.update(1, mobile="n/a", first_name="y" * 300)
    scenario.insert(customer(3, mobile="12"))
    for made in (plan(scenario), plan(scenario, dry_run=True)):
        assert made.fields_dropped == {"mobilePhone": {"invalid_mobile": 2}, "firstName": {"value_too_long": 1}}
        assert (made.values_dropped, made.rows_rejected) == (3, 0)


def test_the_preview_names_the_dropped_fields(scenario: Scenario):
    scenario.update(1, mobile="n/a", city="Rome")
    made = plan(scenario)
    (change,) = read_state(preview_changes, dropping(), scenario.warehouse, made.plan_id)
    assert change.dropped == {"mobilePhone": "invalid_mobile"}
    assert [each.field for each in change.fields] == ["city"]


def test_only_the_named_fields_are_dropped(scenario: Scenario):
    sync = dropping(invalid={"mobilePhone": "drop_field"})
    scenario.insert(customer(3, mobile="12"), customer(4, first_name="x" * 300))
    assert scenario.run(sync).rows_created == 1
    assert scenario.rejections() == {"4": "value_too_long"}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"email": "not an address", "mobile": None}, "invalid_email"),
        ({"email": None, "mobile": "12"}, "invalid_mobile"),
        ({"email": "not an address", "mobile": "12"}, "invalid_email"),
    ],
)
def test_a_new_row_without_a_valid_identity_is_rejected(scenario: Scenario, columns: dict[str, object], reason: str):
    scenario.insert(customer(3, **columns))
    scenario.run(dropping())
    assert scenario.rejections() == {"3": reason}
    assert "It is not dropped, because a new contact needs" in scenario.rows("rejections")[0]["message"]


def test_a_new_row_keeps_its_other_identity(scenario: Scenario):
    scenario.insert(customer(3, email="not an address", mobile="+12025550177"))
    scenario.run(dropping())
    assert scenario.sandbox.find(mobile="+12025550177") is not None


def test_a_known_contact_keeps_its_identity(scenario: Scenario):
    scenario.update(1, email="not an address", city="Rome")
    scenario.run(dropping())
    scenario.insert(customer(3, email="p1@example.com"))
    scenario.run(dropping())
    assert scenario.rejections() == {"3": "duplicate_identity"}


def test_an_opt_out_leaves_beside_a_dropped_field(scenario: Scenario):
    scenario.update(1, mobile="n/a", opted_out=True)
    report = scenario.run(dropping(max_opted_out_fraction=None))
    assert scenario.sent() == [("p1@example.com", "update", {"optOutEmail": True})]
    assert (report.opt_outs_sent, report.opt_outs_pending) == (1, 0)


def test_custom_fields_are_sent_with_the_acknowledged_value_of_a_dropped_one(scenario: Scenario):
    for nulls in ("keep", "clear"):
        sync = dropping(extended_properties={"plan": "plan", "level": "level"}, nulls=nulls, max_value_length=20)
        scenario.update(1, plan="basic", level=5)
        scenario.run(sync)
        scenario.sandbox.clear_journal()
        scenario.update(1, plan="x" * 30, level=7)
        scenario.run(sync)
        (sent,) = scenario.sent()
        assert sent[2]["extendedProperties"] == {"plan": "basic", "level": "7"}


def test_a_dropped_field_is_never_cleared(scenario: Scenario):
    sync = dropping(nulls={"firstName": "clear"})
    scenario.update(1, first_name="y" * 300)
    scenario.run(sync, scope="all")
    assert scenario.contact("p1@example.com")["firstName"] == "Name 1"
    scenario.update(1, first_name=None)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["firstName"] == ""


def test_an_unconfirmed_clear_is_not_forgotten_beside_a_dropped_field(scenario: Scenario):
    sync = dropping(nulls={"firstName": "clear"})
    scenario.run(sync)
    scenario.update(1, first_name=None)
    plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(), "lost")
    scenario.sandbox.script([Fault.SERVER_ERROR])
    once = replace(scenario.account, max_attempts=1)
    assert send_run(sync, scenario.warehouse, once, ["lost"]).report.rows_failed == 1
    scenario.update(1, first_name="y" * 300)
    assert scenario.run(sync).rows_updated == 1
    assert scenario.run(sync).api_requests == 0
    scenario.update(1, first_name=None)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["firstName"] == ""
    assert scenario.run(sync).api_requests == 0


@pytest.mark.parametrize("edited", ["city", "firstName"])
def test_a_row_is_sent_as_a_whole_once_although_a_field_is_dropped(scenario: Scenario, edited: str):
    sync = dropping(nulls="clear")
    scenario.update(1, first_name=None)
    scenario.run(sync)
    scenario.update(1, first_name="y" * 300)
    scenario.run(sync)
    scenario.edit("p1@example.com", **{edited: "Marketer"})
    audit_contacts(sync, scenario.warehouse, scenario.account, repair=True)
    scenario.execute_state("UPDATE dailystory_customers_snapshot SET resend_all = true WHERE customer_id = 1")
    assert scenario.run(sync).rows_updated == 1
    assert [scenario.run(sync).api_requests for _ in range(2)] == [0, 0]
    scenario.edit("p1@example.com", city="Marketer")
    scenario.update(1, first_name="repaired")
    scenario.run(sync)
    contact = scenario.contact("p1@example.com")
    assert (contact["firstName"], contact["city"]) == ("repaired", "Marketer")
    assert scenario.run(sync).api_requests == 0


def test_a_repaired_drift_is_not_forgotten_beside_a_null(scenario: Scenario):
    sync = dropping(nulls={"firstName": "clear"})
    scenario.run(sync)
    scenario.edit("p1@example.com", firstName="Marketer")
    audit_contacts(sync, scenario.warehouse, scenario.account, repair=True)
    scenario.update(1, first_name=None)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["firstName"] == ""


def test_a_rekeyed_row_keeps_the_value_of_a_dropped_field(scenario: Scenario):
    sync = dropping(nulls={"firstName": "clear"})
    scenario.run(sync)
    scenario.delete(1)
    scenario.insert(customer(9, email="p1@example.com", mobile="12", first_name="y" * 300))
    scenario.run(sync)
    contact = scenario.contact("p1@example.com")
    assert (contact["firstName"], contact["mobilePhone"]) == ("Name 1", "+12025550142")
    scenario.update(9, first_name="Name 1", mobile="+12025550142")
    assert scenario.run(sync).api_requests == 0


def test_a_refused_row_with_a_dropped_field_is_held(scenario: Scenario):
    sync = dropping(extended_properties={"plan": "plan"}, max_value_length=20)
    scenario.update(1, mobile="n/a", plan="x" * 30, city="Rome")
    scenario.sandbox.script([Fault.REFUSED])
    assert scenario.run(sync).rows_refused == 1
    assert scenario.run(sync).api_requests == 0


def test_a_contact_that_was_lost_is_not_created_without_an_identity(scenario: Scenario):
    scenario.sandbox.remove(str(scenario.contact("p1@example.com")["dsId"]))
    scenario.update(1, email="not an address", mobile="12", city="Rome")
    scenario.run(dropping())
    assert scenario.rejections() == {"1": "no_identity"}


@pytest.mark.parametrize(
    ("dropped", "repaired", "field"),
    [
        ({"first_name": "y" * 300}, {"first_name": "Name 1"}, "firstName"),
        ({"mobile": "12"}, {"mobile": "+12025550142"}, "mobilePhone"),
        ({"email": "not an address"}, {"email": "p1@example.com"}, "email"),
    ],
)
def test_a_contact_that_is_created_again_gets_the_repaired_value(
    scenario: Scenario, dropped: dict[str, object], repaired: dict[str, object], field: str
):
    scenario.sandbox.remove(str(scenario.contact("p1@example.com")["dsId"]))
    scenario.update(1, city="Rome", **dropped)
    scenario.run(dropping())
    scenario.update(1, **repaired)
    scenario.run(dropping())
    found = scenario.sandbox.find(mobile="+12025550142")
    assert found is not None
    assert found[field] == next(iter(repaired.values()))
    assert scenario.run(dropping()).api_requests == 0


def test_a_rekeyed_row_sends_all_custom_fields(scenario: Scenario):
    for nulls in ("keep", "clear"):
        sync = dropping(
            extended_properties={"plan": "plan", "tier": "city"}, nulls=nulls, max_value_length=20, key="customer_id"
        )
        scenario.execute("DELETE FROM customers WHERE email = 'p1@example.com'")
        scenario.insert(customer(1, mobile="+12025550142", plan="basic", city="Paris"))
        scenario.run(sync)
        scenario.sandbox.clear_journal()
        scenario.delete(1)
        scenario.insert(customer(9, email="p1@example.com", mobile="+12025550142", plan="x" * 30, city="Rome"))
        scenario.run(sync)
        (sent,) = scenario.sent()
        assert sent[2]["extendedProperties"] == {"plan": "basic", "tier": "Rome"}
        scenario.delete(9)


def test_a_duplicate_row_with_an_unreadable_opt_out_waits(scenario: Scenario):
    scenario.execute(
        "ALTER TABLE customers DROP COLUMN opted_out", "ALTER TABLE customers ADD COLUMN opted_out varchar(20)"
    )
    scenario.insert(customer(2, opted_out="maybe"), customer(None, email="p3@example.com", opted_out="perhaps"))
    assert scenario.run(dropping()).opt_outs_pending == 2


@pytest.mark.parametrize(("column", "value"), [("opted_out", "maybe"), ("standing", "Bounced")])
def test_an_unreadable_consent_rejects_the_row_and_waits(scenario: Scenario, column: str, value: str):
    scenario.execute(
        "ALTER TABLE customers DROP COLUMN opted_out", "ALTER TABLE customers ADD COLUMN opted_out varchar(20)",
        "ALTER TABLE customers ADD COLUMN standing varchar(20)",
    )  # fmt: skip
    sync = dropping(fields={**FIELDS, "status": "standing"}, max_opted_out_fraction=None)
    scenario.update(1, **{column: value}, city="Rome")
    report = scenario.run(sync)
    assert (scenario.rejections(), report.opt_outs_pending) == ({"1": "invalid_value"}, 1)
    scenario.update(1, **{column: None})
    assert scenario.run(sync).opt_outs_pending == 0


def test_in_mode_create_an_unreadable_opt_out_of_a_known_contact_waits(scenario: Scenario):
    scenario.execute(
        "ALTER TABLE customers DROP COLUMN opted_out", "ALTER TABLE customers ADD COLUMN opted_out varchar(20)"
    )
    creating = dropping(mode="create", max_opted_out_fraction=None)
    scenario.insert(customer(3, opted_out="no"))
    scenario.run(creating)
    scenario.update(3, opted_out="maybe")
    assert scenario.run(creating).opt_outs_pending == 1
    assert scenario.run(creating).opt_outs_pending == 1
    scenario.update(3, opted_out="yes")
    report = scenario.run(creating)
    assert (report.opt_outs_pending, report.opt_outs_sent) == (0, 1)
