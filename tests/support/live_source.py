"""The tables of the live test in PostgreSQL, whose rows change all the time, and what the contacts must be for them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from dagster_dailystory.sandbox import Sandbox

CITIES = ("Oslo", "Paris", "Rome", "Lima", "Quito")
MONTHS = ("2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01")
COLUMNS = ("id", "email", "first_name", "city", "opted_out", "signed_up_at")
SECONDS_OF_A_FAULT = 40.0


@dataclass
class LiveTable:
    """One table and its random edits.

    Attributes:
        can_be_refused: Whether DailyStory refuses some rows, which are sent again by a retry sensor only.
        gone: Rows that were deleted and may come back.
        restored: The ids of rows that came back.
        faults: Row -> when its invalid value, or its refusal by DailyStory, ends.
        refused: Cities that DailyStory refuses now.
        opted_out_by_people: The contacts that opted out in DailyStory.
    """

    name: str
    engine: sa.Engine
    sandbox: Sandbox
    chance: random.Random
    rows: int
    can_be_refused: bool = True
    gone: list[dict[str, Any]] = field(default_factory=list)
    restored: set[int] = field(default_factory=set)
    faults: dict[int, float] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    opted_out_by_people: set[str] = field(default_factory=set)

    def create(self) -> None:
        self._run(
            f"CREATE TABLE {self.name} (id integer PRIMARY KEY, email text, first_name text, city text,"
            " opted_out boolean, signed_up_at date)"
        )
        for number in range(self.rows):
            self._put(self._new_row(number))

    def edit(self) -> None:
        """Make one edit of some kind."""
        self.mend(time.monotonic())
        edits = (
            self._insert, self._insert, self._update, self._update, self._update, self._delete, self._restore,
            self._opt_out, self._change_email, self.invalidate, self._refuse, self._opt_out_in_dailystory,
        )  # fmt: skip
        self.chance.choice(edits)()

    def invalidate(self, seconds: float = SECONDS_OF_A_FAULT) -> None:
        """Make a row invalid for a while."""
        row = self._pick()
        self.faults[row.id] = time.monotonic() + seconds
        self._run(f"UPDATE {self.name} SET email = 'no address' WHERE id = %(id)s", id=row.id)

    def mend(self, now: float) -> None:
        """End the faults of rows whose time has come."""
        for number in [number for number, until in self.faults.items() if until <= now]:
            del self.faults[number]
            self.refused.discard(f"Refused{number}")
            self._run(f"UPDATE {self.name} SET email = %(email)s WHERE id = %(id)s AND email NOT LIKE '%%@%%'",
                      email=self._email(number), id=number)  # fmt: skip

    def problems(self) -> list[str]:
        """How contacts differ from the source; rows are named by their ids."""
        contacts = {str(each["dsId"]): each for each in self.sandbox.contacts()}
        mapped = dict(map(tuple, self._rows(f"SELECT id, dsid FROM dailystory_{self.name}_contact_map")))
        found: list[str] = []
        source = {row.id: row for row in self._rows(f"SELECT * FROM {self.name}")}
        for number, row in source.items():
            contact = contacts.get(mapped.get(number, ""))
            if contact is None:
                found.append(f"{number} has no contact")
                continue
            expected = {"email": row.email, "firstName": row.first_name, "city": row.city, "status": "Active"}
            if number in self.restored and contact["optOutEmail"]:
                del expected["status"]  # a contact that is opted out is not made active again
            differs = [name for name, value in expected.items() if contact[name] != value]
            found += [f"{number}: {name} is {contact[name]}, expected {expected[name]}" for name in differs]
            must_be_out = row.opted_out or contact["dsId"] in self.opted_out_by_people
            if bool(contact["optOutEmail"]) != must_be_out:
                found.append(f"{number} opted out: {must_be_out}")
        left = {dsid for number, dsid in mapped.items() if number not in source}
        found += [f"{dsid} is still active" for dsid in left if contacts[dsid]["status"] == "Active"]
        own = {dsid for dsid, each in contacts.items() if str(each["email"]).startswith(self.name)}
        if own != set(mapped.values()) or len(own) != len(mapped):
            found.append(f"{len(own)} contacts for {len(mapped)} keys")
        return [*found, *self._rest()]

    def _rest(self) -> Iterator[str]:
        for table in ("intents", "rejections"):
            for row in self._rows(f"SELECT * FROM dailystory_{self.name}_{table}"):
                yield f"{table}: {row}"

    def _email(self, number: int) -> str:
        return f"{self.name}{number}@example.com"

    def _new_row(self, number: int) -> dict[str, Any]:
        return {
            "id": number, "email": self._email(number), "first_name": f"Given{number}",
            "city": self.chance.choice(CITIES), "opted_out": False, "signed_up_at": self.chance.choice(MONTHS),
        }  # fmt: skip

    def _pick(self) -> Any:
        """A row without a fault."""
        rows = [row for row in self._rows(f"SELECT * FROM {self.name} ORDER BY id") if row.id not in self.faults]
        return self.chance.choice(rows)

    def _insert(self) -> None:
        self._put(self._new_row(self.rows))
        self.rows += 1

    def _update(self) -> None:
        values = {"city": self.chance.choice(CITIES), "month": self.chance.choice(MONTHS), "id": self._pick().id}
        self._run(f"UPDATE {self.name} SET city = %(city)s, signed_up_at = %(month)s WHERE id = %(id)s", **values)

    def _delete(self) -> None:
        row = self._pick()
        self.gone.append({name: getattr(row, name) for name in COLUMNS})
        self._run(f"DELETE FROM {self.name} WHERE id = %(id)s", id=row.id)

    def _restore(self) -> None:
        if self.gone:
            row = self.gone.pop()
            self.restored.add(row["id"])
            self._put(row)

    def _opt_out(self) -> None:
        self._run(f"UPDATE {self.name} SET opted_out = true WHERE id = %(id)s", id=self._pick().id)

    def _change_email(self) -> None:
        row = self._pick()
        email = self._email(row.id).replace("@", f"x{self.chance.randrange(10_000)}@")
        self._run(f"UPDATE {self.name} SET email = %(email)s WHERE id = %(id)s", email=email, id=row.id)

    def _refuse(self) -> None:
        if not self.can_be_refused:
            return
        row = self._pick()
        self.faults[row.id] = time.monotonic() + SECONDS_OF_A_FAULT
        self.refused.add(f"Refused{row.id}")
        self._run(f"UPDATE {self.name} SET city = %(city)s WHERE id = %(id)s", city=f"Refused{row.id}", id=row.id)

    def _opt_out_in_dailystory(self) -> None:
        own = [each for each in self.sandbox.contacts() if str(each["email"]).startswith(self.name)]
        if own:
            dsid = str(self.chance.choice(own)["dsId"])
            self.opted_out_by_people.add(dsid)
            self.sandbox.edit(dsid, optOutEmail=True)

    def _put(self, row: Mapping[str, Any]) -> None:
        values = ", ".join(f"%({name})s" for name in COLUMNS)
        self._run(f"INSERT INTO {self.name} ({', '.join(COLUMNS)}) VALUES ({values})", **row)

    def _run(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement, values or None)

    def _rows(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.exec_driver_sql(query))
