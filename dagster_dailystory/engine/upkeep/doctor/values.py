"""Trials of values: how DailyStory stores what is written to one test contact. Each returns the name of an answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from dagster_dailystory.engine.upkeep.doctor.bench import CUSTOM_FIELD, Bench, UnclearError

_LONGEST_USUAL = 255

_LONG = 10_000

_NAIVE = timedelta(minutes=15)
"""Difference of a time stamp that is in UTC: our clock, and the time that the request took."""


def fields_left_out(bench: Bench) -> str:
    """Whether an update clears the fields that it leaves out."""
    bench.set(city="Oslo", company="Probe")
    bench.set(company="Probe again")
    return "kept" if bench.fields().get("city") else "cleared"


def empty_texts(bench: Bench) -> str:
    """What an empty text does to a field."""
    bench.set(city="Oslo")
    if not bench.update(bench.first, city=""):
        return "refused"
    return "kept" if bench.fields().get("city") else "cleared"


def empty_custom_values(bench: Bench) -> str:
    """What an empty text does to a custom field."""
    bench.set(extendedProperties={CUSTOM_FIELD: "x"})
    if not bench.update(bench.first, extendedProperties={CUSTOM_FIELD: ""}):
        return "refused"
    value = bench.custom_value()
    return "removed" if value is None else "kept" if value else "emptied"


def custom_values_left_out(bench: Bench) -> str:
    """Whether an update removes the custom values that it leaves out. One field is enough: the update has none."""
    bench.set(extendedProperties={CUSTOM_FIELD: "x"})
    if bench.custom_value() != "x":
        raise UnclearError("the custom value was not stored")
    bench.set(extendedProperties={})
    return "removed" if bench.custom_value() in (None, "") else "kept"


def numbers_in_custom_fields(bench: Bench) -> str:
    """How a custom value that is a number is stored."""
    if not bench.update(bench.first, extendedProperties={CUSTOM_FIELD: 7}):
        return "refused"
    value = bench.custom_value()
    if value not in (7, "7"):
        raise UnclearError("the value is neither the number nor its text")
    return "as_text" if isinstance(value, str) else "as_number"


def dates_and_numbers(bench: Bench) -> str:
    """Whether a date in a custom field and a number are read back as they were sent."""
    bench.set(extendedProperties={CUSTOM_FIELD: "2024-02-29"}, annualRevenue=1234.5)
    revenue = bench.fields().get("annualRevenue")
    return "as_sent" if bench.custom_value() == "2024-02-29" and revenue == 1234.5 else "changed"


def usual_lengths(bench: Bench) -> str:
    """Whether a text of the longest length that is sent by default is stored."""
    text = "X" + "x" * (_LONGEST_USUAL - 1)
    if not bench.update(bench.first, company=text, extendedProperties={CUSTOM_FIELD: text}):
        return "refused"
    stored = min(len(str(bench.fields().get("company"))), len(str(bench.custom_value())))
    return "stored" if stored == _LONGEST_USUAL else "cut"


def great_lengths(bench: Bench) -> str:
    """Whether a custom value of 10,000 characters is stored."""
    if not bench.update(bench.first, extendedProperties={CUSTOM_FIELD: "X" + "x" * (_LONG - 1)}):
        return "too_large" if bench.observations.status == 413 else "refused"
    return "stored" if len(str(bench.custom_value())) == _LONG else "cut"


def letter_case(bench: Bench) -> str:
    """Whether the letter case of a text is changed."""
    bench.set(city="dailySTORY probe")
    return "kept" if bench.fields().get("city") == "dailySTORY probe" else "changed"


def names_of_statuses(bench: Bench) -> str:
    """How a status is read back."""
    return "number" if isinstance(bench.value("status"), int) else "word"


def false_opt_outs(bench: Bench) -> str:
    """Whether an opt-out takes effect, and whether false takes it back."""
    bench.set(optOutEmail=True)
    if not bench.value("optOutEmail"):
        return "no_opt_out"
    if not bench.update(bench.first, ("optOutEmail",), optOutEmail=False):
        return "refused"
    return "ignored" if bench.value("optOutEmail") else "opted_in"


def time_zone(bench: Bench) -> str:
    """In which zone the times of a contact are."""
    text = str(bench.value("dateContactLastModified"))
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UnclearError("the time of the last change cannot be read") from None
    if moment.tzinfo is not None:
        return "named"
    now = datetime.fromtimestamp(bench.observations.now(), timezone.utc).replace(tzinfo=None)
    return "utc" if abs(moment - now) < _NAIVE else "other"


def genders(bench: Bench) -> str:
    """How a gender that was written as text is read back."""
    if not bench.update(bench.first, gender="Male"):
        return "refused"
    value = bench.value("gender")
    return "number" if isinstance(value, int) else "as_sent" if value == "Male" else "changed"


def dates_of_birth(bench: Bench) -> str:
    """Which of the two documented names sets the date of birth."""
    bench.update(bench.first, dateBirth="1990-01-02")
    ours = str(bench.fields().get("dateBirth")).startswith("1990-01-02")
    bench.update(bench.first, dateOfBirth="1991-03-04")
    other = str(bench.fields().get("dateBirth")).startswith("1991-03-04")
    return {(True, True): "both", (True, False): "dateBirth", (False, True): "dateOfBirth"}.get((ours, other), "none")


def case_of_names(bench: Bench) -> str:
    """Whether the name of a field in another letter case is understood."""
    bench.set(city="Oslo")
    bench.update(bench.first, CITY="Bergen")
    return "any_case" if bench.fields().get("city") == "Bergen" else "exact"
