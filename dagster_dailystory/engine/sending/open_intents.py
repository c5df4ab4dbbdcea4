"""Settles open intents: looks their identities up in DailyStory and writes what was found."""

from __future__ import annotations

import logging
import time

from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.recovery import Intents
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import OutageError

_log = logging.getLogger("dagster_dailystory")

_FIRST_ROWS, _MOST_ROWS = 10, 200
"""Intents that are looked up and settled in one transaction: first few, so that a run which is stopped early, again and
again, still gets ahead; then twice as many while a batch is quick."""

_QUICK_SECONDS = 2.0


def settle_intents(state: State, tables: SyncTables, lease: Lease, sender: Sender) -> None:
    """Look up the identity of every open intent, before anything else is planned or sent.

    An intent that cannot be looked up now stays open; its row is not sent until it is settled.

    Raises:
        AuthenticationError: The token is not accepted.
    """
    intents = Intents(state, tables, lease)
    opened, rows = intents.open(), _FIRST_ROWS
    while opened:
        batch, opened, started = opened[:rows], opened[rows:], time.monotonic()
        try:
            look_ups = sender.find_many([intent.identity for intent in batch])
        except OutageError as error:
            message = "sync %s: what an earlier run sent cannot be looked up, so its rows wait: %s"
            _log.warning(message, state.sync.name, error)
            return
        found = [
            (intent, look_up.contact) for intent, look_up in zip(batch, look_ups, strict=True) if look_up.is_answered
        ]
        intents.settle([(intent, contact.dsid if contact else None) for intent, contact in found])
        if time.monotonic() - started < _QUICK_SECONDS:
            rows = min(2 * rows, _MOST_ROWS)
