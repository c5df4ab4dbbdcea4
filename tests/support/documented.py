"""Pages that are made from the code: the texts of an enum's members, and tables."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from enum import Enum


def members(enum: type[Enum]) -> dict[str, str]:
    """Member -> the text below it in the code."""
    found: dict[str, str] = {}
    [body] = ast.parse(textwrap.dedent(inspect.getsource(enum))).body
    assert isinstance(body, ast.ClassDef)
    name = ""
    for node in body.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = str(node.value.value)
    return found


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; empty without rows."""
    found = list(rows)
    lines = [f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *found)]
    return "\n".join(lines) + "\n" if found else ""
