"""What the assets of a sync show in Dagster: counts as plots, tables and pictures for people. No contact's data."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import TypeAlias
from urllib.parse import urlsplit

import dagster as dg

from dagster_dailystory.change import Operation
from dagster_dailystory.fields import FieldKind
from dagster_dailystory.model import ContactSync, Deletes, Mode
from dagster_dailystory.preview import NO_VALUE, ChangePreview, RejectionPreview, Standing
from dagster_dailystory.report import PlanSummary, Progress, SyncReport
from dagster_dailystory.upstream import Upstream

Metadata: TypeAlias = dict[str, dg.MetadataValue | int | float | str]
"""Metadata of one event, by key."""

_PLAN_COUNTS = (
    "rows_read", "rows_unchanged", "rows_to_create", "rows_to_update", "rows_to_delete", "rows_rejected", "rows_held",
)  # fmt: skip
_BAR_COLOURS = ("#4f43dd", "#e6e8f0", "#1f2430")
_KIND_NAMES = {
    FieldKind.EMAIL: "email",
    FieldKind.MOBILE: "mobile",
    FieldKind.OPT_OUT: "boolean",
    FieldKind.INTEGER: "integer",
    FieldKind.NUMBER: "number",
    FieldKind.DATE: "date",
}


def plan_metadata(
    sync: ContactSync,
    plan: PlanSummary,
    changes: Sequence[ChangePreview],
    rejections: Sequence[RejectionPreview],
    requests_per_second: float | None,
) -> Metadata:
    """Describe a plan: its counts, its estimate, and a preview that names nobody."""
    shown: Metadata = {"plan_id": plan.plan_id, "plan_status": plan.status.value}
    shown |= {name: getattr(plan, name) for name in _PLAN_COUNTS}
    shown |= {"rows_to_send": plan.rows_to_send, "diff_seconds": round(plan.diff_seconds, 3)}
    shown |= _estimate(sync, plan, requests_per_second)
    if changes:
        shown["preview"] = _table([_change_record(sync, change) for change in changes])
    if plan.changes_by_field:
        shown["changes_by_field"] = _table([{"field": n, "rows": rows} for n, rows in _largest(plan.changes_by_field)])
        shown["changes_by_field_chart"] = bars("Rows in which a field differs", plan.changes_by_field)
    if plan.rejections_by_reason:
        by_reason = _largest(plan.rejections_by_reason)
        shown["rejections_by_reason"] = _table([{"reason": reason, "rows": rows} for reason, rows in by_reason])
    if rejections:
        shown["rejected_rows"] = _rejection_table(rejections)
    return shown


def sent_metadata(report: SyncReport, state: Standing, destination: str) -> Metadata:
    """Describe what a run sent: the counts of the report, and how many contacts the sync holds now."""
    numbers = {name: round(value, 3) for name, value in report.numbers().items()}
    outcomes = {
        name: getattr(report, f"rows_{name}")
        for name in ("created", "updated", "deleted", "mapped", "refused", "failed", "in_doubt", "conflicted")
    }
    shown: Metadata = {
        "plan_id": report.plan_id,
        "outcome": report.outcome,
        "destination": dg.MetadataValue.url(_site(destination)),
        "dagster/row_count": state.contacts_live,
        **numbers,
    }
    if any(outcomes.values()):
        shown["outcomes_chart"] = bars("Rows by outcome", {name: rows for name, rows in outcomes.items() if rows})
    if state.rejections_by_reason:
        by_reason = _largest(state.rejections_by_reason)
        shown["rejections_by_reason"] = _table([{"reason": reason, "rows": rows} for reason, rows in by_reason])
    return shown


def sync_metadata(sync: ContactSync, source: str) -> Metadata:
    """Describe the definition of a sync: its query, its mapping, its policies."""
    mapping: list[dict[str, str | int]] = [
        {"DailyStory field": m.name, "source column": m.column, "kind": m.kind.value, "NULL": m.nulls.value}
        for m in sync.mapped_fields
    ]
    return {
        "source": dg.MetadataValue.md(f"```sql\n{source}\n```"),
        "mapping": _table(mapping),
        "key": ", ".join(sync.key_columns),
        "mode": Mode(sync.mode).value,
        "deletes": Deletes(sync.deletes).value,
    }


def source_columns(sync: ContactSync) -> dg.TableSchema:
    """The columns that a plan reads."""
    keys = [dg.TableColumn(key, "key", description="Identifies a row") for key in sync.key_columns]
    fed: dict[str, list[str]] = {}
    for mapped in sync.mapped_fields:
        fed.setdefault(mapped.column, []).append(mapped.name)
    others = [
        dg.TableColumn(column, "any", description=f"Feeds {', '.join(names)}")
        for column, names in fed.items()
        if column not in sync.key_columns
    ]
    return dg.TableSchema([*keys, *others])


def contact_columns(sync: ContactSync) -> dg.TableSchema:
    """The fields of a contact that a sync writes."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                m.name,
                _KIND_NAMES.get(m.kind, "text"),
                description=f"{'Custom field' if m.is_custom else 'Field'} fed by column {m.column}",
            )
            for m in sync.mapped_fields
        ]
    )


