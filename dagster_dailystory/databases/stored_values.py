"""Source values in the form of the staging table, which every state database stores and returns unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any, TypeGuard
from uuid import UUID

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.databases.sql_types import UNSUPPORTED, SqlType, Untyped
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.runs.options import PART_SEPARATOR


def staged_text(value: object) -> str | None:
    """The text of a value in the staging table, which any state database can store.

    NUL becomes another control character, which is not sent either. Invalid Unicode is unsupported.
    """
    try:
        staged = canonical_text(value)
    except UnsupportedValueError:
        return UNSUPPORTED
    if staged is None:
        return None
    if not staged.isascii():
        try:
            staged.encode()
        except UnicodeEncodeError:
            return UNSUPPORTED
    return staged.replace("\x00", "\x01") if "\x00" in staged else staged


def staged_texts(values: Sequence[object]) -> list[str | None]:
    """The staged texts of a column, with None for empty texts. A column of plain texts is checked as a whole."""
    if not set(map(type, values)) - {str, type(None)}:
        texts: Sequence[Any] = values
        whole = "".join(filter(None, texts))
        with suppress(UnicodeEncodeError):  # half a character: each text is looked at below
            if "\x00" not in whole and (whole.isascii() or whole.encode()):
                return [text or None for text in texts]
    return [staged_text(value) or None for value in values]


def are_integers(values: Sequence[object]) -> TypeGuard[Sequence[int]]:
    """Whether all values are 64-bit integers, which are staged unchanged as keys."""
    numbers: Sequence[Any] = values
    return not set(map(type, values)) - {int} and (not values or -(2**63) <= min(numbers) <= max(numbers) < 2**63)


def whole_number(value: object) -> int | None:
    """The whole number that a driver returned as an integer or as a decimal; None for any other value."""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def key_in_state(value: object, *, is_integer: bool) -> int | str | None:
    """A key as the state has it, in a column of integers or of texts.

    In a column of integers, a value that is not a whole number remains a text.
    """
    staged = staged_key(value)
    if staged is None or not is_integer:
        return None if staged is None else str(staged)
    number = whole_number(value)
    return staged if number is None else number


def staged_key(value: object) -> int | str | None:
    """A key as it is staged: a 64-bit integer unchanged, everything else as canonical text.

    A key without a text form becomes NULL, so its row is rejected.

    Raises:
        ConfigurationError: The key is binary.
    """
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ConfigurationError("a key column is binary; convert it to text in the query, with hex() or encode()")
    if isinstance(value, (dict, list, tuple, set)):
        raise ConfigurationError(
            "a key column holds several values; select one of them in the query, or name several columns in key"
        )
    staged = str(value) if isinstance(value, UUID) else staged_text(value)
    return None if staged == UNSUPPORTED else staged


class KeyBeyond64BitsError(Exception):
    """A key column of 64-bit integers has a larger integer: the key must become text."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def in_64_bits(number: int, column: str) -> int:
    """The same number.

    Raises:
        KeyBeyond64BitsError: It has more than 64 bits.
    """
    if not are_integers([number]):
        raise KeyBeyond64BitsError(column)
    return number


def typed_keys(written: str, key_types: Mapping[str, SqlType]) -> list[dict[str, object]]:
    """Parse a key as a user wrote it (`a|b` for a composite key) as values of the key columns.

    Returns:
        Each key that it can mean: a text may have a blank at an end, or the separator within.

    Raises:
        ConfigurationError: It has too few parts, or a part is not a value of its column's type.
    """
    possible: list[dict[str, object]] = []
    errors: list[ConfigurationError] = []
    for parts in divided_key(written, len(key_types)):
        try:
            possible += _typed_parts(parts, key_types)
        except ConfigurationError as error:
            errors.append(error)
    if not possible:
        raise (
            errors[0]
            if errors
            else ConfigurationError(f"a key of this sync has {len(key_types)} parts, written as a|b")
        )
    return possible


def divided_key(written: str, parts: int) -> list[list[str]]:
    """The ways to divide a key as a user wrote it into `parts` parts; several if a part contains the separator."""
    if parts == 1:
        return [[written]]
    given = PART_SEPARATOR in written
    pieces = written.split(PART_SEPARATOR if given else "|")
    if given:
        return [pieces] if len(pieces) == parts else []
    cuts = combinations(range(1, len(pieces)), parts - 1)
    return [["|".join(pieces[a:b]) for a, b in pairwise((0, *cut, len(pieces)))] for cut in cuts]


def _typed_parts(parts: Sequence[str], key_types: Mapping[str, SqlType]) -> list[dict[str, object]]:
    possible: list[dict[str, object]] = [{}]
    for (name, kind), part in zip(key_types.items(), parts, strict=True):
        possible = [{**some, name: value} for some in possible for value in _typed_values(part, kind, name)]
    return possible


def _as_staged(text: str) -> Iterator[str]:
    """The texts that the state has of a time, an id or an amount whose source is elsewhere, if this is one."""
    for read in (UUID, _moment, _decimal):
        with suppress(ValueError):  # it is none of this kind
            value = read(text)
            is_whole = isinstance(value, Decimal) and "." not in text  # 007 is another key than 7
            is_day = isinstance(value, datetime) and ":" not in text
            if not is_whole and not is_day:
                yield str(staged_key(value))


def _typed_values(part: str, kind: SqlType, name: str) -> list[object]:
    stripped = part.strip()
    texts: list[object] = list(dict.fromkeys((stripped, part, *_as_staged(stripped))))
    if isinstance(kind, Untyped):
        return [int(stripped), *texts] if stripped.lstrip("-").isdigit() else texts
    read = reader_of(kind)
    try:
        return texts if read in (None, str) else [read(stripped)]
    except ValueError:
        raise ConfigurationError(
            f"a value of keys is not valid: {name!r} must be of type {kind.python_type.__name__}"
        ) from None


def reader_of(kind: SqlType) -> Callable[[str], object] | None:
    """How a text is read as a value of a column's type; None for a type that has no texts of its own.

    It reads canonical texts, and those that the databases write. It raises ValueError for any other text.
    """
    try:
        return _READERS.get(kind.python_type)
    except NotImplementedError:
        return None


_FRACTION = re.compile(r"\.[0-9]{1,6}")
_SHORT_OFFSET = re.compile(r"[+-][0-9]{2}$")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError("neither true nor false")
    return _FLAGS[text.lower()]


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError("not a number") from None


def _moment(text: str) -> datetime:
    """A time as the databases write it: with a blank or a T, any digits of a second, and an offset of hours or Z."""
    padded = _FRACTION.sub(lambda digits: digits[0].ljust(7, "0"), text.replace("Z", "+00:00"))
    return datetime.fromisoformat(f"{padded}:00" if ":" in padded and _SHORT_OFFSET.search(padded) else padded)


_READERS: Mapping[type, Callable[[str], object]] = {
    int: int, float: float, Decimal: _decimal, UUID: UUID, date: date.fromisoformat, time: time.fromisoformat,
    datetime: _moment, bool: _flag, str: str,
}  # fmt: skip
"""Python type of a column -> how a value of it is read from a text."""
