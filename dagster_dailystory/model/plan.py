"""The words of a sync as frozen values: what is asked for, what a plan holds, what a run reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dagster_dailystory.model.sync import Scope
from dagster_dailystory.model.watermark import Moment


class PlanStatus(str, Enum):
    """The life of a plan. Only `ready` goes to `sending`."""

    READY = "ready"
    BLOCKED = "blocked"
    DRY = "dry"
    SENDING = "sending"
    DONE = "done"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class GuardResult:
    """What one guard says of a plan.

    Attributes:
        name: The guard, as a check's name: `source_not_empty`, `changed_share`, `deleted_share`, `rejected_share`.
        passed: False blocks the plan.
        message: The figures, and what to do if it does not pass.
    """

    name: str
    passed: bool
    message: str


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """The header of a stored plan.

    Attributes:
        plan_id: Its id in `dailystory_plans`.
        sync_name: The sync.
        status: `ready`, `blocked` or `dry`.
        guards: One verdict a guard.
        rows_read: Source rows in scope; equals the sum of the next five.
        rows_unchanged: Rows without a difference that would be sent.
        rows_to_create: Contacts to create.
        rows_to_update: Contacts to update.
        rows_rejected: Rows set aside by a local check.
        rows_held: Rows refused before and unchanged since, or left out by `limit`.
        rows_to_delete: Contacts to delete or deactivate.
        changes_by_field: Field -> rows in which it differs.
        rejections_by_reason: Reason -> rows.
        diff_seconds: Time from the first query to the stored plan.
        since: The lowest value of the watermark's column among the rows read, None where all rows were.
        next_checkpoint: See `IncrementalRead.next_checkpoint`.
    """

    plan_id: str
    sync_name: str
    status: PlanStatus
    guards: tuple[GuardResult, ...]
    rows_read: int
    rows_unchanged: int
    rows_to_create: int
    rows_to_update: int
    rows_rejected: int
    rows_held: int
    rows_to_delete: int
    changes_by_field: Mapping[str, int]
    rejections_by_reason: Mapping[str, int]
    diff_seconds: float
    since: str | None = None
    next_checkpoint: str | None = field(default=None, repr=False)

    @property
    def rows_to_send(self) -> int:
        """Contacts that sending this plan would write."""
        return self.rows_to_create + self.rows_to_update + self.rows_to_delete


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What one run asks of a plan.

    Attributes:
        scope: Which rows are looked at.
        dry_run: Store the plan as a preview that can never be sent.
        limit: At most this many creates and updates; the rest stays a difference. Plans no deletions.
        keys: Only these keys, each as text or as the key columns' values. Plans no deletions.
        partition: The slice of the source, None for all of it.
        since: The lowest value of the watermark's column, None for all rows; the plan itself sets it.
    """

    scope: Scope = Scope.CHANGED
    dry_run: bool = False
    limit: int | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)
    partition: str | None = None
    since: Moment | None = None

    @property
    def plans_deletions(self) -> bool:
        """Whether keys that left the source are looked for."""
        return self.limit is None and not self.keys and self.scope is not Scope.REJECTED and self.since is None
