"""The spellings of an email address: one for matching, several for look-ups."""

from __future__ import annotations

import pytest

from dagster_dailystory.contacts.identity import email_for_matching, email_spellings

UNICODE, PUNYCODE = "anna@m\u00fcller.example", "anna@xn--mller-kva.example"


@pytest.mark.parametrize("email", [UNICODE, PUNYCODE, " Anna@M\u00dcLLER.example", "ANNA@XN--MLLER-KVA.example"])
def test_the_spellings_of_an_address_match(email: str) -> None:
    assert email_for_matching(email) == UNICODE


def test_an_address_that_cannot_receive_mail_matches_in_lower_case() -> None:
    assert email_for_matching("Ada@Localhost") == "ada@localhost"


@pytest.mark.parametrize(
    ("email", "spellings"),
    [
        ("ada@example.com", ["ada@example.com"]),
        ("Ada@Example.com", ["Ada@Example.com", "ada@example.com"]),
        (UNICODE, [UNICODE, PUNYCODE]),
        (PUNYCODE, [PUNYCODE, UNICODE]),
        ("Anna@M\u00dcLLER.example", ["Anna@M\u00dcLLER.example", UNICODE, PUNYCODE]),
        ("Ada@Localhost", ["Ada@Localhost", "ada@localhost"]),
    ],
)
def test_an_address_is_looked_up_as_it_is_written_and_then_in_its_other_spellings(
    email: str, spellings: list[str]
) -> None:
    assert email_spellings(email) == spellings
