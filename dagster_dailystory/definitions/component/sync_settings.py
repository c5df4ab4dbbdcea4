"""The settings of a sync in a YAML file, derived from `ContactSync`: names, types, defaults and descriptions."""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import Field, create_model

from dagster_dailystory.definitions.component.settings import FrameSettings, Settings, Slices, WatermarkSettings
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.mapping import Invalid, Nulls
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, TimeWindows
from dagster_dailystory.model.settings import attribute_texts
from dagster_dailystory.model.sync import ContactSync, DeletePolicy, FrameSource, Mode, OnDeleted
from dagster_dailystory.model.watermark import Watermark

_IN_YAML: Mapping[object, object] = {
    HashBuckets: Slices | None,
    ColumnValues: Slices | None,
    TimeWindows: Slices | None,
    Watermark: WatermarkSettings,
    FrameSource: FrameSettings,
    Path: str,  # of a file beside the YAML file
    **dict.fromkeys((Mode, DeletePolicy, OnDeleted, Nulls, Invalid), str),
}
"""Type of a setting -> its type in YAML."""


_EXAMPLES: Mapping[str, list[object]] = {
    "name": ["customers"],
    "source": ["analytics.customers", "customers.sql", {"frame": "analytics/scored_customers"}],
    "key": ["customer_id"],
    "fields": [{"firstName": "first_name"}],
    "extended_properties": [{"plan": "plan"}],
    "known_custom_fields": [["plan", "tier"]],
    "nulls": ["keep", {"city": "clear"}],
    "invalid": ["reject_row", {"mobilePhone": "drop_field"}],
    "max_created_rows": [5_000],
    "max_changed_fraction": [0.5],
    "max_rejected_fraction": [0.05],
    "personal_keys": [["email"]],
    "consent_override": [["optOutPush"]],
    "default_region": ["US", {"column": "country"}],
    "partitions": [{"buckets": 8}],
    "watermark": [{"column": "updated_at"}],
    **{name: [each.value for each in kind] for name, kind in (("mode", Mode), ("deletes", DeletePolicy))},
}
"""Setting -> examples; of all others the default is one."""


class _SyncFields(Settings):
    """Makes the sync that the YAML describes."""

    def sync(self, folder: Path) -> ContactSync:
        """Make the sync.

        Args:
            folder: The folder of a relative `.sql` path.

        Raises:
            ConfigurationError: A setting is not valid.
        """
        given = {name: getattr(self, name) for name in _FIELDS}
        settings: dict[str, Any] = {
            name: value.setting() if isinstance(value, (FrameSettings, Slices, WatermarkSettings)) else value
            for name, value in given.items()
        }
        source = settings["source"] if isinstance(settings["source"], str) else ""
        if source.endswith(".sql") and len(source.split()) == 1:
            if not (folder / source).exists():
                raise ConfigurationError(
                    f"the source file {source!r} does not exist; a relative path starts at the folder of this file"
                )
            settings["source"] = folder / source
        return ContactSync(**settings)


def _yaml_type(annotation: object) -> Any:
    """The type in YAML of a setting of `ContactSync`."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        kinds = [_yaml_type(each) for each in get_args(annotation)]
        return Union[tuple(dict.fromkeys(kinds))]  # noqa: UP007  # of types that are known at run time only
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, str]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list[str]
    return _IN_YAML.get(annotation, annotation)


def _fields() -> dict[str, Any]:
    """Setting -> its type and its description for pydantic."""
    texts, types = attribute_texts(ContactSync), get_type_hints(ContactSync)
    found: dict[str, Any] = {}
    for each in dataclasses.fields(ContactSync):
        if not each.init:
            continue
        default = each.default.value if isinstance(each.default, Enum) else each.default
        examples = _EXAMPLES.get(each.name, [default])
        described: dict[str, Any] = {"description": texts.get(each.name), "examples": examples}
        if each.default_factory is not dataclasses.MISSING or default == ():
            made = Field(default_factory=dict if default != () else list, **described)
        else:
            made = Field(default=... if default is dataclasses.MISSING else default, **described)
        found[each.name] = (_yaml_type(types[each.name]), made)
    return found


_FIELDS = _fields()

SyncFields = cast("type[_SyncFields]", create_model("SyncFields", __base__=_SyncFields, **_FIELDS))
"""The settings of a sync, for a component to inherit."""
