"""Messages without personal data or tokens, for logs and metadata."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text

_MAX_MESSAGE_LENGTH = 300


_MIN_VALUE_LENGTH = 3
"""Shortest value of a row that is masked: shorter ones occur in ordinary words."""


_MIN_SUBSTRING_LENGTH = 6
"""Shortest value of a row that is masked inside a longer word."""


_MIN_PHONE_DIGITS = 7


CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


_MOST_ENCODINGS = 3
"""Encodings within each other that are undone: a gateway encodes what a service has encoded."""


_JSON_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')


_WORD = re.compile(r'[^\s<>"(),;\[\]]+')


_QUOTED_LOCAL_PART = re.compile(r'"[^"]{1,64}"(?=@)')


_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\[]\S*", re.IGNORECASE)


_DIGITS = re.compile(r"\+?\d(?:[\s().\-/\u2010-\u2015]{0,3}\d)+")


_LONG_WORD = re.compile(r"[A-Za-z0-9_\-+=~]{20,}")


_MAX_PLAIN_WORD_LENGTH = 31
"""Longest word of letters alone, or of digits alone, that is not masked as a token."""


def mask(text: str) -> str:
    """Remove personal data and tokens from a message of DailyStory.

    A word with an `@` becomes `[email]`, seven digits or more become `[phone]`, a long word of letters and digits
    becomes `[token]`. Masking too much is accepted, because readers need the kind of the message and not its figures.
    Names cannot be recognised; `mask_values` removes the values of a known row.

    Returns:
        At most 300 characters on one line.
    """
    text = CONTROL_CHARACTERS.sub(" ", _decoded(text))
    text = _QUOTED_LOCAL_PART.sub("", text)
    text = _WORD.sub(_masked_word, text)
    text = _BEARER.sub("[token]", text)
    text = _LONG_WORD.sub(_masked_long_word, text)
    text = _DIGITS.sub(_masked_digits, text)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_MESSAGE_LENGTH else text[: _MAX_MESSAGE_LENGTH - 1] + "…"


def _masked_word(match: re.Match[str]) -> str:
    word = match[0]
    return "[email]" if "@" in word or "\uff20" in word or "%40" in word else word


def _masked_long_word(match: re.Match[str]) -> str:
    word = match[0]
    is_mixed = any(letter.isdigit() for letter in word) and any(letter.isalpha() for letter in word)
    return "[token]" if is_mixed or len(word) > _MAX_PLAIN_WORD_LENGTH else word


def _masked_digits(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in match[0])
    return "[phone]" if digits >= _MIN_PHONE_DIGITS else match[0]


def mask_values(text: str, values: Iterable[object]) -> str:
    """Mask a message and, in any case, the values of its row.

    Values of three characters or more become `[value]`, also where they are encoded for HTML, a URL or JSON.
    Values shorter than six characters are replaced only as whole words, so that a short first name is not cut out of
    longer words.
    """
    text = _decoded(text)
    parts = {part for value in values for part in _printed_forms(value) if len(part) >= _MIN_VALUE_LENGTH}
    if parts:
        longest_first = sorted(parts, key=lambda part: (-len(part), part))
        text = re.sub("|".join(map(_pattern, longest_first)), "[value]", text, flags=re.IGNORECASE)
    return mask(text)


def _printed_forms(value: object) -> tuple[str, ...]:
    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        return ()
    return (text, text.strip(), text.strip().replace(" ", "+"), _decoded(text)) if text else ()


def _decoded(text: str) -> str:
    """Replace the escapes of HTML, URLs and JSON by the characters that they stand for, also if they are nested."""
    for _ in range(_MOST_ENCODINGS):
        decoded = _JSON_ESCAPE.sub(_character, unquote(html.unescape(text)))
        if decoded == text:
            break
        text = decoded
    return text


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def _pattern(part: str) -> str:
    escaped = re.escape(part)
    return escaped if len(part) >= _MIN_SUBSTRING_LENGTH else rf"(?<![^\W_]){escaped}(?![^\W_])"
