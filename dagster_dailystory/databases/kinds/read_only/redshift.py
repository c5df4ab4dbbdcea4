"""Amazon Redshift."""

from __future__ import annotations

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.psycopg import set_up_psycopg2
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW


class Redshift(Database):
    """Amazon Redshift."""

    title = "Redshift"
    url = "redshift+psycopg2://user@host:5439/database"
    extra = "redshift"
    why_no_state = SLOW
    short_name = sql_name = "redshift"

    def set_up(self, engine: Engine) -> None:
        """Read what Python cannot hold as text."""

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            if engine.dialect.driver == "psycopg2":
                set_up_psycopg2(connection)
