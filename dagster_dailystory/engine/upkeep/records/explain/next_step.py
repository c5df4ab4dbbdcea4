"""What the next run does with one key, and why: the checks of a plan for one row, read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from dagster_dailystory.contacts.fingerprint import refusal_fingerprint
from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.databases.stored_values import staged_text
from dagster_dailystory.engine.presence.forgotten import FORGOTTEN_ROW, Forgotten
from dagster_dailystory.engine.presence.source_keys import Key
from dagster_dailystory.engine.sending.read_back.held_values import value_to_send
from dagster_dailystory.engine.state.schema import EMPTY_FIELDS, KEPT_FIELDS, SyncTables, lists
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.explain.events import rows_with
from dagster_dailystory.engine.upkeep.records.explain.explanation import NextStep
from dagster_dailystory.model.change import REMEMBERED_REASONS, Reason
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.runs.plan import PlanStatus
from dagster_dailystory.model.sync import DeletePolicy, Mode, OnDeleted

_REMEMBERED = {reason.value for reason in REMEMBERED_REASONS}

_OF_OTHER_ROWS = {Reason.DUPLICATE_IDENTITY.value, Reason.IDENTITY_CYCLE.value}
"""Reasons that one row does not show; the last plan compared it with others."""

_OPEN = {
    PlanStatus.WAITING.value: "waits for approval",
    PlanStatus.READY.value: "was not sent yet",
    PlanStatus.SENDING.value: "is being sent, or was stopped",
    PlanStatus.BLOCKED.value: "was blocked by a guard",
}


class KeyState:
    """What the state has of one key, within the caller's transaction."""

    def __init__(self, state: State, tables: SyncTables, key: Key) -> None:
        self._state = state
        self._tables = tables
        self._key = key
        self.sync = tables.sync
        self.snapshot = self._row("snapshot")
        self.contact = self._row("contact_map")
        self.rejections = rows_with(state, tables, "rejections", key)

    def _row(self, name: str) -> Mapping[str, Any] | None:
        found = rows_with(self._state, self._tables, name, self._key)
        return found[0] if found else None

    def differing(self, source: Mapping[str, object]) -> list[MappedField]:
        """The fields in which the source's row differs from what DailyStory acknowledged."""
        old: Mapping[str, object] = self.snapshot or {}
        resends = bool(old.get("resend_all"))
        return [m for m in self.sync.sent_fields if self._differs(m, source, old, resends=resends)]

    def _differs(
        self, mapped: MappedField, source: Mapping[str, object], old: Mapping[str, object], *, resends: bool
    ) -> bool:
        if mapped.fills and self.contact is not None:
            return lists(old.get(EMPTY_FIELDS), mapped.state_column) and bool(source.get(mapped.state_column))
        new, before = staged_text(source.get(mapped.state_column)), staged_text(old.get(mapped.state_column))
        if not new:
            return mapped.nulls is Nulls.CLEAR and bool(before)
        if mapped.kind is FieldKind.OPT_OUT and not resends:
            is_set, was_set = (value_to_send(self.sync, mapped, each) is True for each in (new, before))
            return is_set and not was_set
        return resends or new != before

    def next_step(self, rows: Sequence[Mapping[str, object]]) -> tuple[NextStep, str]:
        """What the next run does with the key's rows in the source, and why."""
        forgotten = next(filter(None, map(self.forgotten, rows or [{}])), None)
        if forgotten is not None:
            return forgotten
        intents = rows_with(self._state, self._tables, "intents", self._key)
        if not rows:
            return self._gone()
        if len(rows) > 1:
            return NextStep.REJECTED, "Several rows of the source have this key; make it unique in the query."
        if intents:
            return NextStep.IN_DOUBT, "What was sent for it has no result; the next run looks its contact up first."
        row = rows[0]
        is_new = self.contact is None
        check = check_row(
            self.sync,
            row,
            is_new=is_new,
            differing=None if is_new else {m.state_column for m in self.differing(row)},
        )
        if check.rejection is not None:
            return NextStep.REJECTED, f"{check.rejection.reason.value}: {check.rejection.message}."
        return self._held(row) or self._rejected() or self._planned() or self._difference(row)

    def forgotten(self, row: Mapping[str, object] = MappingProxyType({})) -> tuple[NextStep, str] | None:
        """Why nothing is sent for a forgotten key, or for a row with an email or mobile number that was forgotten."""
        found = Forgotten.read(self._state)
        if found is None or not found.has(self._key, identity_of(self.sync, row)):
            return None
        return NextStep.FORGOTTEN, f"{FORGOTTEN_ROW[0].upper()}{FORGOTTEN_ROW[1:]}."

    def _gone(self) -> tuple[NextStep, str]:
        if self.snapshot is None and self.contact is None:
            return NextStep.UNKNOWN, "Neither the source nor the state has this key."
        absent = None if self.snapshot is None else self.snapshot["absent_since"]
        if absent is not None:
            done = self.snapshot["absent_action"] if self.snapshot is not None else "keep"
            return NextStep.GONE, f"It left the source; noticed at {absent:%Y-%m-%d %H:%M} UTC, contact: {done}."
        policy = self.sync.delete_policy
        future = "keeps its contact" if policy is DeletePolicy.KEEP else f"would {policy.value} its contact"
        return NextStep.GONE, f"The source no longer has it, and the next run {future}."

    def _held(self, row: Mapping[str, object]) -> tuple[NextStep, str] | None:
        deleted = None if self.contact is None else self.contact["deleted_in_dailystory_at"]
        if deleted is not None and self.sync.on_deleted is OnDeleted.RESPECT:
            return NextStep.HELD, "Its contact was deleted in DailyStory; on_deleted='reactivate' brings it back."
        secret = self._state.secret
        for found in self.rejections:
            if found["reason"] not in _REMEMBERED:
                continue
            prints = (
                refusal_fingerprint(self.sync, row, secret, each) for each in Reason if each in REMEMBERED_REASONS
            )
            if found["fingerprint"] in set(prints):
                return NextStep.HELD, (
                    f"DailyStory refused it ({found['reason']}: {found['message']}); it is sent again when the row or"
                    " the mapping changes, or with scope='rejected'."
                )
        return None

    def _rejected(self) -> tuple[NextStep, str] | None:
        """A rejection of the last plan that needs other rows, such as an email that two rows have."""
        for found in self.rejections:
            if found["reason"] in _OF_OTHER_ROWS:
                return NextStep.REJECTED, f"The last plan rejected it: {found['reason']}: {found['message']}."
        return None

    def _planned(self) -> tuple[NextStep, str] | None:
        plans = self._state.shared.plans
        for row in rows_with(self._state, self._tables, "changes", self._key):
            if row["outcome"] is not None:
                continue
            status = self._state.connection.execute(select(plans.c.status).where(plans.c.plan_id == row["plan_id"]))
            said = _OPEN.get(status.scalar() or "")
            if said:
                return NextStep.PLANNED, f"It is part of plan {row['plan_id']}, which {said}."
        return None

    def _difference(self, row: Mapping[str, object]) -> tuple[NextStep, str]:
        if self.contact is None:
            looked_up = " if a look-up finds its contact" if self.sync.mode is Mode.UPDATE else ""
            return NextStep.CREATED, f"It has no contact yet; the next run sends it{looked_up}."
        names = ", ".join(m.name for m in self.differing(row))
        if names:
            return NextStep.SENT, f"The next run sends {names}."
        found = (self.snapshot or {}).get(KEPT_FIELDS)
        kept = ", ".join(m.name for m in self.sync.sent_fields if lists(found, m.state_column))
        if kept:
            stays = f"DailyStory has another value in {kept}, which stays until the source changes"
            return NextStep.UNCHANGED, f"Nothing is sent: {stays} (adopted, or left by an undo)."
        return NextStep.UNCHANGED, "The source gives what DailyStory last acknowledged, so nothing is sent."
