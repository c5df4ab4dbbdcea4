"""A made-up warehouse to try a sync on: 2,000 customers, and a working day that changes some of them.

Every value is a function of the customer's number, so each run of the demo sees the same rows on every machine and
engine. No real address can be reached: the email domains are reserved by RFC 2606, and the mobile numbers are the North
American 555-0100 to 555-0199, which are reserved for fiction.
"""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

CUSTOMERS = 2_000
"""Rows that `seed` writes."""

Row = dict[str, object]

_FIRST_NAMES = (
    "Amara", "Ava", "Benjamin", "Camila", "Carlos", "Chloe", "Daniel", "Diego", "Elena", "Elijah", "Emma", "Ethan",
    "Fatima", "Gabriel", "Grace", "Hannah", "Hiroshi", "Imani", "Isabella", "Jack", "James", "Jasmine", "José",
    "Kofi", "Layla", "Leo", "Liam", "Lucía", "Maya", "Mei", "Mia", "Mohammed", "Nadia", "Noah", "Nora", "Olivia",
    "Omar", "Priya", "Quinn", "Ravi", "Renée", "Rosa", "Ruth", "Samuel", "Sofia", "Soren", "Theo", "Victor", "Wei",
    "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Adeyemi", "Ahmed", "Anderson", "Baker", "Brown", "Carter", "Castillo", "Chen", "Clark", "Cohen", "Cruz", "Davis",
    "Dubois", "Edwards", "Evans", "Fischer", "Flores", "Foster", "García", "Gonzalez", "Green", "Hall", "Haddad",
    "Harris", "Hernández", "Hughes", "Ivanova", "Jackson", "Johansson", "Johnson", "Jones", "Kaur", "Kim", "Lee",
    "Lewis", "López", "Martin", "Mbeki", "Miller", "Moore", "Morales", "Müller", "Nakamura", "Nguyen", "Novak",
    "O'Brien", "Okafor", "Patel", "Peterson", "Reyes", "Robinson", "Rossi", "Schmidt", "Silva", "Singh", "Smith",
    "Tanaka", "Taylor", "Thompson", "Walker", "Williams", "Wilson", "Wright", "Young",
)  # fmt: skip
_DOMAINS = ("mail.example.com", "inbox.example.com", "home.example.net", "post.example.org")
_PLANS = (("free", 0), ("starter", 19), ("team", 79), ("business", 249))
_CITIES = (
    ("Albuquerque", "NM", "87101", 505), ("Anchorage", "AK", "99501", 907), ("Atlanta", "GA", "30303", 404),
    ("Austin", "TX", "78701", 512), ("Baltimore", "MD", "21202", 410), ("Boise", "ID", "83702", 208),
    ("Boston", "MA", "02108", 617), ("Charlotte", "NC", "28202", 704), ("Chicago", "IL", "60602", 312),
    ("Cleveland", "OH", "44114", 216), ("Columbus", "OH", "43215", 614), ("Dallas", "TX", "75201", 214),
    ("Denver", "CO", "80202", 303), ("Des Moines", "IA", "50309", 515), ("Detroit", "MI", "48226", 313),
    ("El Paso", "TX", "79901", 915), ("Fresno", "CA", "93721", 559), ("Honolulu", "HI", "96813", 808),
    ("Houston", "TX", "77002", 713), ("Indianapolis", "IN", "46204", 317), ("Jacksonville", "FL", "32202", 904),
    ("Kansas City", "MO", "64106", 816), ("Las Vegas", "NV", "89101", 702), ("Los Angeles", "CA", "90012", 213),
    ("Louisville", "KY", "40202", 502), ("Memphis", "TN", "38103", 901), ("Miami", "FL", "33130", 305),
    ("Milwaukee", "WI", "53202", 414), ("Minneapolis", "MN", "55401", 612), ("Nashville", "TN", "37201", 615),
    ("New Orleans", "LA", "70112", 504), ("New York", "NY", "10007", 212), ("Oklahoma City", "OK", "73102", 405),
    ("Omaha", "NE", "68102", 402), ("Philadelphia", "PA", "19107", 215), ("Phoenix", "AZ", "85003", 602),
    ("Pittsburgh", "PA", "15222", 412), ("Portland", "OR", "97204", 503), ("Richmond", "VA", "23219", 804),
    ("Sacramento", "CA", "95814", 916), ("Salt Lake City", "UT", "84111", 801), ("San Antonio", "TX", "78205", 210),
    ("San Diego", "CA", "92101", 619), ("San Francisco", "CA", "94102", 415), ("Savannah", "GA", "31401", 912),
    ("Seattle", "WA", "98104", 206), ("St. Louis", "MO", "63103", 314), ("Tampa", "FL", "33602", 813),
    ("Tucson", "AZ", "85701", 520), ("Tulsa", "OK", "74103", 918),
)  # fmt: skip

