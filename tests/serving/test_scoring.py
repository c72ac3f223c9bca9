"""The queue and the threads: what waits, what is scored together, and what is given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from runyard.models.flavors import sklearn
from runyard.models.signature import ColSpec, ModelSignature, Schema
from runyard.serving.served import Source, load
from tests.serving.conftest import COLUMNS, ROWS, Served

Serve = Callable[..., Served]
Saved = Callable[..., Path]

ONE_COLUMN = ModelSignature(Schema([ColSpec("double", "a")]))
# What the functions below saw, by which a test finds its own.
SEEN: dict[str, list[Any]] = {}
GATES: dict[str, threading.Event] = {}


def hold(data: Any) -> list[int]:
    """Answer when the test lets it."""
    GATES[data[0]].wait(10)
    return [1]


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to it")


def at_once(served: Served, bodies: list[Any]) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        return list(await asyncio.gather(*(served.asking("/invocations", body) for body in bodies)))

    answers: list[httpx.Response] = served.run(ask())
    return answers


def test_requests_that_wait_are_scored_together_and_answered_apart(iris: Path, serve: Serve):
    served = serve(iris, batch_timeout_s=0.2)
    bodies = [{"dataframe_records": [dict(zip(COLUMNS, row, strict=True))] * 2} for row in ROWS * 3]
    answers = at_once(served, bodies)
    assert [answer.json()["predictions"] for answer in answers] == [[0, 0], [1, 1], [2, 2]] * 3
    metrics = served.metrics()
    assert metrics["runyard_serving_batch_requests_sum"] == 9
    assert metrics["runyard_serving_batch_requests_count"] < 9


def test_arrays_without_a_signature_are_scored_together_by_their_type(serve: Serve, tmp_path: Path):
    sklearn.save_model(LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True)), tmp_path / "bare")
    served = serve(tmp_path / "bare", batch_timeout_s=0.2)
    bodies = [{"inputs": ROWS[:2]}, {"inputs": [[5, 3, 1, 0]]}] * 3
    assert [answer.json()["predictions"] for answer in at_once(served, bodies)] == [[0, 1], [0]] * 3
    assert served.metrics()["runyard_serving_batch_requests_count"] < 6


def test_a_wrong_request_spoils_no_other_in_its_batch(iris: Path, serve: Serve):
    served = serve(iris, batch_timeout_s=0.2)
    fits = {"inputs": [ROWS[0]]}
    # The fourth takes the long way, and the fifth is only found out by the model.
    nan = (
        b'{"dataframe_split": {"columns": ' + repr(COLUMNS).replace("'", '"').encode() + b', "data": [[NaN, 1, 1, 1]]}}'
    )
    answers = at_once(served, [fits, {"inputs": [["x", 1, 1, 1]]}, fits, {"inputs": [[None, 1, 1, 1]]}, nan, fits])
    assert [answer.status_code for answer in answers] == [200, 400, 200, 400, 400, 200]


def test_a_model_of_the_users_own_gets_each_request_by_itself_unless_told(serve: Serve, saved: Saved):
    path = saved(lambda data: [len(data)] * len(data), signature=ONE_COLUMN)
    body = {"dataframe_records": [{"a": 1.0}]}
    assert [answer.json()["predictions"] for answer in at_once(serve(path), [body] * 4)] == [[1]] * 4
    together = serve(path, batch_max_size=4, batch_timeout_s=0.5)
    assert [answer.json()["predictions"] for answer in at_once(together, [body] * 4)] == [[4]] * 4


def test_a_model_that_does_not_answer_row_by_row_is_found_out(
    serve: Serve, saved: Saved, caplog: pytest.LogCaptureFixture
):
    served = serve(saved(lambda data: {"rows": len(data)}, signature=ONE_COLUMN), batch_max_size=8, batch_timeout_s=0.2)
    body = {"dataframe_records": [{"a": 1.0}, {"a": 2.0}]}
    for _ in range(2):
        assert [answer.json()["predictions"] for answer in at_once(served, [body] * 4)] == [{"rows": 2}] * 4
    assert caplog.text.count("does not answer row by row") == 1


@pytest.mark.parametrize("answer", ["set", "number"])
def test_an_answer_that_cannot_be_cut_leaves_the_threads_at_work(serve: Serve, saved: Saved, answer: str):
    def predict(data: Any) -> Any:
        return set(data["a"]) if answer == "set" else np.float64(len(data))

    served = serve(saved(predict, signature=ONE_COLUMN), batch_max_size=8, batch_timeout_s=0.2, timeout_s=5.0)
    bodies = [{"dataframe_records": [{"a": float(place)}]} for place in range(3)]
    expected = [[0.0], [1.0], [2.0]] if answer == "set" else [1.0] * 3
    assert [each.json().get("predictions") for each in at_once(served, bodies)] == expected


def test_sparse_answers_are_cut_by_their_rows(serve: Serve, tmp_path: Path):
    labels = sparse.csr_matrix([[1, 0], [0, 1], [1, 1]] * 4)
    model = OneVsRestClassifier(LogisticRegression()).fit(np.array(ROWS * 4), labels)
    assert sparse.issparse(model.predict(np.array(ROWS)))
    sklearn.save_model(model, tmp_path / "sparse")
    served = serve(tmp_path / "sparse", batch_timeout_s=0.2, timeout_s=5.0)
    alone = [served.predictions({"inputs": [row]}) for row in ROWS]
    answers = at_once(served, [{"inputs": [row]} for row in ROWS])
    assert [each.json().get("predictions") for each in answers] == alone
    assert served.model.can_join


def test_requests_with_params_are_not_mixed(serve: Serve, saved: Saved):
    class Counts:
        def predict(self, context: Any, model_input: Any, params: dict[str, Any]) -> Any:
            return [len(model_input)] * len(model_input)

    Counts.__module__ = "__main__"
    served = serve(saved(Counts(), signature=ONE_COLUMN), batch_max_size=8, batch_timeout_s=0.2)
    body = {"dataframe_records": [{"a": 1.0}], "params": {"x": 1}}
    assert [answer.json()["predictions"] for answer in at_once(served, [body] * 3)] == [[1]] * 3


def test_a_full_queue_is_a_503_that_says_when_to_ask_again(serve: Serve, saved: Saved):
    gate = GATES["full"] = threading.Event()
    served = serve(saved(hold), threads=1, max_queue=2)

    async def ask() -> list[httpx.Response]:
        waiting = [asyncio.ensure_future(served.asking("/invocations", {"inputs": ["full"]}))]
        await until(lambda: bool(served.scorer._began))
        waiting += [asyncio.ensure_future(served.asking("/invocations", {"inputs": ["full"]})) for _ in range(2)]
        await until(lambda: len(served.scorer._waiting) == 2)
        refused = await served.asking("/invocations", {"inputs": ["full"]})
        gate.set()
        return [refused, *await asyncio.gather(*waiting)]

    refused, *answers = served.run(ask())
    assert (refused.status_code, refused.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert int(refused.headers["retry-after"]) >= 1
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert served.metrics()['runyard_serving_refused_total{reason="queue_full"}'] == 1


def test_what_takes_too_long_is_a_504_and_does_not_wait_any_more(serve: Serve, saved: Saved):
    gate = GATES["slow"] = threading.Event()
    served = serve(saved(hold), threads=1, timeout_s=0.2)
    answers = at_once(served, [{"inputs": ["slow"]}] * 3)
    assert [(each.status_code, each.json()["error_code"]) for each in answers] == [(504, "DEADLINE_EXCEEDED")] * 3
    assert not served.scorer._waiting
    gate.set()
    assert served.metrics()['runyard_serving_refused_total{reason="timeout"}'] == 3
    assert served.predictions({"inputs": ["slow"]}) == [1]


def test_slow_predictions_are_made_at_once_and_quick_ones_by_one_thread(serve: Serve, saved: Saved):
    def nap(data: Any) -> list[int]:
        time.sleep(0.1)
        return [1]

    served = serve(saved(nap), threads=8)
    began = time.perf_counter()
    assert {answer.status_code for answer in at_once(served, [{"inputs": [1]}] * 8)} == {200}
    # One after the other they would take 0.8 s.
    assert time.perf_counter() - began < 0.6

    quick = serve(saved(lambda _: [1]), threads=8)
    at_once(quick, [{"inputs": [1]}] * 50)
    assert len(quick.scorer._threads) <= 3


def test_what_no_batch_had_room_for_does_not_wait_for_a_slow_one(serve: Serve, saved: Saved):
    gate = GATES["batch"] = threading.Event()
    served = serve(saved(hold), threads=4, batch_max_size=2, batch_timeout_s=5.0)

    async def ask() -> list[httpx.Response]:
        asked = [asyncio.ensure_future(served.asking("/invocations", {"inputs": ["batch"]}))]
        await until(lambda: served.scorer._is_collecting)
        asked += [asyncio.ensure_future(served.asking("/invocations", {"inputs": ["batch"]})) for _ in range(3)]
        await until(lambda: len(served.scorer._began) == 2)
        gate.set()
        return list(await asyncio.gather(*asked))

    assert [answer.status_code for answer in served.run(ask())] == [200] * 4


def test_a_model_that_is_replaced_answers_what_it_began(serve: Serve, saved: Saved, tmp_path: Path):
    gate = GATES["first"] = threading.Event()
    GATES["second"] = threading.Event()
    GATES["second"].set()
    served = serve(saved(hold), version="1", threads=2)
    second = load(Source(saved(lambda _: [2]), "2"), "iris")

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        old = asyncio.ensure_future(served.asking("/invocations", {"inputs": ["first"]}))
        await until(lambda: bool(served.scorer._began))
        served.scorer.replace(second)
        new = await served.asking("/invocations", {"inputs": ["second"]})
        gate.set()
        return await old, new

    old, new = served.run(ask())
    assert (old.json()["predictions"], old.headers["x-model-version"]) == ([1], "1")
    assert (new.json()["predictions"], new.headers["x-model-version"]) == ([2], "2")
    metrics = served.metrics()
    assert metrics['runyard_serving_model_workers{name="iris",version="1"}'] == 0
    assert metrics['runyard_serving_model_workers{name="iris",version="2"}'] == 1
