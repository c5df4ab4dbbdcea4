"""The drift check: compares what DailyStory holds for a sample of contacts with what it acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, Table, and_, func, select, update

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.contacts.values import wire_value
from dagster_dailystory.engine.account import check_account, sender_of
from dagster_dailystory.engine.sending.read_back.held_values import is_held
from dagster_dailystory.engine.state.incremental import require_full_comparison
from dagster_dailystory.engine.state.lease import NO_WAIT, Waiting, open_session
from dagster_dailystory.engine.state.schema import KEPT_FIELDS, SyncTables, lists
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.sync import ContactSync, OnDeleted

_NAMED_KEYS = 20


_BATCH = 100


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a drift check found.

    Attributes:
        sync_name: The sync.
        contacts_read: Contacts that were read back.
        contacts_drifted: Contacts with at least one other value.
        contacts_missing: Contacts that DailyStory no longer has.
        contacts_deleted: Contacts that were deleted in DailyStory, which keeps them with the status Deleted.
        drift_by_field: Field -> contacts in which it differs.
        keys: The first drifted, missing or deleted keys, as logs may show them.
        repaired: The acknowledged values of drifted fields were invalidated, so that the next run sends the fields;
            missing and deleted contacts were recorded in the contact map.
    """

    sync_name: str
    contacts_read: int
    contacts_drifted: int
    contacts_missing: int
    contacts_deleted: int
    drift_by_field: Mapping[str, int]
    keys: tuple[str, ...]
    repaired: bool

    @property
    def is_clean(self) -> bool:
        """Whether every contact that was read holds the acknowledged values."""
        return not (self.contacts_drifted or self.contacts_missing or self.contacts_deleted)


def audit_contacts(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    *,
    sample: int = 100,
    repair: bool = False,
    recreate: bool = False,
    waiting: Waiting = NO_WAIT,
) -> AuditReport:
    """Compare contacts in DailyStory with what this sync last wrote there.

    Letter case and the format of phone numbers are not compared: DailyStory may change both (U2, U19 of the notes on
    the API). A status is not compared either: DailyStory sets it too. Nor are the fields of `fill`, and the values that
    an adoption or an undo left in DailyStory.

    Args:
        sync: The sync.
        warehouse: Its warehouse and state; the warehouse is not read.
        account: The account that holds its contacts.
        sample: How many contacts to read back, chosen at random.
        repair: Invalidate the acknowledged values of drifted fields, so that the next run sends the fields again.
            Missing and deleted contacts are recorded: their rows are held, and no later drift check reads them.
        recreate: With `repair`, let the next run create missing contacts again. For deleted ones `on_deleted` decides.
        waiting: How to wait for a run of this sync to end.

    Raises:
        BusyError: A run of this sync holds the lease.
        DailyStoryError: See the tree in `errors`.
    """
    with open_session(sync, warehouse.state, waiting) as (state, lease):
        with state.connection.begin():
            state.check_destination(account.base_url)
            tables = state.load_tables()
            rows = [] if tables is None else _sampled(state, tables, sample)
        audit = _Audit(state, sync)
        with sender_of(state, account, sync) as sender:
            if rows:
                check_account(state, sender, account)
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                for row, contact in zip(batch, sender.get_many([row["dsid"] for row in batch]), strict=True):
                    audit.compare(row, contact)
        if repair and tables is not None:
            with lease.transaction(state):
                audit.repair(tables, recreate=recreate)
        return audit.report(repaired=repair)


def _sampled(state: State, tables: SyncTables, sample: int) -> Sequence[RowMapping]:
    snapshot, contact_map = tables.snapshot, tables.contact_map
    same = tables.same_key(snapshot, contact_map)
    live = and_(
        snapshot.c.absent_since.is_(None),
        contact_map.c.deleted_at.is_(None),
        contact_map.c.deleted_in_dailystory_at.is_(None),
    )
    query = select(snapshot, contact_map.c.dsid).join(contact_map, same).where(live)
    return state.connection.execute(query.order_by(func.random()).limit(sample)).mappings().all()


class _Audit:
    def __init__(self, state: State, sync: ContactSync) -> None:
        self._state = state
        self._sync = sync
        self._read = 0
        self._missing: list[RowMapping] = []
        self._deleted: list[RowMapping] = []
        self._drifted: list[tuple[RowMapping, list[MappedField]]] = []

    def compare(self, row: RowMapping, contact: RemoteContact | None) -> None:
        self._read += 1
        if contact is None or contact.status == "Deleted":
            (self._missing if contact is None else self._deleted).append(row)
            return
        drifted = [
            mapped
            for mapped in self._sync.mapped_fields
            if mapped.state_column in row and self._differs(mapped, row, contact)
        ]
        if drifted:
            self._drifted.append((row, drifted))

    def _differs(self, mapped: MappedField, row: RowMapping, contact: RemoteContact) -> bool:
        if mapped.fills or lists(row[KEPT_FIELDS], mapped.state_column):
            return False  # what DailyStory has there stays
        acknowledged = row[mapped.state_column]
        # Not the text: with another default_region it is not the number that was sent.
        is_number = mapped.kind is FieldKind.MOBILE and acknowledged is not None
        sent = row["identity_mobile"] if is_number else wire_value(mapped, acknowledged)
        is_compared = sent is not None and mapped.kind is not FieldKind.STATUS
        return is_compared and sent is not None and not is_held(mapped, sent, contact)

    def repair(self, tables: SyncTables, *, recreate: bool) -> None:
        snapshot, contact_map, execute = tables.snapshot, tables.contact_map, self._state.connection.execute
        reactivate = self._sync.on_deleted is OnDeleted.REACTIVATE
        again = [*(self._missing if recreate else ()), *(self._deleted if reactivate else ())]
        recorded = [*(() if recreate else self._missing), *self._deleted]
        require_full_comparison(self._state)
        for row, fields in self._drifted:
            # A NULL would equal a source value that empties the field; and custom fields are sent together.
            as_a_whole = any(mapped.is_custom or mapped.nulls is Nulls.CLEAR for mapped in fields)
            lost = {mapped.state_column: None for mapped in fields if not mapped.is_custom}
            invalidated = {**lost, **({"resend_all": True} if as_a_whole else {})}
            execute(update(snapshot).where(self._is(tables, snapshot, row)).values(**invalidated))
        for row in again:
            execute(update(snapshot).where(self._is(tables, snapshot, row)).values(resend_all=True))
        for row in recorded:
            marked = update(contact_map).where(self._is(tables, contact_map, row))
            execute(marked.values(deleted_in_dailystory_at=self._state.now()))

    def _is(self, tables: SyncTables, table: Table, row: RowMapping) -> ColumnElement[bool]:
        return and_(*(table.c[key] == row[key] for key in tables.key_names))

    def report(self, *, repaired: bool) -> AuditReport:
        by_field = Counter(mapped.name for _, fields in self._drifted for mapped in fields)
        concerned = [*self._missing, *self._deleted, *(row for row, _ in self._drifted)][:_NAMED_KEYS]
        keys = (
            key_label(self._sync, [row[k] for k in self._sync.key_columns], self._state.secret) for row in concerned
        )
        return AuditReport(
            sync_name=self._sync.name,
            contacts_read=self._read,
            contacts_drifted=len(self._drifted),
            contacts_missing=len(self._missing),
            contacts_deleted=len(self._deleted),
            drift_by_field=dict(by_field),
            keys=tuple(keys),
            repaired=repaired,
        )
