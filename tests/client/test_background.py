"""What is logged in the background: how it is packed, and who waits for it."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from runyard.client import background
from runyard.client.background import Sender
from runyard.client.batches import Batch
from runyard.client.transport import Transport
from runyard.wire.runs import LogBatch, MetricPoint


class _Server(Transport):
    """Takes everything, and keeps how much was in each request."""

    uri = "http://test"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def request(self, method: str, path: str, request: Any, response_type: type[Any], **_: Any) -> Any:
        self.sizes.append(len(cast("LogBatch", request).metrics or ()))
        return response_type()

    def open_proxied(self, path: str) -> Any:
        raise NotImplementedError(path)

    def close(self) -> None:
        return


def point(step: int) -> list[Batch]:
    return [Batch([MetricPoint(key="loss", value=1.0, timestamp=1, step=step)], size_bytes=100)]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent because time has passed."""
    monkeypatch.setattr(background, "LINGER_S", 3600)


@pytest.mark.usefixtures("patient")
def test_points_of_one_moment_are_one_request():
    server = _Server()
    sender = Sender(server)
    for step in range(300):
        sender.submit("run", point(step))
    sender.flush()
    assert server.sizes == [300]


@pytest.mark.usefixtures("patient")
def test_who_waits_for_one_thing_does_not_wait_for_others():
    server = _Server()
    sender = Sender(server)
    for step in range(3):
        sender.submit("run", point(step)).wait()
    assert server.sizes == [1, 1, 1]


@pytest.mark.usefixtures("patient")
def test_as_many_as_fill_a_request_are_sent_at_once():
    server = _Server()
    is_sent = threading.Event()
    sender = Sender(server)
    operations = [sender.submit("run", point(step)) for step in range(1000)]
    operations[0]._operation_futures[0].add_done_callback(lambda _: is_sent.set())
    assert is_sent.wait(60)
    assert server.sizes == [1000]


def test_what_nobody_waits_for_is_sent_soon():
    server = _Server()
    [future] = Sender(server).submit("run", point(1))._operation_futures
    future.result(60)
    assert server.sizes == [1]
