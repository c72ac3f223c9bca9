"""The log of a server: its formats, the request that a line belongs to, and what is never in it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from runyard.artifacts.local import LocalStore
from runyard.server.app import Application
from runyard.server.observability.logs import JsonFormatter, TextFormatter, configure_logging
from runyard.server.opening import opened_services
from runyard.server.services import Services
from runyard.settings import Settings
from tests.postgres import PostgresServer
from tests.server.http import get, make_run, post, send
from tests.servers import ServerProcess, clean_environment, start_runyard

Start = Callable[..., ServerProcess]

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that logs each request as JSON."""
    folder: Path = tmp_path_factory.mktemp("logs")
    options = ("--access-log", "--log-format", "json")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder, *options)
    yield process
    process.stop()


def events(server: ServerProcess, **fields: Any) -> list[dict[str, Any]]:
    """Return the events of a JSON log that have these fields, as soon as there are some."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        # The last line may not be whole yet.
        lines = server.log().rpartition("\n")[0].splitlines()
        found = [event for event in map(json.loads, lines) if fields.items() <= event.items()]
        if found:
            return found
        time.sleep(0.02)
    return []


def log_with(server: ServerProcess, words: str) -> str:
    """Return the log, as soon as ``words`` are in it: a request's line follows its answer."""
    deadline = time.monotonic() + 10
    while words not in server.log():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)
    return server.log()


class Broken:
    """A database whose every use is a bug of ours."""

    def read(self, *_args: object, **_named: object) -> None:
        raise ZeroDivisionError("the bug")

    write = read


@pytest.fixture
def broken_services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(backend_store_uri=f"sqlite:///{tmp_path / 'runyard.db'}", artifacts_destination=str(tmp_path))
    with opened_services(settings) as services:
        yield dataclasses.replace(services, database=Broken())  # type: ignore[arg-type]


def call(services: Services, path: str, query: bytes = b"") -> list[MutableMapping[str, Any]]:
    """Send a GET to an application of its own and return what it sends back."""
    application = Application(services)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if sent:
            # The client stays until it has its answer.
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send_message(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"x-request-id", b"asked-by-a-test")],
        "client": None,
        "server": ("localhost", 80),
    }
    asyncio.run(application(scope, receive, send_message))
    application.close()
    return sent


