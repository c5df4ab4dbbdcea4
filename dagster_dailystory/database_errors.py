"""What a database says about an error, fit for logs: names of tables and columns stay, values do not (promise 11)."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from dagster_dailystory.privacy import mask

_RAISED_BY_A_QUERY = frozenset({"RaiseException", "AssertFailure"})
"""psycopg's classes for messages that the database's own functions write."""

_AFTERTHOUGHT = re.compile(r"\n\s*(?:LINE \d+|DETAIL|HINT|CONTEXT|QUERY):")
_QUOTE = "[\"'`«»„“”]"
_QUOTED = re.compile(rf"(?<!\w){_QUOTE}.*{_QUOTE}", re.DOTALL)
_TELLS_A_VALUE = re.compile(
    r"(?<![^\W_])(?:values?|inputs?|literal|conver\w+|conversion|cast\w*|pars\w+|json|path|tsquery|strings?|entry|parameter"
    r"|regular expression|Regex error|incorrect|recogni[sz]ed)(?![^\W_])",
    re.IGNORECASE,
)
_NAMES_THINGS = re.compile(r"no such \w+: |ambiguous column name: |(?:Binder|Catalog|Parser|IO|Connection) Error: ")
"""How SQLite and DuckDB begin when they speak of the query, and not of what it read."""

_FREE_TEXT = re.compile(r"(Invalid Input Error: )(?!Malformed |Failed |Could not |Invalid |missing |strptime)")
"""DuckDB's `error()` may say anything; its own complaints begin like this."""

_VALUE = re.compile(rf"(?<!\w){_QUOTE}|(?<=\bwith value )|(?<!Error: )(?<=: )")
_TARGET = re.compile(
    r"(?<=[\"'])( to [A-Z]\w*(?:\([\d, ]+\))?)?( when casting from source column [^\"'\n]+)?$"
)  # after a value that DuckDB could not convert

_CLICKHOUSE = re.compile(r"Code: (\d+)\. DB::Exception: .*\(([A-Z][A-Z_]+)\)", re.DOTALL)
_CLICKHOUSE_NAME = re.compile(r"Code: \d+\. DB::Exception: (Unknown [\w ]+ (?:identifier|table) [`'][^`']+[`'])")
_SNOWFLAKE_NUMBER = re.compile(r"\A\d{6} \(\w{5}\): ")  # looks like a phone number


def plain_words(error: DBAPIError) -> str:
    """Say what a driver says, on one line.

    A driver quotes names and values alike, and escapes neither. Where its words are about a value, all is left out
    from the first quote, or from the first colon, to the message's end; what a database adds below never appears.
    """
    text = _message(error)
    if not text or type(error.orig).__name__ in _RAISED_BY_A_QUERY:
        return type(error.orig).__name__
    if (code := _CLICKHOUSE.match(text)) is not None:
        named = _CLICKHOUSE_NAME.match(text)
        return f"{f'{named[1]}: ' if named else ''}ClickHouse error {code[1]}, {code[2]}"
    body = _AFTERTHOUGHT.split(_SNOWFLAKE_NUMBER.sub("", text))[0].strip()
    return mask(body.splitlines()[0] if _is_about_names(error, body) else _without_values(body))


def _is_about_names(error: DBAPIError, body: str) -> bool:
    if not isinstance(error, (OperationalError, ProgrammingError)):
        return False
    return bool(_NAMES_THINGS.match(body)) or not _TELLS_A_VALUE.search(_QUOTED.sub(" ", body))


def _message(error: DBAPIError) -> str:
    """The message; MySQL's driver gives a number and a text."""
    parts = error.orig.args if error.orig is not None else ()
    if len(parts) == 2 and isinstance(parts[0], int) and isinstance(parts[1], str):
        return f"{parts[1].strip()} ({parts[0]})"
    return str(error.orig).strip()


def _without_values(body: str) -> str:
    free = _FREE_TEXT.match(body)
    if free is not None:
        return f"{free[1]}[value]"
    start = _VALUE.search(body)
    if start is None:
        return body.splitlines()[0]
    target = _TARGET.search(body)
    return f"{body[: start.start()]}[value]{target[0] if target else ''}"
