"""A local DailyStory: an HTTP server with a web page, for the demo and for tests, including users' own tests."""

from dagster_dailystory.sandbox.contacts import Write
from dagster_dailystory.sandbox.faults import Fault, FaultShares
from dagster_dailystory.sandbox.records import Contact
from dagster_dailystory.sandbox.replies import Counts, RecentRequest
from dagster_dailystory.sandbox.sandbox import DEFAULT_PORT, Sandbox
from dagster_dailystory.sandbox.settings import SandboxSettings

__all__ = [
    "DEFAULT_PORT",
    "Contact",
    "Counts",
    "Fault",
    "FaultShares",
    "RecentRequest",
    "Sandbox",
    "SandboxSettings",
    "Write",
]
