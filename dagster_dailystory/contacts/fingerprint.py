"""Labels and fingerprints that identify a row or a mapping without personal data."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.masking import CONTROL_CHARACTERS
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.sync import ContactSync, OnDeleted


def key_label(sync: ContactSync, key: Sequence[object], secret: bytes) -> str:
    """The key of a row as logs and metadata may show it.

    Parts that identify a person (`ContactSync.personal_key_columns`, or any text with an `@`) become `id-` and 12
    hexadecimal digits, which are stable for one state and cannot be reversed without its secret.
    """
    return "|".join(CONTROL_CHARACTERS.sub(" ", _safe_text(part)) for part in key_parts(sync, key, secret))


def key_parts(sync: ContactSync, key: Sequence[object], secret: bytes) -> list[object]:
    """The parts of a key as `key_label` shows them, with those that identify no person as they are."""
    parts: list[object] = []
    for column, value in zip(sync.key_columns, key, strict=True):
        text = _safe_text(value)
        is_personal = column in sync.personal_key_columns or "@" in text
        parts.append("id-" + _hmac(secret, text)[:12] if is_personal else value)
    return parts


def mapping_version(sync: ContactSync) -> str:
    """Twelve hexadecimal digits that change whenever the mapping would send different values."""
    fields = sorted([m.name, m.column, m.kind.value, m.nulls.value, m.max_length] for m in sync.mapped_fields)
    settings = [fields, sync.default_region, *([list(sync.fill)] if sync.fill else [])]
    return hashlib.sha256(_json_bytes(settings)).hexdigest()[:12]


_WITHOUT_EFFECT = frozenset(
    {
        "name",
        "known_custom_fields",
        "watermark",
        "personal_keys",
        "allow_empty_source",
        "min_guard_rows",
        "plan_expires_hours",
        "history_days",
        "canary_rows",
        "retain_absent_days",
    }
    | {"key_columns", "mapped_fields"}
)
"""Attributes of a sync that the changes of a plan do not depend on, or that follow from other attributes."""


def settings_version(sync: ContactSync, source: str) -> dict[str, str]:
    """Setting -> twelve hexadecimal digits, for every setting that the changes of a plan depend on.

    Args:
        sync: The sync; its limits (`max_...`) block a plan but do not change it.
        source: The text of its query, or the name of its table.
    """
    names = (each.name for each in fields(sync) if not each.name.startswith("max_"))
    values = {name: getattr(sync, name) for name in names if name not in _WITHOUT_EFFECT}
    values |= {"source": source, "max_value_length": sync.max_value_length}
    if len(sync.read_fields) < len(sync.mapped_fields):  # the state of an earlier version has no column for a constant
        values["version of this package"] = "with constants"
    return {name: _version(value) for name, value in values.items()}


def default_versions() -> dict[str, str]:
    """`settings_version` of the default of each setting: a plan of an earlier version has none for a new setting."""
    return {each.name: _version(each.default) for each in fields(ContactSync) if each.default is not MISSING}


def _version(value: object) -> str:
    plain = dict(value) if isinstance(value, Mapping) else value
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:12]


def opaque(secret: bytes, text: str) -> str:
    """32 hexadecimal digits that are equal for equal texts and cannot be reversed without the state's secret."""
    return _hmac(secret, text)[:32]


def row_fingerprint(sync: ContactSync, values: Mapping[str, object], secret: bytes) -> str:
    """Recognise a refused row until its values or the mapping change.

    Args:
        sync: The mapping; its version is part of the fingerprint.
        values: State column -> value, as the driver returned it or as canonical text.
        secret: The state's secret; without it, values cannot be guessed from the fingerprint.

    Returns:
        32 hexadecimal digits.
    """
    columns = sorted(mapped.state_column for mapped in sync.mapped_fields)
    row = [[column, None if values.get(column) is None else _safe_text(values[column])] for column in columns]
    return opaque(secret, _json_bytes([mapping_version(sync), row]).decode())


def refusal_fingerprint(sync: ContactSync, values: Mapping[str, object], secret: bytes, reason: Reason | None) -> str:
    """The fingerprint of a row that is held for this reason; for a deleted contact it depends on `on_deleted` too."""
    suffix = f"-{OnDeleted(sync.on_deleted).value}" if reason is Reason.DELETED_IN_DAILYSTORY else ""
    return row_fingerprint(sync, values, secret) + suffix


def _safe_text(value: object) -> str:
    """The canonical text, or the name of the type if the value has none."""
    try:
        return canonical_text(value) or ""
    except UnsupportedValueError:
        return f"unsupported {type(value).__name__}"


def _hmac(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
