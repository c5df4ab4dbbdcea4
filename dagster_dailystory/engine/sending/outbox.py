"""The outbox: reads the changes of one plan in order, submits them to the sender, and acknowledges their results."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, exists, false, func, not_, or_, select, true

from dagster_dailystory.engine.interrupts import frozen_heap, interrupts_held
from dagster_dailystory.engine.presence.forgotten import forget_returning
from dagster_dailystory.engine.presence.last_check import CheckedChanges
from dagster_dailystory.engine.presence.source_keys import KEYS_AT_ONCE
from dagster_dailystory.engine.sending.breaker.circuit_breaker import unsent_message
from dagster_dailystory.engine.sending.breaker.out_of_turn import OutOfTurn
from dagster_dailystory.engine.sending.read_back.canary import Canary
from dagster_dailystory.engine.sending.results.acknowledgements import Acknowledgements
from dagster_dailystory.engine.sending.results.sent_plan import is_match
from dagster_dailystory.engine.sending.sender import MAX_UNWRITTEN, Sender
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.overtaken import skip_overtaken
from dagster_dailystory.engine.state.plans.row_reader import RowReader
from dagster_dailystory.engine.state.plans.sent_opt_outs import sent_opt_outs
from dagster_dailystory.engine.state.recovery import Intents, identities_as_sent
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import DailyStoryError, OutageError
from dagster_dailystory.model.change import (
    SENT_OPERATIONS,
    UNSETTLED,
    USUAL_PRIORITY,
    Change,
    Operation,
    Outcome,
    Result,
)
from dagster_dailystory.model.runs.report import Progress, SentOptOuts

FLUSH_ROWS = MAX_UNWRITTEN // 2
"""Results that are acknowledged as soon as there are as many; meanwhile the sender may go on for as many again."""

FLUSH_SECONDS = 1.0
"""Longest time between two acknowledgements."""

_MIN_INTENTS, _MAX_INTENTS = 50, 2_000
"""Size of a batch, whose intents are committed together: about a second of sending. A crash leaves them all open."""

_FIRST_CHUNK_ROWS = 250
"""Rows in the first chunk: few, so that sending starts early; enough to fill the slots while the next are read."""

_MAX_PENDING = 8_000
"""Most changes in memory without a result. Below this, rows that wait for a retry do not hold up others."""

_PROGRESS_SECONDS = 1.0

_SENT = sorted(operation.value for operation in SENT_OPERATIONS)


class Outbox:
    """Sends one claimed plan.

    Args:
        state: Its connection is used by this thread only.
        tables: The sync's tables.
        lease: Renewed with each write.
        plan_id: The plan.
        sender: Has been started; this outbox collects all its results.
        last_check: Decides which of up to 1,000 deletions and re-keys may be sent now; see `LastCheck`.
        on_progress: Called at most once a second.
        check: Called several times a second; its error ends the send.
        canary: Decides after the opt-outs how many changes go ahead, and whether the others follow; None without one.
    """

    def __init__(
        self,
        state: State,
        tables: SyncTables,
        lease: Lease,
        plan_id: str,
        sender: Sender,
        last_check: Callable[[Sequence[Change]], CheckedChanges],
        on_progress: Callable[[Progress], None] | None = None,
        check: Callable[[], None] = lambda: None,
        canary: Canary | None = None,
    ) -> None:
        self._state = state
        self._tables = tables
        self._plan_id = plan_id
        self._sender = sender
        self._last_check = last_check
        self._late: list[Change] = []
        self._on_progress = on_progress
        self._check = check
        self._lease = lease
        self._canary = canary
        self._acknowledgements = Acknowledgements(state, tables, lease, plan_id)
        self._intents = Intents(state, tables, lease)
        self._reader = RowReader(state, tables)
        self._in_flight: dict[int, Change] = {}
        self._position = (0, 0)
        self._out_of_turn = OutOfTurn(state, tables, plan_id)
        self._refused_operations: set[Operation] = set()
        self._unwritten: list[Result] = []
        self._flushed_at = self._progress_at = self._started_at = time.monotonic()
        self._rows_total, self._batch_rows = 0, _MIN_INTENTS
        self._is_interrupted: Callable[[], bool] = lambda: False
        self.outcomes, self.rows_matched = Counter[Outcome](), 0

    def send(self) -> None:
        """Send every open change. However the send ends, the results received so far are acknowledged.

        Raises:
            AuthenticationError: The token is not accepted.
            OutageError: The service is down, or refuses many rows with the same message.
            BusyError: Another run took over the lease.
            DailyStoryError: Another cause, or the run was interrupted and the interrupt's handler did not raise.
        """
        with interrupts_held() as self._is_interrupted, frozen_heap():
            self._send_all()

    def _send_all(self) -> None:
        self._reopen()
        self._skip_overtaken()
        self._acknowledgements.record_without_request()
        try:
            self._rows_total, priorities = self._open_changes()
            self._fail_taken_identities()
            for priority in priorities:
                self._pass_canary(priority)
                self._send_all_of(priority)
            self._drain()
            self._fail_refused_operations()
            self._pass_canary()
        finally:
            self._unwritten += self._sender.stop()
            self._flush()
            unanswered = sorted(self._out_of_turn.taken & self._in_flight.keys())
            if unanswered:
                self._intents.reopen(self._plan_id, unanswered)
        if self._refused_operations:
            refused = "; ".join(f"{o.value}: {m}" for o, m in sorted(self._sender.refused_operations.items()))
            raise OutageError(f"DailyStory refuses all rows of one kind ({refused}); run again when that is solved")

    def _pass_canary(self, priority: int = USUAL_PRIORITY) -> None:
        """Before the first change that is not an opt-out: send a few, and go on if their contacts hold what they wrote.

        A plan that was stopped after its last result has none left to send.
        """
        if self._canary is not None and priority >= USUAL_PRIORITY:
            self._drain()
            self._canary.run(self._send_first, self._wait)

    def _send_first(self, last: int) -> None:
        self._send_all_of(USUAL_PRIORITY, last)
        self._drain()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._pump()

    def _send_all_of(self, priority: int, last: int | None = None) -> None:
        while not self._send_priority(priority, last):
            self._fail_refused_operations()

    def _reopen(self) -> None:
        """Reopen the changes that failed, wait or are in doubt from an earlier attempt at this plan."""
        changes = self._tables.changes
        mine = and_(changes.c.plan_id == self._plan_id, changes.c.outcome.in_(sorted(each.value for each in UNSETTLED)))
        with self._lease.transaction(self._state):
            self._state.connection.execute(changes.update().where(mine).values(outcome=None))

    def _skip_overtaken(self) -> None:
        """Skip changes of rows that were forgotten since, and of those that another plan has decided or sent."""
        with self._lease.transaction(self._state):
            forget_returning(self._state, self._tables, self._plan_id)
            self.outcomes[Outcome.RECORDED] += skip_overtaken(self._state, self._tables, self._plan_id)

    def _open_in_plan(self) -> ColumnElement[bool]:
        changes = self._tables.changes
        return and_(changes.c.plan_id == self._plan_id, changes.c.outcome.is_(None))

    def _open(self) -> ColumnElement[bool]:
        return and_(self._open_in_plan(), self._tables.changes.c.operation.in_(_SENT))

    def _open_changes(self) -> tuple[int, list[int]]:
        changes = self._tables.changes
        query = select(changes.c.priority, func.count()).where(self._open()).group_by(changes.c.priority)
        with self._state.connection.begin():
            counts = {int(priority): int(rows) for priority, rows in self._state.connection.execute(query)}
        return sum(counts.values()), sorted(counts)

    def _send_priority(self, priority: int, last: int | None = None) -> bool:
        """Send the changes of one priority; one above the usual waits for the results of all earlier changes.

        Args:
            priority: The priority.
            last: The sequence of the last change; None for all of them.

        Returns:
            False if DailyStory refuses an operation meanwhile, so that not all of them were read.
        """
        changes = self._tables.changes
        if priority > USUAL_PRIORITY:
            self._drain()
            self._fail_waiting(priority)
        elif priority == USUAL_PRIORITY and self._in_flight:
            self._drain()  # an opt-out and another change of its contact must not meet
        wanted = and_(
            self._open(), changes.c.priority == priority, true() if last is None else changes.c.sequence <= last
        )
        bounds = select(func.min(changes.c.sequence), func.max(changes.c.sequence)).where(wanted)
        with self._state.connection.begin():
            first, end = self._state.connection.execute(bounds).one()
        if first is None:
            return True
        self._position = (priority, first - 1)
        chunks = self._reader.chunks(changes, wanted, first, end, _FIRST_CHUNK_ROWS)
        while True:
            with self._state.connection.begin():
                chunk = next(chunks, None)
                ready, departures, in_doubt = self._split([] if chunk is None else chunk)
            if chunk is None:
                return True
            self._unwritten += in_doubt
            self._submit(priority, ready)
            self._send_checked(priority, departures)
            if self._sender.refused_operations.keys() - self._refused_operations:
                return False

    def _split(self, rows: Sequence[RowMapping]) -> tuple[list[Change], list[Change], list[Result]]:
        """Split the rows into changes to send, those that `LastCheck` checks first, and results of rows in doubt."""
        in_doubt: list[Result] = []
        ready: list[Change] = []
        departures: list[Change] = []
        for row in rows:
            change = self._reader.change(row)
            self._in_flight[change.sequence] = change
            if row["intent_at"] is not None and change.operation is not Operation.OPT_OUT:
                message = "what an earlier run sent could not be looked up yet"
                in_doubt.append(Result(change.sequence, Outcome.IN_DOUBT, self._state.now(), message=message))
            elif change.operation is Operation.DELETE or change.rekeyed:
                departures.append(change)
            else:
                ready.append(change)
        return ready, departures, in_doubt

    def _send_checked(self, priority: int, departures: Sequence[Change]) -> None:
        """Check deletions and re-keys in batches and send them; those that did not leave in time are checked again."""
        waiting = list(departures)
        while waiting:
            some, waiting = waiting[:KEYS_AT_ONCE], waiting[KEYS_AT_ONCE:]
            self._drain()  # no result is unwritten while the source is asked
            checked = self._last_check(some)
            self._unwritten += checked.decided
            self._submit(priority, checked.ready)
            self._drain()
            waiting += self._late
            self._late = []

    def _submit(self, priority: int, ready: Sequence[Change]) -> None:
        while ready := [change for change in ready if change.sequence not in self._out_of_turn.taken]:
            batch, ready = ready[: self._batch_rows], ready[self._batch_rows :]
            started = time.monotonic()
            self._intents.add(self._plan_id, priority, batch, identities_as_sent(self._tables.sync, batch))
            self._position = (priority, batch[-1].sequence)
            self._sender.submit(batch)
            while self._sender.unstarted > len(batch) or self._sender.pending > _MAX_PENDING:
                self._pump()
            if len(batch) == self._batch_rows:  # as many as were sent in a second; at most four times the last batch
                rows = round(len(batch) / max(time.monotonic() - started, 0.25))
                self._batch_rows = min(max(rows, _MIN_INTENTS), _MAX_INTENTS)

    def _find_others(self, operations: Collection[Operation]) -> list[Change]:
        """Take changes from elsewhere in the plan, and commit their intents."""
        with self._state.connection.begin():
            rows = self._out_of_turn.find(self._open(), operations, self._position, self._sender.unstarted)
            ready, departures, in_doubt = self._split(rows)
        checked = self._last_check(departures) if departures else CheckedChanges()
        ready += checked.ready
        for result in (*in_doubt, *checked.decided):  # its turn comes
            self._in_flight.pop(result.sequence)
        if ready:
            self._out_of_turn.taken |= {change.sequence for change in ready}
            self._intents.add_out_of_turn(self._plan_id, ready, identities_as_sent(self._tables.sync, ready))
        return ready

    def _fail_waiting(self, priority: int) -> None:
        """Fail rows that wait for a row that was not written, and so still has their identity."""
        changes = self._tables.changes
        before = changes.alias("before")
        written = [Outcome.UPDATED.value, Outcome.CREATED.value]
        unwritten = (
            select(before.c.sequence)
            .where(
                before.c.plan_id == self._plan_id,
                before.c.sequence == changes.c.waits_for,
                func.coalesce(before.c.outcome, "").not_in(written),
            )
            .exists()
        )
        stuck = and_(changes.c.priority == priority, unwritten)
        self._fail(stuck, "waits for a row that still holds its email or mobile number")

    def _fail_taken_identities(self) -> None:
        """Fail rows whose identity another row got since the plan was made, by a plan of another slice or an intent."""
        changes, snapshot, intents = self._tables.changes, self._tables.snapshot, self._tables.intents
        of_another = self._of_another_key
        is_live = snapshot.c.absent_since.is_(None)
        # One equality each: a database without an index can hash-join it, but compares all pairs for an OR.
        taken = or_(
            of_another(snapshot, snapshot.c.identity_email == changes.c.identity_email, is_live),
            of_another(snapshot, snapshot.c.identity_mobile == changes.c.identity_mobile, is_live),
            of_another(intents, func.lower(intents.c.email_as_sent) == changes.c.identity_email),
            of_another(intents, intents.c.mobile_as_sent == changes.c.identity_mobile),
        )
        is_new_identity = and_(
            or_(changes.c.is_new, changes.c.identity_changed), not_(func.coalesce(changes.c.rekeyed, false()))
        )
        message = "another row has, or may have, got its email or mobile number since the plan was made"
        self._fail(and_(is_new_identity, changes.c.waits_for.is_(None), taken), message)

    def _of_another_key(self, relation: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(*conditions, not_(self._tables.same_key(relation, self._tables.changes)))

    def _fail(self, stuck: ColumnElement[bool], message: str) -> None:
        """Fail open changes that cannot be sent in this run; their rows still differ in the next plan."""
        changes, execute = self._tables.changes, self._state.connection.execute
        open_and_stuck = and_(self._open(), stuck)
        failed = {"outcome": Outcome.FAILED.value, "message": message, "answered_at": self._state.now()}
        with self._lease.transaction(self._state):
            count = execute(select(func.count()).select_from(changes).where(open_and_stuck)).scalar()
            self.outcomes[Outcome.FAILED] += int(count or 0)
            execute(changes.update().where(open_and_stuck).values(**failed))

    def _fail_refused_operations(self) -> None:
        """Fail what is left of the operations that DailyStory refuses whatever the row; the others are still sent."""
        for operation, refusal in self._sender.refused_operations.items():
            if operation not in self._refused_operations:
                self._drain()
                self._refused_operations.add(operation)
                self._fail(self._tables.changes.c.operation == operation.value, unsent_message(operation, refusal))

    def _drain(self) -> None:
        while self._sender.pending:
            self._pump()
        self._flush()

    def _pump(self) -> None:
        if self._is_interrupted():
            raise DailyStoryError("the run was interrupted; the next run sends the rest")
        self._check()
        for result in self._sender.collect(FLUSH_SECONDS / 4, self._find_others):
            if result.outcome is Outcome.WAITING:
                self._late.append(self._in_flight[result.sequence])
            else:
                self._unwritten.append(result)
        if len(self._unwritten) >= FLUSH_ROWS or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self._flush()
        self._lease.keep(self._state)
        self._show_progress()

    def _flush(self) -> None:
        written = self._acknowledgements.acknowledge(self._unwritten, self._in_flight)
        self._unwritten = []
        self._sender.results_written()
        self._flushed_at = time.monotonic()
        for result in written:
            self.rows_matched += is_match(self._in_flight.pop(result.sequence, None), result)
            self.outcomes[result.outcome] += 1

    def _show_progress(self) -> None:
        now = time.monotonic()
        if self._on_progress is None or now - self._progress_at < _PROGRESS_SECONDS:
            return
        self._progress_at = now
        rate, sent = self._rows_per_second(), self._rows_sent
        remaining = max(self._rows_total - sent, 0)
        self._on_progress(Progress(sent, remaining, rate, remaining / rate if rate else None))

    @property
    def _rows_sent(self) -> int:
        return sum(self.outcomes.values()) + len(self._unwritten)

    def _rows_per_second(self) -> float:
        return self._rows_sent / max(time.monotonic() - self._started_at, 1e-3)

    @property
    def opt_outs(self) -> SentOptOuts:
        """The plan's opt-outs by what became of them, read from the state."""
        with self._state.connection.begin():
            return sent_opt_outs(self._state, self._tables, self._plan_id)

    @property
    def rows_open(self) -> int:
        """Changes to send that have no result yet, read from the state; valid even if no request was sent."""
        return self._open_changes()[0]
