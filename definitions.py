"""The code location: a sync of the warehouse and account that the environment names, or else of the demo's.

Set WAREHOUSE_URL, DAILYSTORY_BASE_URL and DAILYSTORY_API_TOKEN for a real sync; DAILYSTORY_STATE_URL,
DAILYSTORY_REQUESTS_PER_SECOND and DAILYSTORY_MAX_CONCURRENCY are optional. With none of them set this is the demo: a
DuckDB file and the sandbox (`make demo`, `make dev`), with a few more syncs that show partitions, approval, frames and
alerts (dagster_dailystory/demo/showcase). Nothing is connected to while the location loads.
"""

from pathlib import Path

import dagster as dg

from dagster_dailystory import ContactSync, build_contact_sync_assets, resources_from_environment
from dagster_dailystory.demo.resources import demo_resources
from dagster_dailystory.demo.showcase import showcase

customers = ContactSync(
    name="customers",
    source=Path(__file__).parent / "sql" / "customers.sql",
    key="customer_id",
    fields={
        "email": "email",
        "mobilePhone": "mobile_phone",
        "firstName": "first_name",
        "lastName": "last_name",
        "city": "city",
        "region": "region",
        "postalCode": "postal_code",
        "optOutEmail": "marketing_opt_out",
    },
    extended_properties={
        "plan": "plan",
        "lifetime_value": "lifetime_value",
        "signed_up_at": "signed_up_at",
        "loyalty_id": "loyalty_id",
    },
    known_custom_fields=["plan", "lifetime_value", "signed_up_at", "loyalty_id"],
    default_region="US",
    deletes="deactivate",
)

given = resources_from_environment()

table = dg.AssetSpec(
    "customers", description="The table that sql/customers.sql reads.", group_name="warehouse", kinds={"table"}
)

defs = dg.Definitions(
    assets=[table, *build_contact_sync_assets(customers, preview_fields=["city", "region", "plan", "lifetime_value"])],
    resources=given or demo_resources(Path(".demo")),
    schedules=[
        dg.ScheduleDefinition(
            "customers_hourly", target=dg.AssetSelection.groups("dailystory"), cron_schedule="0 * * * *"
        )
    ],
    # Only one process can open a DuckDB file, and a single op sends everything.
    executor=dg.in_process_executor,
)

if not given:
    defs = dg.Definitions.merge(defs, showcase())
