"""The rows of a plan are read in chunks: each row once, in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from dagster_dailystory.engine.state.plans.row_reader import CHUNK_ROWS, RowReader
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(name="customers", source="customers", key="id", fields={"email": "email"})
HEAD_ROWS = 250


@pytest.mark.parametrize("database", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    "sequences",
    [
        [7],
        list(range(1, HEAD_ROWS + 1)),
        list(range(1, HEAD_ROWS + 2)),
        list(range(1, HEAD_ROWS + CHUNK_ROWS + 1)),
        list(range(1, HEAD_ROWS + CHUNK_ROWS + 2)),
        [3, 252, 253, 900, 2_252, 2_253, 9_000],
    ],
    ids=["one", "head", "head and one", "head and chunk", "head, chunk and one", "gaps"],
)
def test_each_row_is_in_one_chunk_for_any_size_of_the_first(
    new_database: Callable[[str], str], database: str, sequences: list[int]
) -> None:
    with open_state(StateLocation(new_database(database)), SYNC) as state, state.connection.begin():
        tables = SyncTables(SYNC, state.location, {"id": sa.BigInteger()}, {"field_email": sa.Text()}, state.dialect)
        tables.metadata.create_all(state.connection)
        numbers = ", ".join(f"('plan', {number}, {number}, 'create')" for number in sequences)
        columns = "(plan_id, sequence, id, operation)"
        state.connection.exec_driver_sql(f"INSERT INTO {tables.changes.name} {columns} VALUES {numbers}")
        chunks = RowReader(state, tables).chunks(
            tables.changes, tables.changes.c.plan_id == "plan", sequences[0], sequences[-1], HEAD_ROWS
        )
        head, *others = [[row["sequence"] for row in chunk] for chunk in chunks]
    assert [*head, *(number for chunk in others for number in chunk)] == sequences
    assert len(head) <= HEAD_ROWS
    assert all(len(chunk) <= CHUNK_ROWS for chunk in others)
