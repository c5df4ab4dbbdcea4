"""The URL of a connection that Airflow keeps, for each database."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import URL, make_url

from dagster_dailystory.databases.kinds.registry import DATABASES
from dagster_dailystory.databases.urls import read_url, url_of_connection
from dagster_dailystory.errors import ConfigurationError

KEY = base64.b64encode(b'{"k": 1}').decode()
FILE = "/data/shop.file"
URLS = {
    "postgres": ({"sslmode": "require", "cursor": "x"}, "postgresql+psycopg://ann:p%40ss@db:99/shop?sslmode=require"),
    "redshift": ({}, "redshift+psycopg2://ann:p%40ss@db:99/shop"),
    "snowflake": (
        {"account": "acme", "region": "eu-west-1", "database": "dwh", "warehouse": "small", "role": "reader"},
        "snowflake://ann:p%40ss@acme.eu-west-1:99/dwh/shop?role=reader&warehouse=small",
    ),
    "gcpbigquery": ({"project": "acme", "key_path": "key.json"}, "bigquery://acme/shop?credentials_path=key.json"),
    "google_cloud_platform": (
        {"project": "acme", "keyfile_dict": '{"k": 1}'},
        f"bigquery://acme/shop?credentials_base64={KEY}",
    ),
    "databricks": (
        {"http_path": "/sql/1", "catalog": "main"},
        "databricks://token:p%40ss@db:99/?catalog=main&http_path=%2Fsql%2F1&schema=shop",
    ),
    "clickhouse": ({"secure": "true"}, "clickhousedb://ann:p%40ss@db:99/shop?secure=true"),
    "trino": ({"catalog": "hive"}, "trino://ann:p%40ss@db:99/hive/shop"),
    "mysql": ({}, "mysql+pymysql://ann:p%40ss@db:99/shop?charset=utf8mb4"),
    "mariadb": ({"charset": "latin1"}, "mariadb+pymysql://ann:p%40ss@db:99/shop?charset=latin1"),
    "mssql": ({}, "mssql+pymssql://ann:p%40ss@db:99/shop?charset=utf8"),
    "duckdb": ({}, f"duckdb:///{FILE}"),
    "sqlite": ({}, f"sqlite:///{FILE}"),
}


def parts(extra: dict[str, str], *, is_file: bool = False) -> URL:
    if is_file:
        return URL.create("any", host=FILE, database="main", query=extra)
    return URL.create("any", "ann", "p@ss", "db", 99, "shop", extra)


@pytest.mark.parametrize("kind", URLS)
def test_a_connection_of_each_type_is_a_url_of_its_database(kind: str):
    extra, url = URLS[kind]
    found = url_of_connection(kind, parts(extra, is_file=FILE in url), "connection 'warehouse'")
    assert make_url(found) == make_url(url)
    assert read_url(found, "url").get_backend_name() in DATABASES


def test_every_database_has_a_type_of_connection():
    assert {kind for each in DATABASES.values() for kind in each.connection_types} == set(URLS)
    assert all(each.connection_types for each in DATABASES.values())


def test_a_connection_of_another_type_is_refused_without_its_password():
    with pytest.raises(ConfigurationError, match="connection 'crm' is of the type 'http'; the known types") as error:
        url_of_connection("http", parts({}), "connection 'crm'")
    assert "p@ss" not in str(error.value)
