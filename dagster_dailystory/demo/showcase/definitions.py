"""Three more syncs of the demo, each with what it shows: partitions, an approval, a frame with alerts."""

from collections.abc import Mapping
from types import MappingProxyType

import dagster as dg
from pydantic import Field

from dagster_dailystory.definitions.assets import build_contact_sync_assets
from dagster_dailystory.definitions.automation.alerts import alert_sensors
from dagster_dailystory.definitions.automation.checks import drift_check
from dagster_dailystory.definitions.automation.retries import retry_sensor
from dagster_dailystory.definitions.automation.schedules import sync_schedule
from dagster_dailystory.definitions.automation.webhooks import webhook
from dagster_dailystory.demo.resources import DEMO_PORT
from dagster_dailystory.demo.showcase import data
from dagster_dailystory.model.partitions import TimeWindows
from dagster_dailystory.model.sync import ContactSync, FrameSource

_FIELDS: Mapping[str, str] = MappingProxyType(
    {"email": "email", "firstName": "first_name", "lastName": "last_name", "city": "city"}
)
_SENSOR_SECONDS = 5  # so that the demo does not wait; the usual intervals are a minute and an hour

members = ContactSync(
    name="members",
    source="members",
    key="member_id",
    fields=_FIELDS,
    partitions=TimeWindows("joined_at", "monthly", start="2025-01-01", end="2026-01-01"),
)
"""In monthly partitions; a backfill is one run for its range."""


vips = ContactSync(name="vips", source="vips", key="vip_id", fields=_FIELDS, require_approval=True)
"""Each plan waits for an approval."""


guests = ContactSync(name="guests", source=FrameSource(), key="guest_id", fields=_FIELDS)
"""Reads the value of the asset `webinar_guests`."""


class GuestsConfig(dg.Config):
    """Config of the asset `webinar_guests`."""

    mistakes: int = Field(default=0, description="Rows with an email address that no contact can have, up to 30.")


@dg.asset(group_name="guests", description="The guests of a webinar, as a DataFrame.", kinds={"pandas"})
def webinar_guests(config: GuestsConfig) -> object:  # pandas would slow the loading of the location down
    """Make the guests up."""
    return data.guests(config.mistakes)


def showcase(port: int = DEMO_PORT) -> dg.Definitions:
    """The syncs `members`, `vips` and `guests` of the demo, with schedule, sensors and drift check.

    Args:
        port: Where the demo's sandbox listens, which shows the alerts of `guests`.
    """
    notify = webhook(f"http://127.0.0.1:{port}/alerts", "the demo's sandbox")
    return dg.Definitions(
        assets=[
            *(dg.AssetSpec(name, group_name=name, kinds={"table"}) for name in ("members", "vips")),
            *build_contact_sync_assets(
                members, group_name="members", backfill_policy=dg.BackfillPolicy.single_run(), preview_fields=["city"]
            ),
            *build_contact_sync_assets(vips, group_name="vips", preview_fields=["city"]),
            webinar_guests,
            *build_contact_sync_assets(guests, group_name="guests", frame="webinar_guests"),
        ],
        asset_checks=[drift_check(guests, sample=10)],
        schedules=[sync_schedule(members, "0 6 * * *")],
        sensors=[
            retry_sensor(members, minimum_interval_seconds=_SENSOR_SECONDS),
            *alert_sensors(guests, notify, max_rejected_rows=0, minimum_interval_seconds=_SENSOR_SECONDS),
        ],
    )
