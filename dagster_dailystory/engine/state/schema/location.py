"""Where the state tables are, and which layout they have."""

from __future__ import annotations

from dataclasses import dataclass, field

SCHEMA_VERSION = 9
"""Version of the layout below. `layout.migrations` has a step from each earlier one."""


@dataclass(frozen=True)
class StateLocation:
    """Where the state is kept.

    Attributes:
        url: SQLAlchemy URL of the state database.
        schema: Schema of the state tables, None for the connection's default.
        prefix: First part of every table's name.
        role: `warehouse` if that is where the state is, for errors.
        setting: The setting that has the URL, for errors.
    """

    url: str
    schema: str | None = None
    prefix: str = "dailystory"
    role: str = field(default="state", compare=False)
    setting: str = field(default="state_url", compare=False)

    def table_name(self, *parts: str) -> str:
        """The name of a state table."""
        return "_".join((self.prefix, *parts))

    def full_name(self, *parts: str) -> str:
        """The name of a state table, with its schema."""
        return ".".join(filter(None, (self.schema, self.table_name(*parts))))

    def __repr__(self) -> str:
        return f"StateLocation(schema={self.schema!r}, prefix={self.prefix!r})"
