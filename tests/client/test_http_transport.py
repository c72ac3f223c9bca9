"""The transport over HTTP, against servers that answer as they are told."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runyard import environment_variables
from runyard.client import artifacts, connections, request_headers, tracking
from runyard.client.client import MlflowClient
from runyard.client.http import FIRST_RETRIES, RETRIES, HttpTransport
from runyard.client.request_headers import RequestHeaderProvider
from runyard.errors import AlreadyExists, ConfigurationError, NotFound, PermissionDenied, RunyardError, Unavailable
from runyard.settings import ClientSettings, load_client_settings
from runyard.wire.base import Empty
from tests.ports import free_port

EXPERIMENT = (
    b'{"experiment":{"experiment_id":"1","name":"n","artifact_location":"x:/","lifecycle_stage":"active",'
    b'"creation_time":1,"last_update_time":1}}'
)


@dataclass
class Script:
    """What to answer, in turn (the last again and again), and what was asked."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, b"{}")])
    # How many bytes more than it sends an answer promises.
    missing_bytes: int = 0
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def script() -> Iterator[Script]:
    found = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.requests.append((self.command, self.path, headers, body))
            status, content = found.answers[min(len(found.requests), len(found.answers)) - 1]
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + found.missing_bytes))
            # Said, so that no request is sent on a connection that is about to end.
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that the base class calls

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connect(script: Script) -> Iterator[Callable[..., HttpTransport]]:
    """A function that connects to the script's server, or to a URI, with the settings given by name."""
    opened: list[HttpTransport] = []

    def open_it(uri: str | None = None, **settings: object) -> HttpTransport:
        opened.append(HttpTransport(uri or script.url, ClientSettings(**settings)))  # type: ignore[arg-type]
        return opened[-1]

    yield open_it
    for transport in opened:
        transport.close()


Connect = Callable[..., HttpTransport]


def test_a_programs_own_headers_are_on_every_request(
    script: Script, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Team(RequestHeaderProvider):
        told = 0

        def in_context(self) -> bool:
            return self.told < 2

        def request_headers(self) -> dict[str, str]:
            self.told += 1
            return {"X-Team": f"a{self.told}"}

    monkeypatch.setattr(request_headers.providers, "_registry", [])
    request_headers.providers.register(Team)
    script.answers = [(200, EXPERIMENT)]
    transport = connect(token="secret")
    for _ in range(3):
        tracking.get_experiment(transport, "1")

    assert [headers.get("x-team") for _, _, headers, _ in script.requests] == ["a1", "a2", None]
    assert {headers["authorization"] for _, _, headers, _ in script.requests} == {"Bearer secret"}


def test_credentials_that_the_environment_names_later_count_from_then_on(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.answers = [(200, EXPERIMENT)]
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "first")
    client = MlflowClient(script.url)
    client.get_experiment("1")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "renewed")
    client.get_experiment("1")
    monkeypatch.setenv("RUNYARD_TRACKING_USERNAME", "a")
    monkeypatch.setenv("RUNYARD_TRACKING_PASSWORD", "b")
    MlflowClient(script.url).get_experiment("1")
    for name in ("MLFLOW_TRACKING_TOKEN", "RUNYARD_TRACKING_USERNAME", "RUNYARD_TRACKING_PASSWORD"):
        monkeypatch.delenv(name)
    client.get_experiment("1")
    connections.close_all()

    basic = f"Basic {base64.b64encode(b'a:b').decode()}"
    assert [headers.get("authorization") for _, _, headers, _ in script.requests] == [
        "Bearer first",
        "Bearer renewed",
        basic,
        None,
    ]


def test_certificates_that_the_environment_names_later_count_from_then_on(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.answers = [(200, EXPERIMENT)]
    client = MlflowClient(script.url)
    client.get_experiment("1")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "no-such-file.pem")
    with pytest.raises(ConfigurationError, match=r"server_cert_path names no file: 'no-such-file\.pem'"):
        client.get_experiment("1")
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    client.get_experiment("1")
    connections.close_all()


def test_nothing_of_a_workspace_is_sent_before_the_server_said_that_it_has_some(
    script: Script, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team-a")
    transport = connect()
    refused: list[RunyardError] = []

    def create() -> None:
        try:
            tracking.create_experiment(transport, "of the team")
        except RunyardError as error:
            refused.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error.error_code for error in refused] == ["FEATURE_DISABLED"] * 8
    assert {path.partition("?")[0] for _, path, _, _ in script.requests} == {"/api/3.0/mlflow/server-info"}


def test_a_busy_server_is_asked_again(script: Script, connect: Connect) -> None:
    script.answers = [(503, b"busy"), (200, EXPERIMENT)]
    assert tracking.get_experiment(connect(), "1").name == "n"
    assert len(script.requests) == 2


def test_what_may_not_be_done_twice_is_not_sent_twice(script: Script, connect: Connect) -> None:
    script.answers = [(503, b'{"error_code":"TEMPORARILY_UNAVAILABLE","message":"busy"}'), (200, b"{}")]
    with pytest.raises(Unavailable, match="busy"):
        tracking.create_run(connect(), "0", start_time=1)
    assert len(script.requests) == 1


def test_a_server_that_stays_busy_is_given_up_with_what_it_said(script: Script, connect: Connect) -> None:
    script.answers = [(429, b'{"error_code":"TEMPORARILY_UNAVAILABLE","message":"too many"}')]
    with pytest.raises(Unavailable, match="too many"):
        tracking.get_experiment(connect(max_retries=1), "1")
    assert len(script.requests) == 2


