"""The key columns of a sync: which names they may have beside the columns of the state tables."""

from __future__ import annotations

import re

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.mapping import MappedField

_OTHER_KEY = re.compile(r"other_key_[0-9]+")
"""The columns of a second key in queries that pair rows."""


_RESERVED_KEY_COLUMNS = frozenset(
    {
        "plan_id", "sequence", "operation", "outcome", "attempts", "answered_at", "dsid", "reason", "message", "status",
        "first_synced_at", "last_synced_at", "deactivated_at", "deleted_at", "deleted_in_dailystory_at", "absent_since",
        "deleted_in_dailystory",
        "absent_action",
        "identity_email_hash", "identity_mobile_hash",
        "identity_email", "identity_mobile", "partition_value", "resend_all", "first_seen_at", "last_seen_at",
        "unknown_fields", "empty_fields", "kept_fields",
        "fingerprint", "sent_at", "priority", "waits_for", "rekeyed_from", "is_new", "row_label", "source_rows",
        "email_as_sent", "mobile_as_sent", "acknowledged_plan", "identity_changed", "only_mapped", "opts_out",
        "run_id", "before", "after", "acknowledged_at", "field", "differing", "looked_up_at", "is_other_contact",
        "reactivates", "rekeyed", "replaces", "row_hash", "key_bucket", "dropped_fields",
        # Of the temporary tables, and of the queries that select a key:
        "departed", "returns", "held", "old_email", "old_mobile", "new_email", "new_mobile", "planned_dsid",
        "mapped_dsid", "intent_at", "leaves", "other_dsid", "taken_out_at", "other_sequence", "other_moves", "replaced",
        "is_same", "identity", "place", "text", "as_a_whole", "sends_custom", "departs", "in_scope",
        # Of each table of PostgreSQL:
        "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid",
        # Not quoted by SQLAlchemy for SQLite:
        "true", "false",
    }
)  # fmt: skip


def check_keys(keys: tuple[str, ...]) -> None:
    """Require at least one key column, and none twice.

    Raises:
        ConfigurationError: There is none, or one is named twice.
    """
    if not keys or not all(keys):
        raise ConfigurationError("key must name at least one source column")
    if len({key.casefold() for key in keys}) != len(keys):
        raise ConfigurationError(f"key names a column twice: {', '.join(keys)}")


def check_reserved(keys: tuple[str, ...], fields: tuple[MappedField, ...]) -> None:
    """Refuse the names of our own columns, which stand beside the key in the state tables.

    Raises:
        ConfigurationError: A key column has such a name.
    """
    own = {f"{prefix}{m.state_column}".casefold() for m in fields for prefix in ("", "differs_", "old_", "retyped_")}
    for key in keys:
        if key.casefold() in _RESERVED_KEY_COLUMNS | own or _OTHER_KEY.fullmatch(key.casefold()):
            raise ConfigurationError(f"key column {key!r} is a name of the state tables; give it an alias in the query")
