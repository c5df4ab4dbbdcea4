"""The code location loads without a connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from dagster_dailystory.api.environment import OPTIONAL, REQUIRED
from dagster_dailystory.demo.resources import DEMO_PORT, demo_warehouse_url
from demo.__main__ import FOLDER

ROOT = Path(__file__).parents[2]
LOAD = """
import json, sys, time, warnings
import dagster as dg
from dagster_shared.utils.warnings import BetaWarning, PreviewWarning, SupersessionWarning
for kind in (BetaWarning, PreviewWarning, SupersessionWarning):
    warnings.filterwarnings("error", category=kind)
def refuse(event, _arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"):
        raise AssertionError(f"{event} while the location loads")
sys.addaudithook(refuse)
started = time.process_time()
import definitions
dg.Definitions.validate_loadable(definitions.defs)
keys = sorted(key.to_user_string() for key in definitions.defs.resolve_asset_graph().get_all_asset_keys())
drivers = {"duckdb", "psycopg", "psycopg2", "pandas"} & sys.modules.keys()
groups = sorted({node.group_name for node in definitions.defs.resolve_asset_graph().asset_nodes})
resources = definitions.defs.resources
urls = [getattr(url, "env_var_name", url) for url in (resources["warehouse"].url, resources["dailystory"].base_url)]
seconds = time.process_time() - started
print(json.dumps({"seconds": seconds, "keys": keys, "urls": urls, "drivers": sorted(drivers), "groups": groups}))
"""


def load(folder: Path, **given: str) -> dict[str, object]:
    environment = {name: value for name, value in os.environ.items() if name not in (*REQUIRED, *OPTIONAL)}
    environment |= {"PYTHONPATH": str(ROOT), **given}
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_the_demo_loads_quickly_without_a_connection_or_a_file(tmp_path: Path):
    loaded = load(tmp_path)
    syncs = ("customers", "guests", "members", "vips")
    assets = [f"dailystory/{sync}/{noun}" for sync in syncs for noun in ("changes", "contact_map", "contacts")]
    assert loaded["keys"] == ["customers", *assets, "members", "vips", "webinar_guests"]
    assert loaded["urls"] == [demo_warehouse_url(FOLDER), f"http://127.0.0.1:{DEMO_PORT}/api/v1"]
    assert loaded["drivers"] == []
    assert loaded["groups"] == ["dailystory", "guests", "members", "vips", "warehouse"]
    assert list(tmp_path.iterdir()) == []
    assert loaded["seconds"] < 3, "CPU time beyond importing Dagster"  # type: ignore[operator]  # a number


def test_a_real_sync_loads_although_no_host_can_be_reached(tmp_path: Path):
    given = dict(zip(REQUIRED, ["postgresql+psycopg://nowhere.invalid/x", "https://nowhere.invalid", "t"], strict=True))
    loaded = load(tmp_path, **given)
    assert loaded["urls"] == ["WAREHOUSE_URL", "DAILYSTORY_BASE_URL"]
    assert len(loaded["keys"]) == 4, "the sync of customers alone"  # type: ignore[arg-type]  # a list in the JSON
    assert loaded["drivers"] == [], "a driver could connect without Python's sockets"
