"""The resources of `definitions.py`, from the environment, or the demo's where the environment names none."""

import os
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.sandbox.settings import DEFAULT_TOKEN

REQUIRED = ("WAREHOUSE_URL", "DAILYSTORY_BASE_URL", "DAILYSTORY_API_TOKEN")
"""What a real sync needs."""

OPTIONAL = ("DAILYSTORY_STATE_URL", "DAILYSTORY_REQUESTS_PER_SECOND", "DAILYSTORY_MAX_CONCURRENCY")
"""What may join it."""

DEMO_FOLDER = Path(".demo")
"""Where the demo keeps its warehouse, its contacts and Dagster's history, below the working directory."""

DEMO_PORT = 8019
"""Where the demo's sandbox listens."""

_DEMO_REQUESTS_PER_SECOND = 400.0


def resources_from_environment(
    environment: Mapping[str, str] = os.environ,
) -> dict[str, WarehouseResource | DailyStoryResource]:
    """Make the resources `warehouse` and `dailystory`.

    Args:
        environment: The variables; an empty one counts as not set.

    Raises:
        ConfigurationError: Some variables of a real sync are set and others are missing, or one is no number.
    """
    given = {name for name in (*REQUIRED, *OPTIONAL) if environment.get(name)}
    if not given:
        return demo_resources()
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        raise ConfigurationError(f"{', '.join(sorted(given))} is set, but {', '.join(missing)} is not; set all or none")
    rate = _number(environment, "DAILYSTORY_REQUESTS_PER_SECOND")
    state_url = dg.EnvVar("DAILYSTORY_STATE_URL") if "DAILYSTORY_STATE_URL" in given else None
    return {
        "warehouse": WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"), state_url=state_url),
        "dailystory": DailyStoryResource(
            base_url=dg.EnvVar("DAILYSTORY_BASE_URL"),
            api_token=dg.EnvVar("DAILYSTORY_API_TOKEN"),
            requests_per_second=rate,
            max_concurrency=int(_number(environment, "DAILYSTORY_MAX_CONCURRENCY") or 4),
        ),
    }


def demo_resources(
    folder: Path = DEMO_FOLDER, port: int = DEMO_PORT
) -> dict[str, WarehouseResource | DailyStoryResource]:
    """The demo's warehouse and its sandbox, which `make demo` and `make dev` start."""
    return {
        "warehouse": WarehouseResource(url=demo_warehouse_url(folder)),
        "dailystory": DailyStoryResource(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            api_token=DEFAULT_TOKEN,
            requests_per_second=_DEMO_REQUESTS_PER_SECOND,
            max_concurrency=8,
        ),
    }


def demo_warehouse_url(folder: Path = DEMO_FOLDER) -> str:
    """The demo's DuckDB file."""
    return f"duckdb:///{folder / 'warehouse.duckdb'}"


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name}={text!r} is no number") from None
