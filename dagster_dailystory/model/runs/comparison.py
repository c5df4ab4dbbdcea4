"""How a plan compared source and snapshot, and what left the warehouse for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Way(str, Enum):
    """How source and snapshot were compared."""

    INSIDE = "inside"
    """Both are in one database, which joined them: only rows that differ left it."""
    HASHES = "hashes"
    """The warehouse hashed its rows: keys and hashes left it, and the rows whose hash is another one."""
    SUMS = "sums"
    """The warehouse added its row hashes up: keys and hashes left it where a sum differs, then the changed rows."""
    STREAMED = "streamed"
    """The mapped columns of all rows left the warehouse."""


@dataclass(frozen=True)
class Comparison:
    """How a plan compared source and snapshot.

    Attributes:
        way: How.
        reason: Why rows were streamed, all slices were read, or all hashes were read after the sums; empty otherwise.
        rows: Whole rows that left the warehouse.
        keys: Keys that left it, with a hash or alone.
        bytes: An estimate of what left it for a state in another database.
    """

    way: Way = Way.STREAMED
    reason: str = ""
    rows: int = 0
    keys: int = 0
    bytes: int = 0
