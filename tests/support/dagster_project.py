"""A scenario whose syncs run as real materializations, for the tests of the Dagster files."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._utils.interrupts import capture_interrupts
from support.scenario import Scenario, SourceTable

from dagster_dailystory import ContactSync, DailyStoryResource, WarehouseResource
from dagster_dailystory.sandbox import Sandbox

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NOUNS = ("changes", "contacts", "contact_map")
PEOPLE = SourceTable(
    "people", "id", {"id": "integer primary key", "email": "text", "first_name": "text", "city": "text"}
)


def person(number: int, **values: object) -> dict[str, object]:
    """A row of `people`."""
    row = {"id": number, "email": f"person{number}@example.com", "first_name": f"Given{number}", "city": "Oslo"}
    return {**row, **values}


def people_sync(**settings: object) -> ContactSync:
    """A sync of `people`."""
    given: dict[str, object] = {
        "name": "people",
        "source": "people",
        "key": "id",
        "fields": {"email": "email", "firstName": "first_name", "city": "city"},
        "canary_rows": 0,
    }
    return ContactSync(**{**given, **settings})  # type: ignore[arg-type]  # settings of any kind


def queue(instance: dg.DagsterInstance, job: dg.JobDefinition, location: str = "here", **settings: object) -> str:
    """Queue a run as the daemon does; returns its id."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
    status = settings.pop("status", dg.DagsterRunStatus.QUEUED)
    origin = RemoteJobOrigin(repository, job.name)
    return instance.create_run_for_job(job, status=status, remote_job_origin=origin, **settings).run_id


@dataclass
class DagsterProject:
    """A scenario whose syncs run as Dagster assets.

    Attributes:
        scenario: The table `people` and the state in one SQLite file, and the sandbox.
        token: What the assets present to the sandbox.
    """

    scenario: Scenario
    instance: dg.DagsterInstance
    token: str
    requests_per_second: float = 2_000.0
    max_concurrency: int = 4
    max_attempts: int = 9

    @classmethod
    def in_folder(cls, folder: Path, sandbox: Sandbox, instance: dg.DagsterInstance) -> DagsterProject:
        """A project with an empty table."""
        scenario = Scenario(f"sqlite:///{folder}/warehouse.sqlite", None, sandbox, PEOPLE)
        scenario.create()
        return cls(scenario, instance, sandbox.token)

    @property
    def sandbox(self) -> Sandbox:
        return self.scenario.sandbox

    @property
    def resources(self) -> dict[str, object]:
        return {
            "warehouse": WarehouseResource(url=self.scenario.warehouse_url),
            "dailystory": DailyStoryResource(
                base_url=self.sandbox.base_url,
                api_token=self.token,
                requests_per_second=self.requests_per_second,
                max_concurrency=self.max_concurrency,
                max_attempts=self.max_attempts,
            ),
        }

    def put(self, *numbers: int, **values: object) -> None:
        """Insert rows, or replace them."""
        self.scenario.delete(*numbers)
        self.scenario.insert(*(person(number, **values) for number in numbers))

    def materialize(
        self,
        assets: Sequence[dg.AssetsDefinition],
        nouns: Sequence[str] = NOUNS,
        name: str = "people",
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        **config: object,
    ) -> Run:
        """Run the named assets of a sync in this process."""
        run_config: dict[str, object] = dict(QUIET)
        if config:
            run_config["ops"] = {f"dailystory__{name}__changes": {"config": config}}
        result = dg.materialize(
            assets,
            selection=dg.AssetSelection.assets(*(["dailystory", name, noun] for noun in nouns)),
            instance=self.instance,
            resources=self.resources,
            run_config=run_config,
            partition_key=partition,
            tags=tags,
            raise_on_error=False,
        )
        return Run(list(result.all_events), result.run_id)

    def re_execute(self, parent: Run, assets: Sequence[dg.AssetsDefinition], nouns: Sequence[str]) -> Run:
        """Run the named assets as the UI does on Re-execute."""
        keys = {dg.AssetKey(["dailystory", "people", noun]) for noun in nouns}
        definitions = dg.Definitions(assets=assets, resources=self.resources, executor=dg.in_process_executor)
        job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=keys)
        run = self.instance.create_run_for_job(
            job, run_config=QUIET, parent_run_id=parent.run_id, root_run_id=parent.run_id, asset_selection=keys
        )
        return Run(list(execute_run_iterator(InMemoryJob(job), run, self.instance)), run.run_id)

    def terminate(self, assets: Sequence[dg.AssetsDefinition], when: Callable[[], bool]) -> tuple[Run, float]:
        """Run a sync as a run worker does, and terminate it; returns the seconds until it ended."""
        definitions = dg.Definitions(assets=assets, resources=self.resources, executor=dg.in_process_executor)
        job = definitions.resolve_implicit_global_asset_job_def()
        run = self.instance.create_run_for_job(job, run_config=QUIET)
        sent_at: list[float] = []

        def interrupt() -> None:
            while not when():
                time.sleep(0.002)
            self.instance.report_run_canceling(run)
            sent_at.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        watcher = threading.Thread(target=interrupt, daemon=True)
        watcher.start()
        with capture_interrupts(), contextlib.suppress(DagsterExecutionInterruptedError):
            list(execute_run_iterator(InMemoryJob(job), run, self.instance))
        watcher.join()
        events = [entry.dagster_event for entry in self.instance.all_logs(run.run_id) if entry.dagster_event]
        return Run(events, run.run_id), time.monotonic() - sent_at[0]

    def plan_statuses(self) -> list[object]:
        """The statuses of the stored plans, oldest first."""
        return [row["status"] for row in self.scenario.select("select status from dailystory_plans order by plan_id")]


