"""Raw requests to a real server, so that tests see what is on the wire; and a crowd of clients at once."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

API = "/api/2.0/mlflow/"


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def post(port: int, path: str, body: Any, method: str = "POST") -> Answer:
    return send(port, method, API + path, json.dumps(body).encode(), {"Content-Type": "application/json"})


def get(port: int, path: str, /, **query: Any) -> Answer:
    return send(port, "GET", f"{API}{path}?{urlencode(query, doseq=True)}")


def make_run(port: int, experiment_id: str = "0") -> str:
    run_id: str = post(port, "runs/create", {"experiment_id": experiment_id}).json["run"]["info"]["run_id"]
    return run_id


def history(port: int, run_id: str, metric_key: str) -> list[dict[str, Any]]:
    answer = get(port, "metrics/get-history", run_id=run_id, metric_key=metric_key)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json.get("metrics", [])
    return found


def crowd(
    port: int,
    connections: int,
    request: Callable[[int, int], tuple[str, dict[str, Any]]],
    *,
    is_over: Callable[[], bool],
) -> list[tuple[int, int, int]]:
    """Send requests on many connections until it is over or the server is gone; return what was answered.

    Args:
        request: gives the path and the body of a connection's n-th request.
    Returns:
        A connection, n and the status of each request that got its whole answer.
    """
    answered: list[tuple[int, int, int]] = []

    async def client(number: int) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        with contextlib.closing(writer):
            n = 0
            while not is_over():
                path, body = request(number, n)
                content = json.dumps(body).encode()
                head = f"POST {API}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
                try:
                    status = await _read_answer(reader)
                except (OSError, asyncio.IncompleteReadError):
                    return
                answered.append((number, n, status))
                n += 1

    async def run() -> None:
        await asyncio.gather(*map(client, range(connections)))

    asyncio.run(run())
    return answered


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(_header_pairs(lines))
    await reader.readexactly(int(headers["content-length"]))
    return int(status.split()[1])


def _header_pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name.lower(), value.strip()


def artifact_bytes(port: int, direction: str) -> float:
    """Return how many bytes of artifacts a server has "received", or "sent", as its metrics say."""
    lines = send(port, "GET", "/metrics").body.decode().splitlines()
    start = f'runyard_artifact_bytes_total{{direction="{direction}"}} '
    [found] = [float(line.removeprefix(start)) for line in lines if line.startswith(start)]
    return found
