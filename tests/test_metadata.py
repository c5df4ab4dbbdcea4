"""What the assets show: counts, tables, pictures, progress."""

import base64
import xml.etree.ElementTree as ET

import dagster as dg
from dagster_harness import people_sync

from dagster_dailystory.metadata import ProgressLog, bars, contact_lineage, plan_metadata, source_lineage
from dagster_dailystory.report import PlanStatus, PlanSummary, Progress
from dagster_dailystory.upstream import find_upstream

KEY = dg.AssetKey(["dailystory", "people", "contacts"])
PLAN = PlanSummary(
    plan_id="plan", sync_name="people", status=PlanStatus.READY, guards=(), rows_read=100, rows_unchanged=30,
    rows_to_create=60, rows_to_update=10, rows_rejected=0, rows_held=0, rows_to_delete=5,
    changes_by_field={"email": 60, "city": 70}, rejections_by_reason={}, diff_seconds=0.1234,
)  # fmt: skip


def test_an_estimate_counts_a_request_a_row_and_one_more_where_a_contact_is_looked_up():
    upsert = plan_metadata(people_sync(), PLAN, [], [], 5.0)
    update = plan_metadata(people_sync(mode="update"), PLAN, [], [], 5.0)
    assert (upsert["estimated_requests"], upsert["estimated_minutes"]) == (75, 0.25)
    assert update["estimated_requests"] == 135


def test_an_unknown_rate_makes_no_promise_of_minutes():
    assert "estimated_minutes" not in plan_metadata(people_sync(), PLAN, [], [], None)


def test_fields_are_counted_largest_first():
    table = plan_metadata(people_sync(), PLAN, [], [], None)["changes_by_field"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [{"field": "city", "rows": 70}, {"field": "email", "rows": 60}]


def test_a_picture_is_an_svg_with_bars_in_proportion_and_escaped_names():
    markdown = bars("Rows", {"a<b>": 50, "c": 100}).md_str
    assert markdown is not None
    picture = ET.fromstring(base64.b64decode(markdown.partition("base64,")[2].rstrip(")")))
    assert [int(each.attrib["width"]) for each in picture if each.get("fill") == "#4f43dd"] == [360, 180]
    assert "a<b>" in [each.text for each in picture]


def test_progress_is_shown_at_once_and_then_once_an_interval():
    shown: list[dg.AssetObservation] = []
    moments = iter([0.0, 1.0, 9.9, 10.0, 15.0, 20.1])
    log = ProgressLog(shown.append, KEY, 10.0, clock=lambda: next(moments))
    for sent in range(6):
        log(Progress(sent, 10 - sent, 2.0, 4.0))
    assert [each.metadata["progress/rows_sent"].value for each in shown] == [0, 3, 5]
    assert shown[-1].metadata["progress/percent"].value == 50.0


def test_column_lineage_leads_from_the_contact_to_the_table():
    sync = people_sync(
        source="select p.id, lower(p.email) as email, p.first_name, o.city from raw.people p, raw.homes o"
    )
    upstream = source_lineage(find_upstream(sync)).deps_by_column
    assert upstream["email"] == [dg.TableColumnDep(dg.AssetKey(["raw", "people"]), "email")]
    assert upstream["city"] == [dg.TableColumnDep(dg.AssetKey(["raw", "homes"]), "city")]
    changes = dg.AssetKey(["dailystory", "people", "changes"])
    assert contact_lineage(sync, changes).deps_by_column["firstName"] == [dg.TableColumnDep(changes, "first_name")]
