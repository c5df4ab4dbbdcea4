"""The contact fields that DailyStory documents for writing: name, kind, length.

Names and kinds are those of the vendor's page "Create or edit a contact"
(dev.dailystory.com/reference/create-or-edit-a-contact-1) and, for `gender`, `dateBirth` and `avatarPath`,
of its 2018-2020 documentation. No length is documented: the caps below are ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class FieldKind(str, Enum):
    """What a field's value must be, and with it how the value is checked and sent."""

    TEXT = "text"
    EMAIL = "email"
    MOBILE = "mobile"
    OPT_OUT = "opt_out"
    STATUS = "status"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    CUSTOM = "custom"


CONSENT_KINDS = (FieldKind.OPT_OUT, FieldKind.STATUS)
"""What decides whether a contact is sent to: a value counts only where the source changed it."""


@dataclass(frozen=True, slots=True)
class ContactField:
    """One writable contact field.

    Attributes:
        name: The name in DailyStory's JSON, for example `firstName`.
        kind: How its value is checked and sent.
        max_length: Longest text in characters; longer values are rejected, never cut.
    """

    name: str
    kind: FieldKind
    max_length: int = 255


_TEXTS = (
    "firstName", "lastName", "salutation", "title", "country", "region", "city", "postalCode", "address",
    "geoCode", "phone", "homePhone", "company", "website", "gender", "avatarPath",
)  # fmt: skip


CONTACT_FIELDS = MappingProxyType(
    {
        field.name: field
        for field in (
            ContactField("email", FieldKind.EMAIL, 254),
            ContactField("mobilePhone", FieldKind.MOBILE, 16),
            *(ContactField(name, FieldKind.TEXT) for name in _TEXTS),
            ContactField("status", FieldKind.STATUS),
            ContactField("numberOfEmployees", FieldKind.INTEGER),
            ContactField("industry", FieldKind.INTEGER),
            ContactField("annualRevenue", FieldKind.NUMBER),
            ContactField("optOutEmail", FieldKind.OPT_OUT),
            ContactField("optOutSms", FieldKind.OPT_OUT),
            ContactField("optOutPush", FieldKind.OPT_OUT),
            ContactField("optOutPhone", FieldKind.OPT_OUT),
            ContactField("maxContactFrequencyInDays", FieldKind.INTEGER),
            ContactField("dateBirth", FieldKind.DATE),
        )
    }
)
"""Every field that `ContactSync(fields=...)` accepts, by name."""


OPT_OUT_FIELDS = frozenset(name for name, field in CONTACT_FIELDS.items() if field.kind is FieldKind.OPT_OUT)
"""The flags that go from false to true and never back."""


IDENTITY_FIELDS = ("email", "mobilePhone")
"""The fields of which a new contact needs at least one, in the order in which DailyStory matches them."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Name the closest valid spelling for an error message: `"; did you mean 'x'?"`, or nothing."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""
