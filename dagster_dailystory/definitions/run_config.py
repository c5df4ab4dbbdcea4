"""The run options of a sync as Dagster asks for them: enums and typed fields that refuse wrong values at the launch."""

from collections.abc import Mapping
from enum import Enum

import dagster as dg
from dagster._config.config_type import Array, ConfigScalar, ConfigScalarKind, Noneable  # none of these is exported
from dagster._config.errors import PostProcessingError
from pydantic import Field

from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import ContactSync, Scope


class RunScope(Enum):
    """Which rows a run looks at."""

    changed = "changed"
    all = "all"
    rejected = "rejected"


class PlanConfig(dg.Config):
    """What one run asks of its plan. The defaults are what a schedule wants.

    Example:
        ```python
        dg.RunConfig(ops={"dailystory__customers__changes": PlanConfig(dry_run=True, keys=["1001"])})
        ```
    """

    scope: RunScope = Field(
        default=RunScope.changed,
        description="changed: rows that differ from what DailyStory acknowledged. all: every row, with every mapped "
        "field. rejected: only rows that were set aside before.",
    )
    dry_run: bool = Field(
        default=False, description="Plan only: a preview that is never sent. Nothing is written to DailyStory."
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        description="At most this many creates and updates; the rest stays a difference. No deletions.",
    )
    chosen_keys: list[str] = Field(  # a field called `keys` would make Dagster take the config for a mapping
        default=[], alias="keys", description="Only these keys; a key of several columns is written a|b. No deletions."
    )

    def options(self, partition: str | None = None) -> PlanOptions:
        """The same as the engine takes it."""
        return PlanOptions(Scope(self.scope.value), self.dry_run, self.limit, tuple(self.chosen_keys), partition)


class _Limit(ConfigScalar):
    """A number of rows. Dagster looks at a constraint of a pydantic field only when the step has started."""

    def __init__(self) -> None:
        super().__init__("RowLimit", "RowLimit", ConfigScalarKind.INT, description="A whole number from 1 on.")

    def post_process(self, value: int) -> int:
        if value < 1:
            raise PostProcessingError(f"limit: {value} rows are none; leave limit out, or say dry_run: true")
        return value


class _Key(ConfigScalar):
    """A key of the source as text."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._form = "|".join(columns)
        name = "Key" if len(columns) == 1 else f"KeyOf{len(columns)}Columns"
        super().__init__(name, name, ConfigScalarKind.STRING, description=f"A key, written {self._form}.")

    def post_process(self, value: str) -> str:
        parts = value.split("|") if len(self._columns) > 1 else [value]
        if len(parts) != len(self._columns) or not all(part.strip() for part in parts):
            raise PostProcessingError(f"keys: a key of this sync is written {self._form}")
        return value


def option_fields(sync: ContactSync) -> Mapping[str, dg.Field]:
    """The run options of one sync, for `config_schema`: the fields of `PlanConfig`, which refuse what cannot work."""
    fields: dict[str, dg.Field] = dict(PlanConfig.to_fields_dict())
    narrower = {"limit": Noneable(_Limit()), "keys": Array(_Key(sync.key_columns))}
    for name, kind in narrower.items():
        fields[name] = dg.Field(
            kind,
            default_value=fields[name].default_value,
            is_required=False,
            description=fields[name].description,
        )
    return fields
