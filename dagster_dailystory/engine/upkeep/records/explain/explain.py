"""Gathers the explanation of a key, an email address or a dsid. It reads only, also while a run holds the sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, select

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.databases.stored_values import staged_text, typed_keys
from dagster_dailystory.engine.account import compare_account, sender_of
from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.presence.source_rows import keys_of_email, rows_of_key
from dagster_dailystory.engine.sending.read_back.held_values import Acknowledged, holds
from dagster_dailystory.engine.state.schema import KEPT_FIELDS, SyncTables, lists
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.explain.events import events_of
from dagster_dailystory.engine.upkeep.records.explain.explanation import Explanation, KeyExplanation, NextStep
from dagster_dailystory.engine.upkeep.records.explain.next_step import KeyState
from dagster_dailystory.engine.upkeep.records.history import has_key
from dagster_dailystory.engine.upkeep.records.inspection import FieldChange, explained_text, reading
from dagster_dailystory.errors import DailyStoryError, ForbiddenError, WarehouseError
from dagster_dailystory.model.contact_fields import CONSENT_KINDS
from dagster_dailystory.model.sync import ContactSync

_ATTEMPTS = 3
"""Attempts at a response, as few as those of a dry run: seconds, not minutes."""

_STATE_TABLES = ("snapshot", "contact_map", "rejections", "history", "intents")


@dataclass(frozen=True)
class Question:
    """What is to be explained: exactly one of these.

    Attributes:
        key: A key, as a user writes it.
        email: An email address.
        dsid: A contact.
        show_values: Show the values of all fields.
    """

    key: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    dsid: str | None = None
    show_values: bool = False


def explain(
    state: State, warehouse_url: str, question: Question, account: AccountSettings | None = None
) -> Explanation:
    """Explain each key that the question asks for.

    Args:
        state: The open state; it is read only.
        warehouse_url: Where the source is.
        question: What is asked for.
        account: Where to ask DailyStory for the contact; None: DailyStory is not asked.

    Raises:
        DailyStoryError: See the tree in `errors`.
    """
    with reading(state) as tables:
        if tables is None:
            return Explanation(state.sync.name, (), has_plans=False)
        source = SourceKeys(state, tables, warehouse_url)
        keys = _keys(state, tables, source, question)
        found = [_explained(state, tables, source, key, question) for key in keys]
        rows = [KeyState(state, tables, key).snapshot for key in keys]
    explained = tuple(found)
    if account is not None:
        explained = _with_live(state, explained, [dict(row or {}) for row in rows], account)
    return Explanation(state.sync.name, explained)


def _keys(state: State, tables: SyncTables, source: SourceKeys, question: Question) -> list[Key]:
    """The keys of the question: those that the state has, and else those that the source may have."""
    if question.key is not None:
        found = _keys_in_state(state, tables, question.key)
        return found or [tuple(typed.values()) for typed in typed_keys(question.key, tables.key_types)][:1]
    if question.dsid is not None:
        held = tables.contact_map.c.dsid == question.dsid
        return _distinct(state, tables, "contact_map", held)
    email = question.email or ""
    known = _distinct(state, tables, "snapshot", tables.snapshot.c.identity_email == email_for_matching(email.strip()))
    try:
        in_source = keys_of_email(source, state.sync, email.strip())
    except WarehouseError:
        in_source = []
    return list(dict.fromkeys([*known, *in_source]))


def _keys_in_state(state: State, tables: SyncTables, written: str) -> list[Key]:
    found: dict[Key, None] = {}
    for name in _STATE_TABLES:
        table = getattr(tables, name)
        for condition in has_key(tables, dict(table.c.items()), [written]):
            found |= dict.fromkeys(_distinct(state, tables, name, condition))
    return list(found)


def _distinct(state: State, tables: SyncTables, name: str, condition: ColumnElement[bool]) -> list[Key]:
    table = getattr(tables, name)
    query = select(*(table.c[key] for key in tables.key_names)).where(condition).distinct()
    return [tuple(row) for row in state.connection.execute(query)]


def _explained(state: State, tables: SyncTables, source: SourceKeys, key: Key, question: Question) -> KeyExplanation:
    sync = state.sync
    known = KeyState(state, tables, key)
    dsid = None if known.contact is None else str(known.contact["dsid"])
    rows: Sequence[Mapping[str, object]] = []
    try:
        rows = rows_of_key(source, sync, key)
        next_step, why = known.next_step(rows)
    except WarehouseError as error:
        next_step, why = known.forgotten() or (NextStep.NOT_ASKED, f"The source cannot be asked: {error}.")
    row = rows[0] if rows else None
    return KeyExplanation(
        key_label(sync, list(key), state.secret),
        next_step,
        why,
        dsid,
        _differing(known, rows[0], show_values=question.show_values) if len(rows) == 1 else [],
        None if row is None else _texts(sync, row, show_values=question.show_values),
        events_of(state, tables, key, dsid, show_values=question.show_values),
    )


def _texts(sync: ContactSync, row: Mapping[str, object], *, show_values: bool) -> dict[str, str]:
    """The values of a row, by field."""
    return {m.name: explained_text(m, row.get(m.state_column), show_values=show_values) for m in sync.sent_fields}


def _differing(known: KeyState, row: Mapping[str, object], *, show_values: bool) -> list[FieldChange]:
    old, new = (_texts(known.sync, each, show_values=show_values) for each in (known.snapshot or {}, row))
    return [FieldChange(m.name, old[m.name], new[m.name]) for m in known.differing(row)]


def _with_live(
    state: State,
    explained: Sequence[KeyExplanation],
    snapshots: Sequence[Mapping[str, object]],
    account: AccountSettings,
) -> tuple[KeyExplanation, ...]:
    dsids = [each.dsid for each in explained if each.dsid]
    patience = replace(account, max_attempts=min(_ATTEMPTS, account.max_attempts))
    try:
        with state.connection.begin():
            state.check_destination(account.base_url)
        with sender_of(state, patience) as sender:
            with suppress(ForbiddenError):  # a token that may not read the account
                compare_account(state, sender.about(), account)
            contacts = dict(zip(dsids, sender.get_many(dsids), strict=True)) if dsids else {}
    except DailyStoryError as error:  # what source and state have is known all the same
        return tuple(replace(each, live=(f"cannot be asked: {error}",)) for each in explained)
    return tuple(
        replace(each, live=_said(state, snapshot, contacts[each.dsid]) if each.dsid else ("no contact is known",))
        for each, snapshot in zip(explained, snapshots, strict=True)
    )


def _said(state: State, snapshot: Mapping[str, object], contact: RemoteContact | None) -> list[str]:
    """What DailyStory has of a contact, without a value."""
    if contact is None:
        return ["the contact does not exist any more"]
    opted_out = ", ".join(sorted(contact.opted_out)) or "none"
    lines = [f"status {contact.status or 'unknown'}; opt-outs: {opted_out}"]
    mobile = snapshot.get("identity_mobile")
    acknowledged = Acknowledged(snapshot, None if mobile is None else str(mobile))
    found = [
        m
        for m in state.sync.sent_fields
        if m.kind not in CONSENT_KINDS and staged_text(snapshot.get(m.state_column)) is not None
        if not holds(state.sync, m, snapshot.get(m.state_column), acknowledged, contact)
    ]
    stays = [m.name for m in found if m.fills or lists(snapshot.get(KEPT_FIELDS), m.state_column)]
    others = [m.name for m in found if m.name not in stays]
    lines.append(f"other values than acknowledged: {', '.join(others)}" if others else "the acknowledged values")
    lines += [f"values of its own that stay: {', '.join(stays)}"] if stays else []
    return lines
