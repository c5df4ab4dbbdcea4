"""Whether a mobile number was sent as one of another country: `default_region` was another one then."""

from __future__ import annotations

import phonenumbers
from sqlalchemy import ColumnElement, String, and_, cast, func, literal, not_, or_

from dagster_dailystory.databases.expressions import empty_to_null
from dagster_dailystory.databases.sql_types import SqlValue

_PLUS = "+"

_REMOVED = ("(0)", "tel:", "TEL:", *" ()./-\t\n\r\u00a0\u2009\u202f", *"\u2010\u2011\u2012\u2013\u2014\u2015")
"""What stands between the digits of a number. A form that is not here costs an update that changes nothing."""


def was_read_elsewhere(new: SqlValue, number: SqlValue, region: str) -> ColumnElement[bool]:
    """Whether a number without a country code was sent with the code of another country.

    A number has a country code if it begins with `+` or the prefix of a call abroad, or ends with all digits that were
    sent. `contacts.identity.e164` reads it; this only keeps rows apart that need no reading.

    Args:
        new: The source's value.
        number: The number as it was sent, with `+`; NULL if none was.
        region: The country of `default_region`.
    """
    digits: SqlValue = func.replace(cast(new, String), "\uff0b", _PLUS)
    for each in _REMOVED:
        digits = func.replace(digits, each, "")
    sent = func.substr(number, 2)
    has_country = or_(
        digits.like(f"{_PLUS}%"), digits.like("00%"), digits.like("011%"), digits.like(literal("%").concat(sent))
    )
    code = phonenumbers.country_code_for_region(region)
    return and_(not_(number.like(f"{_PLUS}{code}%")), empty_to_null(new).is_not(None), not_(has_country))
