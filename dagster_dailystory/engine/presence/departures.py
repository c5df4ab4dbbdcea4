"""Departures: what becomes of the contacts of the missing keys of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Subquery, and_, case, func, literal, null, or_, select

from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlQuery, SqlValue
from dagster_dailystory.engine.state.contact_map import is_deleted_in
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.model.change import DELETION_PRIORITY, Operation, Reason
from dagster_dailystory.model.sync import DeletePolicy, Mode


@dataclass(frozen=True)
class Departures:
    """The statements for the missing keys of one plan.

    Attributes:
        tables: The sync's state tables.
        pending: The rows that differ, and the missing keys of all slices.
        checked: The results of the row checks, by sequence.
        in_slice: Condition on `pending`: the key belongs to the slice that the plan is for.
        newcomers: The identities of new rows that have no row check; None if there are none.
        shared: The contacts that live keys of other syncs hold, with `sync_name`; None if there are none.
        deleted: The contact maps of other syncs that deleted a contact.
    """

    tables: SyncTables
    pending: FromClause
    checked: FromClause
    in_slice: ColumnElement[bool]
    newcomers: FromClause | None = None
    shared: FromClause | None = None
    deleted: Sequence[FromClause] = ()

    def changes(self, plan_id: str) -> SqlQuery:
        """Select the changes of the slice's missing keys, by the columns of `changes`."""
        found = self._found(self.in_slice)
        names = ("sequence", *self.tables.key_names, "operation", "dsid", "reason", "message")
        return select(
            literal(plan_id, TEXT).label("plan_id"),
            *(found.c[name] for name in names),
            literal(DELETION_PRIORITY, BIG_INTEGER).label("priority"),
        ).where(found.c.operation.is_not(None))

    def deletions(self) -> SqlQuery:
        """Count the contacts to be deleted or deactivated in the whole sync, whatever the slice."""
        found = self._found()
        return select(func.count()).select_from(found).where(found.c.operation == Operation.DELETE.value)

    def _found(self, *conditions: ColumnElement[bool]) -> Subquery:
        """The missing keys with a contact, and what to do: no operation for a contact that a re-key takes over."""
        tables, sync = self.tables, self.tables.sync
        contact_map = tables.contact_map
        missing = select(self.pending).where(self.pending.c.departed, *conditions).subquery("departed")
        keeps = literal(Operation.DEPART.value, TEXT)
        # In mode `create` a look-up maps the new key to the contact, once the old key is marked missing.
        if_claimed: SqlValue = keeps if sync.mode is Mode.CREATE else null()
        is_claimed = self._is_claimed(missing)
        joined = missing.join(contact_map, tables.same_key(missing, contact_map))
        reason: SqlValue = literal(None, TEXT)
        message: SqlValue = literal(None, TEXT)
        decided = [(is_claimed, if_claimed)]
        if self.shared is not None and sync.deletes is not DeletePolicy.KEEP:
            joined = joined.outerjoin(self.shared, self.shared.c.dsid == contact_map.c.dsid)
            is_shared = and_(self.shared.c.dsid.is_not(None), contact_map.c.deleted_at.is_(None))
            decided.append((is_shared, keeps))
            reason = case((is_shared, literal(Reason.SHARED_DSID.value, TEXT)))
            message = case((is_shared, shared_message(self.shared.c.sync_name)))
        if self.deleted and sync.deletes is not DeletePolicy.KEEP:
            decided.append((is_deleted_in(self.deleted, contact_map.c.dsid, contact_map.c.last_synced_at), keeps))
        usual = keeps if sync.deletes is DeletePolicy.KEEP else literal(Operation.DELETE.value, TEXT)
        return (
            select(
                missing.c.sequence,
                *(missing.c[key] for key in tables.key_names),
                case(*decided, else_=usual).label("operation"),
                contact_map.c.dsid,
                case((is_claimed, null()), else_=reason).label("reason"),
                case((is_claimed, null()), else_=message).label("message"),
            )
            .select_from(joined)
            .subquery("departures")
        )

    def _is_claimed(self, missing: FromClause) -> ColumnElement[bool]:
        """Whether a row under a new key has the identity of a missing key.

        One EXISTS for each equality: a database can hash-join an equality, but compares all pairs for an OR.
        """
        pending, checked = self.pending, self.checked
        new_row = select(checked.c.sequence).join(pending, pending.c.sequence == checked.c.sequence)
        claims = [new_row.where(pending.c.is_new, match).exists() for match in _matches(checked, missing)]
        if self.newcomers is not None:
            bring = select(literal(1)).select_from(self.newcomers)
            claims += [bring.where(match).exists() for match in _matches(self.newcomers, missing)]
        return or_(*claims)


def shared_message(sync_name: SqlValue) -> SqlValue:
    """Why the contact of a missing key is kept."""
    return literal("sync ", TEXT).concat(sync_name).concat(" holds this contact too; it is kept")


def _matches(row: FromClause, missing: FromClause) -> list[ColumnElement[bool]]:
    return [row.c.identity_email == missing.c.old_email, row.c.identity_mobile == missing.c.old_mobile]
