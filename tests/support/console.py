"""The command line on a scenario, with a module of syncs in the current directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from support.scenario import Scenario

from dagster_dailystory.cli.command_line import command_line

SYNCS = """
from dagster_dailystory import ContactSync

fields = {"email": "email", "firstName": "first_name", "city": "city"}
customers = ContactSync(name="customers", source="customers", key="customer_id", fields=fields)
by_email = ContactSync(name="by_email", source="customers", key="email", fields=fields, require_approval=True)
no_table = ContactSync(name="no_table", source="nothing", key="id", fields={"email": "email"})
"""


@dataclass
class Console:
    """A folder with a module of syncs, and an environment that has the settings.

    Attributes:
        scenario: The warehouse and DailyStory.
        folder: The current directory.
        module: The module with the syncs.
        environment: The variables of the settings, beside those of the process.
    """

    scenario: Scenario
    folder: Path
    module: str
    environment: dict[str, str]

    def run(self, command: str, *arguments: str, sync: str = "customers", **environment: str | None) -> Result:
        """Run a command about a sync of the module."""
        return self.invoke(command, f"{self.module}:{sync}", *arguments, **environment)

    def invoke(self, *arguments: str, **environment: str | None) -> Result:
        """Run the command line in this process, in the environment of the scenario, with changes to it."""
        return CliRunner().invoke(command_line, arguments, env={**self.environment, **environment})

    def json(self, command: str, *arguments: str, sync: str = "customers") -> dict[str, Any]:
        """The JSON document that a command prints."""
        document = json.loads(self.run(command, *arguments, "--json", sync=sync).stdout)
        assert isinstance(document, dict)
        return document
