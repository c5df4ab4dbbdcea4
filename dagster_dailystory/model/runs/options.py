"""The options of a run: which rows it plans, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import NoneType

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import Slices, slices_named
from dagster_dailystory.model.settings import Kind, check_types, choice
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.model.watermark import Moment


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
    return tuple(dict.fromkeys(map(_written, keys)))


PART_SEPARATOR = "\x1f"
"""Between the parts of a key that was given as a tuple: unlike `|`, no part contains it."""


def _written(key: object) -> str:
    return PART_SEPARATOR.join(map(str, key)) if isinstance(key, (tuple, list)) else str(key)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Which rows a run plans, and how.

    Attributes:
        scope: Which rows are compared.
        dry_run: Store the plan as a preview that can never be sent.
        limit: Maximum number of creates and updates; the next run plans the rest. Plans no deletions.
        keys: Plan only these keys. Plans no deletions.
        partition: The slice to plan, or a range of slices (`first...last`); None for the whole source.
        slices: The slices of `partition`; set by `of_sync`, not by the caller.
        of_some_rows: The source is a frame with some of its rows; set by `of_sync` too.
        since: The lowest watermark value to read, None for all rows; set by the planner, not by the caller.
        undoes: The run that the plan takes back; None for a plan that follows the source.
        reads_all: Read all rows, whatever the watermark; set to compare a plan of chosen keys with what holds now.
    """

    scope: Scope = Scope.CHANGED
    dry_run: bool = False
    limit: int | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)
    partition: str | None = None
    slices: Slices | None = None
    of_some_rows: bool = False
    since: Moment | None = None
    undoes: str | None = None
    reads_all: bool = False

    def of_sync(self, sync: ContactSync, now: datetime) -> PlanOptions:
        """Complete the options by what the sync says; a range of all slices is the whole source.

        Args:
            sync: The sync.
            now: The present, with a zone; see `slices_named`.

        Raises:
            ConfigurationError: The sync has no such slice.
        """
        slices = slices_named(sync.partitions, self.partition, now)
        partition = None if slices is None else slices.label
        return replace(self, partition=partition, slices=slices, of_some_rows=sync.reads_some_rows)

    @property
    def plans_deletions(self) -> bool:
        """Whether missing keys are planned: only if the whole source, or a whole slice, is read."""
        chooses_rows = self.scope in (Scope.REJECTED, Scope.OPT_OUTS)
        chooses_rows = chooses_rows or self.undoes is not None
        return self.limit is None and not self.keys and not chooses_rows and not self.leaves_rows_out

    @property
    def leaves_rows_out(self) -> bool:
        """Whether the source has rows that a run does not get: those before its watermark, or beside its frame."""
        return self.since is not None or self.of_some_rows

    @property
    def retries_refused(self) -> bool:
        """Whether rows that DailyStory refused, or whose contact was deleted there, are sent again."""
        return self.scope is not Scope.CHANGED

    def plans_all_creates(self, rows_to_send: int) -> bool:
        """Whether a plan with this number of creates and updates has every create of the source, or of its slice."""
        is_whole = not self.keys and not self.undoes and self.scope in (Scope.CHANGED, Scope.ALL) and self.since is None
        return is_whole and (self.limit is None or rows_to_send < self.limit)


def needs_approval(sync: ContactSync, options: PlanOptions) -> bool:
    """Whether a person has to approve a plan with these options before it is sent."""
    is_asked_for = options.dry_run or options.undoes is not None
    return sync.require_approval and options.scope is not Scope.OPT_OUTS and not is_asked_for


_OPTION_TYPES = {
    "dry_run": Kind((bool,), "True or False"),
    "limit": Kind((int, NoneType), "a whole number, or None for no limit"),
    "partition": Kind((str, NoneType), "the name of a slice, a range such as 'a...c', or None for all"),
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
        slices: The names of the slices, empty for the whole source.
        scope: Which rows are compared.
        limit: Maximum number of creates and updates.
        keys: How many keys were chosen; 0 for all.
        chosen: A keyed hash of the chosen keys, None without any.
        since: The lowest watermark value that was read, None for all rows.
        of_some_rows: The source was a frame with some of its rows.
        undoes: The run that the plan takes back, None for a plan that follows the source.
    """

    slices: tuple[str, ...]
    scope: Scope
    limit: int | None
    keys: int
    chosen: str | None
    since: str | None
    of_some_rows: bool = False
    undoes: str | None = None

    @classmethod
    def of(cls, options: PlanOptions, chosen: str | None) -> Selection:
        """The selection of a run."""
        since = None if options.since is None else options.since.isoformat()
        slices = () if options.slices is None else options.slices.names
        found = (slices, options.scope, options.limit, len(options.keys), chosen, since)
        return cls(*found, options.of_some_rows, options.undoes)

    def covers(self, other: Selection) -> bool:
        """Whether a plan of this selection looks at each row of the other again, and so supersedes its plan."""
        if Scope.OPT_OUTS in (self.scope, other.scope):
            return self == other
        if self.undoes:  # it writes some fields of a row, so an earlier plan of the row must not pass for sent
            return True
        if self.limit is not None or self.keys or self.of_some_rows:
            return self == other and not self.of_some_rows
        as_far_back = self.since is None or (other.since is not None and self.since <= other.since)
        has_slices = not self.slices or (bool(other.slices) and set(other.slices) <= set(self.slices))
        return has_slices and as_far_back and self.scope in (other.scope, Scope.ALL)
