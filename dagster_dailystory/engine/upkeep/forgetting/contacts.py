"""Deletes the contacts of forgotten rows in DailyStory, with the rate, the retries and the outages of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.account import check_account, sender_of
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.sending.open_intents import settle_intents
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import OutageError
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Result
from dagster_dailystory.model.sync import ContactSync, DeletePolicy

_AT_ONCE = 100

_WAIT_SECONDS = 1.0

_UNTOUCHED = "nothing was removed from the state; forget the same keys again"


class Deletions:
    """Deletes contacts. A context manager.

    Args:
        state: The sync's state.
        tables: The sync's tables.
        lease: The lease of the sync.
        account: The account that has the contacts.
    """

    def __init__(self, state: State, tables: SyncTables, lease: Lease, account: AccountSettings) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease
        self._account = account
        self._sender = sender_of(state, account, _deleting(state.sync))

    def settle(self) -> None:
        """Start, and look up the creates without a response: their contacts are to be deleted too.

        Raises:
            StateError: The account is not that of the state.
            AuthenticationError: The token is not accepted.
            OutageError: DailyStory cannot be reached; nothing was done.
        """
        self._sender.start(self._lease.heartbeat.is_safe)
        try:
            check_account(self._state, self._sender, self._account)
        except OutageError as error:
            raise OutageError(f"{error}. No contact was deleted, and {_UNTOUCHED}", status=error.status) from None
        settle_intents(self._state, self._tables, self._lease, self._sender)

    def delete(self, dsids: Sequence[str]) -> None:
        """Delete contacts; one that DailyStory does not have any more counts as deleted.

        Raises:
            OutageError: Not all of them could be deleted. A further call with the same contacts does the rest: those
                that are deleted by now count as deleted.
        """
        changes = [_deletion(number, dsid) for number, dsid in enumerate(dsids, start=1)]
        done = 0
        for part in in_parts(changes, _AT_ONCE):
            failed = next((each for each in self._results(part, done) if each.outcome is not Outcome.DELETED), None)
            if failed is not None:
                raise OutageError(
                    f"contact {dsids[failed.sequence - 1]} could not be deleted: {failed.message}. At least {done} of "
                    f"{len(dsids)} contacts are deleted, and {_UNTOUCHED}"
                )
            done += len(part)

    def _results(self, changes: Sequence[Change], done: int) -> list[Result]:
        results: list[Result] = []
        self._sender.submit(changes)
        try:
            while self._sender.pending:
                results += self._sender.collect(_WAIT_SECONDS)
                self._sender.results_written()
                self._lease.keep(self._state)
        except OutageError as error:
            done += len(results)
            raise OutageError(
                f"{error}. At least {done} contacts are deleted, and {_UNTOUCHED}", status=error.status
            ) from None
        return results

    def __enter__(self) -> Deletions:
        return self

    def __exit__(self, *error: object) -> None:
        self._sender.stop()


def _deleting(sync: ContactSync) -> ContactSync:
    """The sync as the sender needs it: it deletes, whatever the sync does with the contacts of missing keys."""
    return replace(sync, deletes=DeletePolicy.DELETE, source=sync.name, partitions=None, watermark=None)


def _deletion(sequence: int, dsid: str) -> Change:
    return Change(
        sequence=sequence,
        key_label="(forgotten)",
        operation=Operation.DELETE,
        dsid=dsid,
        values={},
        differing=frozenset(),
        identity=Identity(),
    )
