"""Databricks SQL."""

from __future__ import annotations

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS


class Databricks(Database):
    """Databricks SQL."""

    title = "Databricks"
    url = "databricks://token:TOKEN@host?http_path=PATH&catalog=main&schema=name"
    extra = "databricks"
    why_no_state = NO_TRANSACTIONS
    short_name = sql_name = "databricks"
