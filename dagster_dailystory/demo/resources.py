"""Where the demo's warehouse and its sandbox are."""

from pathlib import Path

from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.sandbox.settings import DEFAULT_TOKEN

DEMO_PORT = 8019
"""TCP port of the demo's sandbox."""

_REQUESTS_PER_SECOND = 400.0


def demo_resources(folder: Path, port: int = DEMO_PORT) -> dict[str, WarehouseResource | DailyStoryResource]:
    """Make the resources `warehouse` and `dailystory` of the demo.

    Args:
        folder: Where the warehouse's file is.
        port: Where the sandbox listens.
    """
    return {
        "warehouse": WarehouseResource(url=demo_warehouse_url(folder)),
        "dailystory": DailyStoryResource(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            api_token=DEFAULT_TOKEN,
            requests_per_second=_REQUESTS_PER_SECOND,
            max_concurrency=8,
        ),
    }


def demo_warehouse_url(folder: Path) -> str:
    """The SQLAlchemy URL of the demo's DuckDB file."""
    return f"duckdb:///{folder / 'warehouse.duckdb'}"
