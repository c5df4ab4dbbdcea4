"""Components as a user's `defs.yaml` describes them."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from dagster_dailystory import DailyStorySyncComponent

PEOPLE: dict[str, object] = {
    "name": "people",
    "source": "people",
    "key": "id",
    "fields": {"email": "email", "firstName": "first_name"},
}


def definitions(
    attributes: Mapping[str, object], kind: type[DailyStorySyncComponent] = DailyStorySyncComponent
) -> dg.Definitions:
    """The definitions of one `defs.yaml`."""
    contents = {"type": f"{kind.__module__}.{kind.__name__}", "attributes": dict(attributes)}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=kind, defs_yaml_contents=contents)
        with sandbox.load_component_and_build_defs(defs_path=path) as (_, made):
            return made


def load_error(attributes: Mapping[str, object], kind: type[DailyStorySyncComponent] = DailyStorySyncComponent) -> str:
    """The messages with which a `defs.yaml` does not load."""
    with pytest.raises(Exception, match=r".") as refused:
        definitions(attributes, kind)
    texts = []
    error: BaseException | None = refused.value
    while error is not None:
        texts.append(str(error))
        error = error.__cause__
    return "\n".join(texts)
