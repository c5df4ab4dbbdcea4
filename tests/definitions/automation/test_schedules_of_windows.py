"""The schedule of a sync with time windows runs them as one range."""

from datetime import datetime, timezone

import dagster as dg
import pytest
from support.dagster_project import people_sync

from dagster_dailystory import HashBuckets, TimeWindows, build_contact_sync_assets, sync_schedule
from dagster_dailystory.errors import ConfigurationError

WINDOWS = TimeWindows("joined", "monthly", start="2024-01-01")
SIX = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def requests(sync, **settings: object) -> list[dg.RunRequest]:
    schedule = sync_schedule(sync, "0 6 * * *", **settings)
    definitions = dg.Definitions(
        assets=build_contact_sync_assets(sync), schedules=[schedule], resources={"warehouse": 1, "dailystory": 1}
    )
    repository = definitions.get_repository_def()
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance, scheduled_execution_time=SIX, repository_def=repository) as context,
    ):
        return list(schedule.evaluate_tick(context).run_requests or ())


def test_a_schedule_takes_all_windows_in_one_run():
    [request] = requests(people_sync(partitions=WINDOWS))
    assert (request.tags[START], request.tags[END]) == (WINDOWS.names[0], WINDOWS.names[-1])


def test_a_schedule_of_the_newest_windows_takes_the_one_that_has_ended_too():
    [request] = requests(people_sync(partitions=WINDOWS), schedule_window="newest")
    assert (request.tags[START], request.tags[END]) == WINDOWS.names[-2:]


def test_other_partitions_are_a_run_each():
    assert len(requests(people_sync(partitions=HashBuckets(3)))) == 3


@pytest.mark.parametrize(
    ("sync", "window", "told"),
    [
        (people_sync(partitions=WINDOWS), "latest", "is not one of all, newest"),
        (people_sync(), "newest", "needs a sync with TimeWindows"),
    ],
)
def test_a_window_that_cannot_be_scheduled_is_refused(sync, window: str, told: str):
    with pytest.raises(ConfigurationError, match=told):
        sync_schedule(sync, "0 6 * * *", schedule_window=window)
