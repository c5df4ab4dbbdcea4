"""The sensor that sends an alert when a condition of a sync begins, and one when it ends."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import dagster as dg

from dagster_dailystory.definitions.automation.failed_runs import FailedRuns
from dagster_dailystory.definitions.automation.jobs import location_of
from dagster_dailystory.definitions.resources import WarehouseResource
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.alerts.conditions import AlertLimits, Condition, ConditionKind, find_conditions
from dagster_dailystory.engine.upkeep.alerts.recent_plans import RecentPlans, read_recent_plans
from dagster_dailystory.errors import BusyError, DailyStoryError
from dagster_dailystory.model.settings import check_least, check_value, named_settings
from dagster_dailystory.model.sync import ContactSync


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition of a sync that began or ended. It has no personal data.

    Attributes:
        sync_name: The sync.
        condition: What the condition is about: `run_failed`, `plan_blocked`, `rows_rejected`, `rows_failed`,
            `opt_outs_pending`, `run_too_long` or `unusual_rows_to_send`.
        has_ended: The condition holds no longer; else it has begun.
        message: What happened, and what to do; of a condition that has ended, what it was.
        run_id: The run in which it began, None if it is not known.
        partition: The slice, None for the whole sync.
        guard: The guard that blocks a plan.
        number: What was compared with the limit.
        limit: The limit.
    """

    sync_name: str
    condition: str
    has_ended: bool
    message: str
    run_id: str | None = None
    partition: str | None = None
    guard: str | None = None
    number: float | None = None
    limit: float | None = None

    @property
    def text(self) -> str:
        """The alert as one line."""
        where = f"{self.sync_name}{f' ({self.partition})' if self.partition else ''}"
        run = f" (run {self.run_id})" if self.run_id else ""
        return f"DailyStory sync {where}: {'ended: ' if self.has_ended else ''}{self.message}{run}"


Notify = Callable[[Alert], None]
"""Sends an alert. If it raises an error, the alert is sent again later."""


