"""What a server does with clients that send too much, too slowly, too often, or what is not to be written."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runyard.errors import ConfigurationError, PermissionDenied, TooManyRequests
from runyard.server.access import AccessPolicy
from runyard.server.rates import Rates, client_of, parse_networks
from runyard.settings import Settings
from tests.server.http import API, get, make_run, post, send
from tests.servers import ServerProcess, start_runyard

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
CLIENT_TIMEOUT_S = 2
# A second for the server to look, and time for a machine that is busy.
WAIT_S = 20
MAX_HEAD_BYTES = 16 * 1024
LARGE_BYTES = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("safety")
    options = ("--client-timeout", str(CLIENT_TIMEOUT_S), "--max-head-bytes", str(MAX_HEAD_BYTES))
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder, *options)
    yield process
    process.stop()


@contextlib.contextmanager
def connected(server: ServerProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """Return what the server sends until it hangs up."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def error_of(answer: bytes) -> tuple[int, str, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    told = json.loads(body)
    return int(head.split()[1]), told["error_code"], told["message"]


def test_a_head_that_does_not_end_is_given_up(server: ServerProcess) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        began = time.monotonic()
        # One byte now and then is not enough: it is the whole head that has to come in time.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < CLIENT_TIMEOUT_S + 2:
                connection.sendall(b"a")
                time.sleep(0.2)
        status, code, _ = error_of(read_all(connection))
    assert (status, code) == (408, "REQUEST_TIMEOUT")


def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(server: ServerProcess) -> None:
    with connected(server) as connection:
        assert read_all(connection) == b""


def test_a_body_that_stops_coming_is_given_up(server: ServerProcess) -> None:
    with connected(server) as connection:
        connection.sendall(
            b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"experiment_id"'
        )
        status, _, message = error_of(read_all(connection))
    assert status == 408
    assert "did not come in time" in message


def test_an_upload_that_stops_coming_leaves_nothing(server: ServerProcess) -> None:
    with connected(server) as connection:
        connection.sendall(
            f"PUT {PROXY}/half/weights.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode()
        )
        connection.sendall(b"x" * 500_000)
        assert error_of(read_all(connection))[0] == 408
    assert send(server.port, "GET", f"{PROXY}/half/weights.bin").status == 404


def test_who_is_slow_but_goes_on_is_waited_for(server: ServerProcess) -> None:
    parts = 8
    with connected(server) as connection:
        connection.sendall(
            f"PUT {PROXY}/slow/weights.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Length: {parts}\r\n\r\n".encode()
        )
        for _ in range(parts):
            time.sleep(CLIENT_TIMEOUT_S / 4)
            connection.sendall(b"x")
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
    assert send(server.port, "GET", f"{PROXY}/slow/weights.bin").body == b"x" * parts


def test_who_does_not_read_the_answer_is_hung_up_on(server: ServerProcess) -> None:
    assert send(server.port, "PUT", f"{PROXY}/large.bin", os.urandom(LARGE_BYTES)).status == 200
    with socket.socket() as connection:
        # What the kernel takes in a reader's place.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(WAIT_S)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {PROXY}/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(CLIENT_TIMEOUT_S + 4)
        assert len(read_all(connection)) < LARGE_BYTES
    assert "hung up on" in server.log()


def test_an_address_that_is_too_long_is_414(server: ServerProcess) -> None:
    answer = send(server.port, "GET", f"/api/2.0/mlflow/runs/get?run_id={'x' * MAX_HEAD_BYTES}")
    assert (answer.status, answer.json["error_code"]) == (414, "BAD_REQUEST")
    assert str(MAX_HEAD_BYTES) in answer.json["message"]


def test_headers_that_are_too_long_are_431(server: ServerProcess) -> None:
    answer = send(server.port, "GET", "/health", headers={f"X-{at}": "y" * 4000 for at in range(5)})
    assert (answer.status, answer.json["error_code"]) == (431, "BAD_REQUEST")


