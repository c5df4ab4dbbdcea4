"""Slices of a sync, planned and sent one by one: by a hash of the key, or by the values of a column."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.settings import NAMES, Kind, check_types, named_settings

OTHER_VALUES = "other_values"
"""The slice of rows whose partition column is NULL or holds a value that is not listed."""


PARTITION_VALUE = "partition_value"
"""The state column that holds the slice of a row."""


@named_settings
@dataclass(frozen=True, slots=True)
class HashBuckets:
    """Divide a sync into slices by a hash of its key, so that a first load or a full re-sync can be resumed.

    The bucket of a key is not stored, at most the hash of the key, so the count can change at any time.

    Attributes:
        count: Number of slices, 2 to 1,000.

    Raises:
        ConfigurationError: The count is out of range.
    """

    count: int

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or isinstance(self.count, bool):
            raise ConfigurationError(f"HashBuckets({self.count!r}): the count must be a whole number")
        if not 2 <= self.count <= 1_000:
            raise ConfigurationError(f"HashBuckets({self.count}): the count must be between 2 and 1,000")

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: `bucket_0` and so on, padded with zeros to the same length."""
        digits = len(str(self.count - 1))
        return tuple(f"bucket_{number:0{digits}d}" for number in range(self.count))


_COLUMN_VALUES = {
    "column": Kind((str,), "the name of a source column"),
    "values": Kind(NAMES, "a list of texts, such as ['emea', 'amer']"),
}


@named_settings
@dataclass(frozen=True, slots=True)
class ColumnValues:
    """Divide a sync into slices by the values of a source column, for example one slice per region.

    Attributes:
        column: The source column; its values are compared as text.
        values: Each value is one slice. Rows with another value or NULL are in the slice `other_values`.

    Raises:
        ConfigurationError: `values` is empty, repeats a value, or holds an empty text or `other_values`.
    """

    column: str
    values: Sequence[str]

    def __post_init__(self) -> None:
        check_types(self, _COLUMN_VALUES)
        values = in_fixed_order(self.values)
        object.__setattr__(self, "values", values)
        if not values or len(set(values)) != len(values) or OTHER_VALUES in values or not all(values):
            raise ConfigurationError(
                f"ColumnValues({self.column!r}): list each value once, without empty texts;"
                f" {OTHER_VALUES!r} is added automatically"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: the values, then `other_values`."""
        return (*self.values, OTHER_VALUES)

    def name_of(self, value: object) -> str:
        """The slice of a row, from the canonical text of its partition column."""
        return str(value) if value in self.values else OTHER_VALUES


Partitioning = HashBuckets | ColumnValues

_SHOWN = 8
"""Most slices that a message names."""


def in_fixed_order(names: Collection[str]) -> tuple[str, ...]:
    """Names in the order of the caller; those of a set, whose order differs from process to process, sorted."""
    return tuple(sorted(names) if isinstance(names, Set) else names)


def check_partition(partitions: Partitioning | None, name: str | None) -> None:
    """Check that a slice exists.

    Raises:
        ConfigurationError: The sync has no such slice.
    """
    if name is None:
        return
    if partitions is None:
        raise ConfigurationError(f"partition {name!r} does not exist: the sync has no partitions")
    if name not in partitions.names:
        known = ", ".join(partitions.names[:_SHOWN]) + (" …" if len(partitions.names) > _SHOWN else "")
        raise ConfigurationError(f"the sync has no partition {name!r}, only {known}{nearest(name, partitions.names)}")
