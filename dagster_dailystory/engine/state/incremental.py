"""Which rows a run of a sync with a watermark looks at: those since the last complete run, or all of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_dailystory.contacts.fingerprint import mapping_version
from dagster_dailystory.databases.source import source_text
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.model.watermark import Moment


@dataclass(frozen=True)
class Checkpoint:
    """How far the source was read by the last complete run.

    Attributes:
        highest: The highest value of the watermark's column.
        full_at: When everything was compared last, UTC.
        made_for: Recognises the query, the mapping and the column.
    """

    highest: Moment
    full_at: datetime
    made_for: str

    def encoded(self) -> str:
        """As it is stored."""
        return json.dumps([self.highest.isoformat(), self.full_at.isoformat(), self.made_for])

    @classmethod
    def decoded(cls, text: str | None) -> Checkpoint | None:
        """From the store; None where it was forgotten, or never was."""
        if text is None or not text.startswith("["):
            return None
        highest, full_at, made_for = json.loads(text)
        read = datetime.fromisoformat if "T" in highest else date.fromisoformat
        return cls(read(highest), datetime.fromisoformat(full_at), made_for)


class IncrementalRead:
    """The watermark of one sync in its state, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stored = None if state.sync.watermark is None else state.meta(_name(state))

    def since(self, options: PlanOptions) -> Moment | None:
        """The lowest value of the column that a run looks at; None for all rows.

        Chosen rows are looked for everywhere, and so is everything where another query, mapping or column would make
        other differences than a row's change.
        """
        watermark, mark = self._state.sync.watermark, Checkpoint.decoded(self._stored)
        if watermark is None or mark is None or mark.made_for != self._made_for():
            return None
        age = self._state.now() - mark.full_at
        if options.scope is not Scope.CHANGED or options.keys or age >= timedelta(seconds=watermark.full_every_seconds):
            return None
        return watermark.back_from(mark.highest)

    def next_checkpoint(self, highest: Moment | None, options: PlanOptions) -> str | None:
        """What to store once everything that this plan found was sent; None where it did not look at all that moved.

        The mark that it replaces stands first: a run that finds another one there leaves it.
        """
        mark = Checkpoint.decoded(self._stored)
        looked_at_all = options.scope is not Scope.REJECTED and not options.keys and options.limit is None
        if self._state.sync.watermark is None or options.dry_run or not looked_at_all:
            return None
        highest = highest or (mark.highest if mark is not None and options.since is not None else None)
        if highest is None:
            return None
        full_at = mark.full_at if mark is not None and options.since is not None else self._state.now()
        return json.dumps([self._stored, Checkpoint(highest, full_at, self._made_for()).encoded()])

    def _made_for(self) -> str:
        sync = self._state.sync
        column = "" if sync.watermark is None else sync.watermark.column
        told = json.dumps([source_text(sync), mapping_version(sync), column, list(sync.key_columns)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def advance(state: State, next_checkpoint: str) -> None:
    """Store a plan's mark, unless the one that it was made from was forgotten meanwhile."""
    seen, mark = json.loads(next_checkpoint)
    if state.meta(_name(state)) == seen:
        state.set_meta(_name(state), mark)


def require_full_comparison(state: State) -> None:
    """Let the next run compare everything: there are differences that no change of a source row has made."""
    if state.sync.watermark is not None:
        state.set_meta(_name(state), f"forgotten {secrets.token_hex(8)}")
    if state.meta(row_hashes_name(state)):
        state.set_meta(row_hashes_name(state), "")


def row_hashes_name(state: State) -> str:
    """Where the state says what its remembered row hashes were made for."""
    return f"row_hashes:{state.sync.name}"


def _name(state: State) -> str:
    return f"watermark:{state.sync.name}"
