"""One change sent by a sender, and its result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import httpx
from support.fake_api import QUICK

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.model.change import Change, Identity, Operation, Result
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

EMAIL = "ada@example.com"
FIELDS = {"email": "email", "firstName": "first_name", "city": "city"}


def sync_of(**settings: object) -> ContactSync:
    mapping = {"fields": FIELDS, "extended_properties": {"plan": "plan"}, **settings}
    return ContactSync(name="customers", source="customers", key="id", **mapping)  # type: ignore[arg-type]  # tests vary any setting


def change_of(operation: Operation, dsid: str | None = None, **facts: object) -> Change:
    values = {"field_email": EMAIL, "field_firstName": "Ada", "field_city": "Paris", "custom_plan": "gold"}
    values |= facts.pop("values", {})  # type: ignore[arg-type]  # a mapping by convention
    identity = facts.pop("identity", Identity(email=str(values["field_email"])))
    differing = facts.pop("differing", frozenset({"field_city"}))
    return Change(1, "7", operation, dsid, values, differing, identity, **facts)  # type: ignore[arg-type]  # as above


def create(**facts: object) -> Change:
    return change_of(Operation.CREATE, None, **facts)


def update(dsid: str, **facts: object) -> Change:
    return change_of(Operation.UPDATE, dsid, **facts)


def send(sandbox: Sandbox, change: Change, sync: ContactSync | None = None) -> Result:
    account = replace(QUICK, base_url=sandbox.base_url, api_token=sandbox.token, timeout_seconds=5.0)
    return result_of(change, sync, account)


def send_through(transport: httpx.AsyncBaseTransport, change: Change, sync: ContactSync | None = None) -> Result:
    return result_of(change, sync, replace(QUICK, connect=partial(HttpxConnections, transport=transport)))


def result_of(change: Change, sync: ContactSync | None, account: AccountSettings) -> Result:
    sender = Sender(sync or sync_of(), account)
    with sender:
        sender.submit([change])
        results: list[Result] = []
        while sender.pending:
            results += sender.collect(5.0)
    [result] = results
    assert result.sequence == change.sequence
    assert result.attempts == sender.counts.api_requests
    return result
