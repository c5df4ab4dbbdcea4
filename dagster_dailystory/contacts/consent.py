"""The last check of a request body: no request may opt a contact back in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from dagster_dailystory.errors import ConsentError

SAFE_STATUSES = frozenset({"Inactive", "Spam"})
"""Statuses that stop messages to a contact; a sync may set them."""


GUARDED_STATUSES = frozenset({"Active", "Deleted"})
"""Statuses that need an explicit exception: `Active` opts a contact in, `Deleted` removes it."""


_SCALARS = (str, int, float)


def check_consent(body: Mapping[str, object], allowed: Collection[str] = ()) -> None:
    """Refuse a body that would undo an opt-out, set a status that a sync may not set, or contain a null.

    Keys are compared without case and separators: `optoutemail` and `opt_out_email` are opt-outs too.

    Args:
        body: The JSON object exactly as it is about to be sent.
        allowed: Opt-out fields that may be false, and `status` if it may be `Active` or `Deleted`.

    Raises:
        ConsentError: The body must not be sent. The message names the key, never the value.
    """
    _refuse_nulls(body)
    exceptions = {_folded(name) for name in allowed}
    for name, value in body.items():
        folded = _folded(name)
        if folded.startswith(("optout", "donotcontact")):
            permitted = value is True or (folded in exceptions and value is False)
        elif folded == "status":
            statuses = SAFE_STATUSES | GUARDED_STATUSES if folded in exceptions else SAFE_STATUSES
            permitted = isinstance(value, str) and value in statuses
        else:
            continue
        if not permitted:
            raise ConsentError(
                f"a request was not sent: it would change a contact's consent through {name!r};"
                " if that is intended, name the field in consent_override"
            )


@lru_cache(maxsize=1_000)
def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _refuse_nulls(value: object) -> None:
    if isinstance(value, Mapping):
        for name, member in value.items():
            if member is None:
                raise ConsentError(f"a request was not sent: {name!r} is a JSON null, whose meaning is not documented")
            if not isinstance(member, _SCALARS):
                _refuse_nulls(member)
    elif isinstance(value, (list, tuple)):
        if any(member is None for member in value):
            raise ConsentError("a request was not sent: a list contains a JSON null, whose meaning is not documented")
        for member in value:
            _refuse_nulls(member)
