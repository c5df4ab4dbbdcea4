"""`ContactSync`, the configuration of a sync, and its enums."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from phonenumbers import SUPPORTED_REGIONS

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, OPT_OUT_FIELDS, FieldKind, nearest
from dagster_dailystory.model.partitions import ColumnValues, Partitioning, in_fixed_order
from dagster_dailystory.model.setting_types import check_setting_types
from dagster_dailystory.model.watermark import Watermark

Value = str | int | float | bool
"""A value in a JSON body for DailyStory."""


class Mode(str, Enum):
    """Which contacts a sync may touch."""

    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


class Deletes(str, Enum):
    """What happens to the contact of a missing key."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


class OnDeleted(str, Enum):
    """What happens to a row whose contact was deleted in DailyStory: it is held, or the contact becomes active."""

    RESPECT = "respect"
    REACTIVATE = "reactivate"


class Nulls(str, Enum):
    """What a NULL in the source means: leave the field as it is (`keep`), or empty it (`clear`)."""

    KEEP = "keep"
    CLEAR = "clear"


class Scope(str, Enum):
    """Which rows a run plans: those that differ, all rows, only those rejected before, or only new opt-outs."""

    CHANGED = "changed"
    ALL = "all"
    REJECTED = "rejected"
    OPT_OUTS = "opt_outs"


SYNC_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


_RESERVED_KEY_COLUMNS = frozenset(
    {
        "plan_id", "sequence", "operation", "outcome", "attempts", "answered_at", "dsid", "reason", "message", "status",
        "first_synced_at", "last_synced_at", "deactivated_at", "deleted_at", "deleted_in_dailystory_at", "absent_since",
        "deleted_in_dailystory",
        "absent_action",
        "identity_email", "identity_mobile", "partition_value", "resend_all", "first_seen_at", "last_seen_at",
        "fingerprint", "sent_at", "priority", "waits_for", "rekeyed_from", "is_new", "row_label", "source_rows",
        "email_as_sent", "mobile_as_sent", "acknowledged_plan", "identity_changed", "only_mapped", "opts_out",
        "reactivates", "rekeyed", "replaces", "row_hash",
    }
)  # fmt: skip


_E = TypeVar("_E", bound=Enum)


def choice(kind: type[_E], value: str | _E, setting: str) -> _E:
    """Convert the text of a setting to its enum member.

    Raises:
        ConfigurationError: The text is not a member; the message lists the members.
    """
    try:
        return kind(value)
    except ValueError:
        names = [str(member.value) for member in kind]
        hint = nearest(str(value), names)
        raise ConfigurationError(f"{setting}={value!r} is not one of {', '.join(names)}{hint}") from None


@dataclass(frozen=True, slots=True)
class MappedField:
    """A source column that fills a contact field.

    Attributes:
        name: The field in DailyStory's JSON, or the custom field's API name.
        column: The source column.
        kind: How values are checked and sent.
        nulls: What a NULL in the source means for this field.
        max_length: Maximum length in characters.
        is_custom: The value is sent in `extendedProperties`.
        state_column: The column in the state tables; its prefix keeps `field_city` and `custom_city` apart.
    """

    name: str
    column: str
    kind: FieldKind
    nulls: Nulls
    max_length: int
    is_custom: bool = field(init=False)
    state_column: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_custom", self.kind is FieldKind.CUSTOM)
        prefix = "custom" if self.is_custom else "field"
        object.__setattr__(self, "state_column", _identifier(f"{prefix}_{self.name}"))


def _identifier(name: str) -> str:
    """Add a hash to unusual or long names: databases fold case and truncate, and two names must not collide."""
    if re.fullmatch(r"[A-Za-z0-9_]{1,50}", name):
        return name
    readable = "_".join(re.findall(r"[A-Za-z0-9]+", name))[:30]
    return f"{readable}_{hashlib.sha256(name.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, kw_only=True)
