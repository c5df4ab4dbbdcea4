"""The SQL of docs/how-to/deploying.md that removes old plans and runs."""

from __future__ import annotations

import re
from pathlib import Path

from support.scenario import customers, open_scenario, sync_of

from dagster_dailystory import open_sync

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "deploying.md").read_text(encoding="utf-8")


def statements() -> list[str]:
    """Those of the page, for plans of this minute; each sync keeps its two newest."""
    (text,) = re.findall(r"```sql\n(DELETE .*?)```", PAGE, flags=re.S)
    return [each for each in text.replace("'1 year'", "'0 seconds'").replace("- 100", "- 2").split(";") if each.strip()]


def test_a_sync_goes_on_without_its_old_plans_and_runs(new_database):
    with open_scenario(new_database, "postgresql") as scenario:
        scenario.seed(*customers(3))
        for city in ("Rome", "Oslo", "Bern"):
            scenario.update(1, city=city)
            scenario.run()
        scenario.execute_state(*statements())
        assert (len(scenario.rows("plans")), len(scenario.rows("runs"))) == (2, 0)
        scenario.sent()
        assert scenario.run().outcome == "empty"
        scenario.update(1, city="Wien")
        assert scenario.run().rows_updated == 1
        with open_sync(sync_of(), warehouse_url=scenario.warehouse_url) as records:
            assert len(records.history(key="1", field="city")) == 4
            assert str(records.explain("1"))
