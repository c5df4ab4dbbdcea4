"""Google BigQuery."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import URL, cast, func, literal_column
from sqlalchemy.types import UserDefinedType

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue

_HASHED = frozenset({
    "STRING", "BYTES", "INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "BOOL", "TIMESTAMP",
    "DATE", "TIME", "DATETIME", "INTERVAL", "JSON",
})  # fmt: skip
"""Types whose JSON is exact; an array has the type of its items. What a STRUCT holds is not known from its name.
GEOGRAPHY and RANGE have no JSON, or none that is documented as exact."""


def _duration(interval: Any) -> timedelta:
    """An interval as a duration, with months of 30 days and years of 365, as PostgreSQL's driver has them."""
    days = 365 * interval.years + 30 * interval.months + interval.days
    return timedelta(days, interval.seconds, interval.microseconds, 0, interval.minutes, interval.hours)


class _BigNumeric(UserDefinedType[object]):
    """BIGNUMERIC."""

    cache_ok = True

    def get_col_spec(self, **_settings: object) -> str:
        """The name of the type."""
        return "BIGNUMERIC"


class BigQuery(Database):
    """Google BigQuery."""

    title = "BigQuery"
    url = "bigquery://project/dataset"
    extra = "bigquery"
    connection_types = ("gcpbigquery", "google_cloud_platform")
    why_no_state = SLOW
    hashed_types = _HASHED

    @classmethod
    def url_of(cls, parts: URL) -> URL:
        """The project is an extra, as is the key of a service account: the path of a file, or its JSON."""
        path, document = parts.query.get("key_path"), parts.query.get("keyfile_dict")
        options = {} if path is None else {"credentials_path": path}
        if document is not None:
            options["credentials_base64"] = b64encode(str(document).encode()).decode("ascii")
        project = str(parts.query.get("project", ""))
        return URL.create("bigquery", host=project, database=parts.database or "", query=options)

    type_names: ClassVar = {"RECORD": "STRUCT"}
    text_types = frozenset({"STRING"})
    short_name = sql_name = "bigquery"
    converters: ClassVar = {"INTERVAL": _duration}

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash the values as JSON with a comma after each: NULL is `null`, the JSON of a text is quoted."""
        row: SqlValue = literal_column("''")
        for value in values:
            row = row.concat(func.coalesce(func.to_json_string(value), literal_column("'null'"))).concat(
                literal_column("','")
            )
        return func.farm_fingerprint(row, type_=BIG_INTEGER)

    def exact_sum(self, numbers: SqlValue) -> SqlValue:
        """NUMERIC has 29 digits before the point, and emulators fewer; BIGNUMERIC has 38."""
        return func.sum(cast(numbers, _BigNumeric()))

    def remainder(self, number: SqlValue, divisor: int) -> SqlValue:
        """There is no operator for it."""
        return func.mod(number, literal_column(str(divisor)), type_=BIG_INTEGER)
