"""Texts read as values of a column's type."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa

from dagster_dailystory.databases.sql_types import SqlType
from dagster_dailystory.databases.stored_values import reader_of
from dagster_dailystory.engine.state.layout.mapped_columns import is_canonical

TEXTS: list[tuple[SqlType, str, object]] = [
    (sa.BigInteger(), "7", 7),
    (sa.Numeric(), "7.50", Decimal("7.50")),
    (sa.Boolean(), "1", True),
    (sa.Boolean(), "False", False),
    (sa.Date(), "2026-01-31", date(2026, 1, 31)),
    (sa.DateTime(), "2026-01-31 10:00:00.5", datetime(2026, 1, 31, 10, 0, 0, 500_000)),
    (sa.DateTime(timezone=True), "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
    (sa.DateTime(timezone=True), "2026-01-31 10:00:00+00", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
    (sa.Text(), "x", "x"),
]


@pytest.mark.parametrize(("kind", "text", "value"), TEXTS)
def test_a_text_is_read_as_the_databases_write_it(kind: SqlType, text: str, value: object) -> None:
    read = reader_of(kind)
    assert read is not None
    assert read(text) == value


@pytest.mark.parametrize("kind", [sa.BigInteger(), sa.Numeric(), sa.Boolean(), sa.Date(), sa.DateTime(), sa.Time()])
def test_another_text_is_a_value_error(kind: SqlType) -> None:
    read = reader_of(kind)
    assert read is not None
    with pytest.raises(ValueError, match=r"x|true|number|format"):
        read("x")


def test_a_type_without_texts_of_its_own_has_no_reader() -> None:
    assert [reader_of(kind) for kind in (sa.JSON(), sa.types.NullType())] == [None, None]


def test_a_spelling_that_is_read_is_not_for_that_reason_the_canonical_one() -> None:
    assert not is_canonical("1", sa.Boolean())
    assert not is_canonical("2026-01-31 10:00:00", sa.DateTime())
    assert is_canonical("2026-01-31T10:00:00", sa.DateTime())
