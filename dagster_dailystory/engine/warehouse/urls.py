"""The warehouse of a sync, and where its state is."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_dailystory.databases.urls import checked_url, require_file, require_folder
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.model.sync import ContactSync, FrameSource


@dataclass(frozen=True)
class Warehouse:
    """Where the source and the state are.

    Attributes:
        url: SQLAlchemy URL of the warehouse.
        state: Where the state tables are.
    """

    url: str = field(repr=False)
    state: StateLocation

    @classmethod
    def at(
        cls,
        url: str,
        state_url: str | None = None,
        state_schema: str | None = None,
        *,
        sync: ContactSync | None = None,
        settings: tuple[str, str] = ("warehouse_url", "state_url"),
    ) -> Warehouse:
        """Create one from URLs; without a `state_url` the state is in the warehouse itself.

        Args:
            url: SQLAlchemy URL of the warehouse.
            state_url: SQLAlchemy URL of the state database.
            state_schema: Schema of the state tables.
            sync: The sync; of one that reads a frame only the state is there, whose file is created.
            settings: What the caller calls the two URLs, for errors.

        Raises:
            ConfigurationError: A URL cannot be read, its driver is not installed, or the file of the warehouse does
                not exist.
        """
        url_setting, state_setting = settings
        reads_frame = sync is not None and isinstance(sync.source, FrameSource)
        require = require_folder if reads_frame else require_file
        require(checked_url(url, url_setting), url_setting)
        if state_url is None:
            return cls(url, StateLocation(url, state_schema, role="warehouse", setting=url_setting))
        require_folder(checked_url(state_url, state_setting), state_setting)
        return cls(url, StateLocation(state_url, state_schema, setting=state_setting))
