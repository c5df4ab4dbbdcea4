"""DAGs whose tasks the tests stop: slices that run side by side, a time limit, and a source that is slow to read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from airflow.sdk import DAG

from dagster_dailystory import ContactSync, HashBuckets
from dagster_dailystory.airflow_provider import contact_sync_group

USUAL = {
    "schedule": None,
    "default_args": {
        "retries": 8,
        "retry_delay": timedelta(seconds=1),
        "retry_exponential_backoff": 0,
        "pool": "default_pool",
    },
}

FIELDS = {"email": "email", "firstName": "first_name"}
COUNTED = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 6000000) select count(*) from c"

sliced = ContactSync(name="sliced", source="sliced", key="id", fields=FIELDS, canary_rows=0, partitions=HashBuckets(2))
timed = ContactSync(name="timed", source="timed", key="id", fields=FIELDS, canary_rows=0)
read_slowly = replace(timed, name="read_slowly", source=f"select * from read_slowly where ({COUNTED}) > 0")

with DAG("sliced", **USUAL):
    contact_sync_group(
        sliced, warehouse_conn_id="warehouse", partitions=sliced.partitions.names, max_active_tis_per_dag=None
    )

with DAG("timed", **USUAL):
    group = contact_sync_group(timed, warehouse_conn_id="warehouse")
    group.children["timed.send"].execution_timeout = timedelta(seconds=3)

with DAG("read_slowly", **USUAL):
    contact_sync_group(read_slowly, warehouse_conn_id="warehouse")
