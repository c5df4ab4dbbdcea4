"""How contacts that were read back are compared, and for how long a look-up may lag behind a write."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.engine.sending.read_back.canary import WrittenContact, differing_fields, read_back
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(
    name="people",
    source="people",
    key="id",
    fields={"email": "email", "mobilePhone": "mobile", "firstName": "name", "optOutEmail": "out", "status": "status"},
    extended_properties={"plan": "plan"},
)
FIELDS = {mapped.name: mapped for mapped in SYNC.sent_fields}


def written(**sent: object) -> WrittenContact:
    return WrittenContact("1", "key 1", [(FIELDS[name], value) for name, value in sent.items()])


def contact(state: str = "Active", opted_out: Sequence[str] = (), **fields: object) -> RemoteContact:
    return RemoteContact("1", state, frozenset(opted_out), fields)


@pytest.mark.parametrize(
    ("sent", "held", "differing"),
    [
        ({"firstName": "mary"}, contact(firstName=" Mary "), []),
        ({"firstName": "mary"}, contact(firstName="mar"), ["firstName"]),
        ({"firstName": ""}, contact(firstName=None), []),
        ({"firstName": ""}, contact(firstName="mary"), ["firstName"]),
        ({"mobilePhone": "+14155552671"}, contact(mobilePhone="(415) 555-2671"), []),
        ({"mobilePhone": "+33612345678"}, contact(mobilePhone="06 12 34 56 78"), []),
        ({"mobilePhone": "+14155552671"}, contact(mobilePhone="(415) 555-2672"), ["mobilePhone"]),
        ({"plan": "7"}, contact(extendedProperties={"plan": 7}), []),
        ({"plan": "7"}, contact(), ["plan"]),
        ({"optOutEmail": True}, contact(opted_out=["optOutEmail"], optOutEmail=1), []),
        ({"optOutEmail": True}, contact(optOutEmail=False), ["optOutEmail"]),
        ({"status": "Inactive"}, contact("Inactive", status=9), []),
        ({"status": "Inactive"}, contact("Active", status=0), ["status"]),
    ],
)
def test_a_contact_holds_each_spelling_of_what_was_written(
    sent: dict[str, object], held: RemoteContact, differing: list[str]
) -> None:
    assert differing_fields(written(**sent), held) == differing


class LateService:
    """A contact that is found, as it was written, only after some seconds; a clock that waiting moves."""

    def __init__(self, found_after_seconds: float) -> None:
        self.now = 0.0
        self.reads = 0
        self._found_after_seconds = found_after_seconds

    def get_many(self, dsids: Sequence[str]) -> list[RemoteContact | None]:
        self.reads += len(dsids)
        return [contact(firstName="mary") if self.now >= self._found_after_seconds else None for _ in dsids]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> CanaryReport:
        return read_back([written(firstName="mary")], self.get_many, self.wait, clock=lambda: self.now)


@pytest.mark.parametrize(("seconds", "missing", "reads"), [(0, 0, 1), (6, 0, 4), (60, 0, 7), (61, 1, 7)])
def test_a_look_up_may_lag_for_a_minute(seconds: float, missing: int, reads: int) -> None:
    service = LateService(seconds)
    found = service.read()
    assert (found.contacts_missing, service.reads) == (missing, reads)
    assert service.now <= 60
    assert CanaryReport.from_json(found.to_json()) == found
