"""The two ends of a sync: the warehouse with its state, and the DailyStory account."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import NoneType

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.api.settings import ClientSettings
from dagster_dailystory.databases.urls import checked_url, require_file, require_folder
from dagster_dailystory.engine.sending.dispatcher import SenderSettings
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.sending.slots import FIRST_SLOTS, MOST_SLOTS
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.model.settings import Kind, check_types, named_settings
from dagster_dailystory.model.sync import ContactSync


@dataclass(frozen=True)
class Warehouse:
    """Where the source and the state are.

    Attributes:
        url: SQLAlchemy URL of the warehouse.
        state: Where the state tables are.
    """

    url: str = field(repr=False)
    state: StateLocation

    @classmethod
    def at(
        cls,
        url: str,
        state_url: str | None = None,
        state_schema: str | None = None,
        *,
        settings: tuple[str, str] = ("warehouse_url", "state_url"),
    ) -> Warehouse:
        """Create one from URLs; without a `state_url` the state is in the warehouse itself.

        Args:
            url: SQLAlchemy URL of the warehouse.
            state_url: SQLAlchemy URL of the state database.
            state_schema: Schema of the state tables.
            settings: What the caller calls the two URLs, for errors.

        Raises:
            ConfigurationError: A URL cannot be read, its driver is not installed, or the file of the warehouse does
                not exist.
        """
        url_setting, state_setting = settings
        require_file(checked_url(url, url_setting), url_setting)
        if state_url is None:
            return cls(url, StateLocation(url, state_schema, role="warehouse", setting=url_setting))
        require_folder(checked_url(state_url, state_setting), state_setting)
        return cls(url, StateLocation(state_url, state_schema, setting=state_setting))


_DESTINATION_TYPES = {
    "base_url": Kind((str,), "the URL of the data centre, such as https://us-1.dailystory.com/api/v1", is_secret=True),
    "api_token": Kind((str,), "the API token, a text from Account Settings > API Tokens", is_secret=True),
    "requests_per_second": Kind((int, float, NoneType), "a number, such as 5, or None to find the rate by trying"),
    "max_concurrency": Kind((int, NoneType), "a whole number, such as 8, or None to let it follow the rate"),
    "timeout_seconds": Kind((int, float), "a number of seconds, such as 30"),
    "accept_account": Kind((bool,), "True or False"),
    "max_attempts": Kind((int, NoneType), "a whole number, or None for the default"),
}


@named_settings
@dataclass(frozen=True)
class Destination:
    """A DailyStory account, and the rate at which it may be used.

    Attributes:
        base_url: The data centre's address, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        requests_per_second: The permitted rate; None to find it, starting at 2 a second.
        max_concurrency: Requests in flight at once; None to let their number follow rate and latency.
        timeout_seconds: Longest time for one request.
        accept_account: Send with a token that this state has not seen, although `/about` does not name its account.
        max_attempts: Failed requests after which a row is given up; None for the sender's default.

    Raises:
        ConfigurationError: A setting has another type.
    """

    base_url: str
    api_token: str = field(repr=False)
    requests_per_second: float | None = None
    max_concurrency: int | None = None
    timeout_seconds: float = 30.0
    accept_account: bool = False
    max_attempts: int | None = None

    def __post_init__(self) -> None:
        check_types(self, _DESTINATION_TYPES)

    def client_settings(self, sync: ContactSync) -> ClientSettings:
        """The settings of a client for one sync.

        Raises:
            ConfigurationError: The address or the token cannot work.
        """
        return ClientSettings(
            self.base_url,
            self.api_token,
            self.timeout_seconds,
            MOST_SLOTS if self.max_concurrency is None else self.max_concurrency,
            frozenset(sync.consent_override),
        )

    def sender(self, sync: ContactSync) -> Sender:
        """Create a sender for one sync; it is not started."""
        settings = self.client_settings(sync)
        limiter = RateLimiter(self.requests_per_second)
        is_automatic = self.max_concurrency is None
        budget = SenderSettings(self.max_concurrency or FIRST_SLOTS, most_slots=MOST_SLOTS if is_automatic else None)
        if self.max_attempts is not None:
            budget = replace(budget, max_attempts=self.max_attempts)
        return Sender(sync, lambda: DailyStoryClient(settings), limiter, budget)
