"""The opt-outs that a plan cannot send: the row has no contact and none is created for it, or a flag is unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from dagster_dailystory.contacts.values import NOT_CONSENT
from dagster_dailystory.databases.expressions import among, is_unreadable_consent, opts_out
from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.planning.opt_outs.sendable import OptOuts
from dagster_dailystory.engine.presence.unchecked import IN_SCOPE, UNREADABLE
from dagster_dailystory.engine.state.plans.sent_opt_outs import few_waiting
from dagster_dailystory.engine.state.rejections import DUPLICATED, KEYLESS
from dagster_dailystory.engine.state.schema import differs_column
from dagster_dailystory.model.change import REMEMBERED_REASONS, Operation, Reason, WaitingOptOuts
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.sync import Scope

_KEYLESS = "waiting_without_key"
"""How the name of a value of the meta table begins: of the rows that wait and have a NULL in their key."""

_WAITING = "waiting_opt_outs"
"""How the name of a value of the meta table begins: of all rows that wait."""

_NOT_PLANNED = "the row is not in this plan; the next run sends it"


@dataclass(frozen=True)
class _Rows:
    """Rows that wait, as a part of a query.

    Attributes:
        relation: Has their keys.
        joined: The relation with all that the condition needs.
        condition: Whether a row waits.
        reason: Why it must be repaired; NULL if it need not be.
        message: What to do.
    """

    relation: FromClause
    joined: FromClause
    condition: ColumnElement[bool]
    reason: SqlValue
    message: SqlValue


@dataclass(frozen=True)
class WaitingRows:
    """Finds the opt-outs of one plan that wait, after its changes were stored.

    Attributes:
        opt_outs: The opt-outs of the same plan.
    """

    opt_outs: OptOuts

    def count(self) -> int:
        """Count the rows whose opt-out this plan cannot send."""
        if not self.opt_outs.has_consent:
            return 0
        waiting = union_all(*self._keys()).subquery("waiting")
        counts = [select(func.count()).select_from(waiting)]
        if self._reads_recent_rows:
            unread = self._unread(self._rejections_keys()).distinct().subquery("waiting")
            counts.append(select(func.count()).select_from(unread))
        found = sum(int(self.opt_outs.state.connection.execute(query).scalar() or 0) for query in counts)
        found += max(self._keyless_before - self._keyless_now, 0)
        options = self.opt_outs.found.diff.options
        # A run that looks at chosen rows only does not make the others wait less.
        return max(found, self._remembered) if options.keys or options.scope is Scope.REJECTED else found

    def remember(self, count: int) -> None:
        """Remember how many rows of the whole source, or of the slice, wait."""
        if self.opt_outs.has_consent and count != self._remembered:
            self.opt_outs.state.set_meta(self._name(_WAITING), str(count))

    @property
    def _remembered(self) -> int:
        return int(self.opt_outs.state.meta(self._name(_WAITING)) or 0)

    def _name(self, start: str) -> str:
        partition = self.opt_outs.found.diff.options.partition
        return ":".join([start, self.opt_outs.tables.sync.name, *([] if partition is None else [partition])])

    def mark(self) -> None:
        """Mark the rejections of rows that wait for a contact: later runs that do not read the row count it too."""
        opt_outs, execute = self.opt_outs, self.opt_outs.state.connection.execute
        rejections, tables, found = opt_outs.tables.rejections, opt_outs.tables, opt_outs.found
        reads_all_rows = tables.sync.watermark is None and not tables.sync.reads_some_rows
        if not opt_outs.has_consent or reads_all_rows:
            return
        self._mark_keyless()
        keys = self._rejections_keys()
        looked_at = [found.pending] if found.duplicates is None else [found.pending, found.duplicates]
        for relation in looked_at:
            read = select(*(relation.c[key] for key in tables.key_names))
            execute(rejections.update().where(among(keys, read)).values(opts_out=False))
        for waiting in self._keys():
            execute(rejections.update().where(among(keys, waiting)).values(opts_out=True))

    def _mark_keyless(self) -> None:
        """Remember how many rows without a key wait: no key finds them again in a run that does not read them."""
        found = self._keyless_now
        if self.opt_outs.found.diff.options.plans_deletions or found > self._keyless_before:
            self.opt_outs.state.set_meta(self._name(_KEYLESS), str(found))

    @property
    def _keyless_before(self) -> int:
        """How many rows without a key waited when the whole source was read; 0 if this run reads it."""
        return int(self.opt_outs.state.meta(self._name(_KEYLESS)) or 0) if self._reads_recent_rows else 0

    @cached_property
    def _keyless_now(self) -> int:
        unchecked = self.opt_outs.unchecked
        if unchecked is None:
            return 0
        *_, rows = self._waiting()
        is_keyless = or_(*(key.is_(None) for key in self.opt_outs.tables.keys_of(unchecked)))
        query = select(func.count()).select_from(rows.joined).where(rows.condition, is_keyless)
        return int(self.opt_outs.state.connection.execute(query).scalar() or 0)

    def describe(self, count: int) -> WaitingOptOuts:
        """Name a few of the `count` rows with the reason of each."""
        if not count:
            return WaitingOptOuts()
        tables, rejections = self.opt_outs.tables, self.opt_outs.tables.rejections
        parts: list[Select[tuple[object, ...]]] = [
            select(*tables.keys_of(rows.relation), rows.reason.label("reason"), rows.message.label("message"))
            .select_from(rows.joined)
            .where(rows.condition)
            for rows in self._waiting()
        ]
        unplanned = union_all(*parts).subquery("waiting")
        query = select(func.count()).select_from(unplanned).where(unplanned.c.reason.is_(None))
        to_send = int(self.opt_outs.state.connection.execute(query).scalar() or 0)
        if self._reads_recent_rows:
            parts.append(self._unread([*self._rejections_keys(), rejections.c.reason, rejections.c.message]))
        few = few_waiting(self.opt_outs.state, tables, union_all(*parts).subquery("waiting"))
        return WaitingOptOuts(count - to_send, few)

    @property
    def _reads_recent_rows(self) -> bool:
        return self.opt_outs.found.diff.options.leaves_rows_out

    def _keys(self) -> Iterator[Select[tuple[object, ...]]]:
        for rows in self._waiting():
            yield select(*self.opt_outs.tables.keys_of(rows.relation)).select_from(rows.joined).where(rows.condition)

    def _rejections_keys(self) -> list[SqlValue]:
        return self.opt_outs.tables.keys_of(self.opt_outs.tables.rejections)

    def _unread(self, columns: list[SqlValue]) -> Select[tuple[object, ...]]:
        """Select the keys that waited when they were read, and that this run does not look at."""
        tables, found, unchecked = self.opt_outs.tables, self.opt_outs.found, self.opt_outs.unchecked
        seen = [found.pending, *([] if unchecked is None else [unchecked])]
        unseen = [not_(exists().where(tables.same_key(relation, tables.rejections))) for relation in seen]
        is_sliced = isinstance(tables.sync.partitions, HashBuckets)
        in_slice = found.diff.in_partition(tables.rejections) if is_sliced else true()
        return select(*columns).where(tables.rejections.c.opts_out, in_slice, *unseen)

    def _waiting(self) -> Iterator[_Rows]:
        """The rows whose opt-out is not sent.

        No contact is known and none is created, or the value is unreadable, so that nothing shows what it means.
        """
        opt_outs = self.opt_outs
        tables, pending, checked, unchecked = (
            opt_outs.tables,
            opt_outs.found.pending,
            opt_outs.checked,
            opt_outs.unchecked,
        )
        changes = tables.changes
        row_opts_out = or_(
            false(), *(and_(flag, opts_out(value)) for _, value, flag in self._consent(FieldKind.OPT_OUT))
        )
        created = exists().where(
            changes.c.plan_id == opt_outs.plan_id,
            changes.c.sequence == pending.c.sequence,
            changes.c.operation.in_([Operation.CREATE.value, Operation.UPDATE.value]),
        )
        unknown = not_(or_(created, *self._has_contact(pending, checked)))
        waits = or_(and_(row_opts_out, unknown), *(condition for _, condition in self._unreadable()))
        rows = pending.outerjoin(checked, checked.c.sequence == pending.c.sequence)
        yield _Rows(pending, rows, and_(waits, not_(pending.c.departed)), *self._why(pending, checked))
        if unchecked is not None:
            waits = or_(unchecked.c[UNREADABLE] == 1, not_(or_(*self._has_contact(unchecked, unchecked))))
            is_keyless = or_(*(key.is_(None) for key in tables.keys_of(unchecked)))
            reason = case((is_keyless, _text(Reason.NULL_KEY.value)), else_=_text(Reason.DUPLICATE_KEY.value))
            message = case((is_keyless, _text(KEYLESS)), else_=_text(DUPLICATED))
            yield _Rows(unchecked, unchecked, and_(unchecked.c[IN_SCOPE] == 1, waits), reason, message)

    def _why(self, pending: FromClause, checked: FromClause) -> tuple[SqlValue, SqlValue]:
        """Reason and message of a pending row: its flag is unreadable, it is rejected, or DailyStory refused it."""
        rejections = self.opt_outs.tables.rejections
        same_key = self.opt_outs.tables.same_key(rejections, pending)
        remembered = rejections.c.reason.in_([each.value for each in REMEMBERED_REASONS])
        refusals = (
            select(func.max(column)).where(same_key, remembered).scalar_subquery()
            for column in (rejections.c.reason, rejections.c.message)
        )
        reason, message = (case((checked.c.held, refusal), else_=cast(null(), TEXT)) for refusal in refusals)
        unreadable = list(self._unreadable())
        return (
            case(
                *((condition, _text(Reason.INVALID_VALUE.value)) for _, condition in unreadable),
                else_=func.coalesce(checked.c.reason, reason),
            ),
            case(
                *((condition, _text(_unreadable_text(mapped))) for mapped, condition in unreadable),
                else_=func.coalesce(checked.c.message, message, _text(_NOT_PLANNED)),
            ),
        )

    def _unreadable(self) -> Iterator[tuple[MappedField, ColumnElement[bool]]]:
        for mapped, value, flag in self._consent(*CONSENT_KINDS):
            yield mapped, and_(flag, is_unreadable_consent(value, mapped.kind))

    def _consent(self, *kinds: FieldKind) -> Iterator[tuple[MappedField, SqlValue, ColumnElement[bool]]]:
        """The fields of these kinds, each with the value of a pending row and whether it differs."""
        columns = self.opt_outs.found.pending.c
        for mapped in self.opt_outs.tables.sync.mapped_fields:
            if mapped.kind in kinds:
                yield mapped, columns[mapped.state_column], columns[differs_column(mapped.state_column)]

    def _has_contact(self, keyed: FromClause, identified: FromClause) -> list[ColumnElement[bool]]:
        """Whether a contact is known for the key, the email or the mobile number of a row."""
        tables, snapshot = self.opt_outs.tables, self.opt_outs.tables.snapshot
        identities = ("identity_email", "identity_mobile")
        same = [exists().where(snapshot.c[name] == identified.c[name]) for name in identities]
        return [exists().where(tables.same_key(tables.contact_map, keyed)), *same]


def _text(text: str) -> SqlValue:
    return literal(text, TEXT)


def _unreadable_text(mapped: MappedField) -> str:
    return f"{mapped.name} (column {mapped.column!r}): {NOT_CONSENT[mapped.kind]}"