def test_a_server_that_answered_once_is_waited_for_longer_than_one_that_never_did(
    script: Script, connect: Connect
) -> None:
    busy = [(503, b"restarting")] * (RETRIES - 1)
    transport = connect(backoff_factor=0.0, backoff_jitter=0.0)
    script.answers = [*busy, (200, EXPERIMENT)]
    with pytest.raises(Unavailable, match="restarting"):
        tracking.get_experiment(transport, "1")
    assert len(script.requests) == FIRST_RETRIES + 1
    script.answers = [*busy, (200, EXPERIMENT)]
    assert tracking.get_experiment(transport, "1").name == "n"


def test_how_long_is_waited_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7", "RUNYARD_HTTP_REQUEST_BACKOFF_FACTOR": "2.5"}
    settings = load_client_settings(told)
    assert (settings.max_retries, settings.backoff_factor) == (7, 2.5)
    for value in ("nan", "much"):
        with pytest.raises(ConfigurationError, match="must be a number"):
            load_client_settings({"MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": value})
    with pytest.raises(ConfigurationError, match="backoff_factor must be between 0 and 600"):
        load_client_settings(backoff_factor=-1.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1.5")
    assert environment_variables.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get() == 1.5


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "RESOURCE_ALREADY_EXISTS", AlreadyExists),
        (404, "RESOURCE_DOES_NOT_EXIST", NotFound),
        (403, "PERMISSION_DENIED", PermissionDenied),
    ],
)
def test_an_error_is_raised_as_what_the_server_meant(
    script: Script, connect: Connect, status: int, code: str, kind: type[RunyardError]
) -> None:
    script.answers = [(status, f'{{"error_code":"{code}","message":"said the server"}}'.encode())]
    with pytest.raises(kind, match="said the server"):
        tracking.get_experiment(connect(), "1")


def test_an_answer_of_another_protocol_is_shown(script: Script, connect: Connect) -> None:
    script.answers = [(200, b"<html>Sign in</html>")]
    with pytest.raises(RunyardError, match="Sign in"):
        tracking.get_experiment(connect(), "1")
    script.answers = [(401, b"<html>Sign in</html>")]
    with pytest.raises(PermissionDenied, match="MLFLOW_TRACKING_TOKEN"):
        tracking.get_experiment(connect(), "1")


@pytest.mark.parametrize(
    ("settings", "in_uri", "expected"),
    [
        ({}, "", None),
        ({"token": "t0"}, "", "Bearer t0"),
        ({"username": "u", "password": "p:w"}, "", "Basic " + base64.b64encode(b"u:p:w").decode()),
        ({"username": "u", "password": "p", "token": "t"}, "", "Basic " + base64.b64encode(b"u:p").decode()),
        ({"token": "t"}, "ann:s%40t@", "Basic " + base64.b64encode(b"ann:s@t").decode()),
    ],
)
def test_who_asks_is_told_as_the_settings_say(
    script: Script, connect: Connect, settings: dict[str, str], in_uri: str, expected: str | None
) -> None:
    script.answers = [(200, EXPERIMENT)]
    transport = connect(script.url.replace("//", f"//{in_uri}"), **settings)
    tracking.get_experiment(transport, "1")
    [(_, _, headers, _)] = script.requests
    assert headers.get("authorization") == expected
    assert "s%40t" not in transport.uri


def test_a_path_of_the_servers_own_stays_before_every_address(script: Script, connect: Connect) -> None:
    script.answers = [(200, EXPERIMENT)]
    tracking.get_experiment(connect(f"{script.url}/mlflow/"), "1")
    [(method, path, _, _)] = script.requests
    assert (method, path) == ("GET", "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=1")


@pytest.mark.parametrize("uri", ["http://", "http://:5000", "http://[::1"])
def test_a_uri_that_names_no_server_is_refused(connect: Connect, uri: str) -> None:
    with pytest.raises(ConfigurationError, match="tracking URI"):
        connect(uri)


def test_no_server_is_told_with_its_address(connect: Connect) -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=rf"there is no server at http://127\.0\.0\.1:{port} \(connection refused\)"):
        tracking.get_experiment(connect(f"http://127.0.0.1:{port}", max_retries=0), "1")


def test_a_download_that_is_cut_short_leaves_no_file(script: Script, connect: Connect, tmp_path: Path) -> None:
    script.answers = [(200, b"half")]
    script.missing_bytes = 4
    with pytest.raises(Unavailable, match="cut short"):
        connect().open_proxied("run").download("model.bin", tmp_path / "model.bin", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_is_tried_again_sends_the_whole_file_again(
    script: Script, connect: Connect, tmp_path: Path
) -> None:
    script.answers = [(503, b"busy"), (200, b"{}")]
    (tmp_path / "file").write_bytes(b"x" * 300_000)
    told: list[int] = []
    connect().open_proxied("run").upload(tmp_path / "file", "a b/file", told.append)
    assert [(path, len(body)) for _, path, _, body in script.requests] == [
        ("/api/2.0/mlflow-artifacts/artifacts/run/a%20b/file", 300_000)
    ] * 2
    assert sum(told) == 300_000


def test_a_server_cannot_choose_where_a_download_is_written(script: Script, connect: Connect) -> None:
    script.answers = [(200, b'{"files":[{"path":"../../evil","is_dir":false,"file_size":1}]}')]
    with pytest.raises(RunyardError, match=r"\.\."):
        artifacts.find_files(connect().open_proxied("run"), "")


def test_unknown_fields_of_an_answer_are_ignored(script: Script, connect: Connect) -> None:
    script.answers = [(200, b'{"new": 1}')]
    assert isinstance(connect().request("POST", "x", Empty(), Empty), Empty)  # type: ignore[arg-type]
