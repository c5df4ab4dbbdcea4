"""Spark's Thrift server, before Databricks' own driver: an older relative of what Databricks runs.

The driver stays as it is but for its `make_request`, which here turns Spark's answers into those of Databricks: no
setting of the server does.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

_JAVA_PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
"""Debian's packages of the runtimes that Spark 4 takes; a release of Debian has one of them."""

_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.storeAssignmentPolicy": "LEGACY",  # dates may be written as texts, as elsewhere
    # Small tables: what compiles and optimises takes longer than it saves.
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
}

_HIVE_SETTINGS = {
    "hive.server2.transport.mode": "http",
    "hive.server2.thrift.http.path": "cliservice",
    "hive.server2.thrift.bind.host": "127.0.0.1",
}


@contextmanager
def spark_server() -> Iterator[str]:
    """Run Spark's Thrift server; yields its URL, which Databricks' dialect takes in this process."""
    with tempfile.TemporaryDirectory(prefix="spark") as home, socket.socket() as reserved:
        java = _java_home(Path(home))
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        server = subprocess.Popen(
            _command(home, port), cwd=home, env={**os.environ, "JAVA_HOME": str(java), "SPARK_LOCAL_IP": "127.0.0.1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_until_open(port, server)
            with _driver_before(port):
                yield "databricks://token:none@127.0.0.1?http_path=none&catalog=spark_catalog&schema=default"
        finally:
            server.terminate()
            server.wait(30)


def _command(home: str, port: int) -> list[str]:
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    spark = Path(found.origin).parent / "bin" / "spark-submit"
    settings = {**_SETTINGS, "spark.sql.warehouse.dir": f"{home}/warehouse", "spark.local.dir": home}
    hive_settings = {**_HIVE_SETTINGS, "hive.server2.thrift.http.port": str(port)}
    return [
        str(spark), "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "--master", "local[2]",
        "--driver-memory", "1g",
        "--driver-java-options", f"-Djava.io.tmpdir={home} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        *(part for name, value in settings.items() for part in ("--conf", f"{name}={value}")),
        "spark-internal",
        *(part for name, value in hive_settings.items() for part in ("--hiveconf", f"{name}={value}")),
    ]  # fmt: skip


def _wait_until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert server.poll() is None, "Spark's server ended while it started"
            assert time.monotonic() < deadline, "Spark's server did not start"
            time.sleep(0.1)


def _java_home(home: Path) -> Path:
    """The folder of a Java runtime: the one on the PATH, else Debian's package, unpacked without being installed."""
    on_path = shutil.which("java")
    if on_path is not None:
        return Path(on_path).resolve().parent.parent
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("no Java: install a runtime 17 or 21 (there is no apt-get to download it with)")
    for package in _JAVA_PACKAGES:
        if subprocess.run(["apt-get", "download", package], cwd=home, capture_output=True).returncode == 0:
            unpacked = home / "java"
            subprocess.run(["dpkg-deb", "-x", next(home.glob("*.deb")), unpacked], check=True)
            _follow_links_inside(unpacked)
            return next(unpacked.glob("usr/lib/jvm/java-*/bin/java")).resolve().parent.parent
    pytest.skip(f"no Java: apt-get has none of {', '.join(_JAVA_PACKAGES)}")


def _follow_links_inside(unpacked: Path) -> None:
    """Let the package's links to /etc lead to its own files."""
    for link in unpacked.rglob("*"):
        if link.is_symlink() and os.readlink(link).startswith("/"):
            target = f"{unpacked}{os.readlink(link)}"
            link.unlink()
            link.symlink_to(target)


@contextmanager
def _driver_before(port: int) -> Iterator[None]:
    """Let Databricks' driver use a server of Spark, in this process."""
    client = import_module("databricks.sql.backend.thrift_backend").ThriftDatabricksClient
    usual = client.make_request
    client.make_request = _make_request(usual)
    sa.event.listen(sa.Engine, "do_connect", connect := _connect_to(port))
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "do_connect", connect)
        client.make_request = usual


class _BasicAuth:
    """What Spark asks for: a user of any name. The driver has no such method; a program may bring its own."""

    def auth_type(self) -> str:
        return "basic"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return lambda: {"Authorization": "Basic YTpi"}


def _connect_to(port: int) -> Callable[..., None]:
    """Change the driver's arguments: each of these is one that the URL cannot hold."""

    def connect(dialect: sa.Dialect, _record: object, _arguments: object, options: dict[str, Any]) -> None:
        if dialect.name == "databricks":
            schema = options["schema"]
            options.update(
                _connection_uri=f"http://127.0.0.1:{port}/cliservice",  # not HTTPS on port 443
                access_token=None,
                credentials_provider=_BasicAuth(),
                catalog=None,  # Spark does not read these two from the request that opens a session,
                schema=None,
                session_configuration={"use:database": schema},  # but this one
                use_cloud_fetch=False,  # results come from the server itself and not from a bucket
                enable_telemetry=False,
                _retry_stop_after_attempts_count=1,
            )

    return connect


def _make_request(usual: Callable[..., Any]) -> Callable[..., Any]:
    """Turn each answer of Spark into the one of Databricks, which is a later version of the same protocol."""
    types = import_module("databricks.sql.thrift_api.TCLIService.ttypes")
    schemas: dict[bytes, Any] = {}

    @wraps(usual)
    def make_request(client: Any, method: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(request, types.TExecuteStatementReq) and request.parameters:
            # Databricks binds them; Spark's server does not read them, but has a statement that binds.
            request.statement, request.parameters = _bound(request.statement, request.parameters), None
        answer = usual(client, method, request, *arguments, **options)
        if isinstance(answer, types.TOpenSessionResp):
            # Spark says version 10 of Hive's protocol. The driver requires one of Databricks' versions.
            answer.serverProtocolVersion = types.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
        elif isinstance(answer, types.TGetResultSetMetadataResp):
            # Databricks sends Arrow, and says so; Spark names no format, because it has but one.
            schema = schemas[request.operationHandle.operationId.guid] = _arrow_schema(client, answer.schema)
            answer.resultFormat = types.TSparkRowSetType.ARROW_BASED_SET
            answer.arrowSchema = schema.serialize().to_pybytes()
            answer.lz4Compressed = answer.isStagingOperation = False
        elif isinstance(answer, types.TFetchResultsResp):
            batch = _arrow_batch(answer.results.columns, schemas[request.operationHandle.operationId.guid])
            # Spark says that there are no more rows, though there may be: the end is a batch without rows.
            answer.hasMoreRows = batch.num_rows > 0
            answer.results.arrowBatches = [types.TSparkArrowBatch(batch.serialize().to_pybytes(), batch.num_rows)]
            answer.resultSetMetadata = types.TGetResultSetMetadataResp(
                resultFormat=types.TSparkRowSetType.ARROW_BASED_SET
            )
        return answer

    return make_request


def _bound(statement: str, parameters: Sequence[Any]) -> str:
    values = [f"CAST({_literal(each.value.stringValue)} AS {each.type}) AS {each.name}" for each in parameters]
    return f"EXECUTE IMMEDIATE {_literal(statement)} USING {', '.join(values)}"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _arrow_schema(client: Any, table_schema: Any) -> Any:
    """The columns as Databricks has them in Arrow: moments in the session's time zone."""
    arrow = import_module("pyarrow")
    usual = client._hive_schema_to_arrow_schema(table_schema)
    moment = arrow.timestamp("us")
    return arrow.schema(
        [field.with_type(arrow.timestamp("us", "UTC")) if field.type == moment else field for field in usual]
    )


def _arrow_batch(columns: Any, schema: Any) -> Any:
    """Spark's columns, in which dates and moments are texts, as one batch of Arrow."""
    arrow = import_module("pyarrow")
    convert = import_module("databricks.sql.utils").convert_column_based_set_to_arrow_table
    if not columns:
        return arrow.RecordBatch.from_pylist([], schema)  # of a statement that returns nothing
    table, _ = convert(columns, [(field.name,) for field in schema])
    values = [
        _arrow_values(found.combine_chunks(), field.type)
        for found, field in zip(table.itercolumns(), schema, strict=True)
    ]
    return arrow.RecordBatch.from_arrays(values, schema=schema)


def _arrow_values(found: Any, kind: Any) -> Any:
    arrow, compute = import_module("pyarrow"), import_module("pyarrow.compute")
    if arrow.types.is_null(kind):
        return arrow.nulls(len(found))
    if arrow.types.is_timestamp(kind):
        return compute.assume_timezone(found.cast(arrow.timestamp("us")), "UTC")
    return found.cast(kind)
