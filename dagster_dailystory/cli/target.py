"""The sync that a command is about, found by its name, with its warehouse, its state and its account."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster_dailystory
from dagster_dailystory.api.environment import OPTIONAL, REQUIRED, settings_from_environment
from dagster_dailystory.errors import ConfigurationError, DailyStoryError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.sync import ContactSync

if TYPE_CHECKING:
    from dagster_dailystory.definitions.component.file import DescribedSync
    from dagster_dailystory.records import SyncRecords

STATE_ENDS = ("warehouse_url", "state_url", "state_schema")
"""The settings of the warehouse and of the state."""


@dataclass(frozen=True)
class Target:
    """A sync with its settings: of the command line, of its `defs.yaml`, else of the environment.

    Attributes:
        name: The sync as the user named it.
        sync: The sync.
        given: The settings of the command line.
        settings: All settings.
        variables: Setting -> the environment variable that may hold it.
        required: The settings that must have a value.
    """

    name: str
    sync: ContactSync
    given: Mapping[str, Any] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    variables: Mapping[str, str]
    required: Collection[str] = tuple(REQUIRED.values())

    @property
    def ends(self) -> dict[str, Any]:
        """Warehouse and state, as the public functions take them.

        Raises:
            ConfigurationError: The warehouse is missing, or a variable of the state is not set.
        """
        self._require(name for name in self.required if name in STATE_ENDS)
        return {name: value for name, value in self.settings.items() if name in STATE_ENDS}

    @property
    def account(self) -> dict[str, Any]:
        """The account, as the public functions take it.

        Raises:
            ConfigurationError: The address or the token is missing.
        """
        self._require(name for name in self.required if name not in STATE_ENDS)
        return {name: value for name, value in self.settings.items() if name not in STATE_ENDS}

    def open(self) -> AbstractContextManager[SyncRecords]:
        """Open the sync between its runs."""
        return dagster_dailystory.open_sync(self.sync, **self.ends)

    def command(self, name: str, *arguments: str) -> str:
        """Another command for this sync, with the settings of this command line. It shows no user and no password."""
        options = [
            (f"--{setting.replace('_', '-')}", "…" if "@" in str(value) else str(value))
            for setting, value in self.given.items()
            if setting in (*STATE_ENDS, "base_url")
        ]
        return shlex.join(
            ["dagster-dailystory", name, self.name, *arguments, *(part for pair in options for part in pair)]
        )

    def _require(self, settings: Iterable[str]) -> None:
        for setting in settings:
            if not self.settings.get(setting):
                option = "" if setting == "api_token" else f"give --{setting.replace('_', '-')}, or "
                variable = self.variables[setting]
                raise ConfigurationError(f"{setting} is missing: {option}set the environment variable {variable}")


def find_target(name: str, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Target:
    """Find a sync and its settings.

    Args:
        name: `module:attribute`, or the path of a component's `defs.yaml`, with `:NAME` if it describes several syncs.
        given: The settings of the command line.
        environment: The environment variables.

    Raises:
        ConfigurationError: There is no such sync, or a setting is not valid.
    """
    usual = {setting: variable for variable, setting in {**REQUIRED, **OPTIONAL}.items()}
    settings = settings_from_environment(environment)
    if (file := re.fullmatch(r"(.*\.ya?ml)(?::(.+))?", name)) is None:
        return Target(name, _imported_sync(name), given, {**settings, **given}, usual)
    described = _described_sync(Path(file[1]), file[2])
    for setting, variable in described.variables.items():
        settings[setting] = environment.get(variable) or None
    settings |= {**described.settings, **given}
    required = (*REQUIRED.values(), *described.variables)  # a state that is named must not be in the warehouse instead
    return Target(name, described.sync, given, settings, {**usual, **described.variables}, required)


def _described_sync(file: Path, name: str | None) -> DescribedSync:
    if not file.is_file():
        raise ConfigurationError(f"there is no file {str(file)!r}")
    _import_from_here()
    from dagster_dailystory.definitions.component.file import read_component  # only a component needs Dagster

    return read_component(file, name)


def _imported_sync(name: str) -> ContactSync:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(f"{name!r} names no sync: write MODULE:ATTRIBUTE, or the path of its defs.yaml")
    _import_from_here()
    try:
        module = importlib.import_module(module_name)
    except DailyStoryError:
        raise
    except ModuleNotFoundError as error:
        where = f" (looked in {os.getcwd()} too)" if error.name == module_name.partition(".")[0] else ""
        raise ConfigurationError(f"cannot import {module_name!r}: no module {error.name!r}{where}") from error
    except Exception as error:  # whatever the user's module raises; its message may hold a secret
        raise ConfigurationError(
            f"cannot import {module_name!r}: it raises {type(error).__name__}; --debug shows where"
        ) from error
    found = getattr(module, attribute, None)
    if not isinstance(found, ContactSync):
        others = [each for each, value in vars(module).items() if isinstance(value, ContactSync)]
        hint = nearest(attribute, others) or f"; it has {', '.join(others) or 'none'}"
        raise ConfigurationError(f"module {module_name!r} has no ContactSync {attribute!r}{hint}")
    return found


def _import_from_here() -> None:
    """Let modules of the current directory be imported, as `python -m` does."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
