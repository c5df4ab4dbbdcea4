"""The scenario of a test of this folder. Each test runs at one of its placements; the tests together run at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from zlib import crc32

import pytest
from support.placements import Placement
from support.scenario import Scenario, open_scenario


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test at the placements that it names itself, else at those of its module, else on SQLite."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "engine_placement" in metafunc.fixturenames and not any("engine_placement" in mark.args[0] for mark in marks):
        placements = getattr(metafunc.module, "PLACEMENTS", (Placement("sqlite"),))
        metafunc.parametrize("engine_placement", placements, ids=str)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the items that differ only in their placements, mark all but one slow; their common name picks it.

    A run takes three times as long on DuckDB, so that is picked half as often.
    """
    alike = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and "engine_placement" in item.fixturenames:
            others = item.callspec.id.replace(str(item.callspec.params["engine_placement"]), "")
            alike[f"{item.path.stem} {item.originalname} {others}"].append(item)
    for name, found in alike.items():
        choices = [item for item in found for _ in range(1 if "duckdb" in item.name else 2)]
        picked = choices[crc32(name.encode()) % len(choices)]
        for item in found:
            if item is not picked:
                item.add_marker(pytest.mark.slow)


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """A new scenario; a module may override it with one that has rows."""
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        yield opened
