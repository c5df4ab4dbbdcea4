"""The tables and the frame of the showcase: small, and with people who are in no other sync of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from dagster_dailystory.demo.data import customer

if TYPE_CHECKING:
    import pandas

_MONTHS, _MEMBERS_A_MONTH, _VIPS, _GUESTS = 12, 20, 25, 30
_FIRST_MEMBER, _FIRST_VIP, _FIRST_GUEST = 100_001, 200_001, 300_001  # the demo's customers have lower numbers

_tables = sa.MetaData()
_person = ("email", "first_name", "last_name", "city")


def _columns() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(254)) for name in _person]


members = sa.Table(
    "members",
    _tables,
    sa.Column("member_id", sa.Integer, primary_key=True, autoincrement=False),
    *_columns(),
    sa.Column("joined_at", sa.DateTime),
)
"""People who joined in each month of 2025."""


vips = sa.Table(
    "vips", _tables, sa.Column("vip_id", sa.Integer, primary_key=True, autoincrement=False), *_columns()
)  # fmt: skip
"""People to whom nothing is sent before it was looked at."""


def seed_showcase(url: str) -> None:
    """Create the tables `members` and `vips`.

    Args:
        url: SQLAlchemy URL of the database. Tables with these names are replaced.
    """
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            _tables.drop_all(connection)
            _tables.create_all(connection)
            joined = [datetime(2025, month + 1, 15) for month in range(_MONTHS) for _ in range(_MEMBERS_A_MONTH)]
            rows = [
                {"member_id": number, **_values(number), "joined_at": at}
                for number, at in enumerate(joined, _FIRST_MEMBER)
            ]
            connection.execute(members.insert(), rows)
            numbers = range(_FIRST_VIP, _FIRST_VIP + _VIPS)
            connection.execute(vips.insert(), [{"vip_id": number, **_values(number)} for number in numbers])
    finally:
        engine.dispose()  # DuckDB locks its file against other processes while it is open


def guests(mistakes: int) -> pandas.DataFrame:
    """Make the guests of a webinar up.

    Args:
        mistakes: How many of them have an email address that no contact can have.
    """
    import pandas

    numbers = range(_FIRST_GUEST, _FIRST_GUEST + _GUESTS)
    rows: Sequence[dict[str, object]] = [{"guest_id": number, **_values(number)} for number in numbers]
    frame: pandas.DataFrame = pandas.DataFrame(rows)
    frame.loc[frame.index < mistakes, "email"] = "unknown"
    return frame


def _values(number: int) -> dict[str, object]:
    made_up = customer(number)
    return {name: made_up[name] for name in _person}
