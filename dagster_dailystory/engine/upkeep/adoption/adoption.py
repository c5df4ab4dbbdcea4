"""One adoption: chooses the rows to look up, looks them up in batches, and writes each batch before the next."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import and_, case, func, select

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.expressions import empty_to_null
from dagster_dailystory.engine.account import check_account, sender_of
from dagster_dailystory.engine.sending.open_intents import settle_intents
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.lease import NO_WAIT, Lease, Waiting, open_session
from dagster_dailystory.engine.state.plans.row_reader import RowReader
from dagster_dailystory.engine.state.schema import EMPTY_FIELDS, SyncTables, is_listed
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.adoption.candidates import Candidates, find_candidates
from dagster_dailystory.engine.upkeep.adoption.look_ups import AdoptedRow, look_up
from dagster_dailystory.engine.upkeep.adoption.seeding import Seeding
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.change import SHOWN_KEYS
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.runs.adoption import AdoptionOutcome, AdoptionProgress, AdoptionReport, Differing
from dagster_dailystory.model.sync import ContactSync, Mode

OnAdoption = Callable[[AdoptionProgress], None]

_MOST_ROWS = 200
"""Rows that are looked up and written together."""

_log = logging.getLogger("dagster_dailystory")


def adopt(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    *,
    differing: Differing = Differing.KEEP,
    on_progress: OnAdoption | None = None,
    waiting: Waiting = NO_WAIT,
) -> AdoptionReport:
    """Map the contacts that DailyStory has for rows of the source, and take their values for acknowledged.

    Only GET requests are sent. An adoption that was stopped goes on where it stopped.

    Args:
        sync: The sync.
        warehouse: Its source and its state.
        account: The account that has the contacts.
        differing: What the snapshot takes where values differ.
        on_progress: Called at most once a second.
        waiting: How to wait for a run of this sync to end.

    Raises:
        BusyError: A run of this sync holds the lease.
        ConfigurationError: An adoption with another `differing` is not done.
        DailyStoryError: See the tree in `errors`.
    """
    with open_session(sync, warehouse.state, waiting) as (state, lease):
        with state.connection.begin():
            state.check_destination(account.base_url)
            tables = state.load_tables()
            _check_differing(state, tables, differing)
        with sender_of(state, account, sync) as sender:
            check_account(state, sender, account)
            state.bind_destination(account.base_url)
            if tables is not None:
                settle_intents(state, tables, lease, sender)
                _begin(state, lease)
            candidates = find_candidates(state, lease, warehouse.url)
            if candidates is None:
                return AdoptionReport(sync.name, differing)
            adoption = _Adoption(candidates, lease, sender, differing, on_progress)
            adoption.look_up()
            report = adoption.report()
        _log.info("%s", report)
        return report


def _check_differing(state: State, tables: SyncTables | None, differing: Differing) -> None:
    """Make sure, within the caller's transaction, that an adoption goes on as it began.

    Raises:
        ConfigurationError: It has mapped rows by another `differing`, which its report would not say.
    """
    begun = (state.meta(_open_name(state)) or "").split(" ")[0]
    if tables is None or begun not in Differing.__members__.values() or begun == differing.value:
        return
    if state.connection.execute(select(tables.adoption.c.outcome).limit(1)).first() is not None:
        raise ConfigurationError(
            f"the adoption of sync {state.sync.name!r} with differing={begun!r} is not done, and has taken rows over; "
            f"call it with differing={begun!r} until it has no rows left without an answer"
        )


def _begin(state: State, lease: Lease) -> None:
    """Forget what the last adoption found, unless it goes on."""
    with lease.transaction(state):
        tables = state.load_tables()
        if tables is not None and not state.meta(_open_name(state)):
            state.connection.execute(tables.adoption.delete())


def _open_name(state: State) -> str:
    """The meta row that says by which `differing`, and since when, an adoption goes on; empty once it is done."""
    return f"adoption:{state.sync.name}"


class _Adoption:
    def __init__(
        self,
        candidates: Candidates,
        lease: Lease,
        sender: Sender,
        differing: Differing,
        on_progress: OnAdoption | None,
    ) -> None:
        self._candidates = candidates
        self._state, self._tables = candidates.state, candidates.tables
        self._lease = lease
        self._sender = sender
        self._differing = differing
        self._on_progress = on_progress
        self._seeding = Seeding(self._state, self._tables, lease, candidates.pending, differing)
        self._rows_looked_up = self._rows_unanswered = 0
        self._adopted_before = self._count(AdoptionOutcome.EXISTING, AdoptionOutcome.DELETED)
        self._started_at = self._reported_at = time.monotonic()

    def look_up(self) -> None:
        """Look all candidates up, and write each batch; the adoption is done once all were answered."""
        sync, reader = self._state.sync, RowReader(self._state, self._tables)
        with self._lease.transaction(self._state):
            open_name, taken = _open_name(self._state), self._differing.value
            if not (self._state.meta(open_name) or "").startswith(f"{taken} "):
                self._state.set_meta(open_name, f"{taken} {self._state.now().isoformat()}")
        for chunk in self._candidates.chunks():
            rows = [AdoptedRow.of(sync, row["sequence"], reader.values(row)) for row in chunk]
            for start in range(0, len(rows), _MOST_ROWS):
                self._adopt(rows[start : start + _MOST_ROWS])
        with self._lease.transaction(self._state):
            if not self._rows_unanswered:
                self._state.set_meta(_open_name(self._state), "")

    def _adopt(self, batch: Sequence[AdoptedRow]) -> None:
        found = look_up(self._state.sync, self._sender, batch)
        self._seeding.write(found)
        self._rows_looked_up += len(found)
        self._rows_unanswered += sum(row.outcome is None for row in found)
        now = time.monotonic()
        if self._on_progress is not None and now - self._reported_at >= 1:
            self._reported_at = now
            remaining = max(self._candidates.counts.to_look_up - self._rows_looked_up, 0)
            rate = self._rows_looked_up / (now - self._started_at)
            self._on_progress(AdoptionProgress(self._rows_looked_up, remaining, rate, remaining / rate))

    def report(self) -> AdoptionReport:
        """What the whole adoption found, with what earlier calls of it looked up."""
        source, outcomes = self._candidates.counts, self._outcomes()
        existing, missing, ambiguous, deleted = (outcomes[outcome] for outcome in AdoptionOutcome)
        mapped_before = max(source.mapped - self._adopted_before, 0)
        counted = mapped_before + existing + missing + ambiguous + deleted + source.shared + source.rejected
        differing, by_field, opt_outs = self._differences()
        return AdoptionReport(
            sync_name=self._state.sync.name,
            differing=self._differing,
            rows_read=source.read,
            rows_mapped_before=mapped_before,
            rows_existing=existing,
            rows_missing=missing,
            rows_ambiguous=ambiguous + source.shared,
            rows_deleted_in_dailystory=deleted,
            rows_rejected=source.rejected,
            rows_left=max(source.read - counted, 0),
            rows_differing=differing,
            opt_outs_to_send=opt_outs,
            differing_by_field=by_field,
            fields_to_fill=self._fields_to_fill(),
            ambiguous_keys=(*self._ambiguous_keys(), *source.shared_keys)[:SHOWN_KEYS],
            api_requests=self._sender.counts.api_requests,
        )

    def _outcomes(self) -> Counter[AdoptionOutcome]:
        adoption = self._tables.adoption
        counts = select(adoption.c.outcome, func.count()).group_by(adoption.c.outcome)
        with self._state.connection.begin():
            found = self._state.connection.execute(counts).all()
        return Counter({AdoptionOutcome(outcome): int(rows) for outcome, rows in found})

    def _count(self, *outcomes: AdoptionOutcome) -> int:
        found = self._outcomes()
        return sum(found[outcome] for outcome in outcomes)

    def _differences(self) -> tuple[int, dict[str, int], int]:
        """Rows that differ, values by field, and rows with an opt-out to send; mode `create` sends none to them."""
        adoption, sync = self._tables.adoption, self._state.sync
        alike = select(adoption.c.differing, func.count()).where(adoption.c.differing.is_not(None))
        with self._state.connection.begin():
            found = self._state.connection.execute(alike.group_by(adoption.c.differing)).all()
        flags = {m.name for m in sync.mapped_fields if m.kind is FieldKind.OPT_OUT and sync.mode is not Mode.CREATE}
        by_field: Counter[str] = Counter()
        opt_outs = 0
        for names, rows in found:
            fields = json.loads(names)
            by_field.update(dict.fromkeys(fields, int(rows)))
            opt_outs += int(rows) if flags & set(fields) else 0
        return sum(int(rows) for _, rows in found), dict(by_field), opt_outs

    def _fields_to_fill(self) -> dict[str, int]:
        """Field of `fill` -> mapped rows whose value the next run sends; mode `create` sends none to them."""
        adoption, snapshot, source = self._tables.adoption, self._tables.snapshot, self._candidates.source
        sync, same_key = self._state.sync, self._tables.same_key
        filled = {m.name: m.state_column for m in sync.mapped_fields if m.fills and sync.mode is not Mode.CREATE}
        if not filled:
            return {}
        is_filled = [
            and_(is_listed(snapshot, EMPTY_FIELDS, name), empty_to_null(source.c[name]).is_not(None))
            for name in filled.values()
        ]
        counts = [func.sum(case((each, 1), else_=0)) for each in is_filled]
        joined = adoption.join(snapshot, same_key(adoption, snapshot)).join(source, same_key(adoption, source))
        with self._state.connection.begin():
            rows = self._state.connection.execute(select(*counts).select_from(joined)).one()
        return {name: int(count) for name, count in zip(filled, rows, strict=True) if count}

    def _ambiguous_keys(self) -> tuple[str, ...]:
        adoption, state = self._tables.adoption, self._state
        ambiguous = adoption.c.outcome == AdoptionOutcome.AMBIGUOUS.value
        keys = self._tables.keys_of(adoption)
        with state.connection.begin():
            found = state.connection.execute(select(*keys).where(ambiguous).order_by(*keys).limit(SHOWN_KEYS)).all()
        return tuple(key_label(state.sync, list(key), state.secret) for key in found)
