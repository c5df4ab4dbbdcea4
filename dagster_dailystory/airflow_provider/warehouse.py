"""The databases of a sync, from Airflow's connections."""

from __future__ import annotations

import json

from airflow.sdk.log import mask_secret
from sqlalchemy import URL

from dagster_dailystory.airflow_provider.connections import connection_of
from dagster_dailystory.databases.urls import SQLALCHEMY_URL, read_url, url_of_connection
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.sync import ContactSync


def database_url(conn_id: str) -> str:
    """The SQLAlchemy URL of a connection. It may have a password: keep it out of XCom and of template fields.

    Args:
        conn_id: A connection of a database's type; or of any type, with the whole URL in its extra `sqlalchemy_url`.

    Raises:
        ConfigurationError: There is no such connection, or it is of another type, or its URL cannot be read.
    """
    (connection, extra), setting = connection_of(conn_id), f"connection {conn_id!r}"
    if SQLALCHEMY_URL in extra:
        url = extra[SQLALCHEMY_URL]
        secret = read_url(url, f"{SQLALCHEMY_URL} of {setting}").password
        if secret:
            mask_secret(str(secret))
        return str(url)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in extra.items()}
    user, place = (connection.login or None, connection.password), (connection.host, connection.port)
    parts = URL.create("any", *user, *place, database=connection.schema or None, query=texts)
    return url_of_connection(connection.conn_type or "", parts, setting)


def warehouse_of(
    sync: ContactSync, warehouse_conn_id: str, state_conn_id: str | None = None, state_schema: str | None = None
) -> Warehouse:
    """The warehouse of a sync, and where its state is.

    Args:
        sync: The sync.
        warehouse_conn_id: The connection of the warehouse.
        state_conn_id: The connection of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.

    Raises:
        ConfigurationError: A connection cannot be used.
    """
    state_url = None if state_conn_id is None else database_url(state_conn_id)
    names = (f"connection {warehouse_conn_id!r}", f"connection {state_conn_id!r}")
    return Warehouse.at(database_url(warehouse_conn_id), state_url, state_schema, sync=sync, settings=names)
