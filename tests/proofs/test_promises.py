"""Any order of edits, plans, sends, faults and crashes keeps the promises: a model is compared after every step.

The seed is printed; PROMISES_SEED repeats a run. For a night: PROMISES_SEED=$RANDOM, PROMISES_EXAMPLES=5000
and PROMISES_STEPS=25, with a longer --timeout.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)  # fmt: skip
from support.faults import crash_at
from support.promise_edits import EDITS, REGIONS, WORKS, Edit, Source, work
from support.promise_model import Model, Row, Step, same_email
from support.promise_world import FAULTS, REFUSED, Settings, World

from dagster_dailystory.engine.run import SendResult, new_run_id
from dagster_dailystory.errors import SafetyError, StateError
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.model.watermark import Watermark

USUAL_SEED = 7
"""CI searches the same examples each time; a night run sets PROMISES_SEED to another number."""

PICKS = st.integers(0, 7)
SLICES: tuple[Partitioning, ...] = (HashBuckets(2), HashBuckets(3), ColumnValues("region", REGIONS[:2]))
RECENT = Watermark("updated_at", 0.0)
POLICIES, NONE_OR_ZERO = st.sampled_from(["delete", "deactivate", "keep"]), st.sampled_from([None, None, 0.0])
SETTINGS = st.fixed_dictionaries({
    "deletes": POLICIES, "has_city": st.booleans(), "min_guard_rows": st.sampled_from([1, 20]),
    "may_create": NONE_OR_ZERO, "may_opt_out": NONE_OR_ZERO, "may_delete": st.sampled_from([None, None, 0.0, 0.3]),
})  # fmt: skip
SOME_EDITS = st.lists(EDITS, min_size=1, max_size=3)
WAYS = st.tuples(st.sampled_from(["whole", "slice", "slice", "limit", "key", "all", "rejected", "opt_outs"]), PICKS)
"""What a run looks at; `slice` is the whole source for a sync without slices."""

_RESULTS = (
    "created", "updated", "deleted", "mapped", "refused", "conflicted", "deleted_in_dailystory",
    "delete_skipped_shared", "delete_waiting", "delete_returned", "skipped",
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A plan that may be sent later, and the world when it was made."""

    run_id: str
    summary: PlanSummary
    settings: Settings
    options: PlanOptions
    rows: tuple[Row, ...]
    departed_share: float

    @property
    def is_ready(self) -> bool:
        return self.summary.status is PlanStatus.READY

    @property
    def is_whole(self) -> bool:
        return self.options == PlanOptions() and self.summary.since is None


