"""A component's file read outside Dagster: the sync that it describes, with its warehouse and its account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components.core.component_tree import ComponentTree  # not exported

from dagster_dailystory.definitions.component.component import DailyStorySyncComponent
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.errors import ConfigurationError, DailyStoryError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.sync import ContactSync


@dataclass(frozen=True)
class DescribedSync:
    """A sync as a file describes it.

    Attributes:
        sync: The sync.
        settings: Settings of the warehouse and of the account that the file gives, as `run_contact_sync` names them.
        variables: Settings that the file takes from the environment -> the variable that holds each.
    """

    sync: ContactSync
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)


def read_component(file: Path, name: str | None = None) -> DescribedSync:
    """Read a sync from a `defs.yaml` of a Dagster project.

    Args:
        file: The file.
        name: The sync, in a file that describes several.

    Raises:
        ConfigurationError: The file cannot be loaded, or does not describe this one sync.
    """
    found = {each.name: each for each in _components(file.resolve())}
    if name is None and len(found) == 1:
        [name] = found
    if name is None or name not in found:
        hint = nearest(name or "", list(found)) or f"; it describes {', '.join(found) or 'none'}"
        wanted = f"no sync {name!r}" if name else "not exactly one sync, so name one as FILE:NAME"
        raise ConfigurationError(f"{file} describes {wanted}{hint}")
    component = found[name]
    given, variables = dict[str, Any](), dict[str, str]()
    for settings in (component.warehouse, component.dailystory):
        for setting, value in () if isinstance(settings, str) else _ends(settings.resource()):
            if isinstance(value, dg.EnvVar):
                variables[setting] = value.env_var_name
            else:
                given[setting] = value
    return DescribedSync(component.sync(file.resolve().parent), given, variables)


def _ends(resource: WarehouseResource | DailyStoryResource) -> Iterator[tuple[str, Any]]:
    """The settings of a resource, as `run_contact_sync` names them."""
    for name in type(resource).model_fields:
        yield {"url": "warehouse_url"}.get(name, name), getattr(resource, name)


def _components(file: Path) -> Sequence[DailyStorySyncComponent]:
    try:
        loaded = ComponentTree.for_project(file.parent).load_component(file.parent)
    except Exception as error:  # whatever the user's project raises
        raise _ours(error) or ConfigurationError(
            f"{file} cannot be loaded as a component of a Dagster project: {type(error).__name__}; run this"
            " in the folder of the project, and see `dg check defs`"
        ) from error
    return [each for each in getattr(loaded, "components", [loaded]) if isinstance(each, DailyStorySyncComponent)]


def _ours(error: BaseException | None) -> DailyStoryError | None:
    """The error of this package that Dagster wrapped."""
    while error is not None and not isinstance(error, DailyStoryError):
        error = error.__cause__ or error.__context__
    return error
