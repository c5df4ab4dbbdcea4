"""The real Dagster UI for a test: `dg dev` in a folder of its own, its GraphQL API, and Chromium on its pages."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from support.waiting import free_port as free_port
from support.waiting import wait_for as wait_for

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
VIEWPORT = {"width": 1280, "height": 900}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
EVENTS = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
    assetMaterializations(limit: 20) { runId partition metadataEntries { ...entry } }
    assetObservations(limit: 20) { runId metadataEntries { ...entry } } } } }
    fragment entry on MetadataEntry { label
        ... on IntMetadataEntry { intRepr } ... on FloatMetadataEntry { floatRepr: floatValue }
        ... on TextMetadataEntry { text } ... on TableMetadataEntry { table { records } } }"""
CHECKS = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
        status runId evaluation { success severity description } } } } } } } }"""


@dataclass(frozen=True)
class DagsterUi:
    """A running Dagster UI, asked through its GraphQL API."""

    base: str

    def ask(self, query: str, **variables: object) -> Any:
        request = urllib.request.Request(
            f"{self.base}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def launch(self, location: str, keys: Sequence[str], config: Mapping[str, object] | None = None) -> str:
        """Launch a run of some assets; returns its id."""
        selector = {
            "repositoryLocationName": location,
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": key.split("/")} for key in keys],
        }
        params = {"selector": selector, "mode": "default", "runConfigData": config or {}}
        answer = self.ask(LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def launch_backfill(self, sync_name: str, partitions: Sequence[str]) -> str:
        """Launch some slices of a sync; returns the backfill's id."""
        nouns = ("changes", "contacts", "contact_map")
        keys = [{"path": ["dailystory", sync_name, noun]} for noun in nouns]
        params = {"assetSelection": keys, "partitionNames": list(partitions)}
        answer = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def limit_pool(self, pool: str, slots: int) -> None:
        """What `dagster instance concurrency set` does."""
        query = "mutation($pool: String!, $slots: Int!) { setConcurrencyLimit(concurrencyKey: $pool, limit: $slots) }"
        assert self.ask(query, pool=pool, slots=slots)["setConcurrencyLimit"]

    def runs(self) -> list[dict[str, Any]]:
        """All runs, newest first."""
        query = "{ runsOrError { ... on Runs { results { runId status startTime endTime tags { key value } } } } }"
        found: list[dict[str, Any]] = self.ask(query)["runsOrError"]["results"]
        return found

    def backfills(self) -> list[dict[str, Any]]:
        """All backfills, newest first."""
        query = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }"
        found: list[dict[str, Any]] = self.ask(query)["partitionBackfillsOrError"]["results"]
        return found

    def slices(self, backfill: str) -> list[dict[str, Any]]:
        """The runs of a backfill."""
        tag = {"key": "dagster/backfill", "value": backfill}
        return [run for run in self.runs() if tag in run["tags"]]

    def status(self, run_id: str) -> str:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return str(self.ask(query, id=run_id)["runOrError"]["status"])

    def wait(self, run_id: str, seconds: float = 90.0) -> str:
        """Wait for the end of a run; returns how it ended."""
        wait_for(lambda: self.status(run_id) in ENDED, f"the end of run {run_id}", seconds)
        return self.status(run_id)

    def events(self, key: str, kind: str = "assetMaterializations") -> list[dict[str, Any]]:
        """The latest materializations (or `assetObservations`) of an asset: run id, partition and metadata of each."""
        asset = self.ask(EVENTS, key={"path": key.split("/")})["assetOrError"]
        return [
            {"run_id": event["runId"], "partition": event.get("partition"), **_values(event["metadataEntries"])}
            for event in asset.get(kind, [])
        ]

    def checks(self, key: str) -> dict[str, str]:
        """How the latest checks of an asset went, by name: the status of each."""
        node = self.ask(CHECKS, key={"path": key.split("/")})["assetNodeOrError"]
        latest = {
            each["name"]: each["executionForLatestMaterialization"] for each in node["assetChecksOrError"]["checks"]
        }
        return {name: execution["status"] if execution else "NONE" for name, execution in latest.items()}


def _values(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in entries:
        if "intRepr" in entry:
            values[entry["label"]] = int(entry["intRepr"])
        elif "table" in entry:
            values[entry["label"]] = [json.loads(record) for record in entry["table"]["records"]]
        else:
            values[entry["label"]] = entry.get("floatRepr", entry.get("text"))
    return values


@contextlib.contextmanager
def dagster_ui(folder: Path, home: Path, environment: Mapping[str, str]) -> Iterator[DagsterUi]:
    """Run `dg dev` on the folder's workspace.yaml until all its locations have loaded."""
    ui = DagsterUi(f"http://127.0.0.1:{(port := free_port())}")
    command = [Path(sys.executable).with_name("dg"), "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    settings = {**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1", **environment}
    log = folder / "dev.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=folder, env=settings, stdout=written, stderr=written, start_new_session=True
        )
    try:
        wait_for(lambda: process.poll() is not None or has_loaded(ui), "the code locations", 90)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield ui
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def has_loaded(ui: DagsterUi) -> bool:
    """Whether the UI answers, and every code location has loaded."""
    query = """{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
        locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
    with contextlib.suppress(OSError):
        entries = ui.ask(query)["workspaceOrError"]["locationEntries"]
        errors = [entry["locationOrLoadError"].get("message") for entry in entries if entry["locationOrLoadError"]]
        assert not any(errors), errors
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)
    return False


@contextlib.contextmanager
def browser_page(base: str, outside: list[str]) -> Iterator[Page]:
    """Open a page in Debian's Chromium; requests to anywhere else are noted in `outside`."""
    own = (base, base.replace("http:", "ws:"), "data:", "blob:")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport=VIEWPORT)  # type: ignore[arg-type]  # a TypedDict that playwright keeps private
        page.on("request", lambda request: None if request.url.startswith(own) else outside.append(request.url))
        page.set_default_timeout(30_000)
        try:
            yield page
        finally:
            browser.close()
