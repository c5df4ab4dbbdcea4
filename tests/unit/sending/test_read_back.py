"""A contact that was read back may hold any JSON in any field; comparing it never fails."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_dailystory.api.responses import read_contact
from dagster_dailystory.engine.sending.read_back.canary import WrittenContact, differing_fields
from dagster_dailystory.engine.sending.read_back.held_values import Acknowledged, holds, is_held
from dagster_dailystory.engine.upkeep.undo.plan import was_made_at
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(
    name="customers",
    source="customers",
    key="id",
    fields={
        "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "gender": "gender",
        "dateBirth": "born", "optOutEmail": "opted_out", "status": "status", "annualRevenue": "revenue",
    },
    extended_properties={"plan": "plan"},
)  # fmt: skip
SENT = {
    "email": "ada@example.com", "mobilePhone": "+15557140059", "firstName": "Ada", "gender": "F",
    "dateBirth": "1815-12-10", "optOutEmail": True, "status": "Inactive", "annualRevenue": 7, "plan": "free",
}  # fmt: skip

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["1e999", "\ud800", "9" * 5_000, "2026-01-01T00+01:00", "2026-99-99 25:61", "+1 555 714 0059", "Yes"]
    ),
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
)
_contacts = st.fixed_dictionaries(
    {"dsId": st.just("d1")},
    optional={
        **dict.fromkeys([*SYNC.fields, "dateContactCreated"], _values),
        "extendedProperties": _values | st.fixed_dictionaries({"plan": _values}),
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=_contacts)
def test_any_contact_can_be_compared(found: dict[str, object]) -> None:
    contact = read_contact({"Response": {"contact": found}})
    assert contact is not None
    for mapped in SYNC.sent_fields:
        assert isinstance(is_held(mapped, SENT[mapped.name], contact), bool)
        assert isinstance(holds(SYNC, mapped, SENT[mapped.name], Acknowledged(), contact), bool)
    written = WrittenContact("d1", "1", [(mapped, SENT[mapped.name]) for mapped in SYNC.sent_fields])
    assert set(differing_fields(written, contact)) <= set(SENT)
    assert isinstance(was_made_at(contact, datetime(2026, 1, 1)), bool)


@pytest.mark.parametrize(
    "moment", ["2026-01-01T00+01:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00", math.nan, None]
)
def test_a_moment_that_is_not_one_is_not_the_time_of_the_create(moment: object) -> None:
    contact = read_contact({"Response": {"contact": {"dsId": "d1", "dateContactCreated": moment}}})
    assert contact is not None
    assert not was_made_at(contact, datetime(2026, 6, 1))