def contact_map_columns(sync: ContactSync) -> dg.TableSchema:
    """The columns of the contact map."""
    moments = {
        "first_synced_at": "When the contact was mapped (UTC)",
        "last_synced_at": "When DailyStory last accepted a change (UTC)",
        "deactivated_at": "When the key had left the source and the contact was made inactive (UTC)",
        "deleted_at": "When the key had left the source and the contact was deleted (UTC)",
    }
    return dg.TableSchema(
        [
            *(dg.TableColumn(key, "key", description="As in the source") for key in sync.key_columns),
            dg.TableColumn("dsid", "text", description="The contact in DailyStory"),
            *(dg.TableColumn(name, "timestamp", description=text) for name, text in moments.items()),
        ]
    )


def source_lineage(upstream: Upstream) -> dg.TableColumnLineage:
    """Which table columns each source column is made of."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(list(table)), name) for table, name in origins]
            for column, origins in upstream.columns.items()
        }
    )


def contact_lineage(sync: ContactSync, changes: dg.AssetKey) -> dg.TableColumnLineage:
    """Which source column each field of a contact comes from."""
    return dg.TableColumnLineage({m.name: [dg.TableColumnDep(changes, m.column)] for m in sync.mapped_fields})


def key_lineage(sync: ContactSync, changes: dg.AssetKey) -> dg.TableColumnLineage:
    """Which source column each key column of the contact map comes from."""
    return dg.TableColumnLineage({key: [dg.TableColumnDep(changes, key)] for key in sync.key_columns})


def bars(title: str, counts: Mapping[str, int], limit: int = 20) -> dg.MarkdownMetadataValue:
    """Draw counts as horizontal bars: a picture inside the event, made of nothing but text."""
    rows = _largest(counts)[:limit]
    most = max((count for _, count in rows), default=0) or 1
    bar, rail, ink = _BAR_COLOURS
    height = 36 + 24 * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" font-family="sans-serif">',
        f'<rect width="640" height="{height}" fill="white"/>',
        f'<text x="8" y="20" font-size="13" font-weight="bold" fill="{ink}">{escape(title)}</text>',
    ]
    for place, (label, count) in enumerate(rows):
        y = 34 + 24 * place
        name = label if len(label) <= 26 else label[:25] + "…"
        parts += [
            f'<text x="8" y="{y + 13}" font-size="12" fill="{ink}">{escape(name)}</text>',
            f'<rect x="200" y="{y}" width="360" height="16" rx="3" fill="{rail}"/>',
            f'<rect x="200" y="{y}" width="{max(2, round(360 * count / most))}" height="16" rx="3" fill="{bar}"/>',
            f'<text x="570" y="{y + 13}" font-size="12" fill="{ink}">{count:,}</text>',
        ]
    picture = base64.b64encode("".join([*parts, "</svg>"]).encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{picture})")


class ProgressLog:
    """Shows a running send in Dagster, not too often: an observation costs some 50 ms and a row of the event list.

    Args:
        log: Takes the observations, as `context.log_event` does.
        asset_key: The asset that is observed.
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

    def __call__(self, progress: Progress) -> None:
        """Take what the sender reports; the first report is shown, then one an interval."""
        now = self._clock()
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


def _estimate(sync: ContactSync, plan: PlanSummary, requests_per_second: float | None) -> Metadata:
    """Requests and minutes that sending would take, without retries: one a row, two where a contact is looked up."""
    looked_up = 0 if sync.mode is Mode.UPSERT else plan.rows_to_create
    requests = plan.rows_to_send + looked_up
    shown: Metadata = {"estimated_requests": requests}
    if requests_per_second:
        shown["estimated_minutes"] = round(requests / requests_per_second / 60, 2)
    return shown


def _change_record(sync: ContactSync, change: ChangePreview) -> dict[str, str | int]:
    operation = change.operation.value
    if change.operation is Operation.DELETE and sync.deletes is Deletes.DEACTIVATE:
        operation = "deactivate"
    fields = [
        f"{each.field}: {each.after}" if each.before == NO_VALUE else f"{each.field}: {each.before} → {each.after}"
        for each in change.fields
    ]
    return {"key": change.key_label, "operation": operation, "changes": "; ".join(fields), "dsid": change.dsid or ""}


def _rejection_table(rejections: Sequence[RejectionPreview]) -> dg.TableMetadataValue:
    return _table(
        [
            {"key": each.key_label, "reason": each.reason, "message": each.message, "source_rows": each.source_rows}
            for each in rejections
        ]
    )


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _table(records: Sequence[Mapping[str, str | int]]) -> dg.TableMetadataValue:
    """A table; the first record names the columns."""
    kinds = {name: "int" if isinstance(value, int) else "string" for name, value in records[0].items()}
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(record)) for record in records],
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()]),
    )


def _site(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/"
