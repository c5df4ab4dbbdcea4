"""The look-ups of an adoption: which contact a row has in DailyStory, and in which fields both differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.identity import identity_of, region_of
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.contacts.values import is_blank, wire_value
from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES
from dagster_dailystory.engine.sending.delivery import LookUp
from dagster_dailystory.engine.sending.read_back.held_values import held_value, is_held
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.errors import OutageError
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls, Value
from dagster_dailystory.model.runs.adoption import AdoptionOutcome
from dagster_dailystory.model.sync import ContactSync

_DELETED = "Deleted"


@dataclass(frozen=True)
class AdoptedRow:
    """A row of the source, and the contact that a look-up found.

    Attributes:
        sequence: Its number among the rows that were compared.
        values: State column -> value.
        identity: Its normalised identity.
        invalid: The state columns of the fields whose value is invalid.
        outcome: What the look-up found; None without an answer.
        contact: The contact of an existing, a deleted, or a shared one.
    """

    sequence: int
    values: Mapping[str, object] = field(repr=False)
    identity: Identity = field(repr=False)
    invalid: frozenset[str] = frozenset()
    outcome: AdoptionOutcome | None = None
    contact: RemoteContact | None = field(default=None, repr=False)

    @classmethod
    def of(cls, sync: ContactSync, sequence: int, values: Mapping[str, object]) -> AdoptedRow:
        """A row that is not looked up yet."""
        identity = identity_of(sync, values)
        check = check_row(sync, values, is_new=True, identity=identity)
        invalid = set(check.dropped)
        if check.rejection is not None:
            columns = [mapped.state_column for mapped in sync.sent_fields]
            checks = {
                each: check_row(sync, values, is_new=False, identity=identity, differing={each}) for each in columns
            }
            invalid = {name for name, each in checks.items() if each.rejection is not None or each.dropped}
        return cls(sequence, values, identity, frozenset(invalid))

    @property
    def valid_values(self) -> Mapping[str, object]:
        """`values`, with None for the invalid ones."""
        return {name: None if name in self.invalid else value for name, value in self.values.items()}

    def sent(self, sync: ContactSync, mapped: MappedField) -> Value | None:
        """The value of a field as a request would have it; None if there is none, or an invalid one."""
        if mapped.state_column in self.invalid or mapped.kind is FieldKind.REGION:
            return None
        if mapped.kind is FieldKind.MOBILE:
            return self.identity.mobile
        return wire_value(mapped, self.values.get(mapped.state_column), region=region_of(sync, self.values))

    def empty(self, sync: ContactSync) -> list[MappedField]:
        """The fields of `fill` that are empty in DailyStory."""
        contact = self.contact
        fills = [mapped for mapped in sync.mapped_fields if mapped.fills]
        return [m for m in fills if contact is not None and is_blank(held_value(m, contact))]

    def uncleared(self, sync: ContactSync) -> set[str]:
        """The state columns that have no value here and one in DailyStory, which no NULL empties."""
        contact = self.contact
        return {
            m.state_column
            for m in sync.sent_fields
            if m.nulls is Nulls.CLEAR and contact is not None and not is_blank(held_value(m, contact))
            if m.state_column not in self.invalid and self.sent(sync, m) is None
        }

    def differing(self, sync: ContactSync) -> list[MappedField]:
        """The fields in which the contact has another value than the row. A status `Active` is never sent."""
        contact = self.contact
        sent = [(mapped, self.sent(sync, mapped)) for mapped in sync.sent_fields if not mapped.fills]
        return [
            mapped
            for mapped, value in sent
            if contact is not None and value is not None and not (mapped.kind is FieldKind.STATUS and value == "Active")
            if not is_held(mapped, value, contact)
        ]


def look_up(sync: ContactSync, sender: Sender, rows: Sequence[AdoptedRow]) -> list[AdoptedRow]:
    """Look the contacts of some rows up: by email, and by mobile number where that may show another contact.

    Raises:
        OutageError: Not one look-up was answered.
    """
    emails, mobiles = (next(iter(_mapped(sync, kind)), None) for kind in (FieldKind.EMAIL, FieldKind.MOBILE))
    identities = [_as_sent(sync, row, emails) for row in rows]
    first = _find(sender, [each if each.email is None else Identity(each.email) for each in identities])
    again = [
        place
        for place, (identity, found) in enumerate(zip(identities, first, strict=True))
        if identity.email
        and identity.mobile
        and found.is_answered
        and not _has(mobiles, identity.mobile, found.contact)
    ]
    second = _find(sender, [Identity(mobile=identities[place].mobile) for place in again])
    by_mobile = dict(zip(again, second, strict=True))
    return _without_shared(
        [_found(row, one, by_mobile.get(place)) for place, (row, one) in enumerate(zip(rows, first, strict=True))]
    )


def _find(sender: Sender, identities: Sequence[Identity]) -> list[LookUp]:
    """Look some identities up. A few without an answer do not show an outage."""
    try:
        return sender.find_many(identities) if identities else []
    except OutageError:
        if len(identities) >= PROBES:
            raise
        return [LookUp(is_answered=False)] * len(identities)


def _mapped(sync: ContactSync, kind: FieldKind) -> list[MappedField]:
    return [mapped for mapped in sync.mapped_fields if mapped.kind is kind]


def _as_sent(sync: ContactSync, row: AdoptedRow, emails: MappedField | None) -> Identity:
    """The identity as a create would send it: an email in its own spelling."""
    sent = None if emails is None or row.identity.email is None else row.sent(sync, emails)
    return Identity(row.identity.email if sent is None else str(sent), row.identity.mobile)


def _has(mapped: MappedField | None, mobile: str, contact: RemoteContact | None) -> bool:
    return mapped is not None and contact is not None and is_held(mapped, mobile, contact)


def _found(row: AdoptedRow, one: LookUp, other: LookUp | None) -> AdoptedRow:
    if not one.is_answered or (other is not None and not other.is_answered):
        return row
    contacts = [each.contact for each in (one, other) if each is not None and each.contact is not None]
    if len({contact.dsid for contact in contacts}) > 1:
        return replace(row, outcome=AdoptionOutcome.AMBIGUOUS)
    if not contacts:
        return replace(row, outcome=AdoptionOutcome.MISSING)
    is_deleted = contacts[0].status == _DELETED
    outcome = AdoptionOutcome.DELETED if is_deleted else AdoptionOutcome.EXISTING
    return replace(row, outcome=outcome, contact=contacts[0])


def _without_shared(rows: list[AdoptedRow]) -> list[AdoptedRow]:
    """Map none of the rows that have the same contact."""
    times = Counter(row.contact.dsid for row in rows if row.contact is not None)
    return [
        replace(row, outcome=AdoptionOutcome.AMBIGUOUS)
        if row.contact is not None and times[row.contact.dsid] > 1
        else row
        for row in rows
    ]
