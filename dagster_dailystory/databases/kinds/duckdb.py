"""DuckDB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import (
    Boolean,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    String,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    table,
    text,
    type_coerce,
)
from sqlalchemy.sql.functions import Function
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import JSON, NullType

from dagster_dailystory.databases.expressions import bound_rows, json_object_of
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.sql_types import (
    BIG_INTEGER,
    COMPARABLE,
    TEXT,
    UNKNOWN_COLLATION,
    CreateTemporaryTableAs,
    Native,
    SqlQuery,
    SqlType,
    SqlValue,
)
from dagster_dailystory.errors import ConfigurationError

_NANOSECONDS = "TIMESTAMP_NS"  # the driver truncates them to microseconds, so the diff must as well

_FIXED_SIZE = re.compile(r"\[\d+\]$")

_HASHED_AS_IT_IS = re.compile(
    r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|BOOLEAN|REAL|FLOAT|DOUBLE( PRECISION)?|VARCHAR|TEXT|DATE|DATETIME|TIME"
    r"|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|(DECIMAL|NUMERIC)\((1[0-8]|[1-9]),.*\)"
)
"""Types that DuckDB hashes exactly. Of others it gives different values one hash: of 0 and -1 in 128 bits, whose halves
cancel out; of NULL and an empty list; of two lists, if an item moves from one to the next. 1 day is 24 hours to it."""

_NESTED = re.compile(r"STRUCT|MAP|UNION|\[|\]")
"""Types with texts inside, whose text is not exact: quotation marks depend on the version."""

_LOWEST: SqlValue = literal_column("9223372036854775808")


class DuckDB(Database):
    """DuckDB, a column store within this process: its memory counts."""

    title = "DuckDB"
    url = "duckdb:////path/to/file.duckdb"
    reads_json_rows = True
    spills = True
    deleted_values = "free blocks of the file hold deleted values until COPY FROM DATABASE copies it to a new file"
    short_name = sql_name = "duckdb"
    connection_types = ("duckdb",)
    is_file = True
    folds_case = True
    enforces_keys = True
    compares_hashes = True  # wide rows would not fit into its memory limit, and the joins of narrow ones are faster

    def has_collations(self, connection: Connection, name: str, schema: str | None) -> bool:
        """Look at the definition of a table that is made from the other one: reflection does not show collations."""
        made = "dailystory_collations"
        columns = select(text("*")).select_from(table(name, schema=schema)).limit(0)
        connection.execute(CreateTemporaryTableAs(made, columns))
        query = text("SELECT sql FROM duckdb_tables() WHERE table_name = :made AND temporary")
        definition = str(connection.execute(query, {"made": made}).scalar_one())
        connection.exec_driver_sql(f"DROP TABLE {made}")
        return " COLLATE " in definition

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """Each type is hashed, or its text is."""
        return None

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """DuckDB's own hash, as a signed number."""
        unsigned = cast(func.hash(*_exact(values, map(str, kinds))), Native("HUGEINT"))
        return cast(unsigned.op("-")(_LOWEST), BIG_INTEGER)

    def holds_several_values(self, reflected: SqlType) -> bool:
        """A struct, map, union, list or array, or JSON."""
        name = reflected.compile(dialect=self.dialect)
        is_nested = name.startswith(("STRUCT", "MAP", "UNION")) or name.endswith("]") or name == "JSON"
        return is_nested or super().holds_several_values(reflected)

    def storage_type(self, reflected: SqlType) -> SqlType:
        """Keep all types but texts: lists, structs and maps compare exactly; arrays of a fixed size become lists."""
        if isinstance(reflected, (String, LargeBinary, NullType)):
            return Text()
        name = reflected.compile(dialect=self.dialect)
        if name == _NANOSECONDS:
            return DateTime()
        return reflected if isinstance(reflected, COMPARABLE) else Native(_FIXED_SIZE.sub("[]", name))

    def key_type(self, reflected: SqlType) -> SqlType:
        """Nanoseconds keep keys apart."""
        is_longer = reflected.compile(dialect=self.dialect) == _NANOSECONDS
        return Text() if is_longer else super().key_type(reflected)

    def stored_value(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """Remove the white space of JSON."""
        if isinstance(reflected, JSON):
            return cast(func.to_json(source), self.storage_type(reflected))
        return super().stored_value(source, reflected)

    def text_of(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """A column as text without a collation."""
        if isinstance(reflected, String) and reflected.collation == UNKNOWN_COLLATION:
            return func.decode(func.encode(source), type_=Text())  # the only expression of DuckDB without one
        return super().text_of(source, reflected)

    def check_state(self, connection: Connection, schema: str | None, names: Sequence[str]) -> None:
        """Make sure that texts are compared byte by byte: `default_collation` can be part of a URL."""
        found = connection.exec_driver_sql("SELECT current_setting('default_collation')").scalar_one()
        if found:
            raise ConfigurationError(
                f"the URL of the state database sets default_collation={found}, which would make the keys abc and ABC "
                "one; remove it, and write COLLATE in the query where it is wanted"
            )

    def key_hash(self, text: SqlValue) -> SqlValue:
        """DuckDB's own hash, which is a number also for NULL."""
        return case((text.is_not(None), func.hash(text)))

    def hash_of(self, values: Sequence[SqlValue], types: Sequence[SqlType]) -> SqlValue:
        """DuckDB's own hash, in which NULL is a value."""
        return func.hash(*_exact(values, (each.compile(dialect=self.dialect) for each in types)))

    def numbered(self, query: SqlQuery, order: Sequence[SqlValue]) -> SqlQuery:
        """Sort first, which keeps to the memory limit; a window function with an order does not."""
        ordered = query.order_by(*order).subquery("ordered")
        return select(func.row_number().over().label("sequence"), *ordered.c)

    def json_object(self, values: Mapping[str, SqlValue]) -> SqlValue:
        """Merging into an empty object removes the NULLs. A decimal would become a float; a list is a JSON text."""
        exact = {n: func.to_json(v) if self.holds_several_values(v.type) else v for n, v in values.items()}
        plain = {n: v if isinstance(v.type, (Integer, Boolean, String)) else cast(v, TEXT) for n, v in exact.items()}
        made = json_object_of(plain, func.json_object, func.json_merge_patch)
        merged = func.json_merge_patch(cast(literal_column("'{}'"), Native("JSON")), made)
        return func.nullif(cast(merged, TEXT), literal_column("'{}'"), type_=TEXT)

    def json_rows(self, columns: Mapping[str, SqlType], name: str = "given") -> Subquery:
        """Use from_json."""
        structure = json.dumps([{each: kind.compile(dialect=self.dialect) for each, kind in columns.items()}])
        read = func.from_json(bound_rows(), literal_column("'" + structure.replace("'", "''") + "'"))
        # Not `func.unnest`: BigQuery's dialect replaces it globally with one that accepts only arrays.
        unnested: SqlValue = Function("unnest", read)
        objects = select(unnested.label("r")).subquery()
        parts = [
            type_coerce(func.struct_extract(objects.c.r, literal_column(f"'{each}'")), kind).label(each)
            for each, kind in columns.items()
        ]
        return select(*parts).subquery(name)


def _exact(values: Iterable[SqlValue], types: Iterable[str]) -> list[SqlValue]:
    """What to hash, so that no two values of a type have one hash by more than chance."""
    hashed: list[SqlValue] = []
    for value, name in zip(values, types, strict=True):
        if _HASHED_AS_IT_IS.fullmatch(name):
            hashed.append(value)
        else:
            hashed += [cast(value, TEXT), *([cast(func.to_json(value), TEXT)] if _NESTED.search(name) else [])]
    return hashed