class Promises(RuleBasedStateMachine):
    new_database: Callable[[], str]
    has_timestamps = True

    @initialize(
        settings=SETTINGS,
        nulls=st.sampled_from(["keep", "clear"]),
        read=st.sampled_from([*SLICES, RECENT, None]),
        people=st.integers(3, 6),
        is_synced=st.sampled_from([True, True, True, False]),
    )
    def begin(self, settings: Mapping[str, Any], nulls: str, read: Any, people: int, is_synced: bool) -> None:
        read = None if read is RECENT and not self.has_timestamps else read
        self.settings = Settings(read=read, nulls=nulls, **settings)
        self.model = Model()
        self.source = Source(self.model)
        self.world = World(self.new_database())
        self.plans: list[Planned] = []
        for _ in range(people):
            self.source.apply(("insert", 0, {}))
        if is_synced:
            self.run(settings=self.settings.quiet())
            self.model.is_loaded = True

    # What happens around the sync

    def edit(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            self.source.apply(edit)

    @rule(what=WORKS)
    def work_in_dailystory(self, what: tuple[str, int]) -> None:
        work(self.model, self.world.mine.store, *what)

    @rule(settings=SETTINGS)
    def change_the_settings(self, settings: Mapping[str, Any]) -> None:
        self.settings = replace(self.settings, **settings)

    @rule(hours=st.sampled_from([-1, 1, 30]))
    def move_the_clock(self, hours: int) -> None:
        self.world.move_the_clock(hours)

    # Plans and sends

    @rule(way=WAYS, edits=SOME_EDITS)
    def plan_now(self, way: tuple[str, int], edits: list[Edit]) -> None:
        self.edit(edits)
        self.start(**self.options(*way))

    @precondition(lambda self: self.settings.slices)
    @rule(edits=SOME_EDITS)
    def plan_every_slice(self, edits: list[Edit]) -> None:
        self.edit(edits)
        for name in self.settings.slices:
            self.start(partition=name)

    @precondition(lambda self: self.plans)
    @rule(number=PICKS)
    def send_a_plan(self, number: int) -> None:
        self.forget()
        self.send(self.plans[number % len(self.plans)])

    @precondition(lambda self: self.plans)
    @rule(is_reversed=st.booleans())
    def send_every_plan(self, is_reversed: bool) -> None:
        plans, self.plans = self.plans, []
        for planned in reversed(plans) if is_reversed else plans:
            self.forget()
            self.send(planned)

    @rule(way=WAYS, edits=SOME_EDITS, late_edits=st.lists(EDITS, max_size=2))
    def run_now(self, way: tuple[str, int], edits: list[Edit], late_edits: list[Edit]) -> None:
        self.edit(edits)
        self.run(late_edits, **self.options(*way))

    @precondition(lambda self: self.settings.slices)
    @rule(edits=SOME_EDITS, is_reversed=st.booleans())
    def run_every_slice(self, edits: list[Edit], is_reversed: bool) -> None:
        self.edit(edits)
        for name in reversed(self.settings.slices) if is_reversed else self.settings.slices:
            self.run(partition=name)

    @rule(edits=SOME_EDITS, number=PICKS, fault=st.sampled_from(FAULTS))
    def run_with_a_fault(self, edits: list[Edit], number: int, fault: str) -> None:
        rows = self.model.rows
        self.edit(edits)
        if not rows:
            return
        email = same_email(rows[number % len(rows)].email)
        planned = self.start()
        self.world.mine.faults = {email: fault}
        self.model.newly_departed = self.departing()
        result = self.send(planned) if planned.is_ready else None
        if result is None or not planned.is_whole:
            return
        if result.error is not None and all(request.fault for request in self.world.mine.requests):
            return  # not one other row had an answer
        if result.error is not None:
            self.hold([f"one row's fault ({fault}) stopped the run: {result.error}"])
        # The email names a contact that does not exist yet.
        faulty = {email, *(request.dsid for request in self.world.mine.requests if request.fault is not None)}
        contacts = self.world.mine.contacts()
        self.hold(self.model.opt_outs_sent(self.step, contacts, faulty if fault != REFUSED else set()))
        self.hold(self.model.equals_source(self.step, contacts, self.settings.mapped, self.settings.nulls, faulty))

    @rule(edits=SOME_EDITS, requests=st.integers(1, 6))
    def run_and_crash(self, edits: list[Edit], requests: int) -> None:
        self.edit(edits)
        planned = self.start()
        if planned.is_ready:
            self.send(planned, crash_after=requests)

    @rule(count=st.sampled_from([1, 5]))
    def dry_runs(self, count: int) -> None:
        self.forget()
        contacts, remembered = self.world.mine.contacts(), self.world.remembered()
        for _ in range(count):
            planned = self.plan(dry_run=True)
        with pytest.raises(SafetyError):
            self.world.send(self.settings.sync(), planned.run_id)
        assert self.world.mine.contacts() == contacts
        assert not [each for each in self.world.mine.requests if not each.path.endswith("/about")]
        after = self.world.remembered()
        assert {name: after.get(name) for name in remembered} == remembered

    @precondition(lambda self: self.world.contact_map())
    @rule()
    def run_with_another_token(self) -> None:
        self.forget()
        self.world.fill(self.model.rows)
        run_id, sync = new_run_id(), self.settings.sync()
        try:
            self.world.plan(sync, PlanOptions(), run_id, self.world.other)
            self.world.send(sync, run_id, account=self.world.other)
        except (StateError, SafetyError) as refused:
            note(str(refused))
        if self.world.other.requests:
            self.hold(["another account was asked about a contact"])

    @rule()
    def run_quietly(self) -> None:
        result = self.run(settings=self.settings.quiet())
        assert result is not None
        if result.report.outcome == "incomplete":  # a row waited for one whose email belongs to a contact that stays
            sendable = self.model.sendable(self.step, self.world.mine.contacts())
            assert len(sendable) < len(self.model.rows), result.report
            self.run(settings=self.settings.quiet())
        contacts = self.world.mine.contacts()
        self.hold(self.model.equals_source(self.step, contacts, self.settings.mapped, self.settings.nulls))
        again = self.start(self.settings.quiet())
        assert again.is_ready
        assert again.summary.rows_to_send == 0, again.summary
        assert not self.world.mine.requests, self.world.mine.requests

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.run_quietly()
            finally:
                self.world.close()

    # How they are made

    def options(self, way: str, number: int) -> dict[str, Any]:
        if way == "slice" and self.settings.slices:
            return {"partition": self.settings.slices[number % len(self.settings.slices)]}
        if way == "key" and self.model.rows:
            return {"keys": (str(self.model.rows[number % len(self.model.rows)].key),)}
        if way == "limit":
            return {"limit": number + 1}
        return {"scope": Scope(way)} if way in ("all", "rejected", "opt_outs") else {}

    def forget(self) -> None:
        self.world.mine.forget()
        self.world.other.forget()

    def start(self, settings: Settings | None = None, **options: Any) -> Planned:
        """Plan in a step of its own."""
        self.forget()
        return self.plan(settings, **options)

    def plan(self, settings: Settings | None = None, **options: Any) -> Planned:
        self.world.fill(self.model.rows)
        settings, run_id, chosen = settings or self.settings, new_run_id(), PlanOptions(**options)
        departed = len(self.departing_contacts()) / max(len(self.live_keys()), 1)
        summary = self.world.plan(settings.sync(), chosen, run_id)
        planned = Planned(run_id, summary, settings, chosen, tuple(self.model.rows), departed)
        if planned.is_ready:
            self.plans.append(planned)
        return planned

    def live_keys(self) -> set[int]:
        return {key for key, row in self.world.snapshot().items() if row["absent_since"] is None}

    def departing(self) -> set[int]:
        return self.live_keys() - {row.key for row in self.model.rows}

    def departing_contacts(self) -> set[int]:
        """The departing keys whose contact no row has under another key."""
        emails, snapshot = {same_email(row.email) for row in self.model.rows}, self.world.snapshot()
        return {key for key in self.departing() if same_email(snapshot[key]["identity_email"]) not in emails}

    def run(
        self, late_edits: Sequence[Edit] = (), settings: Settings | None = None, **options: Any
    ) -> SendResult | None:
        """Plan, edit and send without faults; None if a guard blocks the plan."""
        planned = self.start(settings, **options)
        if not planned.is_ready:
            return None
        self.plans.remove(planned)
        self.model.newly_departed = self.departing()
        self.edit(late_edits)
        result = self.send(planned)
        assert result is not None
        assert result.error is None, result.error
        sends_opt_outs = planned.is_whole or planned.options.scope is Scope.OPT_OUTS
        if sends_opt_outs and not late_edits and result.report.outcome != "incomplete":
            self.hold(self.model.opt_outs_sent(self.step, self.world.mine.contacts()))
        return result

    def send(self, planned: Planned, crash_after: int = 0) -> SendResult | None:
        """Send a plan with today's settings; None if it is refused, or if the process ends."""
        self.world.fill(self.model.rows)
        keys_before, requests = self.world.contact_map(), self.world.mine.requests
        result: SendResult | None = None
        is_crashed = False
        send = partial(self.world.send, self.settings.sync(), planned.run_id, planned.options.partition)
        try:
            if crash_after:
                is_crashed = True
                with crash_at(1, lambda: len(requests) >= crash_after):
                    result, is_crashed = send(), False
                self.world.free_the_lease()
            else:
                result = send()
        except SafetyError as refused:
            note(f"refused: {refused}")
            assert not requests, "a refused plan sent something"
            is_crashed = False
        self.step = Step(
            rows=tuple(self.model.rows), planned_rows=planned.rows, partition=planned.options.partition,
            is_recent=planned.summary.since is not None, keys_before=keys_before, keys_after=self.world.contact_map(),
            deletes=self.settings.deletes, may_create=planned.settings.may_create,
            may_delete=planned.settings.may_delete, may_opt_out=planned.settings.may_opt_out,
            departed_share=planned.departed_share, is_crashed=is_crashed,
        )  # fmt: skip
        self.hold(self.model.take(requests, self.step))
        self.hold(self.model.keeps_contacts(self.step, self.world.mine.contacts()))
        if result is not None:
            self.hold(self.is_sent(result))
        return result

    # What must hold

    @invariant()
    def the_standing_promises_hold(self) -> None:
        if hasattr(self, "world"):
            world = self.world
            self.hold(self.model.standing(world.mine.contacts(), world.contact_map(), world.snapshot()))

    def is_sent(self, result: SendResult) -> Iterator[str]:
        """`done` means that each change which the plan counts has a result."""
        report = result.report
        counts = report.numbers()
        planned = report.rows_to_create + report.rows_to_update + report.rows_to_delete
        missing = planned - sum(int(counts.get(f"rows_{name}", 0)) for name in _RESULTS)
        if report.outcome in ("done", "empty") and missing > 0:
            yield f"{report.outcome}, and {missing} of {planned} changes have no result"

    def hold(self, broken: Iterable[str]) -> None:
        found = list(broken)
        assert not found, found


@pytest.mark.slow
@pytest.mark.parametrize("engine_name", ["sqlite", "duckdb", "postgresql"])
def test_every_promise_holds_after_every_step(engine_name: str, new_database: Callable[[str], str]) -> None:
    number = int(os.environ.get("PROMISES_SEED", USUAL_SEED))
    print(f"PROMISES_SEED={number}")
    facts = {"has_timestamps": engine_name != "sqlite"}
    machine = type("Promises", (Promises,), {"new_database": staticmethod(partial(new_database, engine_name)), **facts})
    size = settings(
        max_examples=int(os.environ.get("PROMISES_EXAMPLES", "12" if engine_name == "sqlite" else "4")),
        stateful_step_count=int(os.environ.get("PROMISES_STEPS", "8")),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(machine), settings=size)
