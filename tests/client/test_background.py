"""The queue of what is logged in the background: bounded, in order, and nothing is dropped."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import runyard as mlflow
from runyard.client import background
from runyard.client.background import Sender
from runyard.client.batches import Batch, single
from runyard.client.transport import Transport
from runyard.errors import Unavailable
from runyard.wire.base import Empty
from runyard.wire.runs import LogBatch, MetricPoint


class Gate(Transport):
    """A server that answers when it is let, or fails, and keeps the steps that it was given."""

    uri = "http://gate"

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_away = False
        self.steps: list[int] = []
        self.requests = 0

    def request(self, method: str, path: str, request: Any, response_type: Any, *, is_idempotent: Any = None) -> Any:
        assert isinstance(request, LogBatch)
        assert self.is_open.wait(30)
        if self.is_away:
            raise Unavailable("away")
        self.requests += 1
        self.steps += [point.step or 0 for point in request.metrics or []]
        return Empty()

    def open_proxied(self, path: str) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        return


def point(step: int) -> Batch:
    return single(MetricPoint(key="loss", value=0.5, timestamp=1, step=step), "metrics")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many calls fit in a queue that was made small."""
    each = background._CALL_BYTES + point(0).size_bytes
    monkeypatch.setattr(background, "MAX_WAITING_BYTES", 10 * each)
    return 10


def wait_until(claim: Any) -> None:
    deadline = time.monotonic() + 20
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_who_logs_more_than_the_queue_holds_waits_for_room_and_loses_nothing(small: int) -> None:
    gate = Gate()
    sender = Sender(gate)
    done: list[int] = []

    def log() -> None:
        for step in range(100):
            sender.submit("r", [point(step)])
            done.append(step)

    thread = threading.Thread(target=log)
    thread.start()
    wait_until(lambda: len(done) == small)
    time.sleep(0.1)
    assert len(done) == small
    assert sender._held_bytes <= background.MAX_WAITING_BYTES
    gate.is_open.set()
    thread.join(20)
    sender.flush()

    assert gate.steps == list(range(100))
    assert sender._held_bytes == 0


def test_what_is_larger_than_the_whole_queue_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MAX_WAITING_BYTES", 1)
    gate = Gate()
    gate.is_open.set()
    sender = Sender(gate)
    sender.submit("r", [point(step) for step in range(5)])
    sender.flush()
    assert gate.steps == [0, 1, 2, 3, 4]


def test_a_server_that_is_away_makes_room_by_failing_and_tells_it(small: int) -> None:
    gate = Gate()
    gate.is_away = True
    gate.is_open.set()
    sender = Sender(gate)
    given = [sender.submit("r", [point(step)]) for step in range(50)]
    sender.flush()
    for operations in given:
        with pytest.raises(Unavailable):
            operations.wait()
    assert sender._held_bytes == 0


def test_a_full_queue_of_real_runs_arrives_whole(small: int, place: Path) -> None:
    with mlflow.start_run() as run:
        for step in range(200):
            mlflow.log_metric("loss", step, step=step, synchronous=False)
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [found.step for found in history] == list(range(200))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent because time has passed."""
    monkeypatch.setattr(background, "LINGER_S", 3600)


@pytest.fixture
def gate() -> Gate:
    gate = Gate()
    gate.is_open.set()
    return gate


@pytest.mark.usefixtures("patient")
def test_points_of_one_moment_are_one_request(gate: Gate) -> None:
    sender = Sender(gate)
    for step in range(300):
        sender.submit("r", [point(step)])
    sender.flush()
    assert gate.requests == 1


@pytest.mark.usefixtures("patient")
def test_who_waits_for_one_thing_does_not_wait_for_others(gate: Gate) -> None:
    sender = Sender(gate)
    for step in range(3):
        sender.submit("r", [point(step)]).wait()
    assert gate.requests == 3


@pytest.mark.usefixtures("patient")
def test_as_many_as_fill_a_request_are_sent_at_once(gate: Gate) -> None:
    sender = Sender(gate)
    for step in range(1000):
        sender.submit("r", [point(step)])
    wait_until(lambda: len(gate.steps) == 1000)


def test_what_nobody_waits_for_is_sent_soon(gate: Gate) -> None:
    Sender(gate).submit("r", [point(1)])
    wait_until(lambda: gate.steps == [1])
