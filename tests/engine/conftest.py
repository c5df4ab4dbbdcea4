"""The scenario of a test of this folder. Each test runs at one of its placements; the tests together run at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
from support.forgetting import seed_jane
from support.placements import ANOTHER, Placement, picked, some_of
from support.scenario import Scenario, open_scenario


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test at the placements that it names itself, else at two of those of its module, else on SQLite."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "engine_placement" in metafunc.fixturenames and not any("engine_placement" in mark.args[0] for mark in marks):
        placements = getattr(metafunc.module, "PLACEMENTS", (Placement("sqlite"),))
        chosen = some_of(metafunc.definition.originalname, placements, 2)
        metafunc.parametrize("engine_placement", chosen, ids=str)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the items that differ only in their placements, mark all but one as those of `make test-placements`."""
    alike: defaultdict[str, dict[Placement, pytest.Item]] = defaultdict(dict)
    for item in items:
        if isinstance(item, pytest.Function) and "engine_placement" in item.fixturenames:
            placement = item.callspec.params["engine_placement"]
            others = item.callspec.id.replace(str(placement), "")
            alike[f"{item.path.stem} {item.originalname} {others}"][placement] = item
    for name, found in alike.items():
        for placement in found.keys() - {picked(name, list(found))}:
            for mark in ANOTHER:
                found[placement].add_marker(mark)


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """A new scenario; a module may override it with one that has rows."""
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        yield opened


@pytest.fixture
def synced(scenario: Scenario) -> Scenario:
    """Jane and two others, for the tests of forgetting."""
    seed_jane(scenario)
    return scenario
