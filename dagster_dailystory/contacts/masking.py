"""How a row appears outside the state: masked messages, opaque labels, keyed fingerprints (promise 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text

_LONGEST_MESSAGE = 300


_SHORTEST_VALUE = 3


_SHORTEST_INFIX = 6


_FEWEST_PHONE_DIGITS = 7


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


_WORD = re.compile(r'[^\s<>"(),;\[\]]+')


_QUOTED_LOCAL_PART = re.compile(r'"[^"]{1,64}"(?=@)')


_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\[]\S*", re.IGNORECASE)


_DIGITS = re.compile(r"\+?\d(?:[\s().\-/\u2010-\u2015]{0,3}\d)+")


_RUN = re.compile(r"[A-Za-z0-9_\-+=~]{20,}")


_LONGEST_PLAIN_WORD = 31


def mask(text: str) -> str:
    """Make a message of the service fit for logs and metadata.

    Every word with an `@` becomes `[email]`, seven digits or more `[phone]`, long runs of letters and digits
    `[token]`. Masking too much is accepted: a message is read for its kind, not for its figures. Names cannot be
    recognised; `mask_values` removes the row's own.

    Returns:
        At most 300 characters on one line.
    """
    text = _CONTROLS.sub(" ", text)
    text = _QUOTED_LOCAL_PART.sub("", text)
    text = _WORD.sub(_masked_word, text)
    text = _BEARER.sub("[token]", text)
    text = _RUN.sub(_masked_run, text)
    text = _DIGITS.sub(_masked_digits, text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def _masked_word(match: re.Match[str]) -> str:
    word = match[0]
    return "[email]" if "@" in word or "\uff20" in word or "%40" in word else word


def _masked_run(match: re.Match[str]) -> str:
    run = match[0]
    mixed = any(letter.isdigit() for letter in run) and any(letter.isalpha() for letter in run)
    return "[token]" if mixed or len(run) > _LONGEST_PLAIN_WORD else run


def _masked_digits(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in match[0])
    return "[phone]" if digits >= _FEWEST_PHONE_DIGITS else match[0]


def mask_values(text: str, values: Iterable[object]) -> str:
    """Mask a message, and in it the values of the row it is about, in any case.

    Values of three characters or more become `[value]`; those shorter than six only as whole words, so that a first
    name does not tear longer words apart.
    """
    parts = {part for value in values for part in _printed_forms(value) if len(part) >= _SHORTEST_VALUE}
    if parts:
        longest_first = sorted(parts, key=lambda part: (-len(part), part))
        text = re.sub("|".join(map(_pattern, longest_first)), "[value]", text, flags=re.IGNORECASE)
    return mask(text)


def _printed_forms(value: object) -> tuple[str, ...]:
    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        return ()
    return (text, text.strip()) if text else ()


def _pattern(part: str) -> str:
    escaped = re.escape(part)
    return escaped if len(part) >= _SHORTEST_INFIX else rf"(?<![^\W_]){escaped}(?![^\W_])"