class ContactSync:
    """A warehouse query and the DailyStory contacts that are kept equal to it.

    Attributes:
        name: The sync's name, `[a-z][a-z0-9_]{0,30}`; it is part of the state tables' names.
        source: A SELECT statement (any text with white space), a path that ends in `.sql`, or a table name.
        key: The column, or columns, that identify a source row: unique and never NULL.
        fields: DailyStory field -> source column.
        extended_properties: Custom field (API name) -> source column.
        mode: `upsert`; `update` (a key without a contact is looked up once and never created); `create` (existing
            contacts are added to the contact map and not written).
        deletes: What to do with the contact of a missing key: `keep`, `deactivate` or `delete` it.
        on_deleted: What to do with the row of a contact that was deleted in DailyStory: `respect` (hold the row) or
            `reactivate` (send all its fields and make the contact active, unless it has opted out).
        nulls: What a NULL in the source means: `keep` (leave the field as it is) or `clear` (empty it), for all
            fields or per field (`{"city": "clear"}`). Only texts and custom fields can be cleared.
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
        default_region: ISO country (`US`) for mobile numbers without a country code; None rejects such numbers.
        max_value_length: Maximum length of a custom field in characters.
        partitions: `HashBuckets(8)` or `ColumnValues("region", ["emea", "amer"])`, to run the sync in slices.
        watermark: `Watermark("updated_at")`, to compare recent rows only and all rows once a day; not with partitions.
        plan_expires_hours: Hours after which a plan can no longer be sent, nor a stopped one be resumed.

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
    source: str | Path
    key: str | Sequence[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    extended_properties: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | str = Mode.UPSERT
    deletes: Deletes | str = Deletes.KEEP
    on_deleted: OnDeleted | str = OnDeleted.RESPECT
    nulls: Nulls | str | Mapping[str, Nulls | str] = Nulls.KEEP
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
    default_region: str | None = None
    max_value_length: int = 255
    partitions: Partitioning | None = None
    watermark: Watermark | None = None
    plan_expires_hours: float = 24
    mapped_fields: tuple[MappedField, ...] = field(init=False, repr=False)
    key_columns: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_setting_types(vars(self))
        set_value = object.__setattr__  # the dataclass is frozen
        if not SYNC_NAME.fullmatch(self.name):
            raise ConfigurationError(f"name={self.name!r} must match [a-z][a-z0-9_]{{0,30}}: it names state tables")
        keys = (self.key,) if isinstance(self.key, str) else in_fixed_order(self.key)
        _check_keys(keys)
        set_value(self, "key", keys if isinstance(self.key, Set) else self.key)
        set_value(self, "key_columns", keys)
        set_value(self, "mode", choice(Mode, self.mode, "mode"))
        set_value(self, "deletes", choice(Deletes, self.deletes, "deletes"))
        set_value(self, "on_deleted", choice(OnDeleted, self.on_deleted, "on_deleted"))
        for setting in ("fields", "extended_properties"):
            set_value(self, setting, MappingProxyType(dict(getattr(self, setting))))
        set_value(self, "personal_keys", tuple(self.personal_keys))
        set_value(self, "consent_override", tuple(sorted(self.consent_override)))
        set_value(self, "mapped_fields", _map_fields(self))
        if self.mode is not Mode.UPDATE and not self.identity_columns:
            raise ConfigurationError(
                "fields maps neither email nor mobilePhone, so no contact could be created; map one of them, or set "
                "mode='update'"
            )
        _check_limits(self)

    @property
    def partition_column(self) -> str | None:
        """The source column that holds the slice of a row, None if there is none."""
        return self.partitions.column if isinstance(self.partitions, ColumnValues) else None

    def state_columns(self, *kinds: FieldKind) -> tuple[str, ...]:
        """The columns in the state tables of the fields of these kinds."""
        return tuple(m.state_column for m in self.mapped_fields if m.kind in kinds)

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """The source columns that fill the email or the mobile number."""
        return tuple(m.column for m in self.mapped_fields if m.kind in (FieldKind.EMAIL, FieldKind.MOBILE))

    @cached_property
    def personal_key_columns(self) -> frozenset[str]:
        """Key columns whose values must not be shown: those in `personal_keys`, and those that fill the identity."""
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
    for setting in ("max_changed_fraction", "max_opted_out_fraction", "max_deleted_fraction", "max_rejected_fraction"):
        share = getattr(sync, setting)
        if share is not None and not 0 <= share <= 1:
            raise ConfigurationError(f"{setting}={share!r} must be between 0 and 1")
    if sync.max_created_fraction is not None and not sync.max_created_fraction >= 0:
        raise ConfigurationError(f"max_created_fraction={sync.max_created_fraction!r} must not be negative")
    if sync.max_created_rows is not None and sync.max_created_rows < 0:
        raise ConfigurationError(f"max_created_rows={sync.max_created_rows!r} must not be negative")
    if sync.min_guard_rows < 0 or sync.max_value_length < 1:
        raise ConfigurationError("min_guard_rows must not be negative, and max_value_length must be at least 1")
    if not sync.plan_expires_hours > 0:
        raise ConfigurationError(f"plan_expires_hours={sync.plan_expires_hours!r} must be greater than 0")
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
    if sync.default_region is not None and sync.default_region not in SUPPORTED_REGIONS:
        advice = "; the United Kingdom is 'GB'" if sync.default_region == "UK" else ""
        raise ConfigurationError(f"default_region={sync.default_region!r} is not the ISO code of a country{advice}")
    if sync.watermark is not None and sync.partitions is not None:
        raise ConfigurationError("watermark and partitions exclude each other: a slice has no watermark of its own")
    if sync.deletes is Deletes.DEACTIVATE and "status" in sync.fields:
        raise ConfigurationError("deletes='deactivate' and a mapped status contradict each other; choose one")
