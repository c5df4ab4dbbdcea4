"""Credentials of a component: each names an environment variable, whose content no page of Dagster shows."""

import os
import re
from collections.abc import Callable
from typing import Annotated

import dagster as dg

from dagster_dailystory.errors import ConfigurationError

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"

_WHOLE = re.compile(rf"\s*\{{\{{\s*env(?:\.({_NAME})|\(\s*(['\"])({_NAME})\2\s*\))\s*\}}\}}\s*")
"""A template that is one environment variable and nothing else."""

_READING = re.compile(r"\{[{%](?:(?![%}]\}).)*\benv\b", re.DOTALL)
"""The begin of a template that reads the environment."""


def _keep_reading(context: dg.ResolutionContext, value: object) -> object:
    is_kept = isinstance(value, str) and _READING.search(value)
    return value if is_kept else context.resolve_value(value, object)


def _keep_whole(context: dg.ResolutionContext, value: object) -> object:
    is_kept = isinstance(value, str) and _WHOLE.fullmatch(value)
    return value if is_kept else context.resolve_value(value, object)


KEPT = tuple(
    dg.Resolver(keep, model_field_type=str | None, inject_before_resolve=False) for keep in (_keep_reading, _keep_whole)
)
"""Resolvers that leave templates of the environment as they are. Dagster's own put the content into the config, and
its page of resources shows that."""

Credential = Annotated[str | None, KEPT[0]]
"""A text, or a template of one environment variable that is read in the run."""

Address = Annotated[str, KEPT[1]]
"""The same, and a template that has more than a variable is rendered; an address may be shown."""


def credential(
    setting: str, value: str | None, variable: str | None, check: Callable[[str, str], object]
) -> dg.EnvVar | str | None:
    """The value of a resource: an environment variable that Dagster reads in the run, a text, or None.

    Args:
        setting: The setting, to name it in errors.
        value: What it has: a text, or the template of a variable.
        variable: The name of a variable in its place.
        check: Refuses the text, or what a variable has that is set already, by the name of the setting or variable.

    Raises:
        ConfigurationError: Both are given, no variable can have that name, or the check refused.
    """
    if value is not None and variable is not None:
        place, _, name = setting.rpartition(".")
        raise ConfigurationError(f"{place}: give either {name} or {name}_variable")
    if variable is not None:
        given = variable
    elif value is not None and (found := _WHOLE.fullmatch(value)):
        given = found[1] or found[3]
    elif value is not None and _READING.search(value):
        raise ConfigurationError(
            f"{setting} must have nothing beside the environment variable, as in {{{{ env.NAME }}}}; put the whole "
            "value into one variable"
        )
    else:
        if value is not None:
            check(value, setting)
        return value
    if content := variable_content(setting if variable is None else f"{setting}_variable", given):
        check(content, given)
    return dg.EnvVar(given)


def secret(
    setting: str, value: str | None, variable: str | None, check: Callable[[str, str], object]
) -> dg.EnvVar | None:
    """As `credential`, of a setting whose text is a secret as a whole, which no file may have.

    Raises:
        ConfigurationError: As `credential`, or the value is a text.
    """

    def refuse_text(text: str, name: str) -> None:
        if name == setting:
            raise ConfigurationError(
                f"{setting} must be the template of an environment variable, {{{{ env.NAME }}}}, not its content"
            )
        check(text, name)

    given = credential(setting, value, variable, refuse_text)
    return given if isinstance(given, dg.EnvVar) else None


def variable_content(setting: str, variable: str) -> str:
    """The content of an environment variable, empty where it is not set yet.

    Raises:
        ConfigurationError: No variable can have that name: it may be the secret itself.
    """
    if not re.fullmatch(_NAME, variable):
        raise ConfigurationError(f"{setting} must be the name of an environment variable, not its content")
    return os.environ.get(variable, "")
