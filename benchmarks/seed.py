"""The state after a complete first load, written directly instead of sending for days."""

from __future__ import annotations

from sqlalchemy import Text, cast, func, literal, select

from benchmarks.data import vacuum
from dagster_dailystory.engine.planning.comparison.staging import stage_source
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.layout.mapped_columns import ensure_tables
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync


def acknowledge_everything(sync: ContactSync, warehouse: Warehouse) -> None:
    """Write every source row to the snapshot and the contact map in key order, as if it had been acknowledged.

    Without ORDER BY, PostgreSQL may start its scan in the middle of the table, and the snapshot would start there.
    """
    with open_session(sync, warehouse.state) as (state, lease):
        staged = stage_source(state, lease, warehouse.url, PlanOptions(), IncrementalRead(state))
        assert staged is not None
        tables = ensure_tables(state, staged.key_types, staged.value_types)
        source, key = staged.relation, sync.key_columns[0]
        email, mobile = func.lower(source.c["field_email"]), source.c["field_mobilePhone"]
        names = [sync.key_columns[0], *(m.state_column for m in sync.mapped_fields)]
        values = (*(source.c[name] for name in names), email, mobile, literal(False))
        snapshot = tables.snapshot.insert().from_select(
            [*names, "identity_email", "identity_mobile", "resend_all"], select(*values).order_by(source.c[key])
        )
        mapped = select(source.c[key], cast(source.c[key], Text()), literal(state.now()), literal(state.now()))
        contact_map = tables.contact_map.insert().from_select(
            [key, "dsid", "first_synced_at", "last_synced_at"], mapped.order_by(source.c[key])
        )
        with state.connection.begin():
            state.connection.execute(snapshot)
            state.connection.execute(contact_map)
        if state.dialect.name == "postgresql":
            vacuum(warehouse.state.url, tables.snapshot.name, tables.contact_map.name)
