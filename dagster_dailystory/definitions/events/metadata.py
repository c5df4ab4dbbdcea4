"""The metadata of a sync's assets: counts (plotted by Dagster), tables and charts, without personal data."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TypeAlias
from urllib.parse import urlsplit

import dagster as dg
from dagster._core.definitions.metadata.source_code import (  # the set is not exported
    CodeReferencesMetadataSet,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
)
from dagster._utils.warnings import disable_dagster_warnings  # not exported

from dagster_dailystory.databases.source_text import source_file
from dagster_dailystory.definitions.events.charts import bars, curve
from dagster_dailystory.definitions.events.preview import preview_records
from dagster_dailystory.engine.upkeep.checks import Check
from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview, SyncStatus
from dagster_dailystory.model.runs.counts import SendCounts, counts_of
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, RejectedRow, planned_counts
from dagster_dailystory.model.runs.report import Progress, SyncReport
from dagster_dailystory.model.sync import ContactSync, FrameSource, Mode

Metadata: TypeAlias = dict[str, dg.MetadataValue | int | float | str]
"""Metadata of one event, by key."""


_MOST_POINTS = 240  # of a send over time


def plan_metadata(
    sync: ContactSync,
    plan: PlanSummary,
    changes: Sequence[ChangePreview],
    requests_per_second: float | None,
) -> Metadata:
    """Describe a plan: a preview with masked values, what differs, an estimate, and its counts."""
    metadata: Metadata = {"summary": _plan_summary(sync, plan)}
    metadata |= {"plan_id": plan.plan_id, "plan_status": plan.status.value}
    metadata |= _until_sent(sync, plan)
    if plan.status is PlanStatus.DRY:
        metadata["destination_check"] = plan.destination_warning or "DailyStory accepts the API token"
    if changes:
        metadata["preview"] = _table(preview_records(sync, plan, changes))
    metadata |= _differences(plan)
    if plan.rejections_by_reason:
        by_reason = _largest(plan.rejections_by_reason)
        metadata["rejections_by_reason"] = _table([{"reason": reason, "rows": rows} for reason, rows in by_reason])
    if plan.rejected_rows:
        metadata["rejected_rows"] = _rejection_table(plan.rejected_rows)
    metadata |= _estimate(sync, plan, requests_per_second)
    metadata["compared"] = ": ".join(filter(None, [plan.compared, plan.compared_why]))
    metadata |= {"rows_to_send": plan.rows_to_send, **plan.counts, "diff_seconds": round(plan.diff_seconds, 3)}
    if plan.rows_in_future:
        metadata["rows_in_future"] = plan.rows_in_future
    if plan.rows_without_watermark:
        metadata["rows_without_watermark"] = plan.rows_without_watermark
    return metadata


def _differences(plan: PlanSummary) -> Metadata:
    """The fields that differ, those that are new in DailyStory, and those that are not sent."""
    metadata: Metadata = {}
    if plan.changes_by_field:
        by_field = _largest(plan.changes_by_field)
        metadata["changes_by_field"] = _table([{"field": name, "rows": rows} for name, rows in by_field])
        metadata["changes_by_field_chart"] = _chart(
            bars("Rows in which a field differs: the five most", plan.changes_by_field)
        )
    if plan.new_custom_fields:
        metadata["new_custom_fields"] = ", ".join(plan.new_custom_fields)
    if plan.fields_dropped:
        metadata["fields_dropped"] = plan.values_dropped
        metadata["fields_dropped_by_reason"] = _table(_dropped_records(plan))
    return metadata


def _until_sent(sync: ContactSync, plan: PlanSummary) -> Metadata:
    """What a plan waits for: how to approve it, and when it expires."""
    metadata: Metadata = {"approval": plan.approval} if plan.approval else {}
    if plan.status is PlanStatus.WAITING:
        config = f"ops:\n  dailystory__{sync.name}__contacts:\n    config:\n      plan_id: {plan.plan_id}"
        metadata["to_approve"] = dg.MetadataValue.md(f"Materialize contacts with this config:\n```yaml\n{config}\n```")
    if plan.status is PlanStatus.READY and plan.expires_at is not None:
        metadata["plan_expires_at"] = f"{plan.expires_at:%Y-%m-%d %H:%M} UTC"
    return metadata


def sent_metadata(
    sync: ContactSync,
    report: SyncReport,
    status: SyncStatus,
    destination: str,
    sends: Sequence[tuple[float, int]] = (),
) -> Metadata:
    """Describe what a run sent: the counts of the report, and how many contacts the sync holds now.

    Args:
        sync: The sync.
        report: The report of the run.
        status: The status of the sync after it.
        destination: URL of the API; the metadata links to its site.
        sends: Seconds since the start of the send, and the rows sent until then.
    """
    numbers = {name: round(value, 3) for name, value in report.numbers().items()}
    words = {name: each.metadata["words"] for name, each in counts_of(SendCounts).items() if "outcome" in each.metadata}
    words |= {"rows_deleted": sync.delete_policy.past, "rows_unsent": "not tried"}
    outcomes = {shown: rows for name, shown in words.items() if (rows := report.shown(name))}
    counts = outcomes | ({"opted out": report.opt_outs_sent} if report.opt_outs_sent else {})
    metadata: Metadata = {
        "summary": ", ".join(f"{rows:,} {name}" for name, rows in counts.items()) or "nothing had to be sent",
        "plan_id": report.plan_id,
        "outcome": report.outcome,
        "destination": dg.MetadataValue.url(_site(destination)),
        "dagster/row_count": status.contacts_live,
    }
    if report.canary is not None:
        metadata["canary"] = str(report.canary)
    if report.rate_limit:
        metadata["rate_limit"] = report.rate_limit
    if report.send_advice:
        metadata["send_advice"] = report.send_advice
    if outcomes:
        metadata["outcomes_chart"] = _chart(bars("Rows by outcome", outcomes))
    if len(sends) > 1:
        unsent = [words[name] for name in ("rows_failed", "rows_unsent", "rows_delete_skipped_shared")]
        sent = sum(rows for name, rows in outcomes.items() if name not in unsent)
        end = (max(report.send_seconds, sends[-1][0]), max(sent, sends[-1][1]))
        metadata["sends_over_time"] = _chart(curve("Rows sent since the start of the send", [*sends, end]))
    if status.rejections_by_reason:
        by_reason = _largest(status.rejections_by_reason)
        metadata["rejections_by_reason"] = _table([{"reason": reason, "rows": rows} for reason, rows in by_reason])
    return metadata | numbers


def sync_metadata(sync: ContactSync, source: str) -> Metadata:
    """Describe the definition of a sync: its query, mapping and policies."""
    mapping: list[dict[str, str | int]] = [
        {"DailyStory field": m.name, "source column": m.column, "kind": m.kind.value, "NULL": m.nulls.value}
        for m in sync.read_fields
    ]
    query = "a frame" if isinstance(sync.source, FrameSource) else f"```sql\n{source}\n```"
    return {
        **_code_references(sync),
        "source": dg.MetadataValue.md(query),
        "mapping": _table(mapping),
        "key": ", ".join(sync.key_columns),
        "mode": Mode(sync.mode).value,
        "deletes": sync.delete_policy.value,
    }


def _code_references(sync: ContactSync) -> Metadata:
    """Where the query is, for "Open in editor"; `link_code_references_to_git` makes it a link to a repository."""
    file = source_file(sync)
    if file is None:
        return {}
    with disable_dagster_warnings():  # code references are beta
        reference = LocalFileCodeReference(file_path=str(file.absolute()), label="the query")
        references = CodeReferencesMetadataValue(code_references=[reference])
    return dict(CodeReferencesMetadataSet(code_references=references))


def check_result(asset_key: dg.AssetKey, check: Check) -> dg.AssetCheckResult:
    """A check that never stops a run, as Dagster shows it."""
    metadata: Metadata = dict(check.counts)
    if check.waiting:
        metadata["waiting"] = _table(check.waiting)
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR if check.is_error else dg.AssetCheckSeverity.WARN,
        description=check.message,
        metadata=metadata,
    )


class ProgressLog:
    """Shows the progress of a send as observations, at intervals: each takes about 50 ms and a row of the event list.

    Args:
        log: Called with each observation, for example `context.log_event`.
        asset_key: The asset to observe.
        interval_seconds: Shortest time between two observations.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        log: Callable[[dg.AssetObservation], None],
        asset_key: dg.AssetKey,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._asset_key = asset_key
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._last: float | None = None
        self.sends: list[tuple[float, int]] = [(0.0, 0)]
        """Seconds since the start, and the rows sent until then; at most 240 points, however long the send."""

    def __call__(self, progress: Progress) -> None:
        """Take a progress report; the first one is shown, then one in each interval."""
        now = self._clock()
        if progress.rows_per_second:
            self.sends.append((progress.rows_sent / progress.rows_per_second, progress.rows_sent))
        if len(self.sends) > _MOST_POINTS:
            del self.sends[1::2]
        if self._last is not None and now - self._last < self._interval_seconds:
            return
        self._last = now
        total = progress.rows_sent + progress.rows_remaining
        metadata: Metadata = {
            "progress/rows_sent": progress.rows_sent,
            "progress/rows_remaining": progress.rows_remaining,
            "progress/percent": round(100 * progress.rows_sent / total, 1) if total else 100.0,
            "progress/rows_per_second": round(progress.rows_per_second, 1),
        }
        if progress.seconds_remaining is not None:
            end = datetime.now(timezone.utc) + timedelta(seconds=progress.seconds_remaining)
            metadata["progress/expected_end"] = dg.MetadataValue.timestamp(end)
        self._log(dg.AssetObservation(self._asset_key, metadata=metadata))


