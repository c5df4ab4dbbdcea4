"""Keyed hashes of keys and identities: they recognise a forgotten row without its values, by the state's secret."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.model.change import Identity

KEY, EMAIL, MOBILE = "key", "email", "mobile"
"""What a hash is of."""


def hash_of_key(secret: bytes, key: Sequence[object]) -> str:
    """The hash of a key, equal in each database: that of the canonical texts of its parts."""
    return _hash(secret, KEY, json.dumps([_text(part) for part in key], separators=(",", ":")))


def hashes_of_identity(secret: bytes, identity: Identity) -> dict[str, str]:
    """`EMAIL` and `MOBILE` -> the hash, of the parts that the identity has."""
    parts = {EMAIL: identity.email, MOBILE: identity.mobile}
    return {kind: _hash(secret, kind, text) for kind, text in parts.items() if text}


def fingerprint_of(secret: bytes) -> str:
    """Recognise the secret that hashes were made with, and so the state and its copies."""
    return _hash(secret, "secret", "")[:16]


def opaque_id(secret: bytes, key: Sequence[object]) -> str:
    """A key as a receipt shows it: stable within a state, and meaningless without its secret."""
    return f"id-{hash_of_key(secret, key)[:12]}"


def _text(part: object) -> str:
    try:
        return canonical_text(part) or ""
    except UnsupportedValueError:
        return str(part)


def _hash(secret: bytes, kind: str, text: str) -> str:
    return hmac.digest(secret, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()