@dataclass
class Run:
    """The events of one run."""

    events: list[dg.DagsterEvent]
    run_id: str

    @property
    def success(self) -> bool:
        return not any(event.is_failure for event in self.events)

    @property
    def materializations(self) -> list[dg.AssetMaterialization]:
        return [e.step_materialization_data.materialization for e in self.events if e.is_step_materialization]

    @property
    def nouns(self) -> list[str]:
        """The last parts of the keys of what was materialized."""
        return [materialization.asset_key.path[-1] for materialization in self.materializations]

    @property
    def observations(self) -> list[dg.AssetObservation]:
        observed = [event for event in self.events if event.event_type_value == "ASSET_OBSERVATION"]
        return [event.asset_observation_data.asset_observation for event in observed]

    def metadata(self, noun: str) -> Mapping[str, dg.MetadataValue]:
        """The metadata of the last materialization of an asset."""
        return [each for each in self.materializations if each.asset_key.path[-1] == noun][-1].metadata

    def value(self, noun: str, name: str) -> object:
        return self.metadata(noun)[name].value

    def records(self, noun: str, name: str) -> list[Mapping[str, object]]:
        table = self.metadata(noun)[name]
        assert isinstance(table, dg.TableMetadataValue)
        return [record.data for record in table.records]

    @property
    def checks(self) -> dict[str, bool]:
        """The last result of each check: whether it passed."""
        evaluated = [e for e in self.events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
        return {e.asset_check_evaluation_data.check_name: e.asset_check_evaluation_data.passed for e in evaluated}

    @property
    def check_texts(self) -> dict[str, str]:
        """The last description of each check."""
        evaluated = [e for e in self.events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
        evaluations = [e.asset_check_evaluation_data for e in evaluated]
        return {data.check_name: data.description or "" for data in evaluations}

    @property
    def failure(self) -> tuple[str, Mapping[str, dg.MetadataValue]]:
        """The text and the metadata of the Failure that ended a step."""
        [data] = [event.step_failure_data for event in self.events if event.is_step_failure]
        assert data.user_failure_data is not None
        return data.user_failure_data.description or "", data.user_failure_data.metadata

    @property
    def retries(self) -> int:
        return sum(event.event_type_value == "STEP_UP_FOR_RETRY" for event in self.events)

    @property
    def text(self) -> str:
        """Every event of the run as text."""
        return "\n".join(map(repr, self.events))