_NEW_NUMBER = "+16465550100"
"""A number of no other customer: no city has its area code."""

_UPDATED, _DELETED, _ADDED, _TOUCHED = 40, 15, 25, 300

_SHARED: dict[str, object] = {"email": "front.desk@home.example.net", "mobile_phone": None}
_MISTAKES: dict[int, dict[str, object]] = {
    101: {"email": "unknown", "mobile_phone": None},
    202: {"email": "n/a at the moment"},
    303: {"email": None, "mobile_phone": None},
    404: _SHARED,
    505: _SHARED,
}

customers = sa.Table(
    "customers",
    sa.MetaData(),
    sa.Column("customer_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("email", sa.String(254)),
    sa.Column("mobile_phone", sa.String(16)),
    sa.Column("first_name", sa.String(60)),
    sa.Column("last_name", sa.String(60)),
    sa.Column("city", sa.String(60)),
    sa.Column("region", sa.String(2)),
    sa.Column("postal_code", sa.String(10)),
    sa.Column("plan", sa.String(20)),
    sa.Column("lifetime_value", sa.Numeric(12, 2)),
    sa.Column("signed_up_at", sa.DateTime),
    sa.Column("marketing_opt_out", sa.Boolean),
    sa.Column("loyalty_id", sa.Uuid),
    sa.Column("last_seen_at", sa.DateTime, comment="changes all the time; no sync reads it"),
)
"""The demo's table. `customers.sql` reads every column except `last_seen_at`."""


@dataclass(frozen=True, slots=True)
class Evolution:
    """How many rows `evolve` changed, and how.

    Attributes:
        updated: Customers who bought, moved or opted out of marketing.
        deleted: Rows that left the table.
        added: Customers who signed up.
        touched: Rows in which only `last_seen_at` changed: a sync that does not read it sends nothing for them.
    """

    updated: int
    deleted: int
    added: int
    touched: int


def seed(url: str) -> None:
    """Create the table `customers` with `CUSTOMERS` rows.

    Args:
        url: SQLAlchemy URL of the database. A table named `customers` there is replaced.
    """
    with _transaction(url) as connection:
        customers.drop(connection, checkfirst=True)
        customers.create(connection)
        connection.execute(customers.insert(), [customer(number) for number in range(1, CUSTOMERS + 1)])


def evolve(url: str) -> Evolution:
    """Let a day pass in the warehouse. The same rows always change in the same way.

    Args:
        url: SQLAlchemy URL of a database that `seed` filled.
    """
    with _transaction(url) as connection:
        rows = connection.execute(sa.select(customers).order_by("customer_id")).mappings().all()
        newest = rows[-1]["customer_id"]
        chance = random.Random(newest)
        chosen = chance.sample(rows, _UPDATED + _DELETED + _TOUCHED)
        updated, deleted, touched = chosen[:_UPDATED], chosen[_UPDATED:-_TOUCHED], chosen[-_TOUCHED:]
        day = max(row["last_seen_at"] for row in rows) + timedelta(days=1)
        for row in updated:
            changes = {**_change(row, chance), "last_seen_at": day}
            connection.execute(customers.update().where(_is_one_of([row])).values(changes))
        connection.execute(customers.update().where(_is_one_of(touched)).values(last_seen_at=day))
        connection.execute(customers.delete().where(_is_one_of(deleted)))
        connection.execute(customers.insert(), [customer(newest + number) for number in range(1, _ADDED + 1)])
    return Evolution(updated=_UPDATED, deleted=_DELETED, added=_ADDED, touched=_TOUCHED)


def spoil(url: str) -> int:
    """Put into a seeded warehouse the mistakes that every warehouse has.

    Args:
        url: SQLAlchemy URL of a database that `seed` filled.

    Returns:
        How many rows a sync must reject: invalid addresses, no address at all, one address in two rows.
    """
    with _transaction(url) as connection:
        for number, mistake in _MISTAKES.items():
            connection.execute(customers.update().where(customers.c.customer_id == number).values(mistake))
    return len(_MISTAKES)


def opt_out_with_a_broken_number(url: str) -> int:
    """Let a customer opt out of marketing, with a mobile number in the same row that misses its last digits.

    Args:
        url: SQLAlchemy URL of a database that `seed` filled.

    Returns:
        The customer's number: the first one with an email address and a mobile number who has not opted out.
    """
    columns = customers.c
    reachable = sa.and_(columns.email.is_not(None), columns.mobile_phone.is_not(None), ~columns.marketing_opt_out)
    with _transaction(url) as connection:
        first = sa.select(customers).where(reachable).order_by("customer_id").limit(1)
        row = connection.execute(first).mappings().one()
        broken = {"marketing_opt_out": True, "mobile_phone": row["mobile_phone"][:-4]}
        connection.execute(customers.update().where(_is_one_of([row])).values(broken))
    return int(row["customer_id"])


def repair_number(url: str, customer: int) -> None:
    """Give a customer a new and valid mobile number.

    Args:
        url: SQLAlchemy URL of a database that `seed` filled.
        customer: The customer's number.
    """
    with _transaction(url) as connection:
        row = customers.update().where(customers.c.customer_id == customer)
        connection.execute(row.values(mobile_phone=_NEW_NUMBER))


@contextmanager
def without_every_third(url: str) -> Iterator[None]:
    """Take every third row out of the table, as a load that was cut off would; at the end they are there again.

    Args:
        url: SQLAlchemy URL of a database that `seed` filled.
    """
    every_third = customers.c.customer_id % 3 == 0
    with _transaction(url) as connection:
        lost = [dict(row) for row in connection.execute(sa.select(customers).where(every_third)).mappings()]
        connection.execute(customers.delete().where(every_third))
    try:
        yield
    finally:
        with _transaction(url) as connection:
            connection.execute(customers.insert(), lost)


@contextmanager
def _transaction(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()  # DuckDB locks its file against other processes while it is open


def _is_one_of(rows: Sequence[sa.RowMapping]) -> sa.ColumnElement[bool]:
    return customers.c.customer_id.in_([row["customer_id"] for row in rows])


def customer(number: int) -> Row:
    """Make up a customer. Every row has an email address or a mobile number, and most rows have both."""
    chance = random.Random(number)
    first_name, last_name = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    seat = number * 7919 % (100 * len(_CITIES))  # 7919 is prime: 5,000 consecutive numbers differ
    city, region, postal_code, area_code = _CITIES[seat // 100]
    signed_up_at = datetime(2026, 6, 1) - timedelta(minutes=chance.randrange(7 * 365 * 24 * 60))
    plan, monthly = chance.choices(_PLANS, weights=(50, 30, 15, 5))[0]
    reached_by = chance.choices(("both", "email", "mobile"), weights=(87, 10, 3))[0]
    has_mobile = reached_by != "email" and number <= 100 * len(_CITIES)
    return {
        "customer_id": number,
        "email": None if reached_by == "mobile" and has_mobile else _email(first_name, last_name, number),
        "mobile_phone": f"+1{area_code}55501{seat % 100:02d}" if has_mobile else None,
        "first_name": first_name,
        "last_name": last_name,
        "city": city,
        "region": region,
        "postal_code": postal_code,
        "plan": plan,
        "lifetime_value": Decimal(monthly * chance.randrange(1, 40)) + Decimal(chance.randrange(10_000)) / 100,
        "signed_up_at": signed_up_at,
        "marketing_opt_out": chance.random() < 0.06,
        "loyalty_id": uuid.UUID(int=chance.getrandbits(128), version=4),
        "last_seen_at": max(signed_up_at, datetime(2026, 6, 1) - timedelta(minutes=chance.randrange(90 * 24 * 60))),
    }


def _email(first_name: str, last_name: str, number: int) -> str:
    plain = unicodedata.normalize("NFKD", f"{first_name}.{last_name}").encode("ascii", "ignore").decode()
    return f"{plain.replace(chr(39), '').lower()}{number}@{_DOMAINS[number % len(_DOMAINS)]}"


def _change(row: sa.RowMapping, chance: random.Random) -> Row:
    """What changes in one row: a purchase, a move, or an opt-out if the customer is still opted in."""
    event = chance.choices(("purchase", "move", "opt_out"), weights=(60, 25, 15))[0]
    if event == "move":
        city, region, postal_code, _ = chance.choice([city for city in _CITIES if city[0] != row["city"]])
        return {"city": city, "region": region, "postal_code": postal_code}
    if event == "opt_out" and not row["marketing_opt_out"]:
        return {"marketing_opt_out": True}
    spent = Decimal(chance.randrange(1_000, 40_000)) / 100
    plan, _ = chance.choice(_PLANS[1:])
    return {"plan": plan, "lifetime_value": row["lifetime_value"] + spent}
