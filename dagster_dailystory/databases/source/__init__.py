"""The source of a sync: its text, its columns, and the statements that read it."""

from dagster_dailystory.databases.source.source import (
    BATCH_ROWS,
    NO_PARAMETERS,
    Batches,
    Source,
    column_types,
    has_unique_keys,
    is_table,
    open_source,
    probe,
    reading,
    resolve_source,
    stream,
    table_types,
    typed_selection,
)
from dagster_dailystory.databases.source.text import source_text, split_table_name

__all__ = [
    "BATCH_ROWS",
    "NO_PARAMETERS",
    "Batches",
    "Source",
    "column_types",
    "has_unique_keys",
    "is_table",
    "open_source",
    "probe",
    "reading",
    "resolve_source",
    "source_text",
    "split_table_name",
    "stream",
    "table_types",
    "typed_selection",
]
