"""The last look at a request body: nothing that leaves may opt a contact back in (DESIGN.md, promise 6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from dagster_dailystory.errors import ConsentError

SAFE_STATUSES = frozenset({"Inactive", "Spam"})
"""Statuses that take a contact out of sending; a sync may set them."""


GUARDED_STATUSES = frozenset({"Active", "Deleted"})
"""Statuses that need a named exception: one opts in, the other removes."""


_PLAIN = (str, int, float)


def check_consent(body: Mapping[str, object], allowed: Collection[str] = ()) -> None:
    """Refuse a body that would undo an opt-out, set a status that is not ours to set, or hold a null.

    Keys are compared without case and separators, so that `optoutemail` and `opt_out_email` are opt-outs too.

    Args:
        body: The JSON object exactly as it is about to be sent.
        allowed: Opt-out fields that may be false, and `status` for `Active` and `Deleted`.

    Raises:
        ConsentError: The body must not leave. The message names the key, never the value.
    """
    _refuse_nulls(body)
    excepted = {_folded(name) for name in allowed}
    for name, value in body.items():
        folded = _folded(name)
        if folded.startswith(("optout", "donotcontact")):
            lawful = value is True or (folded in excepted and value is False)
        elif folded == "status":
            statuses = SAFE_STATUSES | GUARDED_STATUSES if folded in excepted else SAFE_STATUSES
            lawful = isinstance(value, str) and value in statuses
        else:
            continue
        if not lawful:
            raise ConsentError(
                f"a request would have changed a contact's consent through {name!r} and was not sent;"
                " consent_override names the fields for which that is wanted"
            )


@lru_cache(maxsize=1_000)
def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _refuse_nulls(value: object) -> None:
    if isinstance(value, Mapping):
        for name, member in value.items():
            if member is None:
                raise ConsentError(f"a request held a JSON null in {name!r}, whose meaning is not documented; not sent")
            if not isinstance(member, _PLAIN):
                _refuse_nulls(member)
    elif isinstance(value, (list, tuple)):
        if any(member is None for member in value):
            raise ConsentError("a request held a JSON null in a list, whose meaning is not documented; not sent")
        for member in value:
            _refuse_nulls(member)
