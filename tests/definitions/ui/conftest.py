"""One Dagster UI for all browser tests of this folder, which run in order: the first page shows the runs of the demo.

`make test-ui` runs them; with UPDATE_IMAGES=1 they replace the pictures in docs/images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.ui_deployment import ROOT, Deployment, started
from support.ui_driver import browser_page

from dagster_dailystory.api.settings import POOL

expect.set_options(timeout=30_000)  # live data is polled, and the machine may be busy


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with started(tmp_path_factory.mktemp("ui"), POOL) as running:
        yield running


@pytest.fixture
def page(deployment: Deployment) -> Iterator[Page]:
    """A browser; at the end, no request has left the machine."""
    outside: list[str] = []
    with browser_page(deployment.ui.base, outside) as opened:
        yield opened
    assert outside == []


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder of the pictures: docs/images if UPDATE_IMAGES is set."""
    folder = ROOT / "docs/images" if os.environ.get("UPDATE_IMAGES") else tmp_path
    folder.mkdir(exist_ok=True)
    return folder
