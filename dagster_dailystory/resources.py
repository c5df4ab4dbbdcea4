"""The two resources of a sync: the warehouse and the DailyStory account. They hold settings; no connection is open."""

from importlib.metadata import version
from typing import TYPE_CHECKING

import dagster as dg
from dagster_shared.libraries import DagsterLibraryRegistry
from pydantic import Field

from dagster_dailystory.model import ContactSync
from dagster_dailystory.places import Destination, Warehouse
from dagster_dailystory.preview import contact_map_frame, plan_frame, rejections_frame

if TYPE_CHECKING:
    import pandas


class WarehouseResource(dg.ConfigurableResource["WarehouseResource"]):
    """Say where the source of a sync is, and where its state is kept.

    Example:
        ```python
        WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"))
        WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"), state_url="sqlite:///dailystory_state.sqlite")
        ```
    """

    url: str = Field(
        repr=False,
        description="SQLAlchemy URL of the warehouse that holds the source. It may carry a password: use EnvVar.",
        examples=["postgresql+psycopg://sync@warehouse/analytics", "duckdb:///warehouse.duckdb"],
    )
    state_url: str | None = Field(
        default=None,
        repr=False,
        description="SQLAlchemy URL of the database for the state tables (DuckDB, SQLite or PostgreSQL). Left out, the "
        "state is in the warehouse itself.",
        examples=["postgresql+psycopg://sync@state/dailystory"],
    )
    state_schema: str | None = Field(
        default=None,
        description="Schema of the state tables, which must exist. Left out: the connection's default schema.",
        examples=["reverse_etl"],
    )

    def warehouse(self) -> Warehouse:
        """The same place as the engine takes it."""
        return Warehouse.at(self.url, self.state_url, self.state_schema)

    def contact_map(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read which contact (dsid) each row became, as a pandas frame with the source's own key columns.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return contact_map_frame(sync, self.warehouse())

    def plan(self, sync: ContactSync, plan_id: str) -> "pandas.DataFrame":
        """Read one of the latest plans as a pandas frame, a row for each field that differs. It holds personal data.

        Args:
            sync: The sync that was planned.
            plan_id: As the metadata of its `changes` names it.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return plan_frame(sync, self.warehouse(), plan_id)

    def rejections(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read the rows that are set aside, with reason and advice, as a pandas frame.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return rejections_frame(sync, self.warehouse())


class DailyStoryResource(dg.ConfigurableResource["DailyStoryResource"]):
    """Say which DailyStory account is written to, and how hard it may be used.

    Example:
        ```python
        DailyStoryResource(base_url="https://us-1.dailystory.com/api/v1", api_token=dg.EnvVar("DAILYSTORY_API_TOKEN"))
        ```
    """

    base_url: str = Field(
        description="Address of the account's data centre, with /api/v1. The token's page in DailyStory shows it.",
        examples=["https://us-1.dailystory.com/api/v1"],
    )
    api_token: str = Field(
        repr=False, description="API token from Account Settings > API Tokens. A secret: use EnvVar."
    )
    requests_per_second: float | None = Field(
        default=None,
        description="Permitted rate. DailyStory documents none; left out, the rate is found by trying, from 2 a second "
        "on. Several runs at once each take this rate: see the pool.",
        examples=[5.0],
    )
    max_concurrency: int = Field(default=4, description="Requests in flight at once.")
    timeout_seconds: float = Field(default=30.0, description="Longest time for one request.")

    def destination(self) -> Destination:
        """The same account as the engine takes it."""
        return Destination(
            self.base_url, self.api_token, self.requests_per_second, self.max_concurrency, self.timeout_seconds
        )


DagsterLibraryRegistry.register("dagster-dailystory", version("dagster-dailystory"), is_dagster_package=False)
