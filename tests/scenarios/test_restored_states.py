"""A state restored from a backup of yesterday: what the next run sends again, and what it cannot know."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory import open_sync

FIELDS = {**sync_of().fields, "optOutEmail": "opted_out"}
SYNC = sync_of(fields=FIELDS, deletes="deactivate", max_opted_out_fraction=None)


class Restored:
    """A sync whose state was copied yesterday, and is put back after a day of changes."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        assert scenario.state_url is not None
        self._file = Path(str(sa.make_url(scenario.state_url).database))
        self._backup = self._file.with_suffix(".backup")
        self.run()
        shutil.copy(self._file, self._backup)

    def run(self) -> list[tuple[str, str, dict[str, object]]]:
        """Run the sync; returns what it sent."""
        assert self.scenario.run(SYNC).outcome in ("done", "empty")
        return self.scenario.sent()

    def restore(self) -> None:
        shutil.copy(self._backup, self._file)


@pytest.fixture
def restored(new_database: Callable[[str], str]) -> Iterator[Restored]:
    with open_scenario(new_database, "sqlite", "sqlite") as scenario:
        scenario.seed(*customers(6))
        yield Restored(scenario)


def values_of(scenario: Scenario) -> list[tuple[object, ...]]:
    """The contacts, without their times."""
    names = ("dsId", "email", "city", "status", "optOutEmail")
    return [tuple(contact.get(name) for name in names) for contact in scenario.sandbox.contacts()]


def test_what_changed_since_the_backup_is_sent_again_and_nothing_else(restored: Restored) -> None:
    scenario = restored.scenario
    scenario.update(1, city="Oslo")
    scenario.update(2, opted_out=True)
    scenario.update(3, email="new@example.com")
    scenario.delete(4)
    scenario.insert(customer(7))
    sent = restored.run()
    contacts, mapped = values_of(scenario), scenario.contact_map()
    assert len(sent) == 5
    restored.restore()
    again = restored.run()
    assert [(name, body) for name, _, body in again] == [(name, body) for name, _, body in sent]
    assert {operation for name, operation, _ in again if name == "p7@example.com"} == {"update"}, "it is matched"
    assert (values_of(scenario), scenario.contact_map()) == (contacts, mapped)
    assert restored.run() == []


def test_a_value_that_went_back_since_the_backup_stays_as_it_was_sent(restored: Restored) -> None:
    """The restored state believes that DailyStory has the old value; scope "all" sends it."""
    scenario = restored.scenario
    scenario.update(1, city="Oslo")
    restored.run()
    scenario.update(1, city="Paris")
    restored.restore()
    assert restored.run() == []
    assert scenario.contact("p1@example.com")["city"] == "Oslo"
    scenario.run(SYNC, scope="all")
    assert scenario.contact("p1@example.com")["city"] == "Paris"


def test_a_row_that_came_and_went_since_the_backup_leaves_its_contact(restored: Restored) -> None:
    scenario = restored.scenario
    scenario.insert(customer(7))
    restored.run()
    scenario.delete(7)
    restored.restore()
    assert restored.run() == []
    assert scenario.contact("p7@example.com")["status"] == "Active"


def test_a_row_that_was_forgotten_since_the_backup_has_to_be_forgotten_again(restored: Restored) -> None:
    scenario = restored.scenario

    def forget() -> None:
        account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
        with open_sync(SYNC, warehouse_url=scenario.warehouse_url, state_url=scenario.state_url) as records:
            records.forget(["1"], **account)

    forget()
    restored.restore()
    scenario.update(1, city="Oslo")
    forget()
    scenario.sent()
    assert restored.run() == []
    assert scenario.rejections() == {"1": "forgotten"}
