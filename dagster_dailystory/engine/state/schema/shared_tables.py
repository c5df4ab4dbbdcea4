"""The tables that all syncs of a state share."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Float, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import SchemaItem

from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT
from dagster_dailystory.engine.state.schema.columns import integers, numbers, texts
from dagster_dailystory.engine.state.schema.location import StateLocation
from dagster_dailystory.model.runs.counts import PlanCounts, SendCounts, counts_of


class SharedTables:
    """The tables that all syncs of a state share."""

    def __init__(self, location: StateLocation) -> None:
        self.metadata = MetaData(schema=location.schema)
        self.meta = Table(
            location.table_name("meta"),
            self.metadata,
            Column("name", TEXT, nullable=False),
            Column("value", TEXT),
            Column("holder", TEXT),
            Column("fence", BIG_INTEGER),
            Column("heartbeat_at", MOMENT),
            Column("run_id", TEXT),
            Column("taken_at", MOMENT),
            PrimaryKeyConstraint("name"),
        )
        self.plans = Table(location.table_name("plans"), self.metadata, *_plan_columns())
        self.runs = Table(location.table_name("runs"), self.metadata, *_run_columns())
        self.forgotten = Table(
            location.table_name("forgotten"),
            self.metadata,
            *(Column(name, TEXT, nullable=False) for name in ("sync_name", "kind", "hash")),
            Column("forgotten_at", MOMENT, nullable=False),
            PrimaryKeyConstraint("sync_name", "hash"),
        )
        self.rate = Table(location.table_name("rate"), self.metadata, *_rate_columns())


def _plan_columns() -> Iterable[SchemaItem]:
    return [
        *texts("plan_id", "sync_name", "partition_value", "run_id", "scope", "options", "mapping_version"),
        *texts("destination", "status", "guards", "changes_by_field", "rejections_by_reason", "settings"),
        *texts("fields_dropped", "new_custom_fields", "opt_outs_waiting", "compared", "compared_why"),
        *texts("superseded_by", "approved_by", "canary_found", "canary_accepted_by"),
        Column("number", BIG_INTEGER),  # the order of the sync's plans, whatever the clock says
        *integers(*counts_of(PlanCounts)),
        *integers("live_keys"),
        Column("whole_source", BOOLEAN),
        Column("first_load", BOOLEAN),
        Column("diff_seconds", Float(53)),
        Column("created_at", MOMENT),
        Column("expires_at", MOMENT),
        Column("approved_at", MOMENT),
        Column("sent_at", MOMENT),
        Column("finished_at", MOMENT),
        *integers("left_priority", "left_sequence"),  # how far the plan was sent
        PrimaryKeyConstraint("plan_id"),
    ]


def _run_columns() -> Iterable[SchemaItem]:
    return [
        *texts("run_id", "plan_id", "sync_name", "partition_value", "outcome", "stopped_by"),
        Column("started_at", MOMENT),
        Column("finished_at", MOMENT),
        *integers(*counts_of(SendCounts)),
        Column("send_seconds", Float(53)),
    ]


def _rate_columns() -> Iterable[SchemaItem]:
    """What the processes that send to a destination know together; times are seconds since 1970."""
    return [
        Column("destination", TEXT, nullable=False),
        *numbers("requests_per_second", "ceiling"),
        Column("is_ramping", BOOLEAN),
        *numbers("paused_until", "lowered_at", "stepped_at", "confirmed_at"),
        Column("version", BIG_INTEGER),  # of the columns above
        *numbers("next_at", "seen_at", "counted_from"),
        *integers("sent", "sent_before", "refused", "refused_before"),
        PrimaryKeyConstraint("destination"),
    ]
