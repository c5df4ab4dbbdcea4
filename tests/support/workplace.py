"""The ways in which a user starts a sync, to make a mistake in each."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from support.dagster_project import DagsterProject

from dagster_dailystory import (
    ContactSync,
    build_contact_sync_assets,
    run_contact_sync,
)
from dagster_dailystory.sandbox import Sandbox


class Workplace:
    """A table `people` in SQLite, a local DailyStory, and the ways in which a user starts a sync."""

    def __init__(self, folder: Path, sandbox: Sandbox, instance: dg.DagsterInstance) -> None:
        self.project = DagsterProject.in_folder(folder, sandbox, instance)
        self.project.put(1, 2, 3)
        self.folder = folder

    def sync(self, **settings: object) -> ContactSync:
        usual = {"name": "people", "source": "people", "key": "id", "fields": {"email": "email"}}
        return ContactSync(**{**usual, **settings})  # type: ignore[arg-type]  # mistakes have any type

    def run(self, options: dict[str, object] | None = None, **settings: object) -> None:
        usual = {
            "warehouse_url": self.project.scenario.warehouse_url,
            "base_url": self.project.sandbox.base_url,
            "api_token": self.project.token,
        }
        run_contact_sync(self.sync(**settings), **{**usual, **(options or {})})  # type: ignore[arg-type]

    def launch(self, **config: object) -> None:
        """Launch `changes` with run options, as the launchpad does, beside a sync with another key."""
        build_contact_sync_assets(self.sync(name="others", key="email"))
        result = self.project.materialize(build_contact_sync_assets(self.sync()), **config)
        if not result.success:
            raise AssertionError("the run failed, and not its launch")
