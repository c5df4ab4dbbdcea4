"""The account that a run sends to: it must be that of the state, and all runs of the state share its rate."""

from dagster_dailystory.engine.account.binding import account_ids, check_account, compare_account, try_account
from dagster_dailystory.engine.account.senders import rate_is_shared, sender_of

__all__ = ["account_ids", "check_account", "compare_account", "rate_is_shared", "sender_of", "try_account"]
