"""The form of a connection in Airflow: its fields, and its button Test."""

from __future__ import annotations

import pytest
from support.airflow_runs import World

from dagster_dailystory.api.environment import ACCOUNT_TYPES

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("airflow_home")]


def test_each_setting_of_the_account_is_a_field_of_the_form():
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    own = {name: each for name, each in manager.connection_form_widgets.items() if "dailystory" in name}
    assert set(own) == {f"extra__dailystory__{setting}" for setting in ACCOUNT_TYPES}
    assert {each.field["value"] for each in own.values()} == {None}
    assert manager.field_behaviours["dailystory"]["relabeling"] == {"host": "Base URL", "password": "API token"}


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ("2025", "the token belongs to the account 'Sandbox' in the data centre us-1"),
        ("nameless", "DailyStory accepts the token, but does not say which account it belongs to"),
    ],
)
def test_the_button_says_which_account_the_token_belongs_to(shape: str, shown: str, world: World):
    from dagster_dailystory.airflow_provider import DailyStoryHook

    world.sandbox.configure(about_shape=shape, tenant_name="Sandbox", data_center="us-1")
    assert DailyStoryHook().test_connection() == (True, shown)
    assert world.sandbox.counts.requests == 1


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"password": "another-token"}, "DailyStory does not accept the API token"),
        ({"host": "http://127.0.0.1:9/api/v1"}, "127.0.0.1"),
        ({"extra": {"max_attempts": 0}}, "connection 'dailystory_default': max_attempts=0 must be at least 1"),
    ],
)
def test_the_button_says_what_is_wrong_and_shows_no_token(
    change: dict[str, object], shown: str, world: World, monkeypatch: pytest.MonkeyPatch
):
    from dagster_dailystory.airflow_provider import DailyStoryHook

    for name, value in world.connections(**change).items():
        monkeypatch.setenv(name, value)
    is_good, message = DailyStoryHook().test_connection()
    assert not is_good
    assert shown in message
    assert [token for token in (world.sandbox.token, "another-token") if token in message] == []
