"""`ContactSync`, the configuration of a sync, and its enums."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, NoneType

from phonenumbers import SUPPORTED_REGIONS
from typing_extensions import Self

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import OPT_OUT_FIELDS, FieldKind, nearest
from dagster_dailystory.model.key_columns import check_keys, check_reserved
from dagster_dailystory.model.mapping import Invalid, MappedField, Nulls, map_fields
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning, TimeWindows, in_fixed_order
from dagster_dailystory.model.settings import NAMES, Kind, check_names, check_types, choice, named_settings
from dagster_dailystory.model.watermark import Watermark


class Mode(str, Enum):
    """Which contacts a sync may touch."""

    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


class DeletePolicy(str, Enum):
    """What happens to the contact of a missing key. The one place of the words and columns of a policy.

    Attributes:
        past: The verb in the past, for counts.
        status: The status that the contact gets; empty if a request deletes it, or nothing happens.
        map_column: The column of the contact map that has the time of it; empty if nothing happens.
    """

    past: str
    status: str
    map_column: str

    KEEP = ("keep", "kept", "", "")
    DEACTIVATE = ("deactivate", "deactivated", "Inactive", "deactivated_at")
    DELETE = ("delete", "deleted", "", "deleted_at")

    def __new__(cls, value: str, past: str, status: str, map_column: str) -> Self:
        """A member whose value is the text of the setting."""
        member = str.__new__(cls, value)
        member._value_, member.past, member.status, member.map_column = value, past, status, map_column
        return member


class OnDeleted(str, Enum):
    """What happens to a row whose contact was deleted in DailyStory: it is held, or the contact becomes active."""

    RESPECT = "respect"
    REACTIVATE = "reactivate"


class Scope(str, Enum):
    """Which rows a run plans: those that differ, all rows, only those rejected before, or only new opt-outs."""

    CHANGED = "changed"
    """Rows that differ, and missing keys."""
    ALL = "all"
    """Every row, also those that DailyStory refused; every mapped field is sent."""
    REJECTED = "rejected"
    """Rows that are rejected, also unchanged ones that DailyStory refused; none with a NULL in its key."""
    OPT_OUTS = "opt_outs"
    """New opt-outs only, under one guard; also while a plan is blocked."""


SYNC_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


_COLUMNS = "a mapping of fields to source columns, such as {'email': 'email'}"
_SHARE = Kind((int, float, NoneType), "a number, or None for no limit")


@named_settings
@dataclass(frozen=True, slots=True)
class FrameSource:
    """A source that is handed over as a frame: by an upstream asset in Dagster, or as `frame=` in Python.

    Attributes:
        complete: Each frame has all rows of the source, so that a key that it lacks has left the source. False: it has
            some rows, of which no deletion follows.

    Raises:
        ConfigurationError: `complete` is not True or False.
    """

    complete: bool = False

    def __post_init__(self) -> None:
        check_types(self, {"complete": Kind((bool,), "True or False")})


SETTING_TYPES: Mapping[str, Kind] = {
    "name": Kind((str,), "a text"),
    "source": Kind((str, Path, FrameSource), "a SELECT statement, a path that ends in .sql, or a table name"),
    "key": Kind((str, *NAMES), "a column name, or a list of them"),
    "fields": Kind((Mapping,), _COLUMNS),
    "extended_properties": Kind((Mapping,), _COLUMNS),
    "known_custom_fields": Kind((*NAMES, NoneType), "a list of custom field names, such as ['plan'], or None for any"),
    "max_created_fraction": _SHARE,
    "max_created_rows": Kind((int, NoneType), "a whole number, or None for no limit"),
    "max_changed_fraction": _SHARE,
    "max_opted_out_fraction": _SHARE,
    "max_deleted_fraction": _SHARE,
    "max_rejected_fraction": _SHARE,
    "min_guard_rows": Kind((int,), "a whole number"),
    "allow_empty_source": Kind((bool,), "True or False"),
    "canary_rows": Kind((int, NoneType), "a whole number, 0 for no canary, or None for one in the first send"),
    "require_approval": Kind((bool,), "True or False"),
    "personal_keys": Kind(NAMES, "a list of key columns"),
    "fill": Kind(NAMES, "a list of field names, such as ['city']"),
    "consent_override": Kind(NAMES, "a list of field names"),
    "default_region": Kind((str, Mapping, NoneType), "an ISO country, such as 'US', or {'column': 'country'}"),
    "max_value_length": Kind((int,), "a whole number"),
    "partitions": Kind(
        (HashBuckets, ColumnValues, TimeWindows, NoneType),
        "HashBuckets(8), ColumnValues('region', ['emea']) or TimeWindows('signed_up_at', 'monthly', '2024-01-01')",
    ),
    "watermark": Kind((Watermark, NoneType), "Watermark('updated_at')"),
    "plan_expires_hours": Kind((int, float), "a number of hours"),
    "history_days": Kind((int, float), "a number of days; 0 keeps no history"),
    "retain_absent_days": Kind((int, float, NoneType), "a number of days, or None to keep the values"),
}
"""Setting -> its types; the settings with a choice of texts name their choices themselves."""


@named_settings
@dataclass(frozen=True, kw_only=True)
class ContactSync:
    """A warehouse query and the DailyStory contacts that are kept equal to it.

    Attributes:
        name: The sync's name, `[a-z][a-z0-9_]{0,30}`; it is part of the state tables' names.
        source: A SELECT statement (any text with white space), a path that ends in `.sql`, a table name, or
            `FrameSource()`.
        key: The column, or columns, that identify a source row: unique and never NULL.
        fields: DailyStory field -> source column.
        extended_properties: Custom field (API name) -> source column.
        known_custom_fields: The custom fields that may be sent; any other name is an error. None: a plan names those
            that were never sent before, because DailyStory makes a new field of a misspelled name.
        mode: `upsert`; `update` (a key without a contact is looked up once and never created); `create` (existing
            contacts are added to the contact map and not written).
        deletes: What to do with the contact of a missing key: `keep`, `deactivate` or `delete` it.
        on_deleted: What to do with the row of a contact that was deleted in DailyStory: `respect` (hold the row) or
            `reactivate` (send all its fields and make the contact active, unless it has opted out).
        nulls: What a NULL in the source means: `keep` (leave the field as it is) or `clear` (empty it), for all
            fields or per field (`{"city": "clear"}`). Only texts and custom fields can be cleared.
        invalid: What an invalid value costs: `reject_row` (the row) or `drop_field` (its field: the contact keeps its
            value), for all fields or per field (`{"mobilePhone": "drop_field"}`). Opt-outs and `status` are never
            dropped, and a new row without a valid email or mobile number is rejected.
        fill: Fields that are sent only with a create, and to a contact whose field is empty; what DailyStory
            has is never overwritten. Not the email, the mobile number, consent or custom fields.
        max_created_fraction: Block the plan if it creates more contacts than this share of those that the sync has
            (1.0: as many again); only once the first load is done; None: no limit.
        max_created_rows: Block the plan if it creates more contacts, also during the first load; None: no limit.
        max_changed_fraction: Block the plan above this share of changed rows (0 to 1); None: no limit.
        max_opted_out_fraction: Block the plan above this share of contacts that opt out: it cannot be taken back.
        max_deleted_fraction: Block the plan above this share of deleted rows.
        max_rejected_fraction: Block the plan above this share of rejected rows; None: no limit.
        min_guard_rows: The limits of a share apply from this number of affected rows on, so that small tables can
            change; a limit of 0 applies always.
        allow_empty_source: Allow an empty source to delete every contact of the sync.
        personal_keys: Key columns that identify a person; logs and metadata show an opaque id instead.
        consent_override: Opt-out fields that may go from true to false, and `status` if it may become `Active`; each
            use is logged.
        default_region: ISO country (`US`) for mobile numbers without a country code, or the source column that holds
            it (`{"column": "country"}`); None makes such numbers invalid. Another country sends them again; None leaves
            those that were sent.
        max_value_length: Maximum length of a custom field in characters.
        partitions: `HashBuckets(8)`, `ColumnValues("region", ["emea", "amer"])` or
            `TimeWindows("signed_up_at", "monthly", start="2024-01-01")`, to run the sync in slices.
        watermark: `Watermark("updated_at")`, to compare recent rows only and all rows once a day; not with partitions.
        canary_rows: Changes that a plan sends first, after its opt-outs; their contacts are read back, and the others
            follow only if they hold what was written. None: 20 in the first send, until that has passed; a number: in
            every plan; 0: never.
        require_approval: Each plan waits until a person sends it by its id. Plans of `scope="opt_outs"` do not wait.
        plan_expires_hours: Hours after which a plan can no longer be sent, nor a stopped one be resumed.
        history_days: Days for which the history keeps each acknowledged change with the values that it replaced; 0: no
            history is written, and what there is of it is removed.
        retain_absent_days: Days after which the values of a row that left the source are dropped from the state, with
            its history; None: never. Keyed hashes of its email and mobile number stay, to recognise it under a new key.

    Raises:
        ConfigurationError: A setting is not valid, or two settings contradict each other.

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
    source: str | Path | FrameSource
    key: str | Sequence[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    extended_properties: Mapping[str, str] = field(default_factory=dict)
    known_custom_fields: Sequence[str] | None = None
    mode: Mode | str = Mode.UPSERT
    deletes: DeletePolicy | str = DeletePolicy.KEEP
    on_deleted: OnDeleted | str = OnDeleted.RESPECT
    nulls: Nulls | str | Mapping[str, Nulls | str] = Nulls.KEEP
    invalid: Invalid | str | Mapping[str, Invalid | str] = Invalid.REJECT_ROW
    fill: Sequence[str] = ()
    max_created_fraction: float | None = 1.0
    max_created_rows: int | None = None
    max_changed_fraction: float | None = None
    max_opted_out_fraction: float | None = 0.1
    max_deleted_fraction: float | None = 0.1
    max_rejected_fraction: float | None = None
    min_guard_rows: int = 20
    allow_empty_source: bool = False
    personal_keys: Sequence[str] = ()
    consent_override: Sequence[str] = ()
    default_region: str | Mapping[str, str] | None = None
    max_value_length: int = 255
    partitions: Partitioning | None = None
    watermark: Watermark | None = None
    canary_rows: int | None = None
    require_approval: bool = False
    plan_expires_hours: float = 24
    history_days: float = 90
    retain_absent_days: float | None = 30
    mapped_fields: tuple[MappedField, ...] = field(init=False, repr=False)
    key_columns: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_types(self, SETTING_TYPES)
        set_value = object.__setattr__  # the dataclass is frozen
        if not SYNC_NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"name={self.name!r} must have small letters, digits and _ only, begin with a letter, and have at most "
                "31 characters, for example 'my_sync': it names the state tables"
            )
        keys = (self.key,) if isinstance(self.key, str) else in_fixed_order(self.key)
        check_keys(keys)
        set_value(self, "key", keys if isinstance(self.key, Set) else self.key)
        set_value(self, "key_columns", keys)
        set_value(self, "mode", choice(Mode, self.mode, "mode"))
        set_value(self, "deletes", choice(DeletePolicy, self.deletes, "deletes"))
        set_value(self, "on_deleted", choice(OnDeleted, self.on_deleted, "on_deleted"))
        for setting in ("fields", "extended_properties"):
            set_value(self, setting, MappingProxyType(dict(getattr(self, setting))))
        set_value(self, "personal_keys", tuple(self.personal_keys))
        if self.known_custom_fields is not None:
            set_value(self, "known_custom_fields", tuple(self.known_custom_fields))
        set_value(self, "consent_override", tuple(sorted(self.consent_override)))
        set_value(self, "fill", tuple(sorted(self.fill)))
        _check_region(self.default_region)
        set_value(self, "mapped_fields", self._map_fields())
        check_reserved(keys, self.mapped_fields)
        if self.mode is not Mode.UPDATE and not self.identity_columns:
            raise ConfigurationError(
                "fields maps neither email nor mobilePhone, so no contact could be created; map one of them, or set "
                "mode='update'"
            )
        _check_limits(self)

    def _map_fields(self) -> tuple[MappedField, ...]:
        return map_fields(
            self.fields,
            self.extended_properties,
            nulls=self.nulls,
            invalid=self.invalid,
            fill=self.fill,
            max_value_length=self.max_value_length,
            region=self.default_region,
        )

    @property
    def delete_policy(self) -> DeletePolicy:
        """What happens to the contact of a missing key."""
        return choice(DeletePolicy, self.deletes, "deletes")

    @property
    def reads_some_rows(self) -> bool:
        """Whether each run gets some rows of the source only, so that nothing follows from a row that it lacks."""
        return isinstance(self.source, FrameSource) and not self.source.complete

    @property
    def partition_column(self) -> str | None:
        """The source column that holds the slice of a row, None if there is none."""
        return self.partitions.column if isinstance(self.partitions, (ColumnValues, TimeWindows)) else None

    def state_columns(self, *kinds: FieldKind) -> tuple[str, ...]:
        """The columns in the state tables of the fields of these kinds."""
        return tuple(m.state_column for m in self.mapped_fields if m.kind in kinds)

    @property
    def read_fields(self) -> tuple[MappedField, ...]:
        """The mapped fields that a source column fills."""
        return tuple(m for m in self.mapped_fields if m.constant is None)

    @property
    def sent_fields(self) -> tuple[MappedField, ...]:
        """The mapped fields without the column of `default_region`, which is only compared."""
        return tuple(m for m in self.mapped_fields if m.kind is not FieldKind.REGION)

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """The source columns that fill the email or the mobile number."""
        return tuple(m.column for m in self.mapped_fields if m.kind in (FieldKind.EMAIL, FieldKind.MOBILE))

    @cached_property
    def personal_key_columns(self) -> frozenset[str]:
        """Key columns whose values must not be shown: those in `personal_keys`, and those that fill the identity."""
        personal = {column.casefold() for column in (*self.personal_keys, *self.identity_columns)}
        return frozenset(column for column in self.key_columns if column.casefold() in personal)


