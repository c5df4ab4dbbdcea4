"""How a row appears outside the state: masked messages, opaque labels, keyed fingerprints (promise 11)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.masking import _CONTROLS
from dagster_dailystory.model.sync import ContactSync


def key_label(sync: ContactSync, key: Sequence[object], secret: bytes) -> str:
    """Name a row in logs and metadata without naming a person.

    Parts that identify a person (`ContactSync.personal_key_columns`, or any text with an `@`) appear as `id-` and 12
    hexadecimal digits: stable for one state, useless without its secret.
    """
    personal = sync.personal_key_columns
    parts = []
    for column, value in zip(sync.key_columns, key, strict=True):
        text = _safe_text(value)
        opaque = column in personal or "@" in text
        parts.append("id-" + _keyed(secret, text)[:12] if opaque else _CONTROLS.sub(" ", text))
    return "|".join(parts)


def mapping_version(sync: ContactSync) -> str:
    """Twelve hexadecimal digits that change whenever the mapping would send something else."""
    fields = sorted([m.name, m.column, m.kind.value, m.nulls.value, m.max_length] for m in sync.mapped_fields)
    return hashlib.sha256(_encoded([fields, sync.default_region])).hexdigest()[:12]


def row_fingerprint(sync: ContactSync, values: Mapping[str, object], secret: bytes) -> str:
    """Recognise a refused row for as long as neither its values nor the mapping change.

    Args:
        sync: The mapping; its version is part of the fingerprint.
        values: State column -> value, as a driver gives it or as canonical text.
        secret: The state's secret: without it, values cannot be guessed from the fingerprint.

    Returns:
        32 hexadecimal digits.
    """
    columns = sorted(mapped.state_column for mapped in sync.mapped_fields)
    row = [[column, None if values.get(column) is None else _safe_text(values[column])] for column in columns]
    return _keyed(secret, _encoded([mapping_version(sync), row]).decode())[:32]


def _safe_text(value: object) -> str:
    """The canonical text, or the type's name for a value that has none."""
    try:
        return canonical_text(value) or ""
    except UnsupportedValueError:
        return f"unsupported {type(value).__name__}"


def _keyed(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
