"""A plan as frozen values: its status, its guard results and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.change import SHOWN_KEYS, WaitingOptOuts
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.counts import PlanCounts, counts_of
from dagster_dailystory.model.sync import ContactSync, Mode


class PlanStatus(str, Enum):
    """The status of a plan. Only a `ready` plan can become `sending`, and a `waiting` one that is approved."""

    READY = "ready"
    """It can be sent."""
    WAITING = "waiting"
    """It waits for approval (`require_approval`): sending it by its id approves it."""
    BLOCKED = "blocked"
    """A guard did not pass: it is never sent. Correct the source or the limit, and run again."""
    DRY = "dry"
    """A dry run: it is shown and never sent."""
    SENDING = "sending"
    """It is being sent, or was stopped; the next run of it goes on."""
    DONE = "done"
    """Each of its changes has a result."""
    SUPERSEDED = "superseded"
    """A newer plan looks at its rows again, so it is not sent any more."""
    EXPIRED = "expired"
    """It was not sent to its end within `plan_expires_hours`."""


OVERTAKEN = {
    PlanStatus.SUPERSEDED: "superseded by a newer plan",
    PlanStatus.DONE: "sent already",
    PlanStatus.EXPIRED: "older than plan_expires_hours",
}
"""Why the plan of a run is not sent any more, although no guard forbids it."""


OPTED_OUT_SHARE = "opted_out_share"
"""The guard that stops opt-outs too."""


@dataclass(frozen=True, slots=True)
class GuardResult:
    """The result of one guard for a plan.

    Attributes:
        name: One of `GUARD_NAMES`, such as `deleted_share`; its asset check has this name.
        passed: False blocks the plan.
        message: The figures, and what to do if the guard does not pass.
        number: What was compared with the limit, a share or a number of rows; None if nothing was, or in a plan of an
            earlier version.
        limit: The limit; None for none.
    """

    name: str
    passed: bool
    message: str
    number: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row, without personal data.

    Attributes:
        key_label: The key as logs may show it.
        reason: The reason's code.
        message: What is wrong and what to do.
        source_rows: Number of source rows; more than one if they share a key.
    """

    key_label: str
    reason: str
    message: str
    source_rows: int = 1


