from __future__ import annotations

import httpx
import pytest


@pytest.fixture
def api(sandbox):
    """An HTTP client of the sandbox's API, with its token."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=10) as client:
        yield client
