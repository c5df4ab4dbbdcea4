"""The commands of docs/how-to/operating.md, in their order, and their pictures: UPDATE_IMAGES=1 draws them again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.console import Console
from support.scenario import Scenario, customers
from support.terminal_picture import terminal_picture

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "how-to" / "operating.md"
STEPS = re.findall(
    r"```console\n(dagster-dailystory [^\n]+)\n```\n+!\[[^\]]+\]\(\.\./(images/operating/[a-z]+\.svg)\)",
    PAGE.read_text(),
)


def before(step: str, console: Console) -> None:
    """What happens before a command of the page."""
    scenario = console.scenario
    if step == "history":
        run(console)
        scenario.update(2, city="Rome")
        run(console)
    elif step == "explain":
        scenario.update(3, email="nobody")
    elif step == "undo":
        scenario.update(3, email="p3@example.com")
        scenario.execute("UPDATE customers SET city = 'Atlantis' WHERE customer_id > 4")
        run(console)
        scenario.edit("p7@example.com", city="Bergen")
        scenario.execute("UPDATE customers SET city = 'Paris' WHERE customer_id > 4 AND customer_id <> 9")


def run(console: Console) -> None:
    assert console.run("run").exit_code in (0, 4)


@pytest.fixture
def known(console: Console) -> Console:
    """Twelve rows; DailyStory has three of them, one with another city."""
    scenario: Scenario = console.scenario
    for number in (1, 2, 3):
        scenario.sandbox.add(email=f"p{number}@example.com", firstName=f"Name {number}", city="Paris")
    scenario.sandbox.edit(str(scenario.contact("p1@example.com")["dsId"]), city="Oslo")
    scenario.insert(*customers(12)[3:])
    return console


def test_the_commands_of_the_page_do_what_it_says_and_its_pictures_show_it(known: Console):
    console = known
    assert [Path(picture).stem for _, picture in STEPS] == ["adopt", "history", "explain", "undo", "forget", "doctor"]
    for command, picture in STEPS:
        before(Path(picture).stem, console)
        name, _, *arguments = command.split()[1:]
        newest = console.json("runs")["runs"][0]["run_id"] if "RUN_ID" in arguments else ""
        result = console.run(name, *(newest if each == "RUN_ID" else each for each in arguments))
        assert result.exit_code == 0, result.output
        assert not re.search(r"@example\.com|Atlantis|Name [0-9]", result.stdout), result.stdout
        drawn = terminal_picture(command, result.stdout.replace(console.module, "syncs"))
        if os.environ.get("UPDATE_IMAGES"):
            (DOCS / picture).write_text(drawn)
        assert (DOCS / picture).read_text() == drawn
    assert console.scenario.contact("p7@example.com")["city"] == "Bergen"
    assert console.scenario.contact("p5@example.com")["city"] == "Paris"
    assert console.scenario.contact("p4@example.com")["status"] == "Deleted"
