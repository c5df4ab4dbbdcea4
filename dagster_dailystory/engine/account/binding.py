"""The account of a state: what is sent with an API token must reach the account that the state was made for."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from dagster_dailystory.api.responses import Account
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.fingerprint import opaque
from dagster_dailystory.engine.account.senders import sender_of
from dagster_dailystory.engine.interrupts import interrupts_held
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import ForbiddenError, OutageError, RejectedError, StateError

_log = logging.getLogger("dagster_dailystory")

_ACCOUNT = "account"

_TOKEN = "token_hash:"  # the start of a name

_DRY_ATTEMPTS = 3
"""A dry run shows its plan although DailyStory does not respond, and so asks for seconds, not for minutes."""


def check_account(state: State, sender: Sender, settings: AccountSettings) -> None:
    """Make sure that the token belongs to the account of this state, before any other request.

    The first run binds the state to the account that `/about` names. If `/about` names none, or nothing that can be
    compared with what the state knows, the state remembers which tokens were used, by keyed hashes.

    Raises:
        StateError: The token belongs to another account, or it is a new one and `/about` does not name its account.
        AuthenticationError: The token is not accepted.
        OutageError: DailyStory cannot be reached; or the token is another one than before, and `/about` fails.
    """
    account, failure = _read(sender)
    token = _TOKEN + opaque(state.secret, settings.api_token)
    with interrupts_held():
        with state.connection.begin():
            bound, tokens = _decoded(state.meta(_ACCOUNT)), state.meta_names(_TOKEN)
        if account is not None and _is_named(account, bound):
            _bind(state, account)
        elif token not in tokens and not settings.accept_account:
            if failure is not None and (bound is not None or tokens):
                raise failure
            _check_new_token(is_answered=account is not None, is_bound=bound is not None, has_tokens=bool(tokens))
        state.keep_meta(token, state.now().isoformat())


def try_account(state: State, settings: AccountSettings) -> str:
    """Find out for a dry run whether a send could begin now. The state is not bound to the account.

    Returns:
        What could not be found out, or would have to be done before a send; empty if DailyStory accepts the token.

    Raises:
        AuthenticationError: The token is not accepted.
        ConfigurationError: DailyStory redirects to another address.
        StateError: As in `check_account`.
    """
    sender = sender_of(state, replace(settings, max_attempts=_DRY_ATTEMPTS))
    try:
        with sender:
            account = sender.about()
    except (ForbiddenError, OutageError) as error:
        return f"it could not be checked whether DailyStory accepts the API token: {error}"
    return compare_account(state, account, settings)


def compare_account(state: State, account: Account, settings: AccountSettings) -> str:
    """Compare the account that `/about` names with that of the state; nothing is written.

    Returns:
        What could not be found out; empty if this is the account of the state, or if the state has none yet.

    Raises:
        StateError: As in `check_account`.
    """
    with state.connection.begin():
        bound, tokens = _decoded(state.meta(_ACCOUNT)), state.meta_names(_TOKEN)
    if account.is_answered and _is_named(account, bound):
        if bound is not None:
            _check_same(bound, account)
    elif _TOKEN + opaque(state.secret, settings.api_token) not in tokens and not settings.accept_account:
        _check_new_token(is_answered=account.is_answered, is_bound=bound is not None, has_tokens=bool(tokens))
    answered = "" if account.is_answered else "/about of base_url does not respond as the API of DailyStory does"
    return answered and f"{answered}; make sure that base_url is right"


def account_ids(state: State, settings: AccountSettings) -> list[str]:
    """Opaque ids of the account that `check_account` found: by its id, its name and the token, as far as known."""
    with state.connection.begin():
        bound = _decoded(state.meta(_ACCOUNT)) or Account()
    known = (bound.tenant_uid, bound.tenant, settings.api_token)
    return [opaque(state.secret, text)[:16] for text in known if text is not None]


def _bind(state: State, account: Account) -> None:
    """Let the state belong to this account, unless it belongs to one."""
    bound = _decoded(state.keep_meta(_ACCOUNT, _encoded(account))) or account
    _check_same(bound, account)
    joined = _joined(bound, account)
    if joined != bound:
        with state.connection.begin():
            state.set_meta(_ACCOUNT, _encoded(joined))


def _check_same(bound: Account, account: Account) -> None:
    if not _is_same(bound, account):
        raise StateError(
            "the API token belongs to another DailyStory account than this state; "
            "use the token of the state's account, or give the other account a state of its own"
        )


def _read(sender: Sender) -> tuple[Account | None, OutageError | None]:
    """The account that `/about` names, possibly without values; None if it does not respond as documented.

    With it, the failure of `/about` where DailyStory responds, for example with 500: rows may be accepted all the same.
    """
    try:
        account = sender.about()
    except RejectedError:
        return None, None
    except OutageError as error:
        if error.status is None:
            raise
        return None, error
    return (account if account.is_answered else None), None


def _check_new_token(*, is_answered: bool, is_bound: bool, has_tokens: bool) -> None:
    """Decide about a token that this state has not seen, if `/about` does not name its account."""
    if not is_bound and not has_tokens:
        _log.warning(
            "DailyStory does not say which account the API token belongs to (/about); only this token is remembered"
        )
    elif is_answered and not is_bound:
        _log.warning(
            "the API token is another one than before, and DailyStory does not say which account it belongs to; "
            "make sure that it is the account of this state"
        )
    else:
        raise StateError(
            "the API token is another one than before, and DailyStory does not say which account it belongs to "
            "(/about); if it is the account of this state, run once with accept_account=True"
        )


def _is_named(account: Account, bound: Account | None) -> bool:
    """Whether `/about` has the id or the name; of a state with an account, one of those that the state knows."""
    known = bound or account
    pairs = ((known.tenant_uid, account.tenant_uid), (known.tenant, account.tenant))
    return any(each is not None and other is not None for each, other in pairs)


def _is_same(one: Account, other: Account) -> bool:
    """Compare the ids if both are known, else the names: an account may be renamed."""
    if one.tenant_uid is not None and other.tenant_uid is not None:
        return one.tenant_uid == other.tenant_uid
    pairs = ((one.tenant, other.tenant), (one.data_center, other.data_center))
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return all(a == b for a, b in known)


def _joined(bound: Account, seen: Account) -> Account:
    return Account(
        seen.tenant or bound.tenant, seen.tenant_uid or bound.tenant_uid, seen.data_center or bound.data_center
    )


def _encoded(account: Account) -> str:
    return json.dumps({"uid": account.tenant_uid, "name": account.tenant, "data_center": account.data_center})


def _decoded(text: str | None) -> Account | None:
    if text is None:
        return None
    if not text.startswith("{"):
        return Account(tenant_uid=text)  # as layout version 2 stored it
    stored = json.loads(text)
    return Account(stored["name"], stored["uid"], stored["data_center"])
