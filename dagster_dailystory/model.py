"""The words of a sync as frozen values: what is asked for, what a plan holds, what a run reports."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.fields import CONTACT_FIELDS, OPT_OUT_FIELDS, FieldKind, nearest

Value = str | int | float | bool
"""A value as it travels in DailyStory's JSON."""


class Mode(str, Enum):
    """Which contacts a sync may touch."""

    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


class Deletes(str, Enum):
    """What happens to the contact of a key that left the source."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


class Nulls(str, Enum):
    """What a NULL in the source says: nothing (`keep`), or "empty this field" (`clear`)."""

    KEEP = "keep"
    CLEAR = "clear"


class Scope(str, Enum):
    """Which rows a plan looks at: those that differ, every row, or only those set aside before."""

    CHANGED = "changed"
    ALL = "all"
    REJECTED = "rejected"


class Operation(str, Enum):
    """What one change does. The last two move the snapshot and send nothing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RECORD = "record"
    """Only differences that are never sent, for example an opt-out flag that went back to false."""
    DEPART = "depart"
    """The key left the source and the policy is to keep the contact."""


class Outcome(str, Enum):
    """What became of one change."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    MAPPED = "mapped"
    """An existing contact was found and mapped, not written."""
    RECORDED = "recorded"
    REJECTED = "rejected"
    FAILED = "failed"
    """No lasting verdict; the row stays a difference."""
    IN_DOUBT = "in_doubt"
    """A create whose answer was lost; it is looked up before it is sent again."""
    CONFLICTED = "conflicted"
    """The dsid or the identity belongs to somebody else now."""


class PlanStatus(str, Enum):
    """The life of a plan. Only `ready` goes to `sending`."""

    READY = "ready"
    BLOCKED = "blocked"
    DRY = "dry"
    SENDING = "sending"
    DONE = "done"
    SUPERSEDED = "superseded"


class Reason(str, Enum):
    """Why a row was not sent, or refused."""

    NULL_KEY = "null_key"
    DUPLICATE_KEY = "duplicate_key"
    NO_IDENTITY = "no_identity"
    INVALID_EMAIL = "invalid_email"
    INVALID_MOBILE = "invalid_mobile"
    INVALID_VALUE = "invalid_value"
    VALUE_TOO_LONG = "value_too_long"
    DUPLICATE_IDENTITY = "duplicate_identity"
    IDENTITY_CYCLE = "identity_cycle"
    IDENTITY_TAKEN = "identity_taken"
    SHARED_DSID = "shared_dsid"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


REMEMBERED_REASONS = frozenset({Reason.REFUSED, Reason.NOT_FOUND, Reason.IDENTITY_TAKEN})
"""Verdicts of the service. They are not asked for again until the row or the mapping changes."""

SYNC_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_RESERVED_KEY_COLUMNS = frozenset(
    {
        "plan_id", "sequence", "operation", "outcome", "attempts", "answered_at", "dsid", "reason", "message", "status",
        "first_synced_at", "last_synced_at", "deactivated_at", "deleted_at", "absent_since", "absent_action",
        "identity_email", "identity_mobile", "partition_value", "resend_all", "first_seen_at", "last_seen_at",
        "fingerprint", "sent_at", "priority", "waits_for", "rekeyed_from", "is_new", "row_label", "source_rows",
        "email_as_sent", "mobile_as_sent",
    }
)  # fmt: skip

_E = TypeVar("_E", bound=Enum)


def choice(kind: type[_E], value: str | _E, setting: str) -> _E:
    """Turn a setting's text into its enum member.

    Raises:
        ConfigurationError: The text is none of the members; the message lists them.
    """
    try:
        return kind(value)
    except ValueError:
        names = [str(member.value) for member in kind]
        hint = nearest(str(value), names)
        raise ConfigurationError(f"{setting}={value!r} is not one of {', '.join(names)}{hint}") from None


@dataclass(frozen=True, slots=True)
class MappedField:
    """One column of the source that feeds one field of a contact.

    Attributes:
        name: The field in DailyStory's JSON, or the custom field's API name.
        column: The source column.
        kind: How values are checked and sent.
        nulls: What a NULL of the source means for this field.
        max_length: Longest text in characters.
        state_column: The column of the state tables: `field_city` and a custom `custom_city` differ.
    """

    name: str
    column: str
    kind: FieldKind
    nulls: Nulls
    max_length: int
    state_column: str = field(init=False)

    @property
    def is_custom(self) -> bool:
        """Whether the value travels in `extendedProperties`."""
        return self.kind is FieldKind.CUSTOM

    def __post_init__(self) -> None:
        prefix = "custom" if self.is_custom else "field"
        object.__setattr__(self, "state_column", _identifier(f"{prefix}_{self.name}"))


def _identifier(name: str) -> str:
    """Give odd or long names a hash, so that no two collide in a database that folds or cuts identifiers."""
    if re.fullmatch(r"[A-Za-z0-9_]{1,50}", name):
        return name
    plain = "_".join(re.findall(r"[A-Za-z0-9]+", name))[:30]
    return f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, kw_only=True)
class ContactSync:
    """Name a warehouse query and the DailyStory contacts that must equal it.

    Attributes:
        name: The sync's name, `[a-z][a-z0-9_]{0,30}`; it is part of the state tables' names.
        source: A SELECT (any text with white space), a path that ends in `.sql`, or a table name.
        key: The column, or columns, that identify a source row: unique, never NULL.
        fields: DailyStory field -> source column.
        extended_properties: Custom field (API name) -> source column.
        mode: `upsert`; `update` (unmapped keys are looked up once, none is created); `create` (existing contacts are
            mapped and not written).
        deletes: What happens when a key leaves the source: `keep`, `deactivate` or `delete` the contact.
        nulls: `keep` or `clear` for every field, or a mapping field -> one of these. Opt-out flags, the status and
            the identity fields are never cleared.
        max_changed_fraction: Block the plan above this share of changed rows (0 to 1); None: no limit.
        max_deleted_fraction: Block the plan above this share of deleted rows.
        max_rejected_fraction: Block the plan above this share of rejected rows; None: no limit.
        min_guard_rows: The three shares are judged from this many affected rows on, so that small tables can change.
        allow_empty_source: Let an empty source delete every contact of the sync.
        personal_keys: Key columns that identify a person; they appear as an opaque id in logs and metadata.
        consent_override: Opt-out fields that may go from true to false, and `status`; each use is logged.
        default_region: ISO country (`US`) for mobile numbers without a country code; None refuses such numbers.
        max_value_length: Longest value of a custom field in characters.

    Raises:
        ConfigurationError: A field that DailyStory does not know, a doubled mapping, a bad name or share.

    Example:
        ```python
        customers = ContactSync(
            name="customers",
            source="select customer_id, email, first_name, plan from analytics.customers",
            key="customer_id",
            fields={"email": "email", "firstName": "first_name"},
            extended_properties={"plan": "plan"},
        )
        ```
    """

    name: str
    source: str | Path
    key: str | Sequence[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    extended_properties: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | str = Mode.UPSERT
    deletes: Deletes | str = Deletes.KEEP
    nulls: Nulls | str | Mapping[str, Nulls | str] = Nulls.KEEP
    max_changed_fraction: float | None = None
    max_deleted_fraction: float | None = 0.1
    max_rejected_fraction: float | None = None
    min_guard_rows: int = 20
    allow_empty_source: bool = False
    personal_keys: Sequence[str] = ()
    consent_override: Sequence[str] = ()
    default_region: str | None = None
    max_value_length: int = 255
    mapped_fields: tuple[MappedField, ...] = field(init=False, repr=False)
    key_columns: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        set_value = object.__setattr__  # the dataclass is frozen; this is its constructor
        if not SYNC_NAME.fullmatch(self.name):
            raise ConfigurationError(f"name={self.name!r} must match [a-z][a-z0-9_]{{0,30}}: it names state tables")
        keys = (self.key,) if isinstance(self.key, str) else tuple(self.key)
        _check_keys(keys)
        set_value(self, "key_columns", keys)
        set_value(self, "mode", choice(Mode, self.mode, "mode"))
        set_value(self, "deletes", choice(Deletes, self.deletes, "deletes"))
        for setting in ("fields", "extended_properties"):
            set_value(self, setting, MappingProxyType(dict(getattr(self, setting))))
        set_value(self, "personal_keys", tuple(self.personal_keys))
        set_value(self, "consent_override", tuple(self.consent_override))
        set_value(self, "mapped_fields", _map_fields(self))
        _check_limits(self)

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """The source columns that feed the email or the mobile number."""
        return tuple(m.column for m in self.mapped_fields if m.kind in (FieldKind.EMAIL, FieldKind.MOBILE))

    @property
    def personal_key_columns(self) -> frozenset[str]:
        """The key columns whose values must not be shown: named so, or also feeding the identity."""
        personal = {column.casefold() for column in (*self.personal_keys, *self.identity_columns)}
        return frozenset(column for column in self.key_columns if column.casefold() in personal)


def _check_keys(keys: tuple[str, ...]) -> None:
    if not keys or not all(keys):
        raise ConfigurationError("key must name at least one source column")
    if len({key.casefold() for key in keys}) != len(keys):
        raise ConfigurationError(f"key names a column twice: {', '.join(keys)}")
    for key in keys:
        if key.casefold() in _RESERVED_KEY_COLUMNS:
            raise ConfigurationError(f"key column {key!r} is a name of the state tables; give it an alias in the query")


def _map_fields(sync: ContactSync) -> tuple[MappedField, ...]:
    if not sync.fields and not sync.extended_properties:
        raise ConfigurationError("fields and extended_properties are both empty: nothing would be sent")
    for name in sync.fields:
        if name not in CONTACT_FIELDS:
            hint = nearest(name, CONTACT_FIELDS)
            advice = hint or "; custom fields belong in extended_properties"
            raise ConfigurationError(f"DailyStory has no contact field {name!r}{advice}")
    folded: dict[str, str] = {}
    for name in sync.extended_properties:
        if not name.strip():
            raise ConfigurationError("extended_properties has an empty custom field name")
        if name.casefold() in folded:
            raise ConfigurationError(f"extended_properties maps both {folded[name.casefold()]!r} and {name!r}")
        folded[name.casefold()] = name
    nulls = _nulls_by_field(sync)
    documented = (
        MappedField(name, column, CONTACT_FIELDS[name].kind, nulls[name], CONTACT_FIELDS[name].max_length)
        for name, column in sync.fields.items()
    )
    custom = (
        MappedField(name, column, FieldKind.CUSTOM, nulls[name], sync.max_value_length)
        for name, column in sync.extended_properties.items()
    )
    return (*documented, *custom)


_CLEARABLE = frozenset({FieldKind.TEXT, FieldKind.CUSTOM})


def _nulls_by_field(sync: ContactSync) -> dict[str, Nulls]:
    kinds = {name: CONTACT_FIELDS[name].kind for name in sync.fields}
    kinds.update(dict.fromkeys(sync.extended_properties, FieldKind.CUSTOM))
    if not isinstance(sync.nulls, Mapping):
        everywhere = choice(Nulls, sync.nulls, "nulls")
        return {name: everywhere if kind in _CLEARABLE else Nulls.KEEP for name, kind in kinds.items()}
    chosen = dict.fromkeys(kinds, Nulls.KEEP)
    for name, value in sync.nulls.items():
        if name not in kinds:
            raise ConfigurationError(f"nulls names {name!r}, which is not mapped{nearest(name, kinds)}")
        chosen[name] = choice(Nulls, value, f"nulls[{name!r}]")
        if chosen[name] is Nulls.CLEAR and kinds[name] not in _CLEARABLE:
            raise ConfigurationError(f"nulls cannot clear {name!r}: only texts and custom fields can be emptied")
    return chosen


def _check_limits(sync: ContactSync) -> None:
    for setting in ("max_changed_fraction", "max_deleted_fraction", "max_rejected_fraction"):
        share = getattr(sync, setting)
        if share is not None and not 0 <= share <= 1:
            raise ConfigurationError(f"{setting}={share!r} must be between 0 and 1")
    if sync.min_guard_rows < 0 or sync.max_value_length < 1:
        raise ConfigurationError("min_guard_rows and max_value_length must be positive")
    for column in sync.personal_keys:
        if column not in sync.key_columns:
            raise ConfigurationError(
                f"personal_keys names {column!r}, which is not a key{nearest(column, sync.key_columns)}"
            )
    allowed = OPT_OUT_FIELDS | {"status"}
    for name in sync.consent_override:
        if name not in allowed:
            raise ConfigurationError(f"consent_override names {name!r}{nearest(name, allowed)}")
    if sync.default_region is not None and not re.fullmatch(r"[A-Z]{2}", sync.default_region):
        raise ConfigurationError(
            f"default_region={sync.default_region!r} must be two capital letters, for example 'US'"
        )
    if sync.deletes is Deletes.DEACTIVATE and "status" in sync.fields:
        raise ConfigurationError("deletes='deactivate' and a mapped status contradict each other; choose one")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What one run asks of a plan.

    Attributes:
        scope: Which rows are looked at.
        dry_run: Store the plan as a preview that can never be sent.
        limit: At most this many creates and updates; the rest stays a difference. Plans no deletions.
        keys: Only these keys, each as text or as the key columns' values. Plans no deletions.
        partition: The slice of the source, None for all of it.
    """

    scope: Scope = Scope.CHANGED
    dry_run: bool = False
    limit: int | None = None
    keys: tuple[str, ...] = ()
    partition: str | None = None

    @property
    def plans_deletions(self) -> bool:
        """Whether keys that left the source are looked for."""
        return self.limit is None and not self.keys and self.scope is not Scope.REJECTED


