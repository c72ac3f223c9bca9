"""A plain client of one keep-alive connection, for what is measured request by request, and for checking."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

API = "/api/2.0/mlflow/"
TIMEOUT_S = 300


class NotOffered(Exception):
    """The server has no such endpoint."""


class Client:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def post(self, path: str, body: Any) -> Any:
        return json.loads(self.post_raw(path, body))

    def post_raw(self, path: str, body: Any) -> bytes:
        content = json.dumps(body).encode()
        return self._request("POST", API + path, content)

    def get(self, path: str, **query: Any) -> Any:
        return json.loads(self.get_raw(path, **query))

    def get_raw(self, path: str, **query: Any) -> bytes:
        return self._request("GET", f"{API}{path}?{urlencode(query, doseq=True)}")

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            answer = self._send(method, path, body)
        except ConnectionError:
            # Kept alive for too long; every client opens another then.
            self._connection.close()
            answer = self._send(method, path, body)
        content = answer.read()
        if answer.status == 404:
            raise NotOffered(path)
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {content[:500]!r}")
        return content

    def _send(self, method: str, path: str, body: bytes | None) -> http.client.HTTPResponse:
        if self._connection.sock is None:
            self._connection.connect()
            connected: socket.socket | None = self._connection.sock
            assert connected is not None
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.request(method, path, body, {"Content-Type": "application/json"})
        return self._connection.getresponse()

    def make_run(self, experiment_id: str, tags: int = 0) -> str:
        body = {
            "experiment_id": experiment_id,
            "start_time": 1_700_000_000_000,
            "tags": [{"key": f"tag_{n}", "value": f"value {n}"} for n in range(tags)],
        }
        run_id: str = self.post("runs/create", body)["run"]["info"]["run_id"]
        return run_id

    def history(self, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return a whole history, by pages of as many as stock clients ask for."""
        pages = map(json.loads, self.history_pages(run_id, key))
        return [point for page in pages for point in page.get("metrics", ())]

    def history_pages(self, run_id: str, key: str) -> Iterator[bytes]:
        """Give the pages of a history as they come: to read them takes longer than some servers take to make them."""
        token = ""
        while True:
            query = {"run_id": run_id, "run_uuid": run_id, "metric_key": key, "max_results": 25_000}
            page = self.get_raw("metrics/get-history", **query, **({"page_token": token} if token else {}))
            yield page
            token = token_in(page)
            if not token:
                return


def token_in(page: bytes) -> str:
    """Return the token of the next page, '' on the last: a member of its own at the start or the end of an answer."""
    name = b'"next_page_token"'
    place = page.rfind(name)
    if place < 0:
        return ""
    start = page.index(b'"', page.index(b":", place + len(name))) + 1
    return page[start : page.index(b'"', start)].decode()


def seed_runs(port: int, count: int, connections: int = 8) -> str:
    """Make an experiment of runs with 20 params, 20 metrics and 5 tags each; return its id.

    metric_1 spreads evenly over [0, 1) and param_2 over 0 … 9, so that a filter's share of the runs is known.
    """
    experiment_id: str = Client(port).post("experiments/create", {"name": f"seeded {count}"})["experiment_id"]

    def seed(first: int) -> None:
        client = Client(port)
        for number in range(first, count, connections):
            run_id = client.make_run(experiment_id, tags=5)
            metrics = [
                {"key": f"metric_{n}", "value": _spread(number * (n + 1), count), "timestamp": 1, "step": 0}
                for n in range(20)
            ]
            params = [{"key": f"param_{n}", "value": str(number % 10)} for n in range(20)]
            client.post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})

    with ThreadPoolExecutor(connections) as threads:
        list(threads.map(seed, range(connections)))
    return experiment_id


def _spread(number: int, count: int) -> float:
    return (number * 7919 % count) / count


def seed_history(port: int, points: int) -> str:
    """Make a run with one metric, `long`, of so many points; return its id."""
    client = Client(port)
    run_id = client.make_run("0")
    for start in range(0, points, 1000):
        metrics = [
            {"key": "long", "value": _spread(step, points), "timestamp": 1_700_000_000_000 + step, "step": step}
            for step in range(start, min(start + 1000, points))
        ]
        client.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
    return run_id
