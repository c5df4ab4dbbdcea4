"""DAGs of the tests. Their connections are environment variables: `AIRFLOW_CONN_WAREHOUSE` and so on."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta

from airflow.sdk import DAG, task

from dagster_dailystory import ContactSync, HashBuckets
from dagster_dailystory.airflow_provider import contact_assets, contact_sync_group, sync_params


def lose_send(context, result=None):
    """Lose the first try of a send after its plan ended, before Airflow stores its events: `conf={"lose": "kill"}`."""
    how, task = (context["dag_run"].conf or {}).get("lose"), context["ti"]
    if how and task.task_id.endswith(".send") and task.try_number == 1:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ConnectionError("the try is lost")


AT_ONCE = {"retries": 2, "retry_delay": timedelta(seconds=1), "pool": "default_pool", "post_execute": lose_send}
USUAL = {"schedule": None, "default_args": AT_ONCE}

customers = ContactSync(
    name="customers", source="people", key="id", fields={"email": "email", "firstName": "first_name"}, canary_rows=0
)
buckets = replace(customers, name="buckets", partitions=HashBuckets(4))
careful = replace(customers, name="careful", require_approval=True)

with DAG("to_dailystory", params=sync_params(), **USUAL):
    contact_sync_group(customers, warehouse_conn_id="warehouse")

with DAG("buckets", **USUAL):
    contact_sync_group(buckets, warehouse_conn_id="warehouse", partitions=buckets.partitions.names)

with DAG("careful", params=sync_params(), **USUAL):
    contact_sync_group(careful, warehouse_conn_id="warehouse")

with DAG("downstream", schedule=contact_assets(customers)[:1]):

    @task
    def rows_created(triggering_asset_events=None):
        return [event.extra["rows_created"] for events in triggering_asset_events.values() for event in events]

    rows_created()
