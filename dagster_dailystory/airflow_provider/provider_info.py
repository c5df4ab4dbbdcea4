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
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port"],
                    "relabeling": {"host": "Base URL", "password": "API token"},
                    "placeholders": {
                        "host": "https://us-1.dailystory.com/api/v1",
                        "password": "from Account Settings > API Tokens",
                    },
                },
                "conn-fields": {
                    "requests_per_second": _field("Requests per second", "number", "Empty: found while sending."),
                    "max_concurrency": _field("Requests in flight at once", "integer", "Empty: as needed, up to 32."),
                    "timeout_seconds": _field("Time limit of a request, in seconds", "number", "Empty: 30."),
                    "max_attempts": _field(
                        "Requests for one row, before it is left to the next run", "integer", "Empty: 9."
                    ),
                    "max_seconds_per_row": _field("The same as a time, in seconds", "number", "Empty: 180."),
                    "accept_account": _field(
                        "Accept the account", "boolean", "Only for the one run whose error asks for it; then remove it."
                    ),
                },
            }
        ],
    }


def _field(label: str, kind: str, description: str) -> dict[str, object]:
    """A field of the form. It has no default, so that the form stores only what a person types."""
    bound = {"minimum": 1} if kind == "integer" else {}
    return {"label": label, "schema": {"type": [kind, "null"], **bound}, "description": description}
