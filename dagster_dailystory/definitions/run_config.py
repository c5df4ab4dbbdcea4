"""The run options of a sync: enums and typed fields, so that Dagster refuses wrong values at launch."""

import re
from collections.abc import Mapping
from enum import Enum

import dagster as dg
from dagster._config.config_type import (  # none of these is exported
    Array,
    ConfigScalar,
    ConfigScalarKind,
    ConfigType,
    ConfigTypeKind,
    Noneable,
)
from dagster._config.errors import PostProcessingError
from pydantic import Field, field_validator

from dagster_dailystory.definitions.resources import NamedSettings
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import PlanOptions, chosen_keys
from dagster_dailystory.model.sync import ContactSync, Scope


class RunScope(Enum):
    """The scope of a run."""

    changed = "changed"
    all = "all"
    rejected = "rejected"
    opt_outs = "opt_outs"


class PlanConfig(NamedSettings):
    """Run options of a plan. The defaults suit a schedule.

    Example:
        ```python
        dg.RunConfig(ops={"dailystory__customers__changes": PlanConfig(dry_run=True, keys=["1001"])})
        ```
    """

    scope: RunScope = Field(
        default=RunScope.changed,
        description="changed: rows that differ from what DailyStory acknowledged. all: every row, with every mapped "
        "field. rejected: only rows that were rejected before, none with a NULL in its key. opt_outs: only new "
        "opt-outs, of the whole source.",
    )
    dry_run: bool = Field(
        default=False, description="Plan only: nothing is written to DailyStory, and the plan can never be sent."
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        description="At most this many creates and updates; the rest stays a difference. No deletions.",
    )
    chosen_keys: list[str] | None = Field(  # Dagster would take a config with a field `keys` for a mapping
        default=None,
        alias="keys",
        description="Only these keys; a key of several columns is written a|b. No deletions.",
    )

    @field_validator("chosen_keys", mode="before")
    @classmethod
    def _as_texts(cls, keys: object) -> object:
        return [str(key) for key in keys] if isinstance(keys, (list, tuple)) else keys

    def options(self, partition: str | None = None) -> PlanOptions:
        """Convert to the engine's options."""
        return PlanOptions(Scope(self.scope.value), self.dry_run, self.limit, chosen_keys(self.chosen_keys), partition)


class SendConfig(NamedSettings):
    """What a person decides about a send: the plan, if it is not the one of the run, and its canary.

    Example:
        ```python
        dg.RunConfig(ops={"dailystory__customers__contacts": SendConfig(plan_id="...", approved_by="Ann")})
        ```
    """

    plan_id: str | None = Field(
        default=None,
        description="Send exactly this plan, and approve it if it waits for approval. The metadata of changes has it.",
    )
    approved_by: str = Field(
        default="",
        description="Who approves the plan, or accepts its canary; stored with it. Default: the user or the id of the "
        "run.",
    )
    max_drift: float = Field(
        default=0.1,
        description="Largest share of the plan's changes that may no longer be what the source asks for.",
    )
    accept_canary: bool = Field(
        default=False,
        description="Go on whatever the canary found (canary_rows); logged, and stored with the plan.",
    )

    def approval(self, tags: Mapping[str, str]) -> Approval | None:
        """The approval of a plan, if the run names one.

        Args:
            tags: The tags of the run; some deployments of Dagster name its user there.
        """
        if self.plan_id is None:
            return None
        return Approval(self.plan_id, self._person(tags), self.max_drift)

    def accepts_canary(self, tags: Mapping[str, str]) -> str | None:
        """Who accepts what a canary found, empty if that is not known; None if it is not accepted.

        Args:
            tags: The tags of the run.
        """
        return self._person(tags) if self.accept_canary else None

    def _person(self, tags: Mapping[str, str]) -> str:
        return self.approved_by or tags.get("user", "")


class _Limit(ConfigScalar):
    """A number of rows. Dagster checks the constraints of a pydantic field only after the step has started."""

    def __init__(self) -> None:
        name = "limit_whole_number_from_1"  # an error of Dagster's shows nothing of a type but its name
        super().__init__(name, name, ConfigScalarKind.INT, description="A whole number, at least 1.")

    def post_process(self, value: int) -> int:
        if value < 1:
            raise PostProcessingError(
                f"limit must be at least 1, not {value}; omit it for no limit, or set dry_run: true to preview"
            )
        return value


class _Key(ConfigType):
    """A key of the source: a text or a whole number."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._form = "|".join(columns)
        # Dagster takes types of one name for one type, also those of two syncs.
        name = "Key_" + "__".join(re.sub(r"\W", "_", column) for column in columns)
        super().__init__(name, ConfigTypeKind.ANY, given_name=name, description=f"A key, written {self._form}.")

    def post_process(self, value: object) -> str:
        text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        parts = text.split("|") if len(self._columns) > 1 else [text]
        if len(parts) != len(self._columns) or not all(part.strip() for part in parts):
            raise PostProcessingError(f"keys: a key of this sync is written {self._form}")
        return text


def option_fields(sync: ContactSync) -> Mapping[str, dg.Field]:
    """The `config_schema` of one sync: the fields of `PlanConfig`, with `limit` and `keys` checked at launch."""
    fields: dict[str, dg.Field] = dict(PlanConfig.to_fields_dict())
    stricter = {"limit": Noneable(_Limit()), "keys": Noneable(Array(_Key(sync.key_columns)))}
    for name, kind in stricter.items():
        fields[name] = dg.Field(
            kind,
            default_value=fields[name].default_value,
            is_required=False,
            description=fields[name].description,
        )
    return fields
