"""BigQuery's emulator before its own driver."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Thread
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa


@contextmanager
def bigquery_emulator() -> Iterator[str]:
    """Run the emulator in a thread; yields its URL, which BigQuery's dialect takes in this process."""
    config, engine = import_module("bqemulator.config"), import_module("bqemulator.storage.engine").DuckDBEngine
    settings = config.Settings(
        persistence_mode=config.PersistenceMode.EPHEMERAL,
        log_level=config.LogLevel.ERROR, rest_host="127.0.0.1", rest_port=0, grpc_host="127.0.0.1", grpc_port=0,
    )  # fmt: skip
    emulator = import_module("bqemulator.server").EmulatorServer(settings)
    with _loop_in_a_thread() as loop:
        # It would download DuckDB's extension for GEOGRAPHY, and not start without it.
        with patch.object(engine, "_load_spatial", lambda _engine: None):
            asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(90)
        sa.event.listen(sa.Engine, "do_connect", _connect)
        try:
            with patch.dict(os.environ, BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{emulator.rest_port}"):
                yield f"bigquery://{settings.default_project_id}?user_supplied_client=true"
        finally:
            sa.event.remove(sa.Engine, "do_connect", _connect)
            asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result(30)


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="bigquery-emulator", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _connect(dialect: sa.Dialect, _record: object, _arguments: object, options: dict[str, Any]) -> None:
    """Give the driver a client without credentials, which the URL cannot."""
    if dialect.name != "bigquery":
        return
    bigquery = import_module("google.cloud.bigquery")
    config = dialect.create_job_config(None) or bigquery.QueryJobConfig()
    # The usual priority. It lets the driver begin a job and then ask for its result. The emulator's way to do both in
    # one request ignores the default dataset, and answers a query that failed with no rows.
    config.priority = bigquery.QueryPriority.INTERACTIVE
    anonymous = import_module("google.auth.credentials").AnonymousCredentials()
    options["client"] = bigquery.Client(dialect.project_id, anonymous, default_query_job_config=config)
    # The emulator's package brings the Storage Read API, which the extra `bigquery` does not.
    options["prefer_bqstorage_client"] = False
