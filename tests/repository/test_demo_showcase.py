"""The syncs that the demo has beside the one of customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest

from dagster_dailystory.demo.data import CUSTOMERS, customer
from dagster_dailystory.demo.resources import demo_resources, demo_token_file, demo_warehouse_url
from dagster_dailystory.demo.showcase import showcase
from dagster_dailystory.demo.showcase.data import seed_showcase
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from dagster_dailystory.sandbox.serving.tokens import token_in

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    seed_showcase(demo_warehouse_url(tmp_path))
    with Sandbox(SandboxSettings(tokens=(token_in(demo_token_file(tmp_path)),))) as running:
        yield running


def run(
    folder: Path,
    sandbox: Sandbox,
    group: str,
    tags: Mapping[str, str] | None = None,
    ops: Mapping[str, object] | None = None,
) -> dg.ExecuteInProcessResult:
    port = int(sandbox.url.rstrip("/").rpartition(":")[2])
    own = dg.Definitions(resources=demo_resources(folder, port))
    job = dg.define_asset_job("group", selection=dg.AssetSelection.groups(group))
    made = dg.Definitions.merge(showcase(port), own, dg.Definitions(jobs=[job])).resolve_job_def("group")
    with dg.instance_for_test(temp_dir=str(folder)) as instance:
        return made.execute_in_process(instance=instance, run_config={**QUIET, "ops": ops or {}}, tags=tags)


def test_no_person_is_in_two_syncs(tmp_path: Path, sandbox: Sandbox):
    tags = {"dagster/asset_partition_range_start": "2025-01-01", "dagster/asset_partition_range_end": "2025-12-01"}
    run(tmp_path, sandbox, "members", tags=tags)
    run(tmp_path, sandbox, "guests")
    addresses = {contact["email"] for contact in sandbox.contacts()}
    assert len(sandbox.contacts()) == len(addresses) == 240 + 30
    assert addresses.isdisjoint(customer(number)["email"] for number in range(1, 2 * CUSTOMERS))


def test_the_vips_wait_for_an_approval(tmp_path: Path, sandbox: Sandbox):
    assert run(tmp_path, sandbox, "vips").success
    assert sandbox.contacts() == []


def test_a_run_with_mistakes_rejects_rows_until_the_next_one(tmp_path: Path, sandbox: Sandbox):
    for mistakes, sent in ((3, 27), (0, 30)):
        assert run(tmp_path, sandbox, "guests", ops={"webinar_guests": {"config": {"mistakes": mistakes}}}).success
        assert len(sandbox.contacts()) == sent
