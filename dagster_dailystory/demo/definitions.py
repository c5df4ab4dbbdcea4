"""The sync of `python -m dagster_dailystory.demo`, and the Dagster definitions around it."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from dagster_dailystory.definitions.assets import build_contact_sync_assets
from dagster_dailystory.model.sync import ContactSync

customers = ContactSync(
    name="customers",
    source=Path(__file__).parent / "customers.sql",
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


def demo_definitions(resources: Mapping[str, object]) -> dg.Definitions:
    """The assets of the demo's sync.

    Args:
        resources: `warehouse` and `dailystory`.
    """
    return dg.Definitions(
        assets=[dg.AssetSpec("customers"), *build_contact_sync_assets(customers)],
        resources=resources,
        executor=dg.in_process_executor,  # DuckDB allows only one process to open its file
    )
