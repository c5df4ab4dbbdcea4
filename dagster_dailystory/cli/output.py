"""What a command answers: one JSON document, or short tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time
from enum import Enum
from typing import TYPE_CHECKING, Any

from dagster_dailystory.cli.exit_codes import ExitCode
from dagster_dailystory.model.runs.plan import some

if TYPE_CHECKING:
    import pandas

_WIDEST_CELL = 40


@dataclass(frozen=True)
class Output:
    """What a command answers.

    Attributes:
        document: The JSON document; its keys are those that the command declares as its `answers`.
        text: The same for people.
        code: How the command ended.
    """

    document: Mapping[str, object]
    text: str
    code: ExitCode = ExitCode.DONE


def as_json(document: Mapping[str, object]) -> str:
    """A document as JSON; times are in ISO 8601, and what JSON has no form for is a text."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, (date, time)):  # a datetime is a date
        return value.isoformat()
    item = getattr(value, "item", None)  # of NumPy
    return item() if callable(item) else str(value)


def record_of(value: Any) -> dict[str, Any]:
    """A dataclass as a record, with those in it. `asdict` turns a `Counter` into one of pairs."""
    return {each.name: _nested(getattr(value, each.name)) for each in fields(value)}


def _nested(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name.value if isinstance(name, Enum) else name): _nested(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(_nested, value))
    return record_of(value) if is_dataclass(value) else value


def records_of(frame: pandas.DataFrame) -> list[dict[str, object]]:
    """A frame as records, with None for a missing value."""
    found = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in found]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a head. Long cells are cut, but for the last column."""
    lines = [list(columns), *([_cell(value) for value in row] for row in rows)]
    cut = [[*map(_cut, line[:-1]), *line[-1:]] for line in lines]
    widths = [max(len(line[place]) for line in cut) for place in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cut)


def frame_table(frame: pandas.DataFrame, columns: Sequence[str], most: int, *, newest_last: bool = False) -> str:
    """Some columns of a frame as a table of at most `most` rows, without columns that are empty."""
    if frame.empty:
        return "nothing"
    shown = frame.tail(most) if newest_last else frame.head(most)
    filled = [each for each in columns if shown[each].notna().any()]
    left, where = len(frame) - len(shown), "before" if newest_last else "after"
    rest = f"\n{some(left, 'more row', 'more rows')} {where} these: --rows and --json show them" if left else ""
    return table(filled, ([record[name] for name in filled] for record in records_of(shown))) + rest


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, date) and hasattr(value, "hour") else str(value)
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"
