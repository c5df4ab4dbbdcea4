"""The recorded stories of the scenario tests: each belongs to a test, and a difference is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.placements import Placement
from support.stories import FOLDER, check_story

TESTS = Path(__file__).parents[1]


def test_every_recorded_story_belongs_to_a_test() -> None:
    stale = []
    for story in FOLDER.glob("*/*.txt"):
        [module] = TESTS.glob(f"*/test_{story.parent.name}.py")
        if f"def test_{story.stem.partition('-')[0]}(" not in module.read_text(encoding="utf-8"):
            stale.append(str(story.relative_to(TESTS)))
    assert stale == []


def test_a_difference_names_the_placement_and_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPDATE_STORIES", raising=False)
    recorded = tmp_path / "a_row_is_created.txt"
    recorded.write_text("run: done\nsent: create p1@example.com {}\n", encoding="utf-8")
    placement = Placement("postgresql")
    check_story(recorded, placement, ["run: done", "sent: create p1@example.com {}"])
    with pytest.raises(pytest.fail.Exception, match="postgresql, state inside: differs from the recorded") as failed:
        check_story(recorded, placement, ["run: done"])
    assert "-sent: create p1@example.com {}" in str(failed.value)
    with pytest.raises(pytest.fail.Exception, match="no recorded story"):
        check_story(tmp_path / "another.txt", placement, [])