def test_a_header_without_an_end_is_refused_where_the_limit_is(server: ServerProcess) -> None:
    sent = 0
    with connected(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < LARGE_BYTES:
                sent += connection.send(b"z" * 65536)
    assert sent < LARGE_BYTES
    assert send(server.port, "GET", "/health").status == 200


def test_what_is_no_http_is_told_so_in_json(server: ServerProcess) -> None:
    with connected(server) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
        assert error_of(read_all(connection))[:2] == (400, "BAD_REQUEST")


def test_a_client_that_asks_too_often_is_told_when_to_ask_again(
    running_server: Callable[..., ServerProcess],
) -> None:
    limited = running_server(None, "--rate-limit", "5")
    answers = [get(limited.port, "experiments/get", experiment_id="0") for _ in range(60)]
    assert answers[0].status == 200
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].json["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert "5 a second" in refused[0].json["message"]
    assert int(refused[0].headers["retry-after"]) >= 1
    # Nobody is made another client by saying so.
    answers = [send(limited.port, "GET", "/version", headers={"X-Forwarded-For": f"9.9.9.{at}"}) for at in range(30)]
    assert {answer.status for answer in answers} == {200}
    forged = [
        send(
            limited.port,
            "GET",
            "/api/2.0/mlflow/experiments/get?experiment_id=0",
            headers={"X-Forwarded-For": f"9.9.9.{at}"},
        ).status
        for at in range(30)
    ]
    assert 429 in forged


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://]"])
def test_an_origin_that_is_no_address_is_another_one(server: ServerProcess, origin: str) -> None:
    answer = send(server.port, "POST", f"{API}runs/search", b"{}", {"Origin": origin})
    assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")


def test_refused_hosts_are_not_remembered() -> None:
    policy = AccessPolicy(Settings())
    for number in range(100):
        with pytest.raises(PermissionDenied):
            policy.check_host("/", f"{number}.example.com".encode())
    policy.check_host("/", b"localhost:5000")
    assert list(policy._allowed_hosts) == [b"localhost:5000"]


def test_the_head_of_a_pipelined_request_is_not_as_long_as_the_body_before_it(server: ServerProcess) -> None:
    body = b"x" * 200_000
    first = (
        b"PUT /api/2.0/mlflow-artifacts/artifacts/p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
        + body
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(first + b"GET /version HTTP/1.1\r\nHost: local")
        time.sleep(0.3)
        client.sendall(b"host\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.count(b"HTTP/1.1 200") == 2, answer


def test_behind_a_trusted_proxy_each_client_has_its_own_rate(running_server: Callable[..., ServerProcess]) -> None:
    limited = running_server(None, "--rate-limit", "1", "--trusted-proxies", "127.0.0.0/8")
    path = "/api/2.0/mlflow/experiments/get?experiment_id=0"
    statuses = [
        send(limited.port, "GET", path, headers={"X-Forwarded-For": f"203.0.113.{at}"}).status for at in range(40)
    ]
    assert set(statuses) == {200}


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "not an address"),
        ("::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_heard(peer: str, forwarded_for: str, client: str) -> None:
    assert client_of(peer, forwarded_for, parse_networks("10.0.0.0/8, ::1")) == client


def test_a_bucket_fills_again_and_forgotten_clients_cost_nothing() -> None:
    rates = Rates(100, "")
    scope = {"client": ("198.51.100.7", 1)}
    for _ in range(200):
        rates.take(scope, {})
    with pytest.raises(TooManyRequests):
        rates.take(scope, {})
    time.sleep(0.05)
    rates.take(scope, {})
    for at in range(20_000):
        rates.take({"client": (f"c{at}", 1)}, {})
    assert len(rates._buckets) <= 10_000


def test_a_proxy_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="trusted_proxies"):
        parse_networks("nginx")


def test_a_read_only_server_reads_and_writes_nothing(
    running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    uri = f"sqlite:///{tmp_path / 'kept.db'}"
    first = running_server(uri)
    run_id = make_run(first.port)
    assert send(first.port, "PUT", f"{PROXY}/0/{run_id}/artifacts/a.txt", b"kept").status == 200
    first.stop()
    first.was_ended = True

    second = running_server(uri, "--read-only")
    assert get(second.port, "runs/get", run_id=run_id).status == 200
    assert post(second.port, "runs/search", {"experiment_ids": ["0"]}).json["runs"][0]["info"]["run_id"] == run_id
    ids = send(
        second.port,
        "POST",
        "/api/1.0/runyard/runs/ids",
        b'{"experiment_ids": ["0"]}',
        {"Content-Type": "application/json"},
    )
    assert ids.json["run_ids"] == [run_id]
    assert send(second.port, "GET", f"{PROXY}/0/{run_id}/artifacts/a.txt").body == b"kept"
    assert send(second.port, "GET", "/").status == 200
    assert send(second.port, "GET", "/readyz").status == 200
    refused = [
        post(second.port, "runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1}),
        post(second.port, "experiments/create", {"name": "new"}),
        send(second.port, "PUT", f"{PROXY}/0/{run_id}/artifacts/a.txt", b"changed"),
        send(second.port, "DELETE", f"{PROXY}/0/{run_id}/artifacts/a.txt"),
    ]
    for answer in refused:
        assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")
        assert "read-only" in answer.json["message"]
    assert send(second.port, "GET", f"{PROXY}/0/{run_id}/artifacts/a.txt").body == b"kept"


def test_a_read_only_server_does_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is empty; run: runyard db upgrade"):
        start_runyard(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, "--read-only")
