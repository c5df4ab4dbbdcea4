"""What can happen to the source and to DailyStory's contacts beside a sync: Hypothesis strategies, and the effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from support.promise_model import LONG, NO_ADDRESS, NO_NUMBER, Model, Row

from dagster_dailystory.sandbox.contacts import ContactStore

REGIONS = ("emea", "amer", "apac")
MOST_ROWS = 8

_PICKS = st.integers(0, MOST_ROWS - 1)
_TEXTS = st.sampled_from([None, "Paris", "Rome"])
_CORRUPTED: tuple[dict[str, str], ...] = (
    {"mobile": NO_NUMBER}, {"first_name": LONG}, {"city": LONG}, {"email": NO_ADDRESS},
)  # fmt: skip

_VALUES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"first_name": _TEXTS}),
    st.fixed_dictionaries({"city": _TEXTS}),
    st.sampled_from([{"region": region} for region in REGIONS]),
    st.sampled_from([{"opted_out": True}, {"opted_out": False}, {"mobile": None}]),
    st.sampled_from(_CORRUPTED),
    st.sampled_from([{"opted_out": True, **each} for each in _CORRUPTED]),
)

Edit = tuple[str, int, Mapping[str, Any]]

EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.tuples(st.just("change"), _PICKS, _VALUES),
    st.tuples(st.just("change_key"), _PICKS, st.sampled_from([{"region": region} for region in REGIONS])),
    st.tuples(st.sampled_from(["delete", "restore"]), _PICKS, st.just({})),
    st.tuples(st.sampled_from(["insert", "change_email", "swap_emails"]), _PICKS, st.just({})),
    st.tuples(
        st.sampled_from(["double_key", "double_email"]), _PICKS, st.sampled_from([{}, {"opted_out": True}])
    ),
)  # fmt: skip


@dataclass
class Source:
    """Edits the rows of a model's source."""

    model: Model
    minute: int = 0
    people: int = 0
    _edits: dict[str, Callable[[int, Mapping[str, Any]], None]] = field(init=False)

    def __post_init__(self) -> None:
        names = (
            "change", "change_key", "insert", "delete", "restore", "change_email", "swap_emails", "double_key",
            "double_email",
        )  # fmt: skip
        self._edits = {name: getattr(self, name) for name in names}

    def apply(self, edit: Edit) -> None:
        """Make one edit; it does nothing where there is no row to edit."""
        name, number, values = edit
        if name == "insert" or (self.model.gone if name == "restore" else self.model.rows):
            self._edits[name](number, values)

    def change(self, number: int, values: Mapping[str, Any]) -> None:
        self._put(replace(self._take(number), **values))

    def change_key(self, number: int, values: Mapping[str, Any]) -> None:
        """The same person under a new key, perhaps in another slice."""
        key = self._new_key()
        self._put(replace(self._take(number), key=key, **values))

    def insert(self, _number: int, _values: Mapping[str, Any]) -> None:
        key = self._new_key()
        self._put(Row(key, self._new_email(), None, "Ada", "Paris", None, REGIONS[key % 3]))

    def delete(self, number: int, _values: Mapping[str, Any]) -> None:
        self.model.gone.append(self._take(number))

    def restore(self, number: int, _values: Mapping[str, Any]) -> None:
        self._put(self.model.gone.pop(number % len(self.model.gone)))

    def change_email(self, number: int, _values: Mapping[str, Any]) -> None:
        self._put(replace(self._take(number), email=self._new_email()))

    def swap_emails(self, number: int, _values: Mapping[str, Any]) -> None:
        one = self._take(number)
        other = self._take(number) if self.model.rows else one
        self._put(replace(one, email=other.email))
        if other is not one:
            self._put(replace(other, email=one.email))

    def double_key(self, number: int, values: Mapping[str, Any]) -> None:
        row = self.model.rows[number % len(self.model.rows)]
        self._put(replace(row, email=self._new_email(), first_name="Eve", **values))

    def double_email(self, number: int, values: Mapping[str, Any]) -> None:
        row = self.model.rows[number % len(self.model.rows)]
        self._put(replace(row, key=self._new_key(), first_name="Eve", **values))

    def _new_key(self) -> int:
        return 1 + max([0, *(row.key for row in (*self.model.rows, *self.model.gone))])

    def _new_email(self) -> str:
        self.people += 1
        return f"Person{self.people}@example.com"

    def _take(self, number: int) -> Row:
        return self.model.rows.pop(number % len(self.model.rows))

    def _put(self, row: Row) -> None:
        self.minute += 1
        if len(self.model.rows) < MOST_ROWS:
            self.model.rows.append(replace(row, moved=self.minute))


WORKS = st.tuples(st.sampled_from(["edit", "opt_out", "soft_delete", "remove", "merge"]), _PICKS)


def work(model: Model, store: ContactStore, what: str, number: int) -> None:
    """Do to a contact what people do in DailyStory."""
    contacts = sorted(store.contacts(), key=lambda each: str(each["email"]))  # dsids are random, and a seed repeats
    dsids = [str(contact["dsId"]) for contact in contacts]
    if not dsids:
        return
    dsid, other = dsids[number % len(dsids)], dsids[(number + 1) % len(dsids)]
    if what == "edit":
        store.edit(dsid, {"city": "Oslo"})
    elif what == "opt_out":
        store.edit(dsid, {"optOutEmail": True})
        model.opted_out.add(dsid)
    elif what == "soft_delete":
        model.leave_to_people(dsid)
        store.edit(dsid, {"status": "Deleted"})
    elif what == "remove":
        model.leave_to_people(dsid)
        store.remove(dsid)
    elif dsid != other:
        model.leave_to_people(dsid, other)
        store.merge(dsid, other)
