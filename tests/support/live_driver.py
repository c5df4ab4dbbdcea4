"""What happens to the deployment of the live test: launches, approvals, backfills, kills and re-executions."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.deployment import LOCATION, Deployment
from support.live_source import MONTHS, LiveTable
from support.ui_driver import ENDED

NOUNS = ("changes", "contacts", "contact_map")
DIED = ("exited", "crashed", "unexpectedly", "terminated by signal", "SIGKILL", "ChildProcessCrash")
"""Words of Dagster about a process that died."""


@dataclass
class LiveDriver:
    """Drives the deployment in steps: each method starts what is due and never waits.

    Attributes:
        kills: When a process was killed, as a monotonic time, and whether it executed a `run` or a `step`.
        approved: The plans that were approved and sent.
        backfills: The slices of each backfill.
    """

    deployment: Deployment
    chance: random.Random
    vips: LiveTable
    kills: list[tuple[float, str]] = field(default_factory=list)
    approved: list[str] = field(default_factory=list)
    backfills: list[Sequence[str]] = field(default_factory=list)
    _seen_failures: dict[str, float] = field(default_factory=dict)
    _of_approvals: set[str] = field(default_factory=set)
    _approval: Iterator[None] = field(init=False)

    def __post_init__(self) -> None:
        self._approval = self._approve_plans()

    def kill(self) -> bool:
        """Kill a run worker or a step, if there is one."""
        finders: dict[str, Callable[[], list[int]]] = {
            "run": self.deployment.run_workers, "step": self.deployment.steps
        }  # fmt: skip
        kind = self.chance.choice(list(finders))
        processes = finders[kind]()
        if not processes:
            return False
        try:
            os.kill(self.chance.choice(processes), signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.kills.append((time.monotonic(), kind))
        return True

    def re_execute_failed_runs(self) -> None:
        """Re-execute some of the runs that failed a while ago; the approvals look after their own."""
        now = time.monotonic()
        for run in self.deployment.ui.runs():
            if run["status"] == "FAILURE" and run["runId"] not in self._seen_failures:
                self._seen_failures[run["runId"]] = now + self.chance.uniform(8, 15)
        for run_id, due in self._seen_failures.items():
            if due <= now:
                self._seen_failures[run_id] = float("inf")
                if self.chance.random() < 0.7 and run_id not in self._of_approvals:
                    self.deployment.re_execute(run_id)

    def backfill(self) -> None:
        """Launch a range of slices, or a single one, when no backfill is under way."""
        if all(each["status"] != "REQUESTED" for each in self.deployment.ui.backfills()):
            first = self.chance.randrange(len(MONTHS) - 1)
            slices = MONTHS[first:] if len(self.backfills) % 3 == 0 else [self.chance.choice(MONTHS)]
            self.launch_backfill(slices)

    def launch_backfill(self, slices: Sequence[str]) -> str:
        self.backfills.append(slices)
        return self.deployment.ui.launch_backfill("monthly", slices)

    def launch(self, name: str, nouns: Sequence[str] = NOUNS, config: Mapping[str, object] | None = None) -> str:
        """Launch a run of a sync."""
        return self.deployment.ui.launch(LOCATION, [f"dailystory/{name}/{noun}" for noun in nouns], config)

    def approve(self) -> None:
        """Go on with the plans that wait for approval: edit, plan, approve, and again."""
        next(self._approval)

    def unfinished(self) -> list[dict[str, Any]]:
        return [run for run in self.deployment.ui.runs() if run["status"] not in ENDED]

    def unexplained_failures(self) -> dict[str, list[str]]:
        """The runs that failed or were canceled although none of their processes died: the ends of their logs."""
        found = {}
        for run in self.deployment.ui.runs():
            if run["status"] in ("FAILURE", "CANCELED"):
                log = self.deployment.log(run["runId"])
                if not any(word in line for line in log for word in DIED):
                    found[run["runId"]] = log[-12:]
        return found

    def _approve_plans(self) -> Iterator[None]:
        ui = self.deployment.ui
        while True:
            for _ in range(3):
                self.vips.edit()
            run_id = self.launch("vips")
            self._of_approvals.add(run_id)
            while ui.status(run_id) not in ENDED:
                yield
            plan_id = self.waiting_plan(run_id)
            run_id = self.send(plan_id) if plan_id else ""
            while run_id:
                while ui.status(run_id) not in ENDED:
                    yield
                if ui.status(run_id) == "SUCCESS":
                    self.approved.append(plan_id)
                    break
                run_id = self.deployment.re_execute(run_id)
                self._of_approvals.add(run_id)
                yield
            yield

    def waiting_plan(self, run_id: str) -> str:
        """The id of the plan of a run that waits for approval; empty if there is none."""
        events = self.deployment.ui.events("dailystory/vips/changes")
        waits = (each for each in events if each["run_id"] == run_id and each["plan_status"] == "waiting")
        return next((str(each["plan_id"]) for each in waits), "")

    def send(self, plan_id: str, config: Mapping[str, object] | None = None) -> str:
        """Approve a plan by its id; returns the id of the run that sends it."""
        ops = {"dailystory__vips__contacts": {"config": {"plan_id": plan_id, "approved_by": "Ann"}}}
        run_id = self.launch("vips", NOUNS[1:], {**(config or {}), "ops": ops})
        self._of_approvals.add(run_id)
        return run_id