@dataclass(frozen=True, kw_only=True)
class PlanSummary(PlanCounts):
    """The header of a stored plan.

    Attributes:
        plan_id: Its id in `dailystory_plans`.
        sync_name: The sync.
        status: `ready`, `waiting`, `blocked` or `dry`; later `sending`, `done`, `superseded` or `expired`.
        guards: One result per guard.
        opt_outs_waiting: A few of the opt-outs that wait, with reasons; also those that a blocked plan would send.
        changes_by_field: Field -> number of rows in which it differs.
        rejections_by_reason: Reason -> number of rows.
        fields_dropped: Field -> reason -> invalid values that are left out of rows that are sent (`drop_field`).
        new_custom_fields: Custom fields that no sync of this state has sent yet.
        rejected_rows: A few rows of each reason; none in a plan that was read from the state.
        diff_seconds: Time from the first query to the stored plan.
        since: The lowest watermark value that was read, None if all rows were read.
        rows_in_future: Rows whose watermark is more than a day in the future; each run reads them again.
        rows_without_watermark: Rows whose watermark is NULL; each run reads them again.
        keys_not_found: Chosen keys that the source does not have, as logs may show them.
        next_checkpoint: See `IncrementalRead.next_checkpoint`.
        compared: How source and snapshot were compared: `inside`, by `sums` of hashes, by `hashes`, or `streamed`.
        compared_why: Why rows were streamed, all slices were read, or all hashes were read after the sums; empty
            otherwise.
        live_keys: Keys of the whole sync that were in the source before this run.
        whole_source: The plan has every create of the source, or of its slice.
        first_load: The sync's first load was not done when the plan was made.
        expires_at: Until when the plan can be sent (UTC without a zone).
        approved_by: Who approved the plan; empty without an approval.
        approved_at: When it was approved (UTC without a zone); None without an approval.
        canary: What its canary found; None before it, or without one.
        canary_accepted_by: Who let it be sent without a canary, or whatever its canary found; else empty.
        is_other_source: The query or the table is another one than that of the plan before.
        destination_warning: What a dry run could not find out about the API token and the address; empty otherwise.
    """

    plan_id: str
    sync_name: str
    status: PlanStatus
    guards: tuple[GuardResult, ...]
    changes_by_field: Mapping[str, int]
    rejections_by_reason: Mapping[str, int]
    diff_seconds: float
    fields_dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    new_custom_fields: tuple[str, ...] = ()
    rejected_rows: tuple[RejectedRow, ...] = field(default=(), repr=False)
    opt_outs_waiting: WaitingOptOuts = field(default=WaitingOptOuts(), repr=False)
    since: str | None = None
    rows_in_future: int = 0
    rows_without_watermark: int = 0
    keys_not_found: tuple[str, ...] = ()
    next_checkpoint: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    compared: str = ""
    compared_why: str = ""
    live_keys: int = 0
    whole_source: bool = False
    first_load: bool = False
    approved_by: str = ""
    approved_at: datetime | None = None
    canary: CanaryReport | None = None
    canary_accepted_by: str = ""
    is_other_source: bool = False
    destination_warning: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in counts_of(PlanCounts)}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the source, the run options, the mapping or the destination, and what to do."""
        advice = (
            self._source_advice,
            self._watermark_advice,
            self._keys_advice,
            self.custom_fields_advice,
            self.destination_warning,
        )
        return tuple(filter(None, advice))

    @property
    def custom_fields_advice(self) -> str:
        """What to check if a custom field is new; empty if none is."""
        if not self.new_custom_fields:
            return ""
        names = ", ".join(map(repr, self.new_custom_fields))
        standard = {each.casefold(): each for each in CONTACT_FIELDS}
        meant = [standard[each.casefold()] for each in self.new_custom_fields if each.casefold() in standard]
        contact_fields = f" ({', '.join(meant)}: a contact field, which belongs in fields)" if meant else ""
        return (
            f"never sent before: custom field {names}{contact_fields}. DailyStory makes a new field of each name that "
            "it does not know, so check the spelling; known_custom_fields lists the names that a sync may send"
        )

    @property
    def _source_advice(self) -> str:
        if not self.is_other_source:
            return ""
        return (
            "the query or the table is another one than that of the last plan; a sync of the same name elsewhere, with "
            "the same state, has the same effect"
        )

    @property
    def _keys_advice(self) -> str:
        missing, rest = self.keys_not_found[:SHOWN_KEYS], len(self.keys_not_found) - SHOWN_KEYS
        if not missing:
            return ""
        keys = f"{', '.join(missing)}{f' and {rest} more' if rest > 0 else ''}"
        return f"the source has no row with the chosen key {keys}; nothing is planned for it"

    @property
    def _watermark_advice(self) -> str:
        counts = {"more than a day in the future": self.rows_in_future, "NULL": self.rows_without_watermark}
        found = [(what, "1 row" if rows == 1 else f"{rows:,} rows") for what, rows in counts.items() if rows]
        if not found:
            return ""
        wrong = ", and ".join(f"the watermark of {rows} is {what}" for what, rows in found)
        return f"{wrong}, so every run reads them; correct the source"

    @property
    def values_dropped(self) -> int:
        """How many values are left out of rows that are sent."""
        return sum(sum(by_reason.values()) for by_reason in self.fields_dropped.values())

    @property
    def opt_outs_left(self) -> int:
        """Opt-outs that wait after this plan was sent; all of them, if it can never be sent."""
        is_sent = self.status not in (PlanStatus.BLOCKED, PlanStatus.EXPIRED, PlanStatus.WAITING)
        return self.opt_outs_pending + (0 if is_sent else self.opt_outs_to_send)

    @property
    def approval(self) -> str:
        """Whether the plan waits for approval, or who approved it and when; empty if it needs no approval."""
        if self.approved_at is not None:
            return f"plan {self.plan_id} was approved by {self.approved_by} at {self.approved_at:%Y-%m-%d %H:%M} UTC"
        if self.status is not PlanStatus.WAITING or self.expires_at is None:
            return ""
        return f"plan {self.plan_id} waits for approval until {self.expires_at:%Y-%m-%d %H:%M} UTC"

    @property
    def blocks_opt_outs(self) -> bool:
        """Whether too many contacts opt out, so that no scope sends the opt-outs."""
        return any(guard.name == OPTED_OUT_SHARE and not guard.passed for guard in self.guards)

    @property
    def rows_to_send(self) -> int:
        """Writes that sending this plan would make."""
        return self.rows_to_create + self.rows_to_update + self.rows_to_delete + self.opt_outs_ahead


def planned_counts(sync: ContactSync, plan: PlanSummary) -> str:
    """What a plan would send, in words: the counts that are not 0, and why rows are rejected."""
    created = "to look up and update" if sync.mode is Mode.UPDATE else "to create"
    counts = {
        created: plan.rows_to_create,
        "to update": plan.rows_to_update,
        f"to {sync.delete_policy.value}": plan.rows_to_delete,
        "to opt out": plan.opt_outs_ahead,
        "held back": plan.rows_held,
    }
    found = ", ".join(f"{rows:,} {verb}" for verb, rows in counts.items() if rows)
    nothing = "" if plan.rows_to_send else "nothing to send"
    dropped = ", ".join(f"{name} ({counted(reasons)})" for name, reasons in plan.fields_dropped.items())
    left_out = f"values left out: {dropped}" if dropped else ""
    rejected = rejected_rows(plan.rows_rejected, plan.rejections_by_reason)
    return "; ".join(filter(None, (nothing, found, left_out, rejected)))


def some(count: int, one: str, more: str) -> str:
    """A count with its word in the singular or the plural."""
    return f"{count:,} {one if count == 1 else more}"


def rejected_rows(rows: int, by_reason: Mapping[str, int]) -> str:
    """How many rows are rejected and why; empty if none is."""
    reasons = f": {counted(by_reason)}" if by_reason else ""
    return f"{rows:,} rejected{reasons}" if rows else ""


def counted(counts: Mapping[str, int]) -> str:
    """Name counts, the largest first: `9 invalid_mobile, 3 duplicate_key`."""
    largest = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count:,} {name}" for name, count in largest)


def why_blocked(plan: PlanSummary) -> str:
    """Which guards blocked a plan, with their messages; empty if none did."""
    if plan.status is not PlanStatus.BLOCKED:
        return ""
    failed = "; ".join(f"{guard.name}: {guard.message}" for guard in plan.guards if not guard.passed)
    return f"the plan of sync {plan.sync_name!r} is blocked and nothing was sent. {failed}{_waiting_text(plan)}"


def raise_if_blocked(plan: PlanSummary) -> None:
    """Raise an error if a guard blocked the plan.

    Raises:
        SafetyError: With the guards' messages.
    """
    reason = why_blocked(plan)
    if reason:
        raise SafetyError(reason)


def _waiting_text(plan: PlanSummary) -> str:
    """What becomes of the opt-outs of a blocked plan."""
    if not plan.opt_outs_to_send:
        return ""
    waiting = some(plan.opt_outs_to_send, "opt-out waits", "opt-outs wait")
    if plan.blocks_opt_outs:
        return f". Its {waiting}, also for scope='opt_outs', until the limit is raised or the source is repaired"
    return f". Its {waiting}; scope='opt_outs' sends them"
