"""The code of docs/how-to/airflow.md loads as DAG files and runs."""

from __future__ import annotations

import pytest
from support.airflow_runs import World, run_dag

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default")]

DAGS = {"customers", "vips", "after_vips", "adopt_people", "subscribers", "daily"}


def test_each_block_is_a_dag_file(world: World):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(world.home / "dags"))
    assert bag.import_errors == {}
    assert set(bag.dags) >= DAGS
    assert {"vips.plan", "vips.check", "vips.send"} == set(bag.dags["vips"].task_dict)
    assert bag.dags["vips"].task_dict["vips.send"].pool == "dailystory_api"


def test_the_one_task_of_the_page_sends_each_contact_once(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{world.warehouse}")
    monkeypatch.setenv("DAILYSTORY_BASE_URL", world.sandbox.base_url)
    monkeypatch.setenv("DAILYSTORY_API_TOKEN", world.sandbox.token)
    world.execute("create table customers (customer_id integer primary key, email text)")
    world.execute("insert into customers values (?, ?)", *((number, f"p{number}@example.com") for number in range(20)))
    assert run_dag("customers").tasks == {"sync_customers": "success"}
    assert world.each_once(20)
