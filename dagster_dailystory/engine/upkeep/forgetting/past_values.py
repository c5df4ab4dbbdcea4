"""Emails and mobile numbers in the history: those that forgotten rows had before, and those that other rows had."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from dagster_dailystory.contacts.identity import e164, email_for_matching
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.contact_fields import IDENTITY_FIELDS

_BATCH = 5_000

_EMAIL, _MOBILE = (f"field_{name}" for name in IDENTITY_FIELDS)  # also of a sync that does not map them any more

_COLUMNS = {_EMAIL: "identity_email", _MOBILE: "identity_mobile"}
"""Column of an email or a mobile number as it was sent -> the column with it as it is matched."""

_LAST_DIGITS = 6
"""Digits at the end of a mobile number that are compared before it is read as one, which takes longer."""


@dataclass(frozen=True)
class PastValues:
    """The emails and mobile numbers of one sync's history, within the caller's transaction.

    Attributes:
        state: The sync's state.
        tables: The sync's tables.
    """

    state: State
    tables: SyncTables

    def identities(self, which: ColumnElement[bool]) -> Iterator[tuple[str, str]]:
        """Those of some rows: the column of an identity, and its value as it is matched."""
        for texts in self._rows(which):
            for text in texts:
                for column, value in _values(text):
                    matched = self._matched(column, value)
                    if matched:
                        yield _COLUMNS[column], matched

    def remove(self, identities: Mapping[str, Collection[str]]) -> int:
        """Remove some of them from all rows, whose other values stay.

        Args:
            identities: Column of an identity -> values, as they are matched.

        Returns:
            How many rows had one.
        """
        if not any(identities.values()):
            return 0
        shorter: dict[str, str] = {}
        rows = 0
        for texts in self._rows():
            found = {text: self._without(text, identities) for text in texts}
            changed = {text: left for text, left in found.items() if left != text}
            shorter |= changed
            rows += bool(changed)
        history = self.tables.history
        for column in (history.c.before, history.c.after):
            for text, left in shorter.items():
                self.state.connection.execute(history.update().where(column == text).values({column: left}))
        return rows

    def _rows(self, *which: ColumnElement[bool]) -> Iterator[list[str]]:
        columns = (self.tables.history.c.before, self.tables.history.c.after)
        has_one = or_(*(column.contains(f'"{name}"', autoescape=True) for column in columns for name in _COLUMNS))
        query = select(*columns).where(has_one, *which)
        streamed = {"stream_results": True, "yield_per": _BATCH}
        for rows in self.state.connection.execute(query, execution_options=streamed).partitions(_BATCH):
            for row in rows:
                yield [text for text in row if text]

    def _without(self, text: str, identities: Mapping[str, Collection[str]]) -> str:
        for column, value in _values(text):
            if self._is_one(column, value, identities[_COLUMNS[column]]):
                text = _without_member(text, column)
        return text

    def _is_one(self, column: str, value: str, wanted: Collection[str]) -> bool:
        if column == _EMAIL:
            return email_for_matching(value) in wanted
        digits = re.sub(r"\D", "", value).lstrip("0")
        same_end = [each for each in wanted if digits and each.endswith(digits[-_LAST_DIGITS:])]
        return any(each.endswith(digits) or each == self._matched(column, value) for each in same_end)

    def _matched(self, column: str, value: str) -> str | None:
        """A value as it is matched. The history does not have the country that a row names for its number."""
        if column == _EMAIL:
            return email_for_matching(value)
        region = self.tables.sync.default_region
        return e164(value, region if isinstance(region, str) else None)


def _values(text: str) -> list[tuple[str, str]]:
    return [(column, str(value)) for column, value in json.loads(text).items() if column in _COLUMNS and value]


def _without_member(text: str, name: str) -> str:
    """A JSON object without one member. The texts of the others stay as they are, with all digits of a number."""
    member = rf'"{name}"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^,}}\s]+)'
    left = re.sub(rf"{member}\s*,\s*", "", text, count=1)
    return left if left != text else re.sub(rf",?\s*{member}", "", text, count=1)
