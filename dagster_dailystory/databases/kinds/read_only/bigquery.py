"""Google BigQuery."""

from __future__ import annotations

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW


class BigQuery(Database):
    """Google BigQuery."""

    title = "BigQuery"
    url = "bigquery://project/dataset"
    extra = "bigquery"
    why_no_state = SLOW
    short_name = sql_name = "bigquery"