@dataclass(frozen=True, slots=True)
class Identity:
    """How DailyStory recognises a person, normalised for matching; never the value that is sent.

    Attributes:
        email: Trimmed and lower-cased, or None.
        mobile: E.164, or None.
    """

    email: str | None = field(default=None, repr=False)
    mobile: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.email is not None or self.mobile is not None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is not sent.

    Attributes:
        reason: The code.
        message: What is wrong and what to do, without personal data.
    """

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a plan on its way to DailyStory.

    Attributes:
        sequence: Its number in the plan, from 1.
        key_label: The key as it may be shown in logs.
        operation: What to do.
        dsid: The contact, where the key has one.
        values: State column -> source value as the driver gave it (or its canonical text), for every mapped field.
            None is "no opinion", except for a differing column whose `nulls` is `clear`: that field is emptied.
            A custom field without a source value holds the acknowledged one.
        differing: The state columns that differ.
        identity: The normalised identity of the row.
        identity_changed: The email or the mobile number of an existing contact changes.
        look_up_first: Find the contact by its identity before anything is posted: a create is in doubt, or the
            mode asks for it.
        deactivated_by_us: This sync deactivated or deleted the contact when its key left.
        resend_all: Nothing is known of the contact's values: send every mapped field.
    """

    sequence: int
    key_label: str
    operation: Operation
    dsid: str | None
    values: Mapping[str, object] = field(repr=False)
    differing: frozenset[str]
    identity: Identity
    identity_changed: bool = False
    look_up_first: bool = False
    deactivated_by_us: bool = False
    resend_all: bool = False
    email_as_sent: str | None = field(default=None, repr=False)
    mobile_as_sent: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one change, to be written to the state.

    Attributes:
        sequence: The change's number in its plan.
        outcome: The verdict.
        dsid: The contact that DailyStory named.
        attempts: Requests made for this change.
        reason: Why it was rejected or conflicted, None otherwise.
        message: The service's words with personal data masked, or ours.
        replaced: Every mapped field was sent, so the snapshot row is replaced as a whole.
        answered_at: When the verdict was known (UTC).
    """

    sequence: int
    outcome: Outcome
    answered_at: datetime
    dsid: str | None = None
    attempts: int = 0
    reason: Reason | None = None
    message: str = ""
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class GuardVerdict:
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
    """

    plan_id: str
    sync_name: str
    status: PlanStatus
    guards: tuple[GuardVerdict, ...]
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

    @property
    def rows_to_send(self) -> int:
        """Contacts that sending this plan would write."""
        return self.rows_to_create + self.rows_to_update + self.rows_to_delete


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running send is.

    Attributes:
        rows_sent: Changes with a verdict.
        rows_remaining: Changes without one.
        rows_per_second: Verdicts per second since the start.
        seconds_remaining: At this speed; None before the first verdict.
    """

    rows_sent: int
    rows_remaining: int
    rows_per_second: float
    seconds_remaining: float | None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one run did, in counts that add up.

    `rows_read = rows_unchanged + rows_to_create + rows_to_update + rows_rejected + rows_held`. Rows that DailyStory
    refuses while sending are counted in `rows_refused`.

    Attributes:
        outcome: `done`, `incomplete` (rows failed and stay differences), `dry`, `blocked` or `empty`.
        diff_seconds: Time to compute and store the plan.
        send_seconds: Time from the first request to the last acknowledgement.
        requests_per_second: API requests by send_seconds.
    """

    sync_name: str
    plan_id: str
    outcome: str
    rows_read: int = 0
    rows_unchanged: int = 0
    rows_to_create: int = 0
    rows_to_update: int = 0
    rows_to_delete: int = 0
    rows_rejected: int = 0
    rows_held: int = 0
    rows_created: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_mapped: int = 0
    rows_refused: int = 0
    rows_failed: int = 0
    rows_in_doubt: int = 0
    rows_conflicted: int = 0
    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    diff_seconds: float = 0.0
    send_seconds: float = 0.0
    requests_per_second: float = 0.0

    def numbers(self) -> dict[str, int | float]:
        """The counts and times, flat: each becomes a plot in Dagster."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, (int, float))}
