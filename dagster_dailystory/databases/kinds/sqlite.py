"""SQLite."""

from __future__ import annotations

import contextlib
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    case,
    cast,
    collate,
    event,
    false,
    func,
    literal,
    literal_column,
    not_,
    select,
    type_coerce,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.selectable import Subquery

from dagster_dailystory.databases.expressions import bound_rows, json_object_of
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlType, SqlValue, Untyped
from dagster_dailystory.model.watermark import Moment

_ISO_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")

_MOST_ARGUMENTS = 100
"""Of a function: SQLite was made with a limit of 127 for long."""


class SQLite(Database):
    """SQLite: its columns hold values of any type, and state columns have none."""

    title = "SQLite"
    url = "sqlite:////path/to/file.sqlite"
    reads_json_rows = True
    deleted_values = "free pages of the file hold deleted values until VACUUM"
    short_name = sql_name = "sqlite"
    reserved_words = ("nothing", "returning")
    connection_types = ("sqlite",)
    is_file = True
    compares_texts_only = False
    date_advice = "write it as YYYY-MM-DD HH:MM:SS"
    uses_indexes = True
    enforces_keys = True
    folds_case = True
    has_full_join = False  # before version 3.39, which some supported systems have
    alters_column_types = False

    def set_up(self, engine: Engine) -> None:
        """Begin transactions before reads and DDL; the driver begins them late, and only for writes."""

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get("writes")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            _set_up(connection)

    def moment(self, found: object) -> Moment | None:
        """Read a text that begins with a date, or with a date and a time."""
        if not isinstance(found, str):
            return super().moment(found)
        written = _ISO_TEXT.match(found)
        read = date.fromisoformat if written is None or written[1] is None else datetime.fromisoformat
        with contextlib.suppress(ValueError):  # its digits are not a date
            return read(found[:10] if written is None else written[0])
        return None

    def moment_literal(self, moment: Moment) -> SqlValue:
        """A prefix of every text of this minute, whatever follows; of midnight, also of the text without a time."""
        if not isinstance(moment, datetime):
            return super().moment_literal(moment)
        is_midnight = moment.time() == time()
        return literal(f"{moment:%Y-%m-%d}" if is_midnight else f"{moment:%Y-%m-%d %H:%M}", TEXT)

    def comparable_moment(self, column: SqlValue) -> SqlValue:
        """A text may have a T between date and time."""
        return func.replace(func.substr(column, 1, len("2024-01-01 00:00:00")), "T", " ", type_=TEXT)

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """Each value is hashed with its type."""
        return None

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash the values in Python, since SQLite has no hash function; hash the hashes of many."""
        hashed = [
            func.dailystory_row_hash(*map(_marked, values[start : start + _MOST_ARGUMENTS]), type_=BIG_INTEGER)
            for start in range(0, len(values), _MOST_ARGUMENTS)
        ]
        return hashed[0] if len(hashed) == 1 else func.dailystory_row_hash(*hashed, type_=BIG_INTEGER)

    def exact_sum(self, numbers: SqlValue) -> SqlValue:
        """Add up in Python, as text: SQLite's own sum overflows."""
        return func.dailystory_sum(numbers, type_=TEXT)

    def storage_type(self, reflected: SqlType) -> SqlType:
        """No type, so that each value is stored unchanged."""
        return Untyped()

    def stored_value(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """The value itself; an empty text in a column without a type is NULL."""
        return func.nullif(source, literal_column("''"), type_=self.storage_type(reflected))

    def same_storage(self, one: SqlType, other: SqlType) -> bool:
        """All columns store values in the same way."""
        return True

    def exactly(self, value: SqlValue) -> SqlValue:
        """Use the collation that compares bytes."""
        return collate(value, "BINARY") if isinstance(value.type, (String, Untyped)) else value

    def differs(self, new: SqlValue, old: SqlValue) -> ColumnElement[bool]:
        """In a column without a type, 7 and '7' do not differ."""
        changed = super().differs(new, old)
        if not isinstance(old.type, Untyped):
            return changed
        retyped = and_(func.typeof(new) != func.typeof(old), cast(new, Text()) == cast(old, Text()))
        return and_(changed, not_(func.coalesce(retyped, false())))

    def key_hash(self, text: SqlValue) -> SqlValue:
        """SQLite has no hash function of its own."""
        return func.dailystory_hash(text)

    def json_rows(self, columns: Mapping[str, SqlType], name: str = "given") -> Subquery:
        """Use json_each."""
        each = func.json_each(bound_rows()).table_valued("value")
        parts = [type_coerce(func.json_extract(each.c.value, f"$.{n}"), kind).label(n) for n, kind in columns.items()]
        # A LIMIT, even an infinite one, keeps SQLite from parsing the array again for each row of a join.
        return select(*parts).limit(literal_column("-1")).subquery(name)

    def json_object(self, values: Mapping[str, SqlValue]) -> SqlValue:
        """Merging into an empty object removes the NULLs."""
        made = json_object_of({n: _json_value(v) for n, v in values.items()}, func.json_object, func.json_patch)
        return func.nullif(func.json_patch(literal_column("'{}'"), made), literal_column("'{}'"), type_=TEXT)

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        """Insert directly: the driver is faster than JSON."""
        placeholders = ", ".join("?" for _ in table.columns)
        quoted = self.dialect.identifier_preparer.quote(table.name)
        connection.exec_driver_sql(f"INSERT INTO {quoted} VALUES ({placeholders})", list(rows))

    def index_temporary(
        self, connection: Connection, name: str, keys: Sequence[str], sequence: str | None = None
    ) -> None:
        """Index the key and the sequence: SQLite joins by index lookups."""
        for columns in ([*keys], [] if sequence is None else [sequence]):
            if columns:
                self._create_index(connection, name, columns)


def _set_up(connection: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA synchronous = FULL")
    connection.create_function("dailystory_hash", 1, _crc32, deterministic=True)
    connection.create_function("dailystory_row_hash", -1, _blake2b, deterministic=True)
    connection.create_aggregate("dailystory_sum", 1, _Sum)
    # Bytes that are not UTF-8 become text that the row check rejects; the driver would raise and end the run.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def _json_value(value: SqlValue) -> SqlValue:
    """A float with all its digits: SQLite itself writes 15 of 17."""
    is_finite = and_(func.typeof(value) == literal_column("'real'"), func.abs(value) <= literal_column("1.7e308"))
    return case((is_finite, func.json(func.printf(literal_column("'%!.17g'"), value))), else_=value)


class _Sum:
    """Adds up integers of any size."""

    def __init__(self) -> None:
        self._sum = 0

    def step(self, number: int | None) -> None:
        self._sum += number or 0

    def finalize(self) -> str:
        return str(self._sum)


def _crc32(text: str | None) -> int | None:
    return None if text is None else zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _marked(value: SqlValue) -> SqlValue:
    """A value for `_blake2b`: a text as bytes, because Python may not be able to read it; bytes as a text."""
    kind = func.typeof(value)
    as_bytes, as_text = cast(value, LargeBinary()), func.hex(value)
    return case((kind == literal_column("'text'"), as_bytes), (kind == literal_column("'blob'"), as_text), else_=value)


def _blake2b(*values: object) -> int:
    """The notation of a tuple keeps types, values and the borders between them apart."""
    return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=8).digest(), "big", signed=True)
