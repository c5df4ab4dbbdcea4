"""Trino."""

from __future__ import annotations

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS


class Trino(Database):
    """Trino."""

    title = "Trino"
    url = "trino://user@host:443/catalog/schema"
    extra = "trino"
    why_no_state = NO_TRANSACTIONS
    short_name = sql_name = "trino"
