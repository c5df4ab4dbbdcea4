"""The approval of a plan by its id."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import check_value


@dataclass(frozen=True)
class Approval:
    """The approval of a plan by its id.

    Attributes:
        plan_id: The plan.
        approved_by: Who approves it; stored with the plan.
        max_drift: Largest share of the plan's rows whose values in the source may have changed since.
    """

    plan_id: str
    approved_by: str = ""
    max_drift: float = 0.1

    def __post_init__(self) -> None:
        check_value("plan_id", self.plan_id, str, ("the plan_id of a plan",))
        check_value("approved_by", self.approved_by, str, ("the name of a person",))
        check_value("max_drift", self.max_drift, float, (0.1,))
        if not 0 <= self.max_drift <= 1:
            raise ConfigurationError(f"max_drift={self.max_drift!r} must be a share from 0 to 1")
