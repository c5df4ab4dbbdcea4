"""The columns of the state tables."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer, Text
from sqlalchemy.dialects import sqlite
from support.scenario import sync_of

from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.errors import ConfigurationError

TABLES = SyncTables(
    sync_of(fields={"email": "email"}, extended_properties={}),
    StateLocation("sqlite://"),
    {"customer_id": Integer()},
    {"field_email": Text()},
    sqlite.dialect(),
)
OF_FIELDS = {"customer_id", "field_email", "differs_field_email"}
KEYED = [table for table in TABLES.metadata.sorted_tables if "customer_id" in table.columns]
COLUMNS = sorted({column.name for table in KEYED for column in table.columns} - OF_FIELDS)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_key_cannot_have_the_name_of_a_column_of_the_state_tables(column: str) -> None:
    with pytest.raises(ConfigurationError, match="is a name of the state tables; give it an alias in the query"):
        sync_of(key=column)
