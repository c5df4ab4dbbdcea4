"""Database URLs: every one that cannot be used is refused with the setting, the cause and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_dailystory.databases.kinds.registry import DATABASES
from dagster_dailystory.databases.urls import checked_url
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError

SECRET = "hush"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "is of the type NoneType; it must be a database URL"),
        (5, "is of the type int; it must be a database URL"),
        ("", "is empty; it must be a database URL"),
        ("warehouse.duckdb", "is not a database URL; it looks like dialect+driver://"),
        ("jdbc:postgresql://host/db", "is not a database URL; it looks like dialect+driver://"),
        ("postgres://me:hush@host/db", "starts with 'postgres'; write postgresql+psycopg://"),
        ("duckdbb:///x.duckdb", "did you mean 'duckdb'?"),
        ("nosuch://me:hush@host/db", "the databases that this package knows are PostgreSQL, DuckDB"),
        ("postgresql+asyncpg://me:hush@host/db", "pip install 'dagster-dailystory[postgres]' and write postgresql+psycopg://"),
        ("mysql://me:hush@host/db", "pip install 'dagster-dailystory[mysql]' and write mysql+pymysql://"),
        ("postgresql+psycopg://me:hush@host:port/db", "the port in a_setting is not a number"),
        ("postgresql+psycopg://me:a@hush:b@host/db", "the port in a_setting is not a number; write each @, : and /"),
        ("postgresql+psycopg://me:a@hush@host/db", "more than one @ before the database; write each @, : and / "),
        ("postgresql+psycopg://me:a@hush/b@host/db", "more than one @ before the database; write each @, : and / "),
        ("sqlite://warehouse.sqlite", "has too few slashes; it looks like sqlite:////"),
        ("duckdb://warehouse.duckdb", "has too few slashes; it looks like duckdb:////"),
    ],
)  # fmt: skip
def test_an_unusable_url_is_refused_by_the_name_of_its_setting(url: object, message: str):
    with pytest.raises(ConfigurationError) as caught:
        checked_url(url, "a_setting")
    assert message in str(caught.value)
    assert "a_setting" in str(caught.value)
    assert SECRET not in f"{caught.value!r}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", sorted(DATABASES))
def test_every_documented_url_is_accepted(name: str):
    url = checked_url(DATABASES[name].url, "a_setting")
    assert url.get_backend_name() == name


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_a_missing_file_of_the_warehouse_is_refused_and_not_created(dialect: str, tmp_path: Path):
    path, state = tmp_path / "warehose.db", f"sqlite:///{tmp_path}/state.db"
    for state_url in (None, state):
        with pytest.raises(ConfigurationError, match=f"warehouse_url names the file {path}, which does not exist"):
            Warehouse.at(f"{dialect}:///{path}", state_url)
    assert list(tmp_path.iterdir()) == []
    path.touch()
    assert Warehouse.at(f"{dialect}:///{path}", state).state.url == state


def test_a_relative_path_is_shown_as_it_was_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=f"{tmp_path / 'data' / 'warehouse.db'}, which does not exist"):
        Warehouse.at("sqlite:///data/warehouse.db")


def test_the_folder_of_the_state_must_exist(tmp_path: Path):
    (tmp_path / "warehouse.db").touch()
    with pytest.raises(ConfigurationError, match=f"state_url names a file in {tmp_path / 'no'}, and this folder"):
        Warehouse.at(f"sqlite:///{tmp_path}/warehouse.db", f"sqlite:///{tmp_path}/no/state.db")


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:", "duckdb:///md:analytics", "sqlite://"])
def test_a_database_that_is_not_a_local_file_needs_none(url: str):
    assert Warehouse.at(url).url == url
