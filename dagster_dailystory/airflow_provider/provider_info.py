"""What Airflow knows of this package: its entry point is `apache_airflow_provider`."""

from __future__ import annotations


def get_provider_info() -> dict[str, object]:
    """The description of the provider. Airflow calls it while it starts, so it imports nothing."""
    return {
        "package-name": "dagster-dailystory",
        "name": "DailyStory",
        "description": "Keep DailyStory's contacts equal to a warehouse query.",
        "connection-types": [
            {
                "connection-type": "dailystory",
                "hook-class-name": "dagster_dailystory.airflow_provider.hook.DailyStoryHook",
                "hook-name": "DailyStory",
            }
        ],
    }
