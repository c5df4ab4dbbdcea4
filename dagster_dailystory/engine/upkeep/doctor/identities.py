"""Trials of identities: how DailyStory finds, creates, merges and deletes. Each returns the name of an answer."""

from __future__ import annotations

import secrets

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.engine.upkeep.doctor.bench import GONE, Bench, UnclearError
from dagster_dailystory.errors import RejectedError

_LONGEST_LAG_SECONDS = 60.0

_FIRST_WAIT_SECONDS = 0.1

_LOOK_UPS = 8
"""Look-ups that show whether one of two matches is always the first: by chance alone in one of 128 cases."""

_CHANGED, _UNKNOWN = 3, 4
"""Numbers of further addresses."""


def look_up_lag(bench: Bench) -> str:
    """How long a look-up does not find a new contact."""
    _ = bench.first
    waited, wait = 0.0, _FIRST_WAIT_SECONDS
    while bench.find(email=bench.address(0)) is None:
        if waited >= _LONGEST_LAG_SECONDS:
            bench.look_up_lag = None
            return "never"
        bench.pause(wait)
        waited, wait = waited + wait, min(2 * wait, 5.0)
    bench.look_up_lag = waited
    return "late" if waited else "at_once"


def missing_contacts(bench: Bench) -> str:
    """How a GET of an id that no contact has is answered."""
    if bench.read(secrets.token_hex(16)) is not None:
        raise UnclearError("DailyStory finds a contact for a random id")
    status, envelope = bench.observations.status, bench.observations.envelope or {}
    if status != 200:
        return str(status) if status in (400, 404) else "other"
    if envelope.get("Status") is False:
        return "status_false"
    response = envelope.get("Response")
    contact = response.get("contact", None) if isinstance(response, dict) else None
    return "null_contact" if contact is None else "empty_contact"


def refusals(bench: Bench) -> str:
    """With which status a contact without an identity is refused, the one refusal that is documented."""
    _refused(bench)
    status = bench.observations.status
    return str(status) if status in (200, 400, 422) else "other"


def bodies_of_refusals(bench: Bench) -> str:
    """Which form the body of a refusal has."""
    _refused(bench)
    return bench.observations.body_form


def codes(bench: Bench) -> str:
    """Whether the HTTP status is repeated in the response."""
    bench.fields()
    return "repeated" if "Code" in (bench.observations.envelope or {}) else "left_out"


def case_of_emails(bench: Bench) -> str:
    """Whether an email is found in another letter case."""
    _ = bench.first
    bench.await_look_ups()
    swapped = bench.address(0).swapcase()
    return "any_case" if bench.find(email=swapped) else "exact"


def formats_of_numbers(bench: Bench) -> str:
    """Whether a mobile number is found in another format."""
    country, area, exchange, line = bench.mobile[:2], bench.mobile[2:5], bench.mobile[5:8], bench.mobile[8:]
    bench.await_look_ups()
    return "any_format" if bench.find(mobile=f"{country}-{area}-{exchange}-{line}") else "exact"


def numbers_read_back(bench: Bench) -> str:
    """Whether a mobile number is read back in the format in which it was sent."""
    number = bench.mobile
    return "as_sent" if bench.fields().get("mobilePhone") == number else "changed"


def short_numbers(bench: Bench) -> str:
    """Whether a mobile number that is too short is stored."""
    is_accepted = bench.update(bench.second, mobilePhone="55501")
    return "stored" if is_accepted and bench.fields(bench.second).get("mobilePhone") else "refused"


def second_creates(bench: Bench) -> str:
    """What a second create with the same email does."""
    before = (bench.first, *bench.made)
    return "updated" if bench.create(0) in before else "duplicated"


def inactive_contacts(bench: Bench) -> str:
    """Which writes make an inactive contact active."""
    contact = bench.second
    if not bench.update(contact, status="Inactive"):
        raise UnclearError("DailyStory refuses the status Inactive")
    if _status(bench, contact) != "Inactive":
        raise UnclearError("the status Inactive was not stored")
    bench.update(contact, city="Oslo")
    if _status(bench, contact) == "Active":
        return "any_write"
    bench.update(contact, email=bench.address(_CHANGED))
    return "email_change" if _status(bench, contact) == "Active" else "none"


def taken_emails(bench: Bench) -> str:
    """What an update does with an email that another contact has."""
    owner, contact = bench.first, bench.second
    bench.await_look_ups()
    if not bench.update(contact, email=bench.address(0)):
        return "refused"
    found = bench.read(owner)
    if found is None or found.dsid != owner or found.status == "Deleted":
        bench.is_merged = True
        return "merged"
    return "shared" if _has_given_address(bench, owner) else "moved"


def merged_contacts(bench: Bench) -> str:
    """What the id of a merged contact leads to."""
    if not bench.is_merged:
        return "not_merged"
    found = bench.read(bench.first)
    return "absent" if found is None or found.dsid == bench.first else "kept"


def first_matches(bench: Bench) -> str:
    """Which of several contacts with one email is found."""
    if len(holders := _holders(bench)) < 2:
        bench.create(0)
        holders = _holders(bench)
    if len(holders) < 2:
        return "unique"
    bench.await_look_ups()
    found = {contact.dsid for _ in range(_LOOK_UPS) if (contact := bench.find(email=bench.address(0)))}
    return "changing" if len(found) > 1 else "oldest" if found == {holders[0]} else "another"


def unknown_ids(bench: Bench) -> str:
    """What a write to an id that no contact has does."""
    try:
        bench.create(_UNKNOWN, dsId=secrets.token_hex(16))
    except RejectedError:
        return "refused"
    return "created"


def deleted_contacts(bench: Bench) -> str:
    """Whether a deleted contact can still be read."""
    found = bench.read(bench.gone)
    if found is None:
        return "absent"
    return "readable" if found.status == "Deleted" else "not_deleted"


def creates_of_deleted(bench: Bench) -> str:
    """What a create with the email of a deleted contact does."""
    deleted = bench.gone
    bench.await_look_ups()
    made = bench.create(GONE)
    if made != deleted:
        return "created"
    return "revived" if _status(bench, made) == "Active" else "updated"


def _status(bench: Bench, dsid: str) -> str:
    contact = bench.read(dsid)
    return "" if contact is None else contact.status


def _refused(bench: Bench) -> None:
    try:
        bench.create(None)
    except RejectedError:
        return
    raise UnclearError("DailyStory accepts a contact without an email and a mobile number")


def _holders(bench: Bench) -> list[str]:
    """The test contacts that have the given address."""
    return [each for each in bench.made if _has_given_address(bench, each)]


def _has_given_address(bench: Bench, dsid: str) -> bool:
    contact = bench.read(dsid)
    if contact is None or contact.dsid != dsid:
        return False
    return email_for_matching(str(contact.fields.get("email") or "")) == email_for_matching(bench.address(0))
