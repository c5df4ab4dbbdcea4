"""An unreachable DailyStory in Dagster: the op fails, may be retried, and its log says why while it waits."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import DailyStoryResource, build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox


@dataclass
class Unreachable(DagsterProject):
    """Sends to a port on which nothing listens."""

    port: int = 0

    @property
    def resources(self) -> dict[str, object]:
        base_url = f"http://127.0.0.1:{self.port}/api/v1"
        return {
            **super().resources,
            "dailystory": DailyStoryResource(base_url=base_url, api_token=self.token, max_attempts=5),
        }


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Unreachable]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        made = Unreachable.in_folder(tmp_path, sandbox, instance)
        assert isinstance(made, Unreachable)
        yield replace(made, port=unused.getsockname()[1])


def test_an_unreachable_dailystory_fails_the_op_with_its_host_and_may_be_retried(project: Unreachable):
    project.put(1, 2)
    run = project.materialize(build_contact_sync_assets(people_sync(), retry_policy=dg.RetryPolicy(1, 0)))
    message, metadata = run.failure
    cause = f"DailyStory could not be reached: 127.0.0.1:{project.port} refused the connection; check base_url"
    assert message == f"{cause}. No request of this run had an answer"
    assert (metadata["error"].value, run.nouns, run.retries) == ("OutageError", ["changes"], 1)
    assert "ClientConnectorError" not in run.text
    logged = [entry for entry in project.instance.all_logs(run.run_id) if entry.level == logging.WARNING]
    assert [entry.user_message for entry in logged if cause in entry.user_message] == [
        f"5 requests in a row failed, and are sent again. Last: {cause}"
    ] * 2
    assert logging.getLogger("dagster_dailystory").handlers == []
