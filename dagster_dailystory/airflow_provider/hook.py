"""The connection type `dailystory`: its fields are the settings of an account."""

from __future__ import annotations

from airflow.sdk import BaseHook

from dagster_dailystory.api.environment import ACCOUNT_TYPES, setting_of_text
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.model.settings import check_names


class DailyStoryHook(BaseHook):  # type: ignore[misc]  # Airflow is not installed where types are checked
    """The DailyStory account of a connection.

    Args:
        dailystory_conn_id: The connection. Its host is the URL of the data centre, its password the API token, and its
            extra has the other settings of the account, such as `{"requests_per_second": 5}`.

    Example:
        ```python
        account = DailyStoryHook("dailystory_default").account()
        report = run_contact_sync(customers, warehouse_url=url, **account)
        ```
    """

    conn_name_attr = "dailystory_conn_id"
    default_conn_name = "dailystory_default"
    conn_type = "dailystory"
    hook_name = "DailyStory"

    def __init__(self, dailystory_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.dailystory_conn_id = dailystory_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, object]:
        """The names of the fields in Airflow's form."""
        return {
            "hidden_fields": ["schema", "login", "port"],
            "relabeling": {"host": "Base URL", "password": "API token"},
            "placeholders": {
                "host": "https://us-1.dailystory.com/api/v1",
                "password": "from Account Settings > API Tokens",
                "extra": '{"requests_per_second": 5}',
            },
        }

    def account(self) -> dict[str, object]:
        """The settings of the account, as `run_contact_sync` and the other functions take them.

        Raises:
            ConfigurationError: The connection has an extra that an account does not have, or of another type.
        """
        connection = self.get_connection(self.dailystory_conn_id)
        name = f"connection {self.dailystory_conn_id!r}"
        check_names(name, connection.extra_dejson, list(ACCOUNT_TYPES))
        options = {
            setting: setting_of_text(value, f"{setting} of {name}", setting) if isinstance(value, str) else value
            for setting, value in connection.extra_dejson.items()
        }
        address = connection.host or ""
        address = address if not address or "://" in address else f"https://{address}"
        address = f"{address}:{connection.port}" if connection.port else address
        path = f"/{connection.schema}" if connection.schema else ""  # of a connection that is written as a URI
        return {"base_url": f"{address}{path}", "api_token": connection.password or "", **options}

    def account_settings(self) -> AccountSettings:
        """The settings of the account as the engine has them.

        Raises:
            ConfigurationError: A setting cannot work.
        """
        return AccountSettings(**self.account())  # type: ignore[arg-type]  # it checks their types
