"""The canary: the first contacts of a send are read back before the others are written."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import and_

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.payload import payload
from dagster_dailystory.engine.sending.read_back.held_values import holds_sent
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.canary import StoredCanary
from dagster_dailystory.engine.state.plans.row_reader import RowReader
from dagster_dailystory.engine.state.plans.stored import Plan
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import OutageError, RejectedError, SafetyError
from dagster_dailystory.model.change import SHOWN_KEYS, Operation
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")

LAG_SECONDS = 60.0
"""A contact that does not hold what was written is read again for so long: a look-up may lag behind a write."""

_FIRST_WAIT_SECONDS = 1.0
"""The wait before it is read again; it doubles each time."""


@dataclass(frozen=True)
class WrittenContact:
    """A contact and what was written to it.

    Attributes:
        dsid: The contact.
        key_label: Its key as logs may show it.
        sent: The fields of the request, with their values in it.
    """

    dsid: str
    key_label: str
    sent: Sequence[tuple[MappedField, object]] = field(repr=False)


def differing_fields(written: WrittenContact, contact: RemoteContact) -> list[str]:
    """The fields in which a contact does not hold what was written; each spelling of a value is the same."""
    return [mapped.name for mapped, value in written.sent if not _holds(mapped, value, contact)]


def _holds(mapped: MappedField, value: object, contact: RemoteContact) -> bool:
    if mapped.kind is FieldKind.OPT_OUT:
        return (mapped.name in contact.opted_out) is value
    return contact.status == value if mapped.kind is FieldKind.STATUS else holds_sent(mapped, value, contact)


def read_back(
    written: Sequence[WrittenContact],
    get_many: Callable[[Sequence[str]], Sequence[RemoteContact | None]],
    wait: Callable[[float], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    lag_seconds: float = LAG_SECONDS,
) -> CanaryReport:
    """Read contacts back and compare them; those that differ or are not found are read again within the lag.

    Args:
        written: The contacts, with what was written to them.
        get_many: Reads contacts by their dsids; None for each that is not found.
        wait: Waits that many seconds.
        clock: A monotonic clock, in seconds.
        lag_seconds: How long.
    """
    until, pause, left = clock() + lag_seconds, _FIRST_WAIT_SECONDS, written
    while True:
        contacts = zip(left, get_many([each.dsid for each in left]), strict=True)
        found = [(each, None if contact is None else differing_fields(each, contact)) for each, contact in contacts]
        others = [(each, names) for each, names in found if names is None or names]
        rest = until - clock()
        if not others or rest <= 0:
            return _report(len(written), others)
        left = [each for each, _ in others]
        wait(min(pause, rest))
        pause *= 2


def _report(contacts: int, others: Sequence[tuple[WrittenContact, list[str] | None]]) -> CanaryReport:
    missing = sum(names is None for _, names in others)
    fields = Counter(name for _, names in others for name in names or ())
    keys = tuple(each.key_label for each, _ in others[:SHOWN_KEYS])
    return CanaryReport(contacts, len(others) - missing, missing, dict(fields), keys)


class Canary:
    """Lets the first changes of a plan go ahead, and the others only once their contacts hold what was written.

    Args:
        state: Its connection is used by this thread only.
        tables: The sync's tables.
        lease: Renewed with each write.
        plan: The claimed plan.
        sender: Reads the contacts back.
        lag_seconds: See `LAG_SECONDS`.

    Attributes:
        found: What it found, in this send or in an earlier one of the plan.
    """

    def __init__(
        self,
        state: State,
        tables: SyncTables,
        lease: Lease,
        plan: Plan,
        sender: Sender,
        lag_seconds: float = LAG_SECONDS,
    ) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease
        self._plan_id = plan.summary.plan_id
        self._sender = sender
        self._lag_seconds = lag_seconds
        self._stored = StoredCanary(state, tables, plan)
        self._is_over = False
        self.found = plan.summary.canary

    def run(self, send: Callable[[int], None], wait: Callable[[float], None]) -> None:
        """Send the first changes, and compare their contacts, unless that is done or no canary is due.

        Args:
            send: Sends the usual changes up to this sequence, and returns when their results are written.
            wait: Waits that many seconds.

        Raises:
            SafetyError: Contacts hold other values than were written, or may not be read.
            OutageError: The contacts could not be read.
        """
        if self._is_over:
            return
        self._is_over = True
        with self._state.connection.begin():
            rows = self._stored.rows_due()
            earlier = self._stored.earlier() if rows else None
        if earlier is not None:
            self._check(earlier, rows, wait)
        if rows:
            self._send_first(rows, send)
            self._check(self._plan_id, rows, wait)

    def _send_first(self, rows: int, send: Callable[[int], None]) -> None:
        """Send the next changes, until this number was written; if none of them was, more are tried."""
        written = self._count_written(rows)
        size = rows - written
        while size > 0:
            with self._lease.transaction(self._state):
                last = self._stored.next_last(size)
                if last is not None or written:
                    self._stored.begin()
            if last is None:
                return
            send(last)
            written = self._count_written(rows)
            size = 0 if written else rows

    def _count_written(self, rows: int) -> int:
        with self._state.connection.begin():
            return len(self._stored.written(self._plan_id, rows))

    def _check(self, plan_id: str, rows: int, wait: Callable[[float], None]) -> None:
        with self._state.connection.begin():
            written = self._written(plan_id, self._stored.written(plan_id, rows))
        if not written:
            return
        self.found = found = self._read_back(written, plan_id, wait)
        is_own = plan_id == self._plan_id
        if is_own or not found.passed:  # else the canary of this plan is still to come
            with self._lease.transaction(self._state):
                self._stored.record(found, passes=is_own and found.passed)
        name = self._state.sync.name
        if not found.passed:
            raise SafetyError(
                f"the canary of sync {name!r} stopped the send: {found} (plan {plan_id}). The rest was not sent. "
                "Correct the mapping or the values and run again, or send the rest as it is with accept_canary=True "
                "(--accept-canary)"
            )
        _log.info("sync %s: canary of plan %s: %s", name, plan_id, found)

    def _written(self, plan_id: str, sequences: Sequence[int]) -> list[WrittenContact]:
        changes, reader, sync = self._tables.changes, RowReader(self._state, self._tables), self._tables.sync
        if not sequences:
            return []
        where = and_(changes.c.plan_id == plan_id, changes.c.sequence.in_(sequences))
        found: list[WrittenContact] = []
        for chunk in reader.chunks(changes, where, min(sequences), max(sequences)):
            for row in chunk:
                # The row has a contact by now; its request was that of the planned operation.
                change = replace(reader.change(row), operation=Operation(row["operation"]))
                sent = _fields_of(sync, payload(sync, change))
                if sent and change.dsid is not None:
                    found.append(WrittenContact(change.dsid, change.key_label, sent))
        return found

    def _read_back(
        self, written: Sequence[WrittenContact], plan_id: str, wait: Callable[[float], None]
    ) -> CanaryReport:
        what = (
            f"the canary of sync {self._state.sync.name!r} stopped the send: {len(written):,} contacts were written "
            f"(plan {plan_id}) and cannot be read back"
        )
        try:
            return read_back(written, self._sender.get_many, wait, lag_seconds=self._lag_seconds)
        except RejectedError as error:
            raise SafetyError(
                f"{what}: {error}. Let the API token read contacts and run again, or send the rest without a look at"
                " them with accept_canary=True",
                status=error.status,
            ) from error
        except OutageError as error:
            raise OutageError(
                f"{what}: {error}. The next run reads them again before it goes on; accept_canary=True goes on without",
                status=error.status,
            ) from error


def _fields_of(sync: ContactSync, body: Mapping[str, object]) -> list[tuple[MappedField, object]]:
    custom = body.get("extendedProperties")
    values = {False: body, True: custom if isinstance(custom, Mapping) else {}}
    return [(m, values[m.is_custom][m.name]) for m in sync.sent_fields if m.name in values[m.is_custom]]