def test_every_line_of_a_json_log_is_an_object_that_says_when_what_and_where(server: ServerProcess) -> None:
    get(server.port, "experiments/get", experiment_id="0")
    lines = log_with(server, "experiments/get").rpartition("\n")[0].splitlines()
    assert lines
    for line in lines:
        event = json.loads(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
        assert event["level"] in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
        assert event["logger"]
        assert event["message"]
        assert event["pid"] == server.pid


def test_a_request_is_a_line_with_its_route_status_and_time_and_without_its_query(server: ServerProcess) -> None:
    answer = get(server.port, "experiments/get", experiment_id="0", hidden="in-the-query")
    [event] = events(server, request_id=answer.headers["x-request-id"])
    assert event["logger"] == "runyard.access"
    assert event["method"] == "GET"
    assert event["path"] == event["route"] == "/api/2.0/mlflow/experiments/get"
    assert event["status"] == 200
    assert 0 < event["duration_ms"] < 30_000
    assert event["client"] == "127.0.0.1"
    assert "in-the-query" not in server.log()


def test_probes_that_go_well_make_no_lines(server: ServerProcess) -> None:
    for path in ("/health", "/readyz", "/metrics"):
        assert send(server.port, "GET", path).status == 200
    after = send(server.port, "GET", "/nothing")
    assert events(server, request_id=after.headers["x-request-id"])
    assert not [event for event in events(server) if event.get("path") in {"/health", "/readyz", "/metrics"}]


def test_a_request_keeps_the_id_it_came_with(server: ServerProcess) -> None:
    for path in ("/api/2.0/mlflow/experiments/get?experiment_id=0", "/health", "/nothing", "/api/2.0/mlflow/nothing"):
        answer = send(server.port, "GET", path, headers={"X-Request-ID": "Root=1-67891233-abcdef"})
        assert answer.headers["x-request-id"] == "Root=1-67891233-abcdef"
    log_with(server, "/api/2.0/mlflow/nothing")
    assert len(events(server, request_id="Root=1-67891233-abcdef", status=404)) == 2


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", 'quo"te', "tab\tbed", "naïve"])
def test_an_id_that_could_spoil_a_log_is_replaced(server: ServerProcess, given: str) -> None:
    answer = send(server.port, "GET", "/nothing", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_requests_get_ids_of_their_own(server: ServerProcess) -> None:
    assert len({send(server.port, "GET", "/health").headers["x-request-id"] for _ in range(20)}) == 20


def test_the_callers_trace_is_in_the_line(server: ServerProcess) -> None:
    answer = send(server.port, "GET", "/nothing", headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"})
    [event] = events(server, request_id=answer.headers["x-request-id"])
    assert (event["trace_id"], event["span_id"]) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "given",
    [
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}",
        "nonsense",
    ],
)
def test_a_traceparent_that_is_none_is_left_out(server: ServerProcess, given: str) -> None:
    answer = send(server.port, "GET", "/nothing", headers={"traceparent": given})
    [event] = events(server, request_id=answer.headers["x-request-id"])
    assert "trace_id" not in event


def test_a_path_cannot_begin_a_line_of_its_own(running_server: Start) -> None:
    server = running_server(None, "--access-log")
    send(server.port, "GET", "/a%0AERROR%20forged%1B%5B2J")
    [line] = [line for line in log_with(server, "runyard.access").splitlines() if "runyard.access" in line]
    assert "GET /a%0AERROR%20forged%1B%5B2J 404" in line
    assert re.search(r"\[request_id=[0-9a-f]{16}\]$", line)


def test_a_message_cannot_end_its_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "name %s", ("a\nERROR forged\x1b[2J\x9b2J",), None)
    [line] = TextFormatter().format(record).splitlines()
    assert line.endswith(r"name a\nERROR forged\x1b[2J\x9b2J")
    assert json.loads(JsonFormatter().format(record))["message"] == "name a\nERROR forged\x1b[2J\x9b2J"


def test_without_the_access_log_a_request_leaves_no_line(running_server: Start) -> None:
    server = running_server()
    assert send(server.port, "GET", "/nothing").status == 404
    assert server.terminate() == 0
    assert "/nothing" not in server.log()


@pytest.mark.parametrize(("level", "is_there"), [("info", True), ("warning", False)])
def test_the_level_decides_what_is_logged(running_server: Start, level: str, is_there: bool) -> None:
    server = running_server(None, "--log-level", level, "--access-log")
    send(server.port, "GET", "/nothing")
    assert server.terminate() == 0
    assert ("runyard.access" in server.log()) == is_there
    assert ("serving at" in server.log()) == is_there


@pytest.mark.parametrize(
    ("path", "query"),
    [("/api/2.0/mlflow/experiments/get", b"experiment_id=0"), ("/get-artifact", b"run_id=r&path=a")],
)
def test_a_bug_is_logged_once_under_the_requests_id_which_is_all_the_client_gets(
    broken_services: Services, caplog: pytest.LogCaptureFixture, path: str, query: bytes
) -> None:
    start, body = call(broken_services, path, query)
    assert start["status"] == 500
    assert (b"x-request-id", b"asked-by-a-test") in start["headers"]
    told = json.loads(body["body"])
    assert told["error_code"] == "INTERNAL_ERROR"
    assert told["message"] == "internal error asked-by-a-test; the server's log has the details under this id"
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "asked-by-a-test" in record.getMessage()
    assert path in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


class BreaksOff(LocalStore):
    """A store that fails after its first block."""

    async def read(self, path: str, start: int, end: int, *, etag: str | None = None) -> AsyncIterator[bytes]:
        async def blocks() -> AsyncIterator[bytes]:
            yield b"first"
            raise ZeroDivisionError("the bug")

        return blocks()


