"""What was acknowledged is there: after a kill, and under a crowd on one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.http import crowd, get, history, make_run, post
from tests.servers import ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def durable_uri(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[str]:
    """An empty database that keeps what it committed, whatever is killed."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'runyard.db'}"
    else:
        yield request.getfixturevalue("durable_postgres_server").create_database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_uri(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runyard.db'}"
    uri: str = request.getfixturevalue("postgres_url")
    return uri


def point(run_id: str, connection: int, n: int) -> tuple[str, dict[str, Any]]:
    if n % 10 == 9:
        metrics = [{"key": f"b{connection}", "value": n + i / 100, "timestamp": n, "step": i} for i in range(50)]
        return "runs/log-batch", {
            "run_id": run_id,
            "metrics": metrics,
            "params": [{"key": f"p{connection}_{n}", "value": "v"}],
        }
    return "runs/log-metric", {"run_id": run_id, "key": f"m{connection}", "value": n, "timestamp": n, "step": n}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_killed_under_load_loses_nothing_that_it_acknowledged(
    running_server: Start, durable_uri: str, workers: int
) -> None:
    server = running_server(durable_uri, workers=workers)
    run_id = make_run(server.port)
    killer = threading.Timer(2.0, server.kill)
    killer.start()
    deadline = time.monotonic() + 30
    answered = crowd(
        server.port, 16, lambda connection, n: point(run_id, connection, n), is_over=lambda: time.monotonic() > deadline
    )
    killer.join()
    assert {status for _, _, status in answered} == {200}
    assert len(answered) > 300

    again = running_server(durable_uri, workers=workers)
    run = get(again.port, "runs/get", run_id=run_id).json["run"]["data"]
    params = {param["key"] for param in run["params"]}
    latest = {metric["key"]: metric for metric in run["metrics"]}
    for connection in range(16):
        acknowledged = {n for number, n, _ in answered if number == connection}
        singles = {n for n in acknowledged if n % 10 != 9}
        stored = [metric["step"] for metric in history(again.port, run_id, f"m{connection}")]
        assert singles <= set(stored)
        assert len(stored) == len(set(stored))
        # The one request that was under way may be there or not, nothing else.
        assert len(set(stored) - singles) <= 1
        assert latest[f"m{connection}"]["step"] == max(stored)
        batches = acknowledged - singles
        assert {f"p{connection}_{n}" for n in batches} <= params
        assert len(history(again.port, run_id, f"b{connection}")) >= 50 * len(batches)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_a_crowd_on_one_run_and_one_experiment_loses_no_point(
    running_server: Start, any_uri: str, workers: int
) -> None:
    server = running_server(any_uri, workers=workers)
    run_id = make_run(server.port)
    deadline = time.monotonic() + 4

    def request(connection: int, n: int) -> tuple[str, dict[str, Any]]:
        if n % 7 == 3:
            return "runs/create", {"experiment_id": "0", "tags": [{"key": "by", "value": str(connection)}]}
        if n % 7 == 5:
            return "experiments/set-experiment-tag", {"experiment_id": "0", "key": "last", "value": f"{connection}"}
        if n % 7 == 6:
            return "runs/update", {"run_id": run_id, "status": "RUNNING", "run_name": f"name-{connection}"}
        return "runs/log-metric", {"run_id": run_id, "key": "m", "value": n, "timestamp": connection, "step": n}

    halves: list[list[tuple[int, int, int]]] = [[], []]

    def half(number: int) -> None:
        halves[number] = crowd(
            server.port,
            32,
            lambda connection, n: request(connection + 32 * number, n),
            is_over=lambda: time.monotonic() > deadline,
        )

    clients = [threading.Thread(target=half, args=(number,)) for number in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    answered = [
        (connection + 32 * number, n, status) for number in range(2) for connection, n, status in halves[number]
    ]
    assert {status for _, _, status in answered} == {200}
    sent = {(connection, n) for connection, n, _ in answered if n % 7 not in (3, 5, 6)}
    stored = [(metric["timestamp"], metric["step"]) for metric in history(server.port, run_id, "m")]
    assert sorted(stored) == sorted(sent)
    created = sum(1 for _, n, _ in answered if n % 7 == 3)
    found = 0
    token = None
    while True:
        page = post(server.port, "runs/search", {"experiment_ids": ["0"], "max_results": 500, "page_token": token}).json
        found += len(page.get("runs", []))
        token = page.get("next_page_token")
        if token is None:
            break
    assert found == created + 1
    [latest] = get(server.port, "runs/get", run_id=run_id).json["run"]["data"]["metrics"]
    assert (latest["step"], latest["timestamp"]) == max((n, connection) for connection, n in sent)
    assert "database is locked" not in server.log()
    assert "deadlock" not in server.log()
