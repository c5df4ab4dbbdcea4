"""The types and choices of settings: a value of another type, or outside the choices, is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import NamedTuple, TypeVar

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.model.watermark import Watermark


class _Kind(NamedTuple):
    """The types of a setting, and its form in an error message."""

    types: tuple[type, ...]
    form: str


_NAMES = (list, tuple, Set)
_COLUMNS = "a mapping of fields to source columns, such as {'email': 'email'}"
_SHARE = _Kind((int, float, NoneType), "a number, or None for no limit")

SETTING_TYPES: Mapping[str, _Kind] = {
    "name": _Kind((str,), "a text"),
    "source": _Kind((str, Path), "a SELECT statement, a path that ends in .sql, or a table name"),
    "key": _Kind((str, *_NAMES), "a column name, or a list of them"),
    "fields": _Kind((Mapping,), _COLUMNS),
    "extended_properties": _Kind((Mapping,), _COLUMNS),
    "known_custom_fields": _Kind((*_NAMES, NoneType), "a list of custom field names, or None for any"),
    "max_created_fraction": _SHARE,
    "max_created_rows": _Kind((int, NoneType), "a whole number, or None for no limit"),
    "max_changed_fraction": _SHARE,
    "max_opted_out_fraction": _SHARE,
    "max_deleted_fraction": _SHARE,
    "max_rejected_fraction": _SHARE,
    "min_guard_rows": _Kind((int,), "a whole number"),
    "allow_empty_source": _Kind((bool,), "True or False"),
    "personal_keys": _Kind(_NAMES, "a list of key columns"),
    "consent_override": _Kind(_NAMES, "a list of field names"),
    "default_region": _Kind((str, Mapping, NoneType), "an ISO country, such as 'US', or {'column': 'country'}"),
    "max_value_length": _Kind((int,), "a whole number"),
    "partitions": _Kind((HashBuckets, ColumnValues, NoneType), "HashBuckets(8) or ColumnValues('region', ['emea'])"),
    "watermark": _Kind((Watermark, NoneType), "Watermark('updated_at')"),
    "plan_expires_hours": _Kind((int, float), "a number of hours"),
}
"""Setting -> its types; the settings with a choice of texts name their choices themselves."""


def check_setting_types(settings: Mapping[str, object]) -> None:
    """Check the type of each setting in `SETTING_TYPES`.

    Raises:
        ConfigurationError: A setting has another type; the message says which form it needs.
    """
    for name, (types, form) in SETTING_TYPES.items():
        value = settings[name]
        is_flag = isinstance(value, bool) and bool not in types  # a bool is an int for Python
        if is_flag or not isinstance(value, types):
            raise ConfigurationError(f"{name}={value!r} must be {form}")


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
