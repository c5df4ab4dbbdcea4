"""The state tables: location, names, columns and types. Users may read all of them with plain SQL."""

from dagster_dailystory.engine.state.schema.field_lists import is_listed, list_of, listed, lists, quoted
from dagster_dailystory.engine.state.schema.location import SCHEMA_VERSION, StateLocation
from dagster_dailystory.engine.state.schema.shared_tables import SharedTables
from dagster_dailystory.engine.state.schema.sync_tables import (
    CONTACT_MAP_TIMES,
    DROPPED,
    EMPTY_FIELDS,
    HASH_COLUMNS,
    HISTORY_TEXTS,
    IDENTITY_COLUMNS,
    KEPT_FIELDS,
    KEY_BUCKET,
    SYNC_TABLES,
    UNKNOWN_FIELDS,
    SyncTables,
    differs_column,
    index_of_the_set,
    is_dropped,
)

__all__ = [
    "CONTACT_MAP_TIMES",
    "DROPPED",
    "EMPTY_FIELDS",
    "HASH_COLUMNS",
    "HISTORY_TEXTS",
    "IDENTITY_COLUMNS",
    "KEPT_FIELDS",
    "KEY_BUCKET",
    "SCHEMA_VERSION",
    "SYNC_TABLES",
    "UNKNOWN_FIELDS",
    "SharedTables",
    "StateLocation",
    "SyncTables",
    "differs_column",
    "index_of_the_set",
    "is_dropped",
    "is_listed",
    "list_of",
    "listed",
    "lists",
    "quoted",
]
