"""drt-core, the closest open-source alternative, in a virtual environment of its own; never a dependency."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.data import CUSTOM, FIELDS, TABLE
from benchmarks.servers import TOKEN

VERSION = "1.2.1"


def install(home: Path) -> Path | None:
    """Install it from the package index; return its command, or None if that fails."""
    made = subprocess.run([sys.executable, "-m", "venv", home], check=False).returncode
    pip: list[str | Path] = [home / "bin/python", "-m", "pip", "install", "-q", f"drt-core[duckdb]=={VERSION}"]
    if made or subprocess.run(pip, check=False, capture_output=True).returncode:
        return None
    return home / "bin/drt"


def send(command: Path, folder: Path, database: Path, base_url: str) -> Mapping[str, float]:
    """Post all rows of a DuckDB table to the contact endpoint one by one, as in drt's documentation."""
    fields = [f'"{field}": {{{{ row.{column} | string | tojson }}}}' for field, column in FIELDS.items()]
    custom = [f'"{column}": {{{{ row.{column} | string | tojson }}}}' for column in CUSTOM]
    body = f'{{{", ".join(fields)}, "extendedProperties": {{{", ".join(custom)}}}}}'
    files = {
        "home/.drt/profiles.yml": f"bench:\n  type: duckdb\n  database: {database}\n",
        "drt_project.yml": 'name: bench\nversion: "0.1"\nprofile: bench\n',
        "syncs/customers.yml": f"""name: customers
model: "select * from {TABLE}"
destination:
  type: rest_api
  url: "{base_url}/contact"
  headers: {{Content-Type: application/json}}
  auth: {{type: bearer, token: {TOKEN}}}
  body_template: '{body}'
sync: {{mode: full, on_error: skip, rate_limit: {{requests_per_second: 1000000}}}}
""",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "HOME": str(folder / "home")}
    subprocess.run([command, "run"], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": time.perf_counter() - started, "cpu_seconds": cpu}
