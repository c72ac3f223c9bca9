"""What the server says on the wire: shapes, statuses and what it makes of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.http import API, get, history, make_run, post, send
from tests.servers import ServerProcess, start_runyard

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("wire")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


def refused(answer: Any, status: int, code: str, *words: str) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["error_code"] == code
    for word in words:
        assert word in answer.json["message"]


def test_both_surfaces_answer(server: ServerProcess) -> None:
    for surface in ("/api", "/ajax-api"):
        answer = send(server.port, "GET", f"{surface}/2.0/mlflow/experiments/get?experiment_id=0")
        assert answer.json["experiment"]["name"] == "Default"


def test_absent_values_and_empty_lists_are_left_out(server: ServerProcess) -> None:
    assert post(server.port, "runs/search", {"experiment_ids": ["0"], "filter": "run_id = 'none'"}).body == b"{}"
    run = get(server.port, "runs/get", run_id=make_run(server.port)).json["run"]
    assert set(run["data"]) == {"tags"}
    assert run["inputs"] == {}


def test_run_uuid_names_a_run_as_well(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    assert get(server.port, "runs/get", run_uuid=run_id).json["run"]["info"]["run_id"] == run_id


@pytest.mark.parametrize(
    "sent, stored",
    [
        ('"NaN"', "NaN"),
        ("NaN", "NaN"),
        ('"Infinity"', "Infinity"),
        ("-Infinity", "-Infinity"),
        ("true", 1.0),
        ('"2.5"', 2.5),
        ("1e3", 1000.0),
        ("7", 7.0),
    ],
)
def test_a_metrics_value_is_taken_as_it_was_meant(server: ServerProcess, sent: str, stored: object) -> None:
    run_id = make_run(server.port)
    body = f'{{"run_id":"{run_id}","key":"m","value":{sent},"timestamp":"12","step":3.0}}'
    assert send(server.port, "POST", f"{API}runs/log-metric", body.encode(), JSON).status == 200
    [metric] = history(server.port, run_id, "m")
    assert (metric["value"], metric["timestamp"], metric["step"]) == (stored, 12, 3)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"timestamp": 5.7}, ("timestamp", "5.7", "int")),
        ({"timestamp": -1}, ("timestamp", "-1", ">= 0")),
        ({"timestamp": 2**63}, ("timestamp", str(2**63))),
        ({"step": 2**63}, ("step", str(2**63))),
        ({"step": "x"}, ("step", "'x'")),
        ({"value": "much"}, ("value", "'much'", "float")),
        ({"value": None}, ("value",)),
        ({"value": [1]}, ("value",)),
        ({"key": ""}, ("metric name",)),
        ({"key": "a//b"}, ("metric name", "'a//b'")),
        ({"key": "../x"}, ("metric name", "'../x'")),
        ({"key": "a*b"}, ("metric name", "'a*b'")),
        ({"key": "k" * 251}, ("metric name", "250", "251")),
        ({"key": 7}, ("key", "7", "str")),
        ({"run_id": ""}, ("run_id",)),
        ({"run_id": "a\x00b"}, ("run_id", "NUL")),
    ],
)
def test_bad_input_is_refused_with_field_rule_and_value(
    server: ServerProcess, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    body = {"run_id": make_run(server.port), "key": "m", "value": 1, "timestamp": 1, "step": 1, **change}
    refused(post(server.port, "runs/log-metric", body), 400, "INVALID_PARAMETER_VALUE", *words)
    if body["run_id"] and "\x00" not in body["run_id"]:
        assert history(server.port, body["run_id"], "m") == []


@pytest.mark.parametrize("missing", ["key", "value", "timestamp", "run_id"])
def test_a_missing_field_is_named(server: ServerProcess, missing: str) -> None:
    body = {"run_id": "x", "key": "m", "value": 1, "timestamp": 1}
    del body[missing]
    refused(post(server.port, "runs/log-metric", body), 400, "INVALID_PARAMETER_VALUE", f"'{missing}'")


def test_a_wrong_point_in_a_batch_is_named_by_its_place(server: ServerProcess) -> None:
    good = {"key": "m", "value": 1, "timestamp": 1}
    body = {"run_id": make_run(server.port), "metrics": [good, {**good, "value": "much"}]}
    refused(post(server.port, "runs/log-batch", body), 400, "INVALID_PARAMETER_VALUE", "metrics[1].value", "'much'")


@pytest.mark.parametrize(
    "body, code",
    [
        (b"[1]", "INVALID_PARAMETER_VALUE"),
        (b'"x"', "INVALID_PARAMETER_VALUE"),
        (b"{", "BAD_REQUEST"),
        (b"\xff\xfe", "BAD_REQUEST"),
        (b'{"run_id": "\\ud800", "key": "m", "value": NaN, "timestamp": 1}', "BAD_REQUEST"),
        (b"[" * 100_000, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_is_no_object_is_refused(server: ServerProcess, body: bytes, code: str) -> None:
    refused(send(server.port, "POST", f"{API}runs/log-metric", body, JSON), 400, code)


def test_a_body_must_say_that_it_is_json(server: ServerProcess) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = send(server.port, "POST", f"{API}experiments/create", b'{"name":"x"}', headers)
        refused(answer, 400, "BAD_REQUEST", "application/json")
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert send(server.port, "POST", f"{API}runs/search", b"{}", charset).status == 200


@pytest.mark.parametrize(
    "part, count, words",
    [("metrics", 1001, "1000"), ("params", 101, "100"), ("tags", 101, "100")],
)
def test_a_batch_beyond_its_limits_is_refused_whole(server: ServerProcess, part: str, count: int, words: str) -> None:
    run_id = make_run(server.port)
    extra = {"timestamp": 1} if part == "metrics" else {}
    items = [{"key": f"k{n}", "value": 1 if part == "metrics" else "1", **extra} for n in range(count)]
    refused(post(server.port, "runs/log-batch", {"run_id": run_id, part: items}), 400, "INVALID_PARAMETER_VALUE", words)
    assert set(get(server.port, "runs/get", run_id=run_id).json["run"]["data"]) == {"tags"}


def test_a_batch_may_have_a_thousand_items_in_all(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    metrics = [{"key": f"k{n}", "value": 1, "timestamp": 1} for n in range(1000)]
    params = [{"key": "p", "value": "1"}]
    body = {"run_id": run_id, "metrics": metrics, "params": params}
    refused(post(server.port, "runs/log-batch", body), 400, "INVALID_PARAMETER_VALUE", "1001")
    assert post(server.port, "runs/log-batch", {**body, "params": []}).status == 200


def test_a_body_over_the_limit_is_413(server: ServerProcess) -> None:
    tags = [{"key": f"k{n}", "value": "v" * 12_000} for n in range(90)]
    refused(post(server.port, "runs/log-batch", {"run_id": "x", "tags": tags}), 413, "BAD_REQUEST", "1000000")


def test_long_values_of_params_and_tags_are_cut(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    post(server.port, "runs/log-parameter", {"run_id": run_id, "key": "p", "value": "x" * 6001})
    post(server.port, "runs/set-tag", {"run_id": run_id, "key": "t", "value": "x" * 8001})
    data = get(server.port, "runs/get", run_id=run_id).json["run"]["data"]
    assert len(data["params"][0]["value"]) == 6000
    assert {tag["key"]: len(tag["value"]) for tag in data["tags"]}["t"] == 8000


def test_an_experiments_limits_hold(server: ServerProcess) -> None:
    for body, word in (
        ({"name": ""}, "name"),
        ({"name": "  "}, "blank"),
        ({"name": "x" * 501}, "500"),
        ({"name": "n", "tags": [{"key": "k", "value": "v" * 20_001}]}, "20000"),
        ({"name": "n", "tags": [{"key": "k" * 251, "value": "v"}]}, "250"),
        ({"name": "n", "artifact_location": "s3://" + "x" * 2048}, "2048"),
    ):
        refused(post(server.port, "experiments/create", body), 400, "INVALID_PARAMETER_VALUE", word)
    for max_results in (None, 0, -1, 50_001):
        refused(post(server.port, "experiments/search", {"max_results": max_results}), 400, "INVALID_PARAMETER_VALUE")


def test_an_unknown_path_or_method_is_json_too(server: ServerProcess) -> None:
    for path in ("/api/2.0/mlflow/nothing", "/ajax-api/2.0/nothing", "/nothing", "/api/2.0mlflow/experiments/get"):
        refused(send(server.port, "GET", path), 404, "ENDPOINT_NOT_FOUND", path)
    refused(send(server.port, "PUT", f"{API}runs/create"), 405, "ENDPOINT_NOT_FOUND", "POST")


def test_probes_answer(server: ServerProcess) -> None:
    assert send(server.port, "GET", "/health").body == b"OK"
    assert send(server.port, "GET", "/livez").status == 200
    ready = send(server.port, "GET", "/readyz")
    assert ready.json == {"ready": True, "database": "ok", "artifact_store": "ok"}
    assert send(server.port, "GET", "/version").body.startswith(b"3.")


def test_a_foreign_host_is_refused_except_by_probes(server: ServerProcess) -> None:
    headers = {"Host": "evil.example.com"}
    refused(
        send(server.port, "GET", f"{API}experiments/get", headers=headers), 403, "PERMISSION_DENIED", "--allowed-hosts"
    )
    assert send(server.port, "GET", "/health", headers=headers).status == 200
    for host in ("localhost", "127.0.0.1:5000", "10.1.2.3:80", "[::1]:5000", "192.168.0.9"):
        assert send(server.port, "GET", f"{API}experiments/get?experiment_id=0", headers={"Host": host}).status == 200


def test_a_page_of_another_site_cannot_change_anything(server: ServerProcess) -> None:
    body = json.dumps({"name": "evil"}).encode()
    headers = {**JSON, "Origin": "https://evil.example.com"}
    refused(
        send(server.port, "POST", f"{API}experiments/create", body, headers),
        403,
        "PERMISSION_DENIED",
        "--cors-allowed-origins",
    )
    same = {**JSON, "Origin": f"http://127.0.0.1:{server.port}"}
    assert send(server.port, "POST", f"{API}runs/search", b"{}", same).status == 200


def test_every_answer_forbids_sniffing_and_framing(server: ServerProcess) -> None:
    for path in ("/health", f"{API}experiments/get?experiment_id=0", "/nothing", "/"):
        headers = send(server.port, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"


def test_hosts_origins_and_a_prefix_are_set_by_options(running_server: Callable[..., ServerProcess]) -> None:
    options = ("--allowed-hosts", "ml.example.com,*.corp", "--cors-allowed-origins", "https://app.example.com")
    server = running_server(None, *options, "--static-prefix", "/mlflow")
    path = "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0"
    for host, status in (("ml.example.com", 200), ("a.corp", 200), ("localhost", 403)):
        assert send(server.port, "GET", path, headers={"Host": host}).status == status
    headers = {"Host": "ml.example.com", "Origin": "https://app.example.com"}
    answer = send(server.port, "GET", path, headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    preflight = send(server.port, "OPTIONS", path, headers=headers)
    assert preflight.status == 204
    assert "PATCH" in preflight.headers["access-control-allow-methods"]


def test_a_taken_port_is_told_in_a_line(running_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    import subprocess
    import sys

    server = running_server()
    command = [sys.executable, "-m", "runyard", "server", "--port", str(server.port)]
    done = subprocess.run(
        [*command, "--backend-store-uri", f"sqlite:///{tmp_path / 'other.db'}"],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode != 0
    assert "choose another with --port" in done.stderr
    assert "Traceback" not in done.stderr
