"""The traces of rows in the state, as values: their keys, contacts and identities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, FromClause

from dagster_dailystory.contacts.keyed_hash import EMAIL, KEY, MOBILE, hash_of_key, hashes_of_identity
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.state.schema import HASH_COLUMNS
from dagster_dailystory.model.change import Identity

Key = tuple[object, ...]

IDENTITY_KINDS = {"identity_email": EMAIL, "identity_mobile": MOBILE}
"""Column of an identity -> what a hash of its values is of."""


@dataclass
class Traces:
    """What the state has of the rows to forget.

    Attributes:
        keys: Their keys, and earlier keys of the same contacts or identities, as the state has them.
        dsids: Their contacts, without those of other keys.
        identities: Column of an identity -> its values.
        hashes: Kind -> keyed hashes of identities whose values were dropped before.
        shared: The hashes of identities that another live key has too: they are not blocked.
        other_syncs: Other sync of the state -> its keys that have, or are planned to have, one of the identities.
        senders: Other syncs with a plan that may still send one of the identities.
    """

    keys: set[Key] = field(default_factory=set)
    dsids: set[str] = field(default_factory=set)
    identities: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in IDENTITY_KINDS})
    hashes: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in IDENTITY_KINDS.values()})
    shared: set[str] = field(default_factory=set)
    other_syncs: dict[str, int] = field(default_factory=dict)
    senders: set[str] = field(default_factory=set)

    def identity_hashes(self, secret: bytes) -> dict[str, set[str]]:
        """Kind -> the hashes of all identities, shared or not."""
        found = {kind: set(hashes) for kind, hashes in self.hashes.items()}
        for name, kind in IDENTITY_KINDS.items():
            for value in self.identities[name]:
                found[kind] |= set(hashes_of_identity(secret, Identity(**{kind: value})).values())
        return found

    def blocked(self, secret: bytes) -> dict[str, set[str]]:
        """Kind -> the hashes that keep the rows out."""
        found = {kind: hashes - self.shared for kind, hashes in self.identity_hashes(secret).items()}
        return {**found, KEY: {hash_of_key(secret, key) for key in self.keys}}

    def own_identities(self, secret: bytes, name: str) -> list[str]:
        """The values of an identity's column that no other live key has."""
        kind = IDENTITY_KINDS[name]
        one = {each: Identity(**{kind: each}) for each in self.identities[name]}
        return sorted(each for each, it in one.items() if hashes_of_identity(secret, it)[kind] not in self.shared)

    def among(self, relation: FromClause, secret: bytes) -> Iterator[ColumnElement[bool]]:
        """The conditions on a relation, one of which holds for each row with one of the identities."""
        for name, values in self.identities.items():
            for part in in_parts(sorted(values)):
                yield relation.c[name].in_(part)
        if "identity_email_hash" in relation.c:
            hashes = self.identity_hashes(secret)
            for name, kind in IDENTITY_KINDS.items():
                for part in in_parts(sorted(hashes[kind])):
                    yield relation.c[HASH_COLUMNS[name]].in_(part)

    def hashes_of(self, secret: bytes, email: str | None, mobile: str | None) -> set[str]:
        """The hashes of the parts of an identity that are among the traces."""
        mine = self.identity_hashes(secret)
        found = hashes_of_identity(secret, Identity(email, mobile))
        return {each for kind, each in found.items() if each in mine[kind]}