def test_a_bug_in_the_middle_of_an_answer_breaks_it_off_and_is_logged_once(
    broken_services: Services, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(b"first and more")
    services = dataclasses.replace(broken_services, artifacts=BreaksOff(tmp_path))
    start, *rest = call(services, "/api/2.0/mlflow-artifacts/artifacts/a.bin")
    assert start["status"] == 200
    assert [message["type"] for message in rest] == ["http.response.body"]
    assert rest[0]["more_body"]
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "asked-by-a-test" in record.getMessage()


def test_a_bug_in_a_write_is_told_by_the_requests_id_too(running_server: Start, tmp_path: Path) -> None:
    import sqlite3

    server = running_server(None, "--log-format", "json")
    run_id = make_run(server.port)
    with sqlite3.connect(tmp_path / "runyard.db") as database:
        database.execute("DROP TABLE latest_metrics")
    body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    answer = post(server.port, "runs/log-metric", body)
    request_id = answer.headers["x-request-id"]
    assert answer.status in {500, 503}
    if answer.status == 500:
        assert request_id in answer.json["message"]
        [event] = [event for event in events(server, request_id=request_id) if "exception" in event]
        assert "Traceback" in event["exception"]


# A password that URIs, JSON and terminals each spell in their own way.
PASSWORD = 'c0rrect "horse"/é%+'
SPELLINGS = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), json.dumps(PASSWORD)[1:-1])


@pytest.mark.parametrize("place", ["backend_store_uri", "read_replica_uri", "db_password"])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_secret_that_gets_into_a_message_is_hidden(
    log_format: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = f"postgresql://me:{quote(PASSWORD, safe='')}@db.example.com/mlflow"
    chosen: dict[str, Any] = {place: PASSWORD if place == "db_password" else uri}
    before = logging.root.handlers[:], logging.root.level
    try:
        configure_logging(Settings(log_format=log_format, **chosen))
        try:
            raise RuntimeError(f"cannot reach {uri} with {PASSWORD}")
        except RuntimeError:
            logging.getLogger("runyard.test").exception("tried %s and %r", uri, PASSWORD)
    finally:
        logging.root.handlers[:], level = before
        logging.root.setLevel(level)
    written = capsys.readouterr().err
    assert "db.example.com" in written
    assert "***" in written
    for spelling in SPELLINGS:
        assert spelling not in written


@pytest.mark.postgres
@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_databases_password_is_in_no_line_whatever_goes_wrong(
    running_server: Start, durable_postgres_server: PostgresServer, log_format: str, workers: int
) -> None:
    uri = durable_postgres_server.create_database().replace("postgres@", f"postgres:{quote(PASSWORD, safe='')}@")
    options = ("--log-level", "debug", "--access-log", "--log-format", log_format)
    server = running_server(uri, *options, workers=workers)
    run_id = make_run(server.port)
    durable_postgres_server.kill()
    body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    assert post(server.port, "runs/log-metric", body).status == 503
    assert get(server.port, "runs/get", run_id=run_id).status == 503
    assert send(server.port, "GET", "/readyz").status == 503
    server.stop()
    log = server.log()
    assert "database unavailable" in log
    assert "/api/2.0/mlflow/runs/log-metric" in log
    for spelling in SPELLINGS:
        assert spelling not in log


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:{}@127.0.0.1:1/mlflow",
        "postgresql://me:{}@no.such.host.invalid/mlflow",
        "oracle://me:{}@127.0.0.1/mlflow",
        "postgresql://me:{}@127.0.0.1:port/mlflow",
    ],
)
def test_a_server_that_cannot_start_says_why_without_the_password(tmp_path: Path, uri: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "runyard", "server", "--port", "0", "--log-level", "debug"],
        cwd=tmp_path,
        env=clean_environment({"RUNYARD_BACKEND_STORE_URI": uri.format(quote(PASSWORD, safe=""))}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Error: " in ended.stderr
    for spelling in SPELLINGS:
        assert spelling not in ended.stdout + ended.stderr
