"""The connection type `dailystory`: its fields are the settings of an account."""

from __future__ import annotations

import asyncio

from airflow.sdk import BaseHook

from dagster_dailystory.airflow_provider.connections import connection_of
from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.environment import ACCOUNT_TYPES, setting_of_text
from dagster_dailystory.api.responses import Account
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.errors import ConfigurationError, DailyStoryError
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
        self._name = f"connection {dailystory_conn_id!r}"

    def account(self) -> dict[str, object]:
        """The settings of the account, as `run_contact_sync` and the other functions take them.

        Raises:
            ConfigurationError: There is no such connection, or it is of another type, or an account does not have one
                of its extras, or one cannot be read.
        """
        connection, extra = connection_of(self.dailystory_conn_id)
        if connection.conn_type and connection.conn_type != self.conn_type:
            raise ConfigurationError(
                f"{self._name} is of the type {connection.conn_type!r}; correct dailystory_conn_id, or let it be of the"
                f" type {self.conn_type!r}"
            )
        check_names(self._name, extra, list(ACCOUNT_TYPES))
        options = {
            setting: setting_of_text(value, f"{setting} of {self._name}", setting) if isinstance(value, str) else value
            for setting, value in extra.items()
        }
        address = connection.host or ""
        address = address if not address or "://" in address else f"https://{address}"
        address = f"{address}:{connection.port}" if connection.port else address
        path = f"/{connection.schema}" if connection.schema else ""  # of a connection that is written as a URI
        return {"base_url": f"{address}{path}", "api_token": connection.password or "", **options}

    def account_settings(self) -> AccountSettings:
        """The settings of the account as the engine has them.

        Raises:
            ConfigurationError: The connection cannot be used; the message names it.
        """
        settings = self.account()
        try:
            return AccountSettings(**settings)  # type: ignore[arg-type]  # it checks their types
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._name}: {error}") from None

    def test_connection(self) -> tuple[bool, str]:
        """Ask DailyStory which account the token belongs to, as the button Test of Airflow's form does.

        Returns:
            Whether DailyStory accepts the token, and the name of the account, or what is wrong.
        """
        try:
            account = asyncio.run(_about(self.account_settings()))
        except DailyStoryError as error:
            return False, str(error)
        if not account.is_answered:
            return False, "the base URL does not respond to /about as the API of DailyStory does; correct it"
        name = account.tenant or account.tenant_uid
        if name is None:
            return True, "DailyStory accepts the token, but does not say which account it belongs to"
        where = f" in the data centre {account.data_center}" if account.data_center else ""
        return True, f"the token belongs to the account {name!r}{where}"


async def _about(settings: AccountSettings) -> Account:
    async with DailyStoryClient(settings) as client:
        return await client.about()
