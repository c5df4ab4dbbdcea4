"""Warehouse, state and account in the environment: which variable holds which setting, and what it says."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from typing_extensions import get_type_hints

from dagster_dailystory.api.settings import AccountOptions
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import fits

ACCOUNT_TYPES = get_type_hints(AccountOptions)
"""The settings of the account that have a default -> their types."""


REQUIRED: Mapping[str, str] = {
    "WAREHOUSE_URL": "warehouse_url",
    "DAILYSTORY_BASE_URL": "base_url",
    "DAILYSTORY_API_TOKEN": "api_token",
}
"""Environment variables that a real sync needs -> the settings that they hold."""


OPTIONAL: Mapping[str, str] = {
    "DAILYSTORY_STATE_URL": "state_url",
    **{f"DAILYSTORY_{name.upper()}": name for name in ACCOUNT_TYPES},
}
"""Environment variables that a real sync may have -> the settings that they hold."""


_NEARLY = 0.9
"""From this similarity on, a variable is taken for a wrong spelling of one that is not set."""


def settings_from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the settings whose variables are set.

    Args:
        environment: The variables; an empty value counts as not set.

    Returns:
        Setting -> its value, a number where it is one.

    Raises:
        ConfigurationError: A variable is nearly one of ours, or a number cannot be read. The message repeats no secret.
    """
    names = {**REQUIRED, **OPTIONAL}
    given = [name for name in names if environment.get(name)]
    for name in names:
        if name not in given:
            _refuse_misspelled(environment, name)
    return {names[name]: setting_of_text(environment[name], name, names[name]) for name in given}


def _refuse_misspelled(environment: Mapping[str, str], name: str) -> None:
    """Refuse a variable that is nearly the one that is not set, such as a state URL that would be ignored."""
    others = [each for each in environment if each not in {**REQUIRED, **OPTIONAL} and not each.startswith(f"{name}_")]
    for found in difflib.get_close_matches(name, others, n=1, cutoff=_NEARLY):
        raise ConfigurationError(
            f"the environment has {found}, which is not a variable of this package; did you mean {name!r}? "
            f"Rename it, or set {name} too"
        )


def setting_of_text(text: str, variable: str, setting: str) -> str | float | int | bool:
    """Read a setting from a text, such as that of an environment variable.

    Args:
        text: What it says.
        variable: What the reader calls it, for errors.
        setting: The setting.

    Raises:
        ConfigurationError: The text is not of the setting's type, or not positive.
    """
    if setting not in ACCOUNT_TYPES:
        return text
    kind = ACCOUNT_TYPES[setting]
    if kind is bool:
        if text.strip().casefold() not in ("true", "false"):
            raise ConfigurationError(f"{variable} must be true or false")
        return text.strip().casefold() == "true"
    try:
        number = float(text)
    except ValueError:
        raise ConfigurationError(f"{variable} is not a number") from None
    is_whole = fits(1, kind) and not fits(1.5, kind)
    if not number > 0 or (is_whole and not number.is_integer()):
        raise ConfigurationError(f"{variable}={text!r} must be a positive {'whole ' if is_whole else ''}number")
    return int(number) if is_whole else number
