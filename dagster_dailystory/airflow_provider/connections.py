"""Airflow's connections. One that cannot be used is an error that no retry corrects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from dagster_dailystory.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection


def connection_of(conn_id: str) -> tuple[Connection, dict[str, object]]:
    """Read a connection and its extra, without the settings of the extra that are empty, as Airflow's form leaves them.

    Raises:
        ConfigurationError: Airflow has no such connection, or may not read it, or its extra is not a JSON object.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, PermissionError):
        raise ConfigurationError(
            f"Airflow has no connection {conn_id!r} that this task can read; add it (Admin > Connections, or airflow"
            f" connections add {conn_id}), or correct the conn_id of the task. If it exists, its backend could not be"
            " reached, or what it holds cannot be read"
        ) from None
    try:
        is_object = isinstance(json.loads(connection.extra or "{}"), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ConfigurationError(
            f'the extra of connection {conn_id!r} is not a JSON object, such as {{"name": "value"}}'
        )
    return connection, {name: value for name, value in connection.extra_dejson.items() if value not in (None, "")}
