"""Makes the plan of an undo: reads what the run wrote, source and contacts back, and stores what is taken back."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import FromClause

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.engine.account import check_account, sender_of
from dagster_dailystory.engine.planning.comparison.compare import RowCounts
from dagster_dailystory.engine.planning.comparison.staging import stage_source
from dagster_dailystory.engine.planning.header import PlannedCounts, header
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.undo.changes import UndoChange, changes_of, store
from dagster_dailystory.engine.upkeep.undo.decisions import Decision, Kept, decide
from dagster_dailystory.engine.upkeep.undo.report import MOST_KEYS, Created, UndoReport, UndoSettings
from dagster_dailystory.engine.upkeep.undo.rows import KnownRow, known_rows, live_keys
from dagster_dailystory.engine.upkeep.undo.written import Written, written_contacts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.change import Operation
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.model.watermark import WatermarkValues

_BATCH = 200

_ZONE_STEP, _FARTHEST_ZONE, _CLOCKS_APART = timedelta(minutes=15), timedelta(hours=14), timedelta(minutes=3)


def make_undo_plan(
    state: State,
    lease: Lease,
    source_sync: ContactSync,
    warehouse_url: str,
    account: AccountSettings,
    settings: UndoSettings,
    own_run_id: str,
) -> UndoReport:
    """Compare what a run wrote with the source and with DailyStory, and store what is taken back as a plan.

    Contacts are read back at the permitted rate; nothing is written to DailyStory.

    Args:
        state: The open state; its sync maps also the fields that the run wrote and that are no longer mapped.
        lease: The lease of the sync.
        source_sync: The sync as it is.
        warehouse_url: Where the source is.
        account: The account that holds the contacts.
        settings: What is taken back.
        own_run_id: The run that undoes.

    Raises:
        ConfigurationError: The history has nothing that the run wrote.
        DailyStoryError: See the tree in `errors`; no plan is stored.
    """
    started, of_source = time.perf_counter(), replace(state, sync=source_sync)
    options = PlanOptions(dry_run=settings.dry_run, undoes=settings.run_id)
    with state.connection.begin():
        state.check_destination(account.base_url)
        tables = state.load_tables()
        found = [] if tables is None else written_contacts(state, tables, settings.run_id, "", 1)
        recent = IncrementalRead(of_source)
    if tables is None or not found:
        raise ConfigurationError(
            f"the history of sync {state.sync.name!r} has nothing that run {settings.run_id!r} wrote; give a "
            "run_id from the list of runs, not a plan_id; the history goes back history_days"
        )
    reading = PlanOptions(scope=Scope.ALL, dry_run=True).of_sync(source_sync, state.present)
    staged = stage_source(of_source, lease, warehouse_url, reading, recent)
    unmapped = frozenset(tables.value_names) - {m.state_column for m in source_sync.mapped_fields}
    plan_id = f"{state.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
    relation = None if staged is None else staged.relation
    undo = _Undo(state, lease, tables, relation, plan_id, settings, unmapped)
    with sender_of(state, account) as sender:
        check_account(state, sender, account)
        undo.decide_all(sender)
    with lease.transaction(state):
        live = live_keys(state, tables)
        seconds = time.perf_counter() - started
        summary = header(plan_id, state, options, undo.planned(live), WatermarkValues(), seconds, None)
        Plans(state).add(summary, options, own_run_id, account.base_url)
    return undo.report(summary)


@dataclass
class _Tally:
    """Counts what becomes of contacts and fields."""

    written: int = 0
    undone: int = 0
    operations: Counter[Operation] = field(default_factory=Counter)
    fields_undone: Counter[str] = field(default_factory=Counter)
    fields_kept: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    contacts_kept: Counter[str] = field(default_factory=Counter)
    keys_kept: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class _Undo:
    """An undo whose changes are being stored, batch by batch."""

    state: State
    lease: Lease
    tables: SyncTables
    relation: FromClause | None
    plan_id: str
    settings: UndoSettings
    unmapped: frozenset[str]
    tally: _Tally = field(default_factory=_Tally)

    def decide_all(self, sender: Sender) -> None:
        """Decide about each contact that the run wrote to, in the order of their dsids."""
        last = ""
        while batch := self._next(last):
            written, rows = batch
            last = written[-1].dsid
            readable = [each.dsid for each in written if each.dsid in rows]
            contacts = dict(zip(readable, sender.get_many(readable), strict=True))
            changes = [
                change
                for each in written
                for change in self._changes(each, rows.get(each.dsid), contacts.get(each.dsid))
            ]
            with self.lease.transaction(self.state):
                store(self.state, self.tables, self.plan_id, sum(self.tally.operations.values()) + 1, changes)
            self.tally.operations.update(change.operation for change in changes)

    def _next(self, last: str) -> tuple[list[Written], dict[str, KnownRow]] | None:
        with self.state.connection.begin():
            written = written_contacts(self.state, self.tables, self.settings.run_id, last, _BATCH)
            dsids = [each.dsid for each in written]
            return (written, known_rows(self.state, self.tables, self.relation, dsids)) if written else None

    def _changes(self, written: Written, row: KnownRow | None, contact: RemoteContact | None) -> list[UndoChange]:
        self.tally.written += 1
        why = _why_left(written, row, contact, self.settings.created)
        if row is None or contact is None:
            self.tally.contacts_kept[(why or Kept.NO_KEY).value] += 1
            return []
        if why is not None:
            self.tally.contacts_kept[why.value] += 1
            self._name(row, {why})
            return [UndoChange(Operation.RECORD, written.dsid, row.key, reason=why.value)]
        if written.created_at is not None and row.source is None:
            self.tally.undone += 1
            return [UndoChange(Operation.DELETE, written.dsid, row.key)]
        decision = decide(self.state.sync, written, row, contact, self.unmapped)
        decision, changes = changes_of(self.tables, written.dsid, row, decision, contact)
        self._count(decision)
        self._name(row, set(decision.kept.values()))
        return changes

    def _name(self, row: KnownRow, reasons: Collection[Kept]) -> None:
        """Note the key of a contact of which something is left as it is."""
        for reason in reasons:
            named = self.tally.keys_kept[reason.value]
            if len(named) < MOST_KEYS:
                named.append(key_label(self.state.sync, list(row.key), self.state.secret))

    def _count(self, decision: Decision) -> None:
        names = {m.state_column: m.name for m in self.tables.sync.mapped_fields}
        for name in decision.undone:
            self.tally.fields_undone[names[name]] += 1
        for name, why in decision.kept.items():
            self.tally.fields_kept[names.get(name, name)][why.value] += 1
        if decision.undone:
            self.tally.undone += 1
            return
        reasons = Counter(why.value for why in decision.kept.values())
        why = next((each for each in Kept if each.value in reasons), Kept.EARLIER_UNKNOWN)
        self.tally.contacts_kept[why.value] += 1

    def planned(self, live: int) -> PlannedCounts:
        """The counts of the plan, for its header."""
        operations = self.tally.operations
        rows = RowCounts(
            source_is_empty=False,
            read=operations[Operation.UPDATE] + operations[Operation.RECORD],
            pending=operations[Operation.UPDATE] + operations[Operation.RECORD],
            live_keys=live,
            sync_live_keys=live,
        )
        by_operation = {operation.value: count for operation, count in operations.items()}
        deletions = operations[Operation.DELETE]
        return PlannedCounts(rows, by_operation, self.tally.fields_undone, sync_deletions=deletions)

    def report(self, summary: PlanSummary) -> UndoReport:
        """What the undo would do."""
        tally = self.tally
        return UndoReport(
            run_id=self.settings.run_id,
            plan=summary,
            sent=None,
            contacts_written=tally.written,
            contacts_undone=tally.undone,
            fields_undone=dict(tally.fields_undone),
            fields_kept={name: dict(reasons) for name, reasons in tally.fields_kept.items()},
            contacts_kept=dict(tally.contacts_kept),
            keys_kept={reason: tuple(keys) for reason, keys in tally.keys_kept.items()},
        )


def _why_left(written: Written, row: KnownRow | None, contact: RemoteContact | None, created: Created) -> Kept | None:
    """Why nothing that the run wrote to a contact is taken back; None if each field decides."""
    if row is None:
        return Kept.NO_KEY
    if row.is_gone or contact is None or contact.status == "Deleted":
        return Kept.CONTACT_GONE
    if row.source_rows > 1:
        return Kept.DUPLICATE_KEY
    if written.created_at is not None:
        if row.source is not None:
            return Kept.IN_SOURCE
        if created is Created.KEEP:
            return Kept.CREATED
        return None if was_made_at(contact, written.created_at) else Kept.EXISTED_BEFORE
    return Kept.TAKEN_OUT if written.is_taken_out and not written.fields else None


def was_made_at(contact: RemoteContact, created_at: datetime) -> bool:
    """Whether DailyStory says that a contact was made when the run sent it: a create may have found an older one (U9).

    `dateContactCreated` has no zone, so that it may differ by up to 14 hours, in steps of a quarter of an hour.
    """
    try:
        made_at = datetime.fromisoformat(str(contact.fields.get("dateContactCreated"))[: len("2026-01-01T00:00:00")])
    except ValueError:
        return False
    apart = made_at.replace(tzinfo=None) - created_at
    zone = round(apart / _ZONE_STEP) * _ZONE_STEP
    return abs(zone) <= _FARTHEST_ZONE and abs(apart - zone) <= _CLOCKS_APART
