"""The recorded story of each scenario test, to which every placement must come.

A test asserts what matters to it. All else that its scenario did is compared with a text file: the counts of each run,
the bodies that were sent, and at the end the contacts, the contact map and the rejections. No line depends on a
database, so one file serves every placement, and a placement that differs fails with the difference.

`UPDATE_STORIES=1 pytest FILES` writes the stories anew. Read what changed, then run the tests without it: only then are
the placements compared.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from support.placements import Placement

FOLDER = Path(__file__).parents[1] / "scenarios" / "stories"


def story_path(test: pytest.Function) -> Path:
    """The file of a test's story; its name has the test's other parameters."""
    others = [str(value) for name, value in sorted(test.callspec.params.items()) if name != "placement"]
    name = "-".join([test.originalname.removeprefix("test_"), *others])
    return FOLDER / test.path.stem.removeprefix("test_") / f"{name}.txt"


def check_story(path: Path, placement: Placement, lines: list[str]) -> None:
    """Fail if a story differs from the recorded one, or record it if that is asked for."""
    story = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_STORIES"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(story, encoding="utf-8")
        return
    if not path.exists():
        pytest.fail(f"no recorded story {path}: run this test with UPDATE_STORIES=1", pytrace=False)
    recorded = path.read_text(encoding="utf-8")
    if recorded != story:
        compared = difflib.unified_diff(recorded.splitlines(), lines, path.name, str(placement), lineterm="")
        difference = "\n".join(compared)
        pytest.fail(f"{placement.description}: differs from the recorded story\n{difference}", pytrace=False)
