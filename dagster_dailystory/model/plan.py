"""A plan as frozen values: the options it was made with, its counts and its guard results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import NoneType

from dagster_dailystory.errors import ConfigurationError, SafetyError
from dagster_dailystory.model.change import SHOWN_KEYS, WaitingOptOuts
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS
from dagster_dailystory.model.settings import Kind, check_types, choice
from dagster_dailystory.model.sync import ContactSync, Deletes, Mode, Scope
from dagster_dailystory.model.watermark import Moment


class PlanStatus(str, Enum):
    """The status of a plan. Only a `ready` plan can become `sending`."""

    READY = "ready"
    """It can be sent."""
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


OPTED_OUT_SHARE = "opted_out_share"
"""The guard that stops opt-outs too."""


@dataclass(frozen=True, slots=True)
class GuardResult:
    """The result of one guard for a plan.

    Attributes:
        name: One of `GUARD_NAMES`, such as `deleted_share`; its asset check has this name.
        passed: False blocks the plan.
        message: The figures, and what to do if the guard does not pass.
    """

    name: str
    passed: bool
    message: str


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


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """The header of a stored plan.

    Attributes:
        plan_id: Its id in `dailystory_plans`.
        sync_name: The sync.
        status: `ready`, `blocked` or `dry`.
        guards: One result per guard.
        rows_read: Source rows in scope: the sum of the next five counts.
        rows_unchanged: Rows without a difference that would be sent.
        rows_to_create: Contacts to create.
        rows_to_update: Contacts to update.
        rows_rejected: Rows rejected before sending, for example by a row check.
        rows_held: Rows that DailyStory refused before and that have not changed since, and rows beyond `limit`.
        rows_to_delete: Contacts to delete or deactivate.
        opt_outs_to_send: Contacts that opt out, by a change of their own or by an update of nothing else.
        opt_outs_ahead: Changes of their own among them: they leave before the other changes of their rows.
        opt_outs_pending: Rows whose opt-out waits, because no contact is known for them and none is created.
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
        rows_delete_skipped_shared: Contacts of missing keys that are kept, because another sync holds them.
        live_keys: Keys of the whole sync that were in the source before this run.
        whole_source: The plan has every create of the source, or of its slice.
        first_load: The sync's first load was not done when the plan was made.
        expires_at: Until when the plan can be sent (UTC without a zone).
        destination_warning: What a dry run could not find out about the API token and the address; empty otherwise.
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
    fields_dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    new_custom_fields: tuple[str, ...] = ()
    rejected_rows: tuple[RejectedRow, ...] = field(default=(), repr=False)
    opt_outs_to_send: int = 0
    opt_outs_ahead: int = 0
    opt_outs_pending: int = 0
    opt_outs_waiting: WaitingOptOuts = field(default=WaitingOptOuts(), repr=False)
    since: str | None = None
    rows_in_future: int = 0
    rows_without_watermark: int = 0
    keys_not_found: tuple[str, ...] = ()
    next_checkpoint: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    rows_delete_skipped_shared: int = 0
    live_keys: int = 0
    whole_source: bool = False
    first_load: bool = False
    destination_warning: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the source, the run options, the mapping or the destination, and what to do."""
        advice = (self._watermark_advice, self._keys_advice, self.custom_fields_advice, self.destination_warning)
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
        is_sent = self.status not in (PlanStatus.BLOCKED, PlanStatus.EXPIRED)
        return self.opt_outs_pending + (0 if is_sent else self.opt_outs_to_send)

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
    deletion = "to deactivate" if sync.deletes is Deletes.DEACTIVATE else "to delete"
    created = "to look up and update" if sync.mode is Mode.UPDATE else "to create"
    counts = {
        created: plan.rows_to_create,
        "to update": plan.rows_to_update,
        deletion: plan.rows_to_delete,
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


def raise_if_blocked(plan: PlanSummary) -> None:
    """Raise an error if a guard blocked the plan.

    Raises:
        SafetyError: With the guards' messages.
    """
    if plan.status is PlanStatus.BLOCKED:
        failed = "; ".join(f"{guard.name}: {guard.message}" for guard in plan.guards if not guard.passed)
        raise SafetyError(
            f"the plan of sync {plan.sync_name!r} is blocked and nothing was sent. {failed}{_waiting_text(plan)}"
        )


def _waiting_text(plan: PlanSummary) -> str:
    """What becomes of the opt-outs of a blocked plan."""
    if not plan.opt_outs_to_send:
        return ""
    waiting = some(plan.opt_outs_to_send, "opt-out waits", "opt-outs wait")
    if plan.blocks_opt_outs:
        return f". Its {waiting}, also for scope='opt_outs', until the limit is raised or the source is repaired"
    return f". Its {waiting}; scope='opt_outs' sends them"


def chosen_keys(keys: Sequence[object] | None) -> tuple[str, ...]:
    """Convert the run option `keys` to texts; None, for all keys, becomes empty.

    Raises:
        ConfigurationError: It is one text, or it has no key, which would mean all rows.
    """
    if keys is None:
        return ()
    if isinstance(keys, str):
        raise ConfigurationError("keys must be a list of keys; it is one text: write it in brackets, keys=['...']")
    if not keys:
        raise ConfigurationError(
            "keys is empty, so no row would be planned; omit it, or set it to None, to plan all rows"
        )
    return tuple(dict.fromkeys(map(str, keys)))


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Which rows a run plans, and how.

    Attributes:
        scope: Which rows are compared.
        dry_run: Store the plan as a preview that can never be sent.
        limit: Maximum number of creates and updates; the next run plans the rest. Plans no deletions.
        keys: Plan only these keys. Plans no deletions.
        partition: The slice to plan, None for the whole source.
        since: The lowest watermark value to read, None for all rows; set by the planner, not by the caller.
    """

    scope: Scope = Scope.CHANGED
    dry_run: bool = False
    limit: int | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)
    partition: str | None = None
    since: Moment | None = None

    @property
    def plans_deletions(self) -> bool:
        """Whether missing keys are planned: only if the whole source, or a whole slice, is read."""
        chooses_rows = self.scope in (Scope.REJECTED, Scope.OPT_OUTS)
        return self.limit is None and not self.keys and not chooses_rows and self.since is None

    @property
    def retries_refused(self) -> bool:
        """Whether rows that DailyStory refused, or whose contact was deleted there, are sent again."""
        return self.scope is not Scope.CHANGED

    def plans_all_creates(self, rows_to_send: int) -> bool:
        """Whether a plan with this number of creates and updates has every create of the source, or of its slice."""
        is_whole = not self.keys and self.scope in (Scope.CHANGED, Scope.ALL) and self.since is None
        return is_whole and (self.limit is None or rows_to_send < self.limit)


