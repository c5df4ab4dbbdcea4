"""How a sync can be cut into slices that are planned and sent one by one: by a hash of its key, or by a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest

OTHER_VALUES = "other_values"
"""The slice of rows whose partition column is NULL or holds a value that is not listed."""


PARTITION_VALUE = "partition_value"
"""The column of the state that names a row's slice, next to the key and the mapped fields."""


@dataclass(frozen=True, slots=True)
class HashBuckets:
    """Cut a sync into equal slices by a hash of its key: for first loads and full re-syncs that can be resumed.

    The bucket of a key is computed where it is needed and stored nowhere, so the count may change at any time.

    Attributes:
        count: How many slices, 2 to 1,000.

    Raises:
        ConfigurationError: The count is out of range.
    """

    count: int

    def __post_init__(self) -> None:
        if not 2 <= self.count <= 1_000:
            raise ConfigurationError(f"HashBuckets({self.count}): the count must be between 2 and 1,000")

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: `bucket_0` and so on, with as many digits as the last one."""
        digits = len(str(self.count - 1))
        return tuple(f"bucket_{number:0{digits}d}" for number in range(self.count))


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """Cut a sync into slices by the values of a source column, for example one a region.

    Attributes:
        column: The source column; its values are compared as text.
        values: One slice each. Rows with another value, or none, are in the slice `other_values`.

    Raises:
        ConfigurationError: No values, doubled ones, or one that is the name of the last slice.
    """

    column: str
    values: Sequence[str]

    def __post_init__(self) -> None:
        values = tuple(self.values)
        object.__setattr__(self, "values", values)
        if not values or len(set(values)) != len(values) or OTHER_VALUES in values or not all(values):
            raise ConfigurationError(
                f"ColumnValues({self.column!r}): name each value once; {OTHER_VALUES!r} is added by itself"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: the values, and `other_values`."""
        return (*self.values, OTHER_VALUES)

    def name_of(self, value: object) -> str:
        """The slice of a row whose partition column has this canonical text."""
        return str(value) if value in self.values else OTHER_VALUES


Partitioning = HashBuckets | ColumnValues


def check_partition(partitions: Partitioning | None, name: str | None) -> None:
    """Make sure that a slice exists.

    Raises:
        ConfigurationError: The sync has no such slice.
    """
    if name is None:
        return
    if partitions is None:
        raise ConfigurationError(f"the sync has no partitions, so none is called {name!r}")
    if name not in partitions.names:
        raise ConfigurationError(f"the sync has no partition {name!r}{nearest(name, partitions.names)}")