def _plan_summary(sync: ContactSync, plan: PlanSummary) -> str:
    notes = [planned_counts(sync, plan)]
    if plan.since is not None:
        notes.append(f"only rows from {plan.since} on were compared")
    notes += [warning for warning in plan.warnings if warning != plan.custom_fields_advice]
    return "; ".join(notes)


def _chart(markdown: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(markdown)


def _estimate(sync: ContactSync, plan: PlanSummary, requests_per_second: float | None) -> Metadata:
    """Requests and minutes of the send without retries: one request for each row, two if its contact is looked up."""
    looked_up = 0 if sync.mode is Mode.UPSERT else plan.rows_to_create
    requests = plan.rows_to_send + looked_up
    metadata: Metadata = {"estimated_requests": requests}
    if requests_per_second:
        metadata["estimated_minutes"] = float(f"{requests / requests_per_second / 60:.2g}")
    return metadata


def _dropped_records(plan: PlanSummary) -> list[dict[str, str | int]]:
    return [
        {"field": name, "reason": reason, "rows": rows}
        for name, by_reason in plan.fields_dropped.items()
        for reason, rows in _largest(by_reason)
    ]


def _rejection_table(rejections: Sequence[RejectedRow]) -> dg.TableMetadataValue:
    return _table(
        [
            {"key": each.key_label, "reason": each.reason, "message": each.message, "source_rows": each.source_rows}
            for each in rejections
        ]
    )


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _table(records: Sequence[Mapping[str, str | int]]) -> dg.TableMetadataValue:
    """Make a table with the columns of the first record."""
    kinds = {name: "int" if isinstance(value, int) else "string" for name, value in records[0].items()}
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(record)) for record in records],
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()]),
    )


def _site(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/"
