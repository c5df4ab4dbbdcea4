"""`python -m dagster_dailystory.sandbox`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

ADA = {"email": "ada@example.com", "firstName": "Ada"}


def started_command(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-W", "default::ResourceWarning", "-m", "dagster_dailystory.sandbox", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_runs_until_a_signal(tmp_path, signal_number):
    file = tmp_path / "contacts.json"
    process, line = started_command(
        "--port", "0", "--token", "secret-us-1", "--latency-ms", "5", "--fault", "throttled=1", "--store", str(file)
    )
    base_url = line.split("base URL: ")[1].split()[0]
    assert "secret" not in line
    headers = {"Authorization": "Bearer secret-us-1"}
    assert httpx.get(f"{base_url}/about", headers=headers).status_code == 200
    assert httpx.post(f"{base_url}/contact", headers=headers, json=ADA).status_code == 429
    process.send_signal(signal_number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert json.loads(file.read_text())["contacts"] == []


def stopped(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=20)


def status_with(line: str, token: str) -> int:
    base_url = line.split("base URL: ")[1].split()[0]
    return httpx.get(f"{base_url}/about", headers={"Authorization": f"Bearer {token}"}).status_code


def test_each_start_prints_another_token():
    tokens = []
    for _ in range(2):
        process, line = started_command("--port", "0")
        tokens.append(line.split("token: ")[1].strip())
        assert [status_with(line, token) for token in tokens] == [401] * (len(tokens) - 1) + [200]
        stopped(process)


def test_a_token_file_is_written_once_and_then_read(tmp_path):
    file = tmp_path / "token"
    for _ in range(2):
        process, line = started_command("--port", "0", "--token-file", str(file))
        token = file.read_text()
        assert status_with(line, token) == 200
        assert token not in line
        stopped(process)
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("mine-us-1\n")
    process, line = started_command("--port", "0", "--token-file", str(file))
    assert (status_with(line, token), status_with(line, "mine-us-1")) == (401, 200)
    stopped(process)
    file.write_text("\n")
    process, _ = started_command("--port", "0", "--token-file", str(file))
    assert "token holds no token" in process.communicate(timeout=20)[1]


def test_the_command_allows_further_host_names():
    process, line = started_command("--port", "0", "--allow-host", "sandbox.internal")
    url = line.split("sandbox: ")[1].split()[0]
    hosts = ("sandbox.internal:8019", "evil.example")
    assert [httpx.get(url, headers={"Host": host}).status_code for host in hosts] == [200, 421]
    stopped(process)


def test_the_command_has_a_stricter_mode():
    process, line = started_command("--port", "0", "--strict", "--token", "secret-us-1")
    base_url, headers = line.split("base URL: ")[1].split()[0], {"Authorization": "Bearer secret-us-1"}
    created = [httpx.post(f"{base_url}/contact", headers=headers, json=ADA).json() for _ in range(2)]
    assert created[0] != created[1]
    process.terminate()
    process.communicate(timeout=20)


def test_the_command_reports_why_it_cannot_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process, _ = started_command("--port", str(port))
        errors = process.communicate(timeout=20)[1]
    assert (process.returncode, f"port {port} is in use" in errors) == (2, True)
    for arguments in (
        ["--fault", "thottled=1"],
        ["--fault", "throttled=2"],
        ["--requests-per-second", "0"],
        ["--port", "99999"],
    ):
        process, _ = started_command("--port", "0", *arguments)
        process.communicate(timeout=20)
        assert process.returncode == 2