_OPTION_TYPES = {
    "dry_run": Kind((bool,), "True or False"),
    "limit": Kind((int, NoneType), "a whole number, or None for no limit"),
    "partition": Kind((str, NoneType), "the name of a slice, or None for all"),
}


def checked_options(
    scope: Scope | str, *, dry_run: bool, limit: int | None, keys: Sequence[object] | None, partition: str | None
) -> PlanOptions:
    """Make the options of a run from what a user gave.

    Raises:
        ConfigurationError: A value is of another type, or means that nothing is planned; the text "no" would be a yes.
    """
    options = PlanOptions(choice(Scope, scope, "scope"), dry_run, limit, chosen_keys(keys), partition)
    check_types(options, _OPTION_TYPES)
    if limit is not None and limit < 1:
        raise ConfigurationError(f"limit={limit!r} must be at least 1; omit it for no limit, or set dry_run to preview")
    return options


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of the source that a plan looks at.

    Attributes:
        partition: The slice, None for the whole source.
        scope: Which rows are compared.
        limit: Maximum number of creates and updates.
        keys: How many keys were chosen; 0 for all.
        chosen: A keyed hash of the chosen keys, None without any.
        since: The lowest watermark value that was read, None for all rows.
    """

    partition: str | None
    scope: Scope
    limit: int | None
    keys: int
    chosen: str | None
    since: str | None

    @classmethod
    def of(cls, options: PlanOptions, chosen: str | None) -> Selection:
        """The selection of a run."""
        since = None if options.since is None else options.since.isoformat()
        return cls(options.partition, options.scope, options.limit, len(options.keys), chosen, since)

    def covers(self, other: Selection) -> bool:
        """Whether a plan of this selection looks at each row of the other again, and so supersedes its plan."""
        if Scope.OPT_OUTS in (self.scope, other.scope):
            return self == other
        if self.limit is not None or self.keys:
            return self == other
        as_far_back = self.since is None or (other.since is not None and self.since <= other.since)
        return self.partition in (None, other.partition) and as_far_back and self.scope in (other.scope, Scope.ALL)
