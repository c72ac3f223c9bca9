"""The load generator: many keep-alive connections that log as fast as they are answered.

It runs as a process of its own (``python -m benchmarks.load SPEC``), so that it and the server have a core each, and
speaks HTTP by hand, so that it costs less than what it measures. It prints what was answered as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import uvloop

API = b"/api/2.0/mlflow/"
METRICS_PER_BATCH = 1000
KEYS_PER_BATCH = 10
# Seven digits that are replaced by a batch's number, before three that tell its points apart.
PLACE = b"@@@@@@@"
FIRST_BATCH = 1_000_000


class Client(asyncio.Protocol):
    """One connection: sends the next request when the last is answered."""

    def __init__(self, requests: Iterator[bytes], results: Results, closed: asyncio.Future[None]) -> None:
        self.closed = closed
        self._requests = requests
        self._results = results
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of classes of their own.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0 or not _is_whole(buffer, head + 4):
            return
        self._results.seconds.append(time.perf_counter() - self._sent)
        if not buffer.startswith(b"HTTP/1.1 200"):
            self._results.errors.append(buffer[:500].decode("utf-8", "replace"))
            self._transport.close()
            return
        body, self._buffer = buffer[head + 4 :], b""
        self._send(body)

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._results.errors.append(str(error))
        self.closed.set_result(None)

    def _send(self, last_answer: bytes = b"") -> None:
        if time.perf_counter() > self._results.end:
            self._transport.close()
            return
        try:
            # A generator of requests that needs the last answer takes it by send().
            request = self._requests.send(last_answer or None)  # type: ignore[attr-defined]
        except StopIteration:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


class Results:
    def __init__(self, seconds: float) -> None:
        self.end = time.perf_counter() + seconds
        self.seconds: list[float] = []
        self.errors: list[str] = []


def _is_whole(buffer: bytes, body: int) -> bool:
    head = buffer[:body].lower()
    start = head.find(b"content-length:")
    if start >= 0:
        length = int(head[start + 15 : head.index(b"\r\n", start)])
        return len(buffer) >= body + length
    return buffer.endswith(b"0\r\n\r\n")


def _post(path: bytes, body: bytes) -> bytes:
    return (
        b"POST %b%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (API, path, len(body), body)
    )


def metrics(run_id: bytes) -> Iterator[bytes]:
    """One new point a request."""
    step = 0
    while True:
        yield _post(
            b"runs/log-metric",
            b'{"run_uuid":"%b","run_id":"%b","key":"loss","value":0.25,"timestamp":%d,"step":%d}'
            % (run_id, run_id, 1_700_000_000_000 + step, step),
        )
        step += 1


def batches(run_id: bytes) -> Iterator[bytes]:
    """1,000 new points a request: 10 metrics, 100 steps of each."""
    generator = random.Random(run_id)
    points = [
        b'{"key":"m%d","value":%.6f,"timestamp":1700000000000,"step":%b%03d}'
        % (n % KEYS_PER_BATCH, generator.random(), PLACE, n // KEYS_PER_BATCH)
        for n in range(METRICS_PER_BATCH)
    ]
    whole = b'{"run_id":"%b","metrics":[%b]}' % (run_id, b",".join(points))
    number = FIRST_BATCH
    while True:
        yield _post(b"runs/log-batch", whole.replace(PLACE, b"%d" % number))
        number += 1


def lifecycles(experiment_id: bytes) -> Iterator[bytes]:
    """A run from its creation to its end: three requests."""
    while True:
        answer = yield _post(
            b"runs/create",
            b'{"experiment_id":"%b","start_time":1700000000000,"tags":[{"key":"mlflow.user","value":"u"}]}'
            % experiment_id,
        )
        run_id = json.loads(_plain(answer))["run"]["info"]["run_id"].encode()
        logged = b",".join(b'{"key":"m%d","value":0.5,"timestamp":1,"step":0}' % n for n in range(5))
        params = b",".join(b'{"key":"p%d","value":"v"}' % n for n in range(5))
        yield _post(b"runs/log-batch", b'{"run_id":"%b","metrics":[%b],"params":[%b]}' % (run_id, logged, params))
        yield _post(b"runs/update", b'{"run_id":"%b","status":"FINISHED","end_time":1700000001000}' % run_id)


def invocations(body: bytes) -> Iterator[bytes]:
    """The same rows again and again, for a scoring server."""
    head = b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    request = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    while True:
        yield request


def _plain(body: Any) -> bytes:
    """Return a body without the marks of its chunks, where it has any."""
    found: bytes = body[body.index(b"{") : body.rindex(b"}") + 1]
    return found


KINDS = {"metrics": metrics, "batches": batches, "lifecycles": lifecycles, "invocations": invocations}


async def _run(spec: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    results = Results(spec["seconds"])
    counts: list[Iterator[bytes]] = [KINDS[spec["kind"]](target.encode()) for target in spec["targets"]]
    start = time.perf_counter()
    clients = []
    for requests in counts:
        client = Client(requests, results, loop.create_future())
        await loop.create_connection(lambda made=client: made, "127.0.0.1", spec["port"])  # type: ignore[misc]
        clients.append(client)
    for client in clients:
        await client.closed
    elapsed = time.perf_counter() - start
    waits = sorted(results.seconds)
    return {
        "elapsed": elapsed,
        "answered": len(waits),
        "p50_s": waits[len(waits) // 2] if waits else 0.0,
        "p99_s": waits[len(waits) * 99 // 100] if waits else 0.0,
        "errors": results.errors[:10],
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run(json.loads(sys.argv[1])))))
