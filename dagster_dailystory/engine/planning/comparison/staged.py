"""A staged source: relations in the state's database that have its rows, or those of them that may differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import FromClause

from dagster_dailystory.databases.sql_types import SqlType
from dagster_dailystory.databases.stored_values import typed_keys
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import HashedRows
from dagster_dailystory.engine.planning.comparison.hashes.sums import UnreadRows
from dagster_dailystory.model.runs.comparison import Comparison
from dagster_dailystory.model.watermark import Moment, WatermarkValues

SUM_BYTES = 24
"""A bucket, the number of its rows, and the sum of their hashes."""


@dataclass
class Traffic:
    """Counts what leaves the warehouse.

    Attributes:
        rows: Whole rows: the key and all mapped columns.
        keys: Keys, with a hash or alone.
        bytes: An estimate of both: 8 bytes for each number, and the texts as they are staged.
    """

    rows: int = 0
    keys: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class OtherSlices:
    """What a plan for one slice knows of the rows that it did not read.

    Attributes:
        missing: Keys that the state has in the slice, or its rejections, and that no slice has; None if none was looked
            for.
        has_rows: The source has a row, in this slice or another one.
        keys_in_source: Different keys of the whole source; None if no key of the slice is missing.
    """

    has_rows: bool
    missing: FromClause | None = None
    keys_in_source: int | None = None


@dataclass(frozen=True)
class Staged:
    """A source that the diff can join with the snapshot.

    Attributes:
        relation: The key columns, and one column for each mapped field.
        key_types, value_types: The types of the state's columns.
        watermark: The values of the watermark column, read before the rows were.
        since: The lowest value of it among the rows that were read, None if all were.
        widened_keys: The key columns that the state's tables have as integers, and that have to become text.
        has_unique_keys: The database itself guarantees that no key has two rows.
        all_keys: The keys of all source rows, if `relation` has only the rows that may differ; otherwise None.
        hashed: The rows with their hashes; None where hashes are not used.
        unread: The rows that were not read, because the sums of their hashes are those that the state remembers; None
            if all keys were read.
        rest: What is known of the other slices, if only one slice was read; None if all rows were.
        comparison: How the rows were compared, and what was transferred.
    """

    relation: FromClause
    key_types: Mapping[str, SqlType]
    value_types: Mapping[str, SqlType]
    watermark: WatermarkValues = WatermarkValues()  # noqa: RUF009  # frozen
    since: Moment | None = None
    widened_keys: frozenset[str] = frozenset()
    has_unique_keys: bool = False
    all_keys: FromClause | None = None
    hashed: HashedRows | None = None
    unread: UnreadRows | None = None
    rest: OtherSlices | None = None
    comparison: Comparison = Comparison()  # noqa: RUF009  # frozen

    def typed_keys(self, written: Sequence[str]) -> list[dict[str, object]]:
        """Parse the keys that a user gave (`a|b` for a composite key) as values of the key columns.

        Raises:
            ConfigurationError: A key has too many or too few parts, or a part is not a value of its column's type.
        """
        return [each for key in written for each in typed_keys(key, self.key_types)]
