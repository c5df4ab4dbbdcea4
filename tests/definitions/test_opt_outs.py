"""The check `no_pending_opt_outs` names what waits, and says what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import DagsterProject, Run, people_sync

from dagster_dailystory import build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox

FLAGGED = people_sync(fields={"email": "email", "optOutEmail": "city"}, max_opted_out_fraction=None)
"""The column `city` has the flag."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        made = DagsterProject.in_folder(tmp_path, sandbox, instance)
        made.put(1, 2, city="no")
        made.materialize(build_contact_sync_assets(FLAGGED))
        yield made


def results(run: Run) -> list[dg.AssetCheckEvaluation]:
    """The results of the check, of `changes` and then of `contacts`."""
    evaluated = [event for event in run.events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    data = [event.asset_check_evaluation_data for event in evaluated]
    return [each for each in data if each.check_name == "no_pending_opt_outs"]


def test_the_check_names_what_must_be_repaired_and_what_the_next_run_sends(project: DagsterProject):
    project.put(3, email="casimir at home", city="yes")
    project.put(4, city="perhaps")
    project.put(1, city="yes")
    project.sandbox.script([400])
    run = project.materialize(build_contact_sync_assets(FLAGGED))
    repaired = "2 cannot be sent until the source is repaired (key 3: invalid_email, key 4: invalid_value)"
    planned, sent = results(run)
    assert planned.description == f"opt-outs that DailyStory has not acknowledged: 2; {repaired}"
    assert sent.description == (
        f"opt-outs that DailyStory has not acknowledged: 3; {repaired}; 1 will be sent by the next run (key 1)"
        ". scope='opt_outs' sends those of known contacts, also while a plan is blocked"
    )
    assert (sent.severity, sent.metadata["rows_to_repair"].value) == (dg.AssetCheckSeverity.ERROR, 2)
    table = sent.metadata["waiting"]
    assert isinstance(table, dg.TableMetadataValue)
    needs = {record.data["key"]: record.data["needs"] for record in table.records}
    assert needs == {
        "3": "a repair in the source",
        "4": "a repair in the source",
        "1": "nothing: the next run sends it",
    }
    assert "casimir" not in run.text
    assert "person1@" not in run.text


def test_the_check_shows_nothing_that_waits_once_all_is_acknowledged(project: DagsterProject):
    project.put(1, city="yes")
    planned, sent = results(project.materialize(build_contact_sync_assets(FLAGGED)))
    assert (planned.passed, sent.passed, sent.description) == (True, True, "no opt-out waits")
    assert sent.metadata.keys() == {"rows"}
