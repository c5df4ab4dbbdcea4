"""A pytest fixture for your own tests. Load it with `pytest_plugins = ["dagster_dailystory.sandbox.fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dagster_dailystory.sandbox import Sandbox


@pytest.fixture
def dailystory_sandbox() -> Iterator[Sandbox]:
    """An empty sandbox for one test, over real HTTP.

        def test_a_customer_becomes_a_contact(dailystory_sandbox):
            run_contact_sync(customers, base_url=dailystory_sandbox.base_url, api_token=dailystory_sandbox.token, ...)
            assert dailystory_sandbox.find(email="ada@example.com")["firstName"] == "Ada"

    Change its behaviour with `dailystory_sandbox.configure(...)`; add faults with `dailystory_sandbox.script([...])`.
    """
    with Sandbox() as sandbox:
        yield sandbox
