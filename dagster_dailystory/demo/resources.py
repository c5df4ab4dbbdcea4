"""Where the demo's warehouse and its sandbox are, and the token of the sandbox."""

from pathlib import Path

from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.sandbox.serving.tokens import new_token, token_in

DEMO_PORT = 8019
"""TCP port of the demo's sandbox."""

_REQUESTS_PER_SECOND = 400.0


def demo_resources(folder: Path, port: int = DEMO_PORT) -> dict[str, WarehouseResource | DailyStoryResource]:
    """Make the resources `warehouse` and `dailystory` of the demo.

    Args:
        folder: Where the warehouse's file is, and the file with the sandbox's token.
        port: Where the sandbox listens.
    """
    token_file = demo_token_file(folder)
    # Definitions are also loaded where no demo has run. Loading writes no file, so nothing accepts this token.
    token = token_in(token_file) if token_file.exists() else new_token()
    return {
        "warehouse": WarehouseResource(url=demo_warehouse_url(folder)),
        "dailystory": DailyStoryResource(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            api_token=token,
            requests_per_second=_REQUESTS_PER_SECOND,
            max_concurrency=8,
        ),
    }


def demo_token_file(folder: Path) -> Path:
    """The file with the token that the demo's sandbox accepts; the first sandbox of a demo writes it."""
    return folder / "token"


def demo_warehouse_url(folder: Path) -> str:
    """The SQLAlchemy URL of the demo's DuckDB file."""
    return f"duckdb:///{folder / 'warehouse.duckdb'}"