def _check_region(region: str | Mapping[str, str] | None) -> None:
    if isinstance(region, Mapping):
        check_names("default_region", map(str, region), ["column"], ["column"])
        if not isinstance(region["column"], str) or not region["column"]:
            raise ConfigurationError(f"default_region={dict(region)!r} must be a country or {{'column': 'a column'}}")
        return
    if region is not None and not re.fullmatch(r"[A-Z]{2}", region):
        raise ConfigurationError(f"default_region={region!r} must be two capital letters, for example 'US'")
    if region is not None and region not in SUPPORTED_REGIONS:
        advice = "; the United Kingdom is 'GB'" if region == "UK" else ""
        raise ConfigurationError(f"default_region={region!r} is not the ISO code of a country{advice}")


_NOT_NEGATIVE = (
    "max_created_fraction", "max_created_rows", "min_guard_rows", "canary_rows", "history_days", "retain_absent_days",
)  # fmt: skip


def _check_limits(sync: ContactSync) -> None:
    for setting in ("max_changed_fraction", "max_opted_out_fraction", "max_deleted_fraction", "max_rejected_fraction"):
        share = getattr(sync, setting)
        if share is not None and not 0 <= share <= 1:
            raise ConfigurationError(f"{setting}={share!r} must be between 0 and 1; 10% is 0.1")
    for setting in _NOT_NEGATIVE:
        limit = getattr(sync, setting)
        if limit is not None and not limit >= 0:
            raise ConfigurationError(f"{setting}={limit!r} must not be negative")
    if sync.max_value_length < 1:
        raise ConfigurationError(f"max_value_length={sync.max_value_length!r} must be at least 1")
    if not sync.plan_expires_hours > 0:
        raise ConfigurationError(f"plan_expires_hours={sync.plan_expires_hours!r} must be greater than 0")
    for column in sync.personal_keys:
        if column not in sync.key_columns:
            raise ConfigurationError(
                f"personal_keys names {column!r}, which is not a key{nearest(column, sync.key_columns)}"
            )
    for name in sync.extended_properties:
        known = sync.known_custom_fields
        if known is not None and name not in known:
            hint = nearest(name, known)
            raise ConfigurationError(f"extended_properties names {name!r}, which is not in known_custom_fields{hint}")
    allowed = OPT_OUT_FIELDS | {"status"}
    for name in sync.consent_override:
        if name not in allowed:
            raise ConfigurationError(f"consent_override names {name!r}{nearest(name, allowed)}")
    if sync.watermark is not None and sync.partitions is not None:
        raise ConfigurationError("watermark and partitions exclude each other: a slice has no watermark of its own")
    slices = sync.partitions
    if isinstance(slices, ColumnValues) and slices.is_dynamic and slices.column in sync.identity_columns:
        raise ConfigurationError(f"partitions: the column {slices.column!r} identifies a person and cannot name slices")
    if isinstance(sync.source, FrameSource) and (sync.partitions is not None or sync.watermark is not None):
        raise ConfigurationError("FrameSource takes neither partitions nor a watermark: a frame is read as a whole")
    if sync.reads_some_rows and sync.deletes is not DeletePolicy.KEEP:
        raise ConfigurationError(
            f"deletes={sync.delete_policy.value!r} needs FrameSource(complete=True), with all rows"
        )
    if sync.deletes is DeletePolicy.DEACTIVATE and "status" in sync.fields:
        raise ConfigurationError("deletes='deactivate' and a mapped status contradict each other; choose one")
