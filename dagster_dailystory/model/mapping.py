"""The mapping of a sync: which source column fills which contact field, and what its NULLs and invalid values mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import (
    CONSENT_KINDS,
    CONTACT_FIELDS,
    IDENTITY_FIELDS,
    OPT_OUT_FIELDS,
    FieldKind,
    nearest,
    suggestion,
)
from dagster_dailystory.model.settings import choice

Value = str | int | float | bool
"""A value in a JSON body for DailyStory."""


class Nulls(str, Enum):
    """What a NULL in the source means: leave the field as it is (`keep`), or empty it (`clear`)."""

    KEEP = "keep"
    CLEAR = "clear"


class Invalid(str, Enum):
    """What an invalid value costs: its whole row (`reject_row`), or only its field (`drop_field`)."""

    REJECT_ROW = "reject_row"
    DROP_FIELD = "drop_field"


_REGION_FIELD = "default_region"

REGION_COLUMN = f"field_{_REGION_FIELD}"
"""The state column of `default_region`: of a column or a constant, a mapped field that is compared and never sent."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """A source column that fills a contact field.

    Attributes:
        name: The field in DailyStory's JSON, or the custom field's API name.
        column: The source column; empty for a constant.
        kind: How values are checked and sent.
        nulls: What a NULL in the source means for this field.
        max_length: Maximum length in characters.
        drops_invalid: An invalid value costs only this field, not its row.
        constant: The value of every row; None for a field that a column fills.
        fills: The field is sent only where DailyStory's is known to be empty.
        is_custom: The value is sent in `extendedProperties`.
        state_column: The column in the state tables; its prefix keeps `field_city` and `custom_city` apart.
    """

    name: str
    column: str
    kind: FieldKind
    nulls: Nulls
    max_length: int
    drops_invalid: bool = False
    constant: str | None = None
    fills: bool = False
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


def map_fields(
    fields: Mapping[str, str],
    extended_properties: Mapping[str, str],
    *,
    nulls: Nulls | str | Mapping[str, Nulls | str],
    invalid: Invalid | str | Mapping[str, Invalid | str],
    fill: Collection[str],
    max_value_length: int,
    region: str | Mapping[str, str] | None,
) -> tuple[MappedField, ...]:
    """Make the mapped fields from the settings of `ContactSync`.

    Raises:
        ConfigurationError: A field does not exist or is mapped twice, or a setting names a field that is not mapped.
    """
    _check_names(fields, extended_properties)
    kinds = [(name, CONTACT_FIELDS[name].kind) for name in fields]
    kinds += [(name, FieldKind.CUSTOM) for name in extended_properties]
    null = _by_field("nulls", nulls, Nulls, kinds, Nulls.KEEP, _CLEARABLE)
    drops = _by_field("invalid", invalid, Invalid, kinds, Invalid.REJECT_ROW, _DROPPABLE)
    columns = [*fields.values(), *extended_properties.values()]
    _check_fill(fill, fields, {name for (name, _), each in zip(kinds, null, strict=True) if each is Nulls.CLEAR})
    mapped = [
        MappedField(
            name,
            column,
            kind,
            null[place],
            max_value_length if kind is FieldKind.CUSTOM else CONTACT_FIELDS[name].max_length,
            drops[place] is Invalid.DROP_FIELD,
            fills=kind is not FieldKind.CUSTOM and name in fill,
        )
        for place, ((name, kind), column) in enumerate(zip(kinds, columns, strict=True))
    ]
    if region is not None and any(kind is FieldKind.MOBILE for _, kind in kinds):
        column, constant = ("", region) if isinstance(region, str) else (region["column"], None)
        kept = (FieldKind.REGION, Nulls.KEEP, _LONGEST_REGION, True, constant)
        mapped.append(MappedField(_REGION_FIELD, column, *kept))
    return tuple(mapped)


_LONGEST_REGION = 255

_CLEARABLE = (frozenset({FieldKind.TEXT, FieldKind.CUSTOM}), "clear", "only texts and custom fields can be emptied")

_DROPPABLE = (frozenset(FieldKind) - set(CONSENT_KINDS), "drop_field", "an opt-out or a status is never dropped")


_FILLABLE = frozenset({FieldKind.TEXT, FieldKind.INTEGER, FieldKind.NUMBER, FieldKind.DATE})


def _check_fill(fill: Collection[str], fields: Mapping[str, str], cleared: Collection[str]) -> None:
    for name in fill:
        if name not in fields:
            reason = f"which fields does not map{nearest(name, fields)}; custom fields are always sent together"
            raise ConfigurationError(f"fill names {name!r}, {reason}")
        if CONTACT_FIELDS[name].kind not in _FILLABLE:
            raise ConfigurationError(f"fill names {name!r}: an email, a mobile number or consent is never left out")
        if name in cleared:
            raise ConfigurationError(f"fill names {name!r}, which nulls would empty; choose one of the two")


_NEVER_CUSTOM = frozenset(name.casefold() for name in (*IDENTITY_FIELDS, *OPT_OUT_FIELDS, "status"))
"""Fields that would have no effect as custom fields, so that a contact would be missed or mailed."""


def _check_names(fields: Mapping[str, str], extended_properties: Mapping[str, str]) -> None:
    if not fields and not extended_properties:
        raise ConfigurationError("fields and extended_properties are both empty: nothing would be sent")
    for name in fields:
        if name not in CONTACT_FIELDS:
            raise ConfigurationError(f"DailyStory has no contact field {name!r}{suggestion(name)}")
    for setting, mapping in (("fields", fields), ("extended_properties", extended_properties)):
        for name, column in mapping.items():
            if not isinstance(column, str) or not isinstance(name, str):
                raise ConfigurationError(f"{setting} maps {name!r} to {column!r}; name one column, as a text")
    _check_identities(fields)
    folded: dict[str, str] = {}
    for name in extended_properties:
        if not name.strip():
            raise ConfigurationError("extended_properties has an empty custom field name")
        if name.casefold() in _NEVER_CUSTOM:
            raise ConfigurationError(f"extended_properties names {name!r}, DailyStory's own field; map it in fields")
        if name.casefold() in folded:
            raise ConfigurationError(f"extended_properties maps both {folded[name.casefold()]!r} and {name!r}")
        folded[name.casefold()] = name


def _check_identities(fields: Mapping[str, str]) -> None:
    columns = [fields[name] for name in IDENTITY_FIELDS if name in fields]
    if len({column.casefold() for column in columns}) < len(columns):
        raise ConfigurationError(
            f"{' and '.join(IDENTITY_FIELDS)} are both filled from {columns[0]!r}; name a column for each"
        )


_E = TypeVar("_E", bound=Enum)


def _by_field(
    setting: str,
    given: _E | str | Mapping[str, _E | str],
    kind: type[_E],
    fields: Sequence[tuple[str, FieldKind]],
    default: _E,
    limits: tuple[frozenset[FieldKind], str, str],
) -> list[_E]:
    """The choice for each field, from one for all fields or from a mapping of some; a name may be two fields."""
    allowed, verb, reason = limits
    names = dict.fromkeys(name for name, _ in fields)
    if isinstance(given, Mapping):
        chosen = {name: choice(kind, value, f"{setting}[{name!r}]") for name, value in given.items()}
        for name, value in chosen.items():
            if name not in names:
                raise ConfigurationError(f"{setting} names {name!r}, which is not mapped{nearest(name, names)}")
            if value is not default and not any(of == name and each in allowed for of, each in fields):
                raise ConfigurationError(f"{setting} cannot {verb} {name!r}: {reason}")
    else:
        chosen = dict.fromkeys(names, choice(kind, given, setting))
    return [chosen.get(name, default) if each in allowed else default for name, each in fields]