@named_settings
def alert_sensors(
    sync: ContactSync,
    notify: Notify,
    max_rejected_rows: int | None = None,
    *,
    max_failed_rows: int | None = None,
    max_pending_opt_outs: int | None = None,
    max_run_minutes: float | None = None,
    max_rows_to_send_factor: float | None = None,
    warehouse_key: str = "warehouse",
    minimum_interval_seconds: int = 60,
) -> Sequence[dg.SensorDefinition]:
    """Call `notify` once when a condition of a sync begins, and once when it ends.

    Two conditions need no limit: the latest run failed, was stopped or never ended; a guard blocks the latest plan. The
    sensor reads the state's run log, and Dagster's failed runs, because a run may die before it opens the state. Dry
    runs cause no alert.

    Args:
        sync: The sync.
        notify: Called once for each alert. If it raises an error, the next evaluation calls it again.
        max_rejected_rows: Most rows that may be rejected, by row checks and by DailyStory.
        max_failed_rows: Most rows that may have failed or be in doubt after the latest runs.
        max_pending_opt_outs: Most opt-outs that may wait.
        max_run_minutes: Most minutes that a run may take to plan and to send.
        max_rows_to_send_factor: How many times more or fewer rows a plan may send than the median of those before it.
        warehouse_key: Key of the `WarehouseResource`.
        minimum_interval_seconds: Shortest time between two evaluations of the sensor.

    Raises:
        ConfigurationError: A limit is of another type, or cannot be one.
    """
    limits = AlertLimits(
        max_rejected_rows=max_rejected_rows,
        max_failed_rows=max_failed_rows,
        max_pending_opt_outs=max_pending_opt_outs,
        max_run_minutes=max_run_minutes,
        max_rows_to_send_factor=max_rows_to_send_factor,
    )
    check_value("minimum_interval_seconds", minimum_interval_seconds, int)
    check_least("minimum_interval_seconds", minimum_interval_seconds, 0)

    @dg.sensor(
        name=f"alerts_{sync.name}",
        minimum_interval_seconds=minimum_interval_seconds,
        description=f"Send an alert when a condition of the sync {sync.name} begins, and one when it ends.",
        required_resource_keys={warehouse_key},
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return _evaluate(context, sync, getattr(context.resources, warehouse_key), notify, limits)

    return [alerts]


def _evaluate(
    context: dg.SensorEvaluationContext,
    sync: ContactSync,
    warehouse: WarehouseResource,
    notify: Notify,
    limits: AlertLimits,
) -> dg.SkipReason:
    """Find what holds, and send what changed. The cursor has only what was sent.

    Raises:
        Exception: Nothing could be sent, or read. The evaluation fails visibly, and its cursor does not move.
    """
    watch, history, unread = _Watch.from_cursor(context.cursor), None, None
    try:
        with open_state(warehouse.warehouse(sync).state, sync, writes=False) as state:
            history = read_recent_plans(state)
    except DailyStoryError as error:
        unread = error
    failures = watch.failures.with_new_runs(context.instance, sync, location_of(context))
    watch, holding = _conditions(context.instance, replace(watch, failures=failures), sync, history, limits)
    sent = _send_alerts(sync.name, watch, holding, notify)
    if sent.error is not None and not sent.alerts:
        raise sent.error
    if unread is not None and not sent.alerts and not isinstance(unread, BusyError):
        raise unread
    context.update_cursor(sent.watch.as_cursor())
    counts = f"alerts sent: {sent.alerts}; conditions that hold: {len(holding)}"
    notes = [f"the state cannot be read: {unread}"] if unread is not None else []
    if sent.error is not None:
        notes.append(f"{type(sent.error).__name__} from notify: the next evaluation sends the other alerts")
    return dg.SkipReason("; ".join([counts, *notes]))


@dataclass(frozen=True)
class _Watch:
    """What the cursor of the sensor holds: the conditions that were announced and have not ended, and failed runs."""

    failures: FailedRuns
    announced: Mapping[str, Condition] = field(default_factory=dict)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "_Watch":
        if not cursor:
            return cls(FailedRuns.at_start())
        stored = json.loads(cursor)
        conditions = [Condition(ConditionKind(each.pop("kind")), **each) for each in stored["announced"]]
        return cls(FailedRuns.from_json(stored["failures"]), {each.name: each for each in conditions})

    def as_cursor(self) -> str:
        announced = [asdict(condition) for condition in self.announced.values()]
        return json.dumps({"failures": self.failures.as_json(), "announced": announced})


def _conditions(
    instance: dg.DagsterInstance, watch: _Watch, sync: ContactSync, history: RecentPlans | None, limits: AlertLimits
) -> tuple[_Watch, dict[str, Condition]]:
    """The conditions that hold, by name; one for each failure, although both the state and Dagster may know it.

    Returns:
        What to remember of Dagster's failed runs, and the conditions.
    """
    if history is None:  # what was announced may still hold
        found = dict(watch.announced)
    else:
        stopped = {send.run_id for send in history.sends if send.outcome == "stopped"}
        found = {each.name: each for each in find_conditions(sync, history, limits)}
        for name in [n for n, each in found.items() if n not in watch.announced and each.run_id in stopped]:
            if found[name].kind is ConditionKind.RUN_FAILED and _goes_on(instance, found[name].run_id):
                del found[name]  # Dagster retries the step
        blocked = frozenset(plan.run_id for plan in history.plans if plan.is_blocked)
        watch = replace(watch, failures=watch.failures.without(blocked))
    covered = set()
    for name, run in watch.failures.by_slice.items():
        own = Condition(ConditionKind.RUN_FAILED, run.message or _SILENT, run.run_ids[0], run.partition)
        others = [each for each in found.values() if each.kind is own.kind and each.run_id in run.run_ids]
        if own.name in found:
            message = run.message or found[own.name].message
            found[own.name] = replace(found[own.name], message=message, run_id=own.run_id)
        elif own.name in watch.announced:
            found = {key: each for key, each in found.items() if each not in others} | {own.name: own}
        elif others:
            covered.add(name)
            found |= {each.name: replace(each, message=run.message or each.message) for each in others}
        elif not run.is_covered and not (run.is_blocked and history is None):
            found[own.name] = own
    return replace(watch, failures=watch.failures.covered(frozenset(covered))), found


def _goes_on(instance: dg.DagsterInstance, run_id: str | None) -> bool:
    """Whether Dagster has not ended a run."""
    run = instance.get_run_by_id(run_id) if run_id else None
    return run is not None and not run.is_finished


_SILENT = (
    "the run failed, and no step of the sync says why: its process was killed or ran out of memory, or the code "
    "location could not be loaded; see the run in Dagster"
)


def _send_alerts(sync_name: str, watch: _Watch, holding: Mapping[str, Condition], notify: Notify) -> "_Sent":
    """Send an alert for each condition that began or ended, until one cannot be sent."""
    announced = dict(watch.announced)
    began = [(name, condition, False) for name, condition in holding.items() if name not in announced]
    ended = [(name, condition, True) for name, condition in announced.items() if name not in holding]
    for sent, (name, condition, has_ended) in enumerate([*began, *ended]):
        facts = {key: value for key, value in asdict(condition).items() if key != "kind"}
        try:
            notify(Alert(sync_name=sync_name, condition=condition.kind.value, has_ended=has_ended, **facts))
        except Exception as error:  # of whichever kind the user's function raises
            return _Sent(replace(watch, announced=announced), sent, error)
        if has_ended:
            del announced[name]
        else:
            announced[name] = condition
    return _Sent(replace(watch, announced=announced), len(began) + len(ended))


@dataclass(frozen=True)
class _Sent:
    """How many alerts were sent, what to remember, and the error of the one that could not be sent."""

    watch: _Watch
    alerts: int
    error: Exception | None = None
