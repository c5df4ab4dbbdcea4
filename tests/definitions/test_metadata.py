"""The metadata of the assets: counts, tables, charts, progress."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import people_sync

from dagster_dailystory import build_contact_sync_assets
from dagster_dailystory.definitions.events.metadata import ProgressLog, plan_metadata, sent_metadata
from dagster_dailystory.definitions.lineage import (
    contact_columns,
    contact_lineage,
    find_upstream,
    source_columns,
    source_lineage,
)
from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview, FieldChange, SyncStatus
from dagster_dailystory.model.change import Operation
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.runs.report import Progress, SyncReport

KEY = dg.AssetKey(["dailystory", "people", "contacts"])
PLAN = PlanSummary(
    plan_id="plan", sync_name="people", status=PlanStatus.READY, guards=(), rows_read=100, rows_unchanged=30,
    rows_to_create=60, rows_to_update=10, rows_rejected=0, rows_held=0, rows_to_delete=5,
    changes_by_field={"email": 60, "city": 70}, rejections_by_reason={}, diff_seconds=0.1234,
)  # fmt: skip


def test_an_estimate_counts_a_request_per_row_and_per_look_up():
    upsert = plan_metadata(people_sync(), PLAN, [], 5.0)
    update = plan_metadata(people_sync(mode="update"), PLAN, [], 5.0)
    assert (upsert["estimated_requests"], upsert["estimated_minutes"]) == (75, 0.25)
    assert update["estimated_requests"] == 135


@pytest.mark.parametrize(("requests_per_second", "minutes"), [(400.0, 0.0031), (0.1, 12.0)])
def test_estimated_minutes_have_two_significant_digits(requests_per_second, minutes):
    assert plan_metadata(people_sync(), PLAN, [], requests_per_second)["estimated_minutes"] == minutes


def test_an_unknown_rate_gives_no_estimated_minutes():
    assert "estimated_minutes" not in plan_metadata(people_sync(), PLAN, [], None)


def test_rows_stamped_in_the_future_are_counted_and_explained():
    metadata = plan_metadata(people_sync(), replace(PLAN, rows_in_future=2), [], None)
    assert metadata["rows_in_future"] == 2
    assert "the watermark of 2 rows is more than a day in the future" in str(metadata["summary"])
    without = plan_metadata(people_sync(), replace(PLAN, rows_without_watermark=1), [], None)
    assert without["rows_without_watermark"] == 1
    assert "the watermark of 1 row is NULL" in str(without["summary"])
    assert not {"rows_in_future", "rows_without_watermark"} & plan_metadata(people_sync(), PLAN, [], None).keys()


def test_changes_by_field_are_sorted_largest_first():
    table = plan_metadata(people_sync(), PLAN, [], None)["changes_by_field"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [{"field": "city", "rows": 70}, {"field": "email", "rows": 60}]


@pytest.mark.parametrize(
    ("deletes", "plan", "words"),
    [
        ("deactivate", {}, "60 to create, 10 to update, 5 to deactivate"),
        ("delete", {"rows_rejected": 3, "rows_held": 2},
         "60 to create, 10 to update, 5 to delete, 2 held back; 3 rejected"),
        ("keep", {"rows_to_create": 0, "rows_to_update": 0, "rows_to_delete": 0}, "nothing to send"),
        ("keep", {"rows_to_create": 0, "rows_to_update": 0, "rows_to_delete": 0, "rows_rejected": 3,
                  "rejections_by_reason": {"null_key": 1, "invalid_email": 2}},
         "nothing to send; 3 rejected: 2 invalid_email, 1 null_key"),
    ],
)  # fmt: skip
def test_the_summary_of_a_plan_names_its_deletion_policy(deletes, plan, words):
    assert plan_metadata(people_sync(deletes=deletes), replace(PLAN, **plan), [], None)["summary"] == words


@pytest.mark.parametrize(("deletes", "shown"), [("deactivate", "deactivate"), ("delete", "delete")])
def test_the_preview_names_the_deletion_policy(deletes, shown):
    deletion = ChangePreview("7", Operation.DELETE, "dsid", ())
    table = plan_metadata(people_sync(deletes=deletes), PLAN, [deletion], None)["preview"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [{"key": "7", "operation": shown, "changes": ""}]


def test_a_send_has_a_summary_and_a_chart_over_time():
    report = SyncReport("people", "plan", "done", rows_created=20, rows_deleted=5, rows_in_doubt=1)
    sync, status = people_sync(deletes="deactivate"), SyncStatus(25, 20, {}, 1)
    shown = sent_metadata(sync, report, status, "https://us-1.dailystory.com/api/v1", [(0.0, 0), (1.0, 10), (2.0, 26)])
    assert shown["summary"] == "20 created, 5 deactivated, 1 in doubt"
    assert shown["destination"] == dg.MetadataValue.url("https://us-1.dailystory.com/")
    assert isinstance(shown["sends_over_time"], dg.MarkdownMetadataValue)
    nothing = sent_metadata(sync, SyncReport("people", "plan", "empty"), status, "https://us-1.dailystory.com/api/v1")
    assert nothing["summary"] == "nothing had to be sent"
    assert not {"sends_over_time", "outcomes_chart"} & nothing.keys()


def test_a_send_with_too_few_requests_in_flight_says_what_would_help():
    status, url = SyncStatus(0, 0, {}, 0), "https://us-1.dailystory.com/api/v1"
    report = SyncReport("people", "plan", "done", send_advice="set max_concurrency=25")
    assert sent_metadata(people_sync(), report, status, url)["send_advice"] == "set max_concurrency=25"
    assert "send_advice" not in sent_metadata(people_sync(), replace(report, send_advice=""), status, url)


def test_a_send_with_a_canary_says_what_it_found():
    status, url = SyncStatus(0, 0, {}, 0), "https://us-1.dailystory.com/api/v1"
    found = CanaryReport(20, contacts_differing=2, fields={"city": 2}, keys=("7",))
    shown = sent_metadata(people_sync(), SyncReport("people", "plan", "stopped", canary=found), status, url)["canary"]
    assert shown == (
        "of 20 contacts that were read back, 2 hold another value than was written (city in 2); keys: 7 and 1 more"
    )


def test_a_column_has_its_fields_type_until_its_own_is_known():
    sync = people_sync(fields={"email": "email", "firstName": "name", "optOutEmail": "opt_out"}, key=["id", "email"])
    before, known = source_columns(sync), source_columns(sync, {"id": "bigint", "name": "varchar(20)"})
    assert {c.name: c.type for c in before.columns} == {
        "id": "as in the source", "email": "as in the source", "name": "text", "opt_out": "boolean"
    }  # fmt: skip
    assert {c.name: c.type for c in known.columns if c.type != "as in the source"} == {
        "id": "bigint", "name": "varchar(20)", "opt_out": "boolean"
    }  # fmt: skip
    assert [c.name for c in known.columns if c.constraints.unique] == ["id", "email"]
    assert before.columns[1].description == "Identifies a row. Fills email."


def test_a_column_says_in_a_sentence_what_fills_it():
    sync = people_sync(fields={"email": "email"}, extended_properties={"plan": "tier"})
    assert [c.description for c in contact_columns(sync).columns] == [
        "Field filled from column email.", "Custom field filled from column tier."
    ]  # fmt: skip


def test_progress_is_observed_at_once_and_then_once_an_interval():
    shown: list[dg.AssetObservation] = []
    moments = iter([0.0, 1.0, 9.9, 10.0, 15.0, 20.1])
    log = ProgressLog(shown.append, KEY, 10.0, clock=lambda: next(moments))
    for sent in range(6):
        log(Progress(sent, 10 - sent, 2.0, 4.0))
    assert [each.metadata["progress/rows_sent"].value for each in shown] == [0, 3, 5]
    assert log.sends == [(0.0, 0), (0.0, 0), (0.5, 1), (1.0, 2), (1.5, 3), (2.0, 4), (2.5, 5)]
    assert shown[-1].metadata["progress/percent"].value == 50.0


def test_column_lineage_goes_from_the_contact_to_the_table():
    sync = people_sync(
        source="select p.id, lower(p.email) as email, p.first_name, o.city from raw.people p, raw.homes o"
    )
    upstream = source_lineage(find_upstream(sync)).deps_by_column
    assert upstream["email"] == [dg.TableColumnDep(dg.AssetKey(["raw", "people"]), "email")]
    assert upstream["city"] == [dg.TableColumnDep(dg.AssetKey(["raw", "homes"]), "city")]
    changes = dg.AssetKey(["dailystory", "people", "changes"])
    assert contact_lineage(sync, changes).deps_by_column["firstName"] == [dg.TableColumnDep(changes, "first_name")]


def test_a_long_send_keeps_at_most_240_points():
    log = ProgressLog(lambda _: None, KEY, 10.0, clock=lambda: 0.0)
    for sent in range(1, 5_000):
        log(Progress(sent, 0, 2.0, None))
    assert 100 < len(log.sends) <= 240
    assert log.sends[0] == (0.0, 0)
    assert log.sends == sorted(log.sends)


def wide_change(number: int, fields: int = 200) -> ChangePreview:
    changed = tuple(FieldChange(f"attribute_{each:03d}", "••• (12)", "••• (14)") for each in range(fields))
    return ChangePreview(str(number), Operation.UPDATE, "dsid", changed)


def test_a_preview_of_many_fields_is_cut_and_says_what_it_leaves_out():
    often = {"attribute_150": 90, "attribute_007": 40}
    plan = replace(PLAN, changes_by_field=often)
    metadata = plan_metadata(people_sync(), plan, [wide_change(number) for number in range(60)], None)
    preview = metadata["preview"]
    assert isinstance(preview, dg.TableMetadataValue)
    assert len(preview.records) == 60
    assert 50_000 < len(json.dumps([record.data for record in preview.records])) < 66_000
    for record in preview.records:
        texts = str(record.data["changes"]).split("; ")
        assert [text.partition(":")[0] for text in texts[:3]] == ["attribute_150", "attribute_007", "attribute_000"]
        assert texts[-1] == f"{200 - len(texts) + 1} fields left out"


def test_a_preview_of_long_keys_leaves_rows_out_and_counts_them():
    changes = [replace(wide_change(number, 3), key_label="k" * 5_000) for number in range(60)]
    preview = plan_metadata(people_sync(), PLAN, changes, None)["preview"]
    assert isinstance(preview, dg.TableMetadataValue)
    assert len(json.dumps([record.data for record in preview.records])) < 66_000
    shown = len(preview.records) - 1
    assert preview.records[-1].data["changes"] == f"{60 - shown} rows are left out of this preview"


def test_a_small_preview_keeps_the_order_of_the_mapping():
    preview = plan_metadata(
        people_sync(), replace(PLAN, changes_by_field={"attribute_001": 9}), [wide_change(1, 3)], None
    )
    assert str(preview["preview"].records[0].data["changes"]).startswith("attribute_000")  # type: ignore[union-attr]


def test_the_query_of_a_file_is_a_code_reference(tmp_path: Path):
    file = tmp_path / "people.sql"
    file.write_text("select * from people")
    (changes, *_), (other, *_) = (
        [spec for made in build_contact_sync_assets(people_sync(source=source)) for spec in made.specs]
        for source in (file, "people")
    )
    [reference] = changes.metadata["dagster/code_references"].code_references
    assert reference.file_path == str(file)
    assert "dagster/code_references" not in other.metadata
