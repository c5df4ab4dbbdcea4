"""Where rows come from and what identifies them: queries, tables, files, keys, types; at every placement."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from support.scenario import Scenario, customers, sync_of

ODD_QUERIES = (
    "select * from customers",
    "SELECT customer_id, EMAIL, first_name, city, plan FROM customers;\n",
    "with chosen as (select * from customers where first_name like '%a%e%') select * from chosen -- done",
    "select customer_id, email, first_name, city, case when '12:30 %s :x' like '%:%' then plan end as plan"
    " from customers /* a :comment % */",
    "select customer_id, email, first_name, city, plan from customers order by email limit 1000",
    "select c.customer_id, c.email, c.first_name, o.city as city, o.plan as plan from customers c"
    " join customers o on o.customer_id = c.customer_id\nunion all\nselect * from"
    " (select customer_id, email, first_name, city, plan from customers) none where 1 = 0",
)


def test_every_way_to_write_a_source_gives_the_same_rows(scenario: Scenario, tmp_path):
    named, path = tmp_path / "query.sql", tmp_path / "path.sql"
    for file in (named, path):
        file.write_text("-- who buys: 100%\nselect * from customers\n-- the end\n", encoding="utf-8")
    schemas = {"sqlite": "main", "duckdb": "main", **dict.fromkeys(("postgresql", "redshift", "snowflake"), "public")}
    scenario.seed(*customers(2))
    odd = "select" if scenario.dialect in ("bigquery", "databricks") else "Odd Name"  # their engines allow no blank
    scenario.execute(
        f'CREATE TABLE "{odd}" (customer_id integer, email text, first_name text, city text, plan text)',
        f'INSERT INTO "{odd}" SELECT customer_id, email, first_name, city, plan FROM customers',
        "CREATE VIEW shown AS SELECT * FROM customers",
    )
    assert scenario.run(sync_of(source=ODD_QUERIES[0])).rows_created == 2
    url = sa.make_url(scenario.warehouse_url)
    schema = schemas.get(scenario.dialect) or url.query.get("schema") or url.database
    tables = ["customers", f"{schema}.customers", f'"{schema}"."customers"', f'"{odd}"', "shown"]
    queries = list(ODD_QUERIES[1:])
    if scenario.dialect == "clickhousedb":
        queries[0] = queries[0].replace("EMAIL", "email")  # capitals make another name there
    for source in (*queries, *tables, str(named), Path(path)):
        report = scenario.run(sync_of(source=source), dry_run=True)
        assert (report.rows_unchanged, report.rows_read, report.api_requests) == (2, 2, 0), source


def test_a_query_is_evaluated_once(scenario: Scenario):
    """Else a query with other rows each time would be counted with some and planned with others."""
    usual = (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 400)"
        " select i as customer_id, 'p' || i || '@example.com' as email from n where "
    )
    email = "concat('p', i, '@example.com') as email"
    queries = {
        "sqlite": f"{usual} abs(random() % 100) < 50",
        "mysql": f"select i as customer_id, {email} from (select seq as i from seq_1_to_400) n where rand() < 0.5",
        "snowflake": f"{usual} substr(uuid_string(), 1, 1) < '8'",
        "bigquery": (
            "select i as customer_id, concat('p', cast(i as string), '@example.com') as email"
            " from unnest(generate_array(1, 400)) as i where rand() < 0.5"
        ),
        "databricks": f"select i as customer_id, {email} from range(400) as n(i) where rand() < 0.5",
        "clickhousedb": f"select number as i, i as customer_id, {email} from numbers(400) where rand() % 2 = 0",
    }
    query = queries.get(scenario.dialect, f"{usual} random() < 0.5")
    for _ in range(2):
        report = scenario.run(sync_of(source=query, fields={"email": "email"}, extended_properties={}), dry_run=True)
        assert 0 < report.rows_read == report.rows_to_create < 400
    scenario.story.clear()


def test_keys_of_any_type_identify_rows_and_join_the_contact_map(scenario: Scenario):
    kinds = {"code": "text", "big": "bigint", "tag": "uuid", "since": "date", "number": "integer"}
    sync = sync_of(key=list(kinds), fields={"email": "email", "city": "city"}, extended_properties={}, deletes="delete")
    tag = "0b5c1f04-7a40-4b8c-9b8e-3d1d7b0a1e1"
    base = {"code": "a'b%c:d", "big": 2**62, "tag": f"{tag}0", "since": "2024-02-29", "number": 1}
    others = [{"code": "A'b%c:d"}, {"big": 2**62 + 1}, {"tag": f"{tag}1"}, {"since": "2024-02-28"}, {"number": -1}]
    keys = [base, *({**base, **other} for other in others)]
    asked = ["|".join(map(str, key.values())) for key in keys]
    scenario.create(**kinds, email="text", city="text")
    for number, key in enumerate(keys):
        scenario.insert({**key, "email": f"p{number}@example.com", "city": "Paris"})
    scenario.insert({**base, "big": None, "email": "null@example.com", "city": "Paris"})
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_rejected) == (6, 1)
    assert scenario.contact_map() == {each: f"p{number}@example.com" for number, each in enumerate(asked)}
    scenario.execute("UPDATE customers SET city = 'Rome'")
    chosen = scenario.run(sync, keys=[asked[0], asked[2]])
    assert (chosen.rows_read, chosen.rows_updated) == (2, 2)
    scenario.execute("DELETE FROM customers WHERE email IN ('p4@example.com', 'p5@example.com')")
    last = scenario.run(sync)
    assert (last.rows_updated, last.rows_deleted) == (2, 2)
    if scenario.state_url is None:
        joined = f"select * from customers join dailystory_customers_contact_map using ({', '.join(kinds)})"
        assert len(scenario.select(joined)) == 4


def test_columns_may_have_capitals_blanks_and_reserved_names(scenario: Scenario):
    sync = sync_of(key="Custom_ID", fields={"email": "Contact Email"}, extended_properties={"select": "custom_tier"})
    scenario.execute('CREATE TABLE customers ("custom_id" integer, "Contact Email" text, "CUSTOM_TIER" text)')
    for number in (1, 2):
        scenario.execute(f"INSERT INTO customers VALUES ({number}, 'p{number}@example.com', 'gold')")
    assert scenario.run(sync).rows_created == 2
    assert scenario.run(sync).api_requests == 0
    assert scenario.contact("p1@example.com")["extendedProperties"] == {"select": "gold"}


def test_values_of_every_type_are_sent_as_the_same_texts(scenario: Scenario):
    columns = {
        "price": "decimal(12,2)", "ratio": "double precision", "born": "date", "seen_at": "timestamp",
        "big": "bigint", "note": "text",
    }  # fmt: skip
    sync = sync_of(
        fields={"email": "email", "annualRevenue": "price", "dateBirth": "born"},
        extended_properties={name: name for name in columns},
    )
    scenario.create(customer_id="integer", email="text", **columns)
    row = {"customer_id": 1, "email": "p1@example.com", "price": 1234.5, "ratio": 0.1, "born": "2001-02-03"}
    seen = "2024-05-06T07:08:09" if scenario.dialect in ("sqlite", "databricks") else "2024-05-06 07:08:09"
    scenario.insert({**row, "seen_at": seen, "big": 2**53 + 1, "note": "Zoë's 50% : ünï\ttab\nline 🎈"})
    scenario.insert({**row, "customer_id": 2, "email": "p2@example.com", "price": 10, "ratio": 1e-9})
    scenario.run(sync)
    first, second = (body for _, _, body in scenario.sent())
    assert first == {
        "email": "p1@example.com",
        "annualRevenue": 1234.5,
        "dateBirth": "2001-02-03",
        "extendedProperties": {
            "price": "1234.5",
            "ratio": "0.1",
            "born": "2001-02-03",
            "seen_at": "2024-05-06T07:08:09",
            "big": "9007199254740993",
            "note": "Zoë's 50% : ünï\ttab\nline 🎈",
        },
    }
    assert (second["annualRevenue"], second["extendedProperties"]["ratio"]) == (10, "1e-09")
    assert scenario.run(sync).api_requests == 0
    scenario.execute("UPDATE customers SET ratio = 0.1 + 0.0000000000000001 WHERE customer_id = 1")
    scenario.execute("UPDATE customers SET big = big + 1 WHERE customer_id = 1")
    assert scenario.run(sync).rows_updated == 1
    [(_, _, body)] = scenario.sent()
    assert body["extendedProperties"]["big"] == "9007199254740994"
