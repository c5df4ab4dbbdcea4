"""The text of a source: from the setting or a `.sql` file, as a query or as a table name."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Dialect, TextClause, text

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync, FrameSource

_SCHEMA_AND_NAME = 2

_PART = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[(?:[^\]]|\]\])+\]|[^.\s"`\[]+'

_NAME_PART, _NAME = re.compile(_PART), re.compile(rf"(?:{_PART})(?:\.(?:{_PART}))*")

_TOKEN = re.compile(
    r"(?P<semicolon>;)|(?P<nothing>\s+|--[^\n]*|/\*.*?\*/)|'[^']*'|\"[^\"]*\"|`[^`]*`|[^;\s'\"`/-]+|.", re.DOTALL
)


FRAME = "frame"
"""The table of the temporary database that has the rows of a frame."""


def source_text(sync: ContactSync) -> str:
    """The query or table name, read from the `.sql` file if the source is one.

    Raises:
        ConfigurationError: The file cannot be read, or the source is empty.
    """
    if isinstance(sync.source, FrameSource):
        return FRAME
    source, file = str(sync.source).strip(), source_file(sync)
    if file is not None:
        try:
            source = file.read_text(encoding="utf-8")
        except OSError as error:
            start = f"; a relative path starts at the working directory, {Path.cwd()}"
            place = "" if file.is_absolute() else start
            raise ConfigurationError(f"the source file {source!r} cannot be read: {error.strerror}{place}") from None
    source = _without_final_semicolon(source).strip()
    if not source:
        raise ConfigurationError(f"sync {sync.name!r} has an empty source")
    return source


def source_file(sync: ContactSync) -> Path | None:
    """The `.sql` file that has the query; None for another source."""
    source = str(sync.source).strip()
    is_file = isinstance(sync.source, Path) or (source.endswith(".sql") and len(source.split()) == 1)
    return Path(source) if is_file else None


def _without_final_semicolon(sql: str) -> str:
    """Remove the final semicolon and the comments after it: a subquery must not contain it."""
    end = None
    for token in _TOKEN.finditer(sql):
        if token.lastgroup is None:
            end = None
        elif token.lastgroup == "semicolon" and end is None:
            end = token.start()
    return sql[:end]


def statements_advice(sql: str) -> str:
    """Advice for a query that failed, if it has more than one statement; empty otherwise.

    A query that works is not searched: a semicolon may be part of a quotation that only its database knows.
    """
    has_others = any(token.lastgroup == "semicolon" for token in _TOKEN.finditer(sql))
    return "; it has more than one statement, and a source is one SELECT: keep that" if has_others else ""


def query_text(sql: str, dialect: Dialect) -> str | None:
    """The source as a query; None for a table name without a catalog, which SQLAlchemy can quote itself."""
    parts = name_parts(sql)
    if not parts:
        return sql
    if len(parts) <= _SCHEMA_AND_NAME:
        return None
    return "select * from " + ".".join(map(dialect.identifier_preparer.quote, parts))


def name_parts(written: str) -> tuple[str, ...]:
    """Split `catalog.schema.table`, with each part quoted in the style of any database; empty for a query."""
    return tuple(map(_unquoted, _NAME_PART.findall(written))) if _NAME.fullmatch(written) else ()


def _unquoted(part: str) -> str:
    closing = {'"': '"', "`": "`", "[": "]"}.get(part[0])
    return part if closing is None else part[1:-1].replace(closing * 2, closing)


def split_table_name(name: str) -> tuple[str | None, str]:
    """Split `schema.table`, where each part may be quoted."""
    parts = name_parts(name) or (name,)
    return ".".join(parts[:-1]) or None, parts[-1]


def literal_sql(sql: str) -> TextClause:
    """SQL in which a colon never marks a parameter."""
    return text(sql.replace(":", "\\:"))
