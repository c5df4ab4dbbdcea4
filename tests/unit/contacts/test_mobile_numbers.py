"""Mobile numbers, in all regions: what people write is understood, and any other text is refused."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from dagster_dailystory.contacts.identity import e164, is_other_number

REGIONS = sorted(
    region
    for region in phonenumbers.SUPPORTED_REGIONS
    if phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE) is not None
)


def written(region: str, form: int, kind: int = PhoneNumberType.MOBILE) -> str:
    return phonenumbers.format_number(phonenumbers.example_number_for_type(region, kind), form)


def broken(number: str) -> dict[str, str]:
    """What became of a number on its way, or was never one."""
    return {
        "letters at the end": f"{number[:-3]}abc",
        "letters after it": f"{number} abc",
        "a letter O": f"{number[:-1]}O",
        "a name after it": f"{number} (Mum)",
        "a name before it": f"Mum {number}",
        "masked": f"{number[:-4]}XX{number[-2:]}",
        "a float": f"{number}.0",
        "an amount": f"{number}.50",
        "many zeros": f"{number}.0000",
        "an exponent": f"{number}E0",
        "negative": f"-{number}",
        "two numbers": f"{number}, {number}",
        "an extension": f"{number} x12",
        "an extension in words": f"{number} ext. 12",
        "an extension as in RFC 3966": f"{number};ext=12",
        "hexadecimal": f"0x{number}",
        "a hash": f"{number}#12",
        "quoted": f"'{number}'",
    }


def test_a_number_is_understood_as_people_write_it() -> None:
    for region in REGIONS:
        right, national = written(region, PhoneNumberFormat.E164), written(region, PhoneNumberFormat.NATIONAL)
        spaced = written(region, PhoneNumberFormat.INTERNATIONAL)
        for text in (right, spaced, f"tel:{right}", f"\u202a{spaced}\u202c", spaced.replace(" ", "\u00a0")):
            assert e164(text, None) == right, text
        dotted = national.replace(" ", ".").replace("-", ".")
        looks_decimal = dotted.count(".") == 1 and len(dotted.partition(".")[2]) < 3
        for text in (national, national.replace("-", "\u2011"), *([] if looks_decimal else [dotted])):
            assert e164(text, region) == right, text


def test_what_is_not_a_number_becomes_none() -> None:
    forms = (PhoneNumberFormat.E164, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)
    sent = {
        (region, what): text
        for region in REGIONS
        for form in forms
        for what, text in broken(written(region, form)).items()
        if e164(text, region) is not None
    }
    assert sent == {}


def test_a_land_line_and_a_free_number_get_no_text_messages() -> None:
    found = 0
    for region in REGIONS:
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None and phonenumbers.number_type(number) == kind:
                text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
                assert (e164(text, None), is_other_number(text, None)) == (None, True), text
                found += 1
    assert found > len(REGIONS)


@pytest.mark.parametrize("text", ["2026-11-29", "29.11.2026", "11/29/2026", "1234567.89", "061234dgfs", "", "+", "()"])
def test_dates_and_amounts_are_not_numbers(text: str) -> None:
    assert [region for region in REGIONS if e164(text, region) is not None] == []
