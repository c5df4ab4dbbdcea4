"""The ops of a sync: how often a run opens its state, and what of the engine's log it shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import build_contact_sync_assets
from dagster_dailystory.definitions.events.failures import engine_log_shown
from dagster_dailystory.sandbox import Sandbox


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def test_a_run_opens_its_state_twice(project: DagsterProject):
    project.put(1, 2)
    opened: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_others: object) -> None:
        if " ".join(statement.split()) == "SELECT dailystory_meta.name, dailystory_meta.value FROM dailystory_meta":
            opened.append(statement)

    sa.event.listen(sa.Engine, "after_cursor_execute", note)
    try:
        run = project.materialize(build_contact_sync_assets(people_sync()))
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", note)
    assert run.nouns == ["changes", "contacts", "contact_map"]
    assert len(opened) == 2


def test_the_log_of_a_run_has_each_line_of_the_engine_once(project: DagsterProject):
    logger = logging.getLogger("dagster_dailystory")
    before = (list(logger.handlers), logger.level)  # another test may have chosen a level
    project.put(1, 2)
    run = project.materialize(build_contact_sync_assets(people_sync(extended_properties={"plan": "city"})))
    lines = [entry.user_message for entry in project.instance.all_logs(run.run_id) if entry.level >= logging.INFO]
    engine = [line for line in lines if line.startswith("sync people: ")]
    assert [line.split(" plan")[0].split("custom field")[0].split(", ")[0] for line in engine] == [
        "sync people:",
        "sync people: never sent before: ",
        "sync people: done",
    ]
    assert (logger.handlers, logger.level) == before


def test_a_line_that_cannot_be_written_stops_nothing(capsys: pytest.CaptureFixture[str]):
    class Away(logging.Logger):
        def log(self, *_args: object, **_options: object) -> None:
            raise OSError("the event log is away")

    with engine_log_shown(Away("away")):
        logging.getLogger("dagster_dailystory").info("a line")
    assert "the event log is away" in capsys.readouterr().err


def test_a_logger_that_the_instance_manages_shows_each_line_once(tmp_path: Path):
    managed = {"python_logs": {"managed_python_loggers": ["dagster_dailystory"], "python_log_level": "INFO"}}
    with Sandbox() as sandbox, dg.instance_for_test(managed) as instance:
        project = DagsterProject.in_folder(tmp_path, sandbox, instance)
        project.put(1)
        run = project.materialize(build_contact_sync_assets(people_sync()))
        lines = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert len([line for line in lines if "rows read" in line and "is ready" in line]) == 1
