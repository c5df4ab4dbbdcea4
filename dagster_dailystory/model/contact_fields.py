"""The contact fields that DailyStory documents for writing: name, kind, length.

Names and kinds are those of the vendor's page "Create or edit a contact"
(dev.dailystory.com/reference/create-or-edit-a-contact-1) and, for `gender`, `dateBirth` and `avatarPath`,
of its 2018-2020 documentation. DailyStory documents no lengths: the limits below are those of this package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class FieldKind(str, Enum):
    """The type of a field: it decides how values are checked and sent."""

    TEXT = "text"
    """One line of text: line breaks become blanks, control characters are removed."""
    EMAIL = "email"
    """An address that can receive mail. It is sent as it is written."""
    MOBILE = "mobile"
    """A number that can receive text messages, sent as E.164 (`+14155552671`); see `default_region`."""
    OPT_OUT = "opt_out"
    """A boolean, 1, 0, or `true`, `yes`, `y`, `t`, `on`, `false`, `no`, `n`, `f`, `off` in any case. Only ever set."""
    STATUS = "status"
    """`Inactive` or `Spam`; `Active` needs `consent_override`."""
    INTEGER = "integer"
    """A whole number."""
    NUMBER = "number"
    """A number; above 2^53 only one that JSON readers do not round."""
    DATE = "date"
    """A date, or a time without a zone, whose date is sent; as text `YYYY-MM-DD`."""
    CUSTOM = "custom"
    """Any value, sent as text in `extendedProperties`; a list or an object is sent as JSON text."""
    REGION = "region"
    """The country of the row's mobile number: compared and never sent; see `ContactSync.default_region`."""


CONSENT_KINDS = (FieldKind.OPT_OUT, FieldKind.STATUS)
"""Kinds that decide whether a contact gets messages: a value is sent only if the source changed it."""


@dataclass(frozen=True, slots=True)
class ContactField:
    """One writable contact field.

    Attributes:
        name: The name in DailyStory's JSON, for example `firstName`.
        kind: How its value is checked and sent.
        max_length: Maximum length in characters; longer values are rejected, never truncated.
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
"""Flags that go from false to true only, unless `consent_override` names them."""


IDENTITY_FIELDS = ("email", "mobilePhone")
"""A new contact needs at least one of these fields. DailyStory matches them in this order."""


_FLAGS = ", ".join(sorted(OPT_OUT_FIELDS))

_OTHER_NAMES = {
    **dict.fromkeys(("optout", "unsubscribed", "unsubscribe", "donotcontact", "consent", "subscribed"), _FLAGS),
    **dict.fromkeys(("mobile", "cell", "cellphone", "sms", "smsnumber", "mobilenumber"), "mobilePhone"),
    **dict.fromkeys(("zip", "zipcode", "postcode", "plz"), "postalCode"),
    **dict.fromkeys(("state", "province", "county"), "region"),
    **dict.fromkeys(("birthday", "birthdate", "dateofbirth", "dob"), "dateBirth"),
    **dict.fromkeys(("street", "address1", "streetaddress"), "address"),
    **dict.fromkeys(("jobtitle", "position"), "title"),
    **dict.fromkeys(("employees", "companysize"), "numberOfEmployees"),
    **dict.fromkeys(("revenue",), "annualRevenue"),
    **dict.fromkeys(("telephone", "tel", "phonenumber"), "phone"),
    **dict.fromkeys(("emailaddress", "mail"), "email"),
}
"""Names that people give to these fields elsewhere, without separators and in lower case -> DailyStory's."""


def suggestion(name: str) -> str:
    """Advice for a name that is not a contact field: DailyStory's name for it, if it is known."""
    own = _OTHER_NAMES.get(name.casefold().replace("_", "").replace("-", "").replace(" ", ""))
    if own is not None:
        return f"; DailyStory has {own}"
    listed = f"; its fields are {', '.join(CONTACT_FIELDS)}; custom fields belong in extended_properties"
    return nearest(name, CONTACT_FIELDS) or listed


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Suggest the closest valid name, for an error message: `"; did you mean 'x'?"`, or an empty text."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[matches[0]]!r}?" if matches else ""
