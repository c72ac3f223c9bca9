"""`runyard models serve` as it runs: its start, its workers, its end, and its changes of version under load."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

import runyard as mlflow
from runyard.client import connections
from runyard.errors import ConfigurationError
from runyard.models import pyfunc
from runyard.serving.run import load_fetched, serve
from runyard.settings import load_serving_settings
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment
from tests.serving.conftest import ROWS

Running = Callable[..., ServerProcess]

BODY = json.dumps({"inputs": ROWS})


class Client:
    """One connection that is kept, as a service in front of the model would keep it."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def ask(
        self, body: str = BODY, path: str = "/invocations", method: str = "POST", **more: str
    ) -> tuple[int, Any, Any]:
        headers = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        self._connection.request(method, path, body if method == "POST" else None, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        is_json = content[:1] in b"{["
        return answer.status, json.loads(content) if is_json else content.decode(), answer.headers

    def metrics(self) -> dict[str, float]:
        lines = [line for line in self.ask(path="/metrics", method="GET")[1].splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def ask(server: ServerProcess, body: str = BODY, **options: str) -> tuple[int, Any, Any]:
    with contextlib.closing(Client(server)) as client:
        return client.ask(body, **options)


def metrics(server: ServerProcess) -> dict[str, float]:
    with contextlib.closing(Client(server)) as client:
        return client.metrics()


def test_it_serves_logs_with_ids_and_ends_well(running: Running, iris: Path):
    server = running(iris, "--log-format", "json")
    _, content, headers = ask(server, x_request_id="me-1")
    assert (content, headers["x-request-id"]) == ({"predictions": [0, 1, 2]}, "me-1")
    assert ask(server, "{}")[0] == 400
    assert server.terminate() == 0
    lines = [json.loads(line) for line in server.log().splitlines()]
    asked = [line for line in lines if line["logger"] == "runyard.access"]
    assert [line["status"] for line in asked] == [200, 400]
    assert asked[0]["request_id"] == "me-1"
    assert any(line["message"].startswith("serving iris at http://127.0.0.1:") for line in lines)


def test_told_to_stop_it_answers_what_was_asked(running: Running, tmp_path: Path):
    nap = _by_value("import time\n\ndef predict(data):\n    time.sleep(1)\n    return [1]")
    pyfunc.save_model(tmp_path / "nap", python_model=nap)
    server = running(tmp_path / "nap")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(ask, server, '{"inputs": [1]}') for _ in range(6)]
        time.sleep(0.4)
        assert server.terminate() == 0
        for answer in answers:
            assert answer.result()[:2] == (200, {"predictions": [1]})


def test_several_workers_share_a_port_and_one_is_replaced(running: Running, iris: Path):
    server = running(iris, "--workers", "2")
    assert ask(server)[1] == {"predictions": [0, 1, 2]}
    by_version = 'runyard_serving_model_workers{name="iris",version=""}'
    deadline = time.monotonic() + 60
    while metrics(server).get(by_version) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    worker = next(pid for pid in server.pids() if pid != server.pid)
    os.kill(worker, signal.SIGKILL)
    while metrics(server)["runyard_worker_starts_total"] < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert ask(server)[0] == 200


def test_a_model_that_no_worker_can_load_is_said_once(tmp_path: Path, iris: Path):
    done = subprocess.run(
        [sys.executable, "-m", "runyard", "models", "serve", "-m", str(iris), "-p", str(free_port()), "-w", "2"],
        cwd=tmp_path,
        env=clean_environment({"RUNYARD_ALLOW_PICKLE": "false"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "forbids pickles" in done.stderr
    assert "a worker could not start" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({}, "model_uri is not set"),
        ({"model_uri": "iris", "watch": True}, "watch needs a model_uri whose version may change"),
        ({"model_uri": "models:/iris/3", "watch": True}, "such as models:/NAME@ALIAS, got 'models:/iris/3'"),
        ({"model_uri": "iris", "timeout_s": 0}, "timeout_s must be between 1 and 86400, got 0"),
        ({"model_uri": "iris", "model_config": "[]"}, "model_config .* must be a JSON object"),
        ({"model_uri": "iris", "model_config": "{"}, "model_config .* is not JSON"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_starts(chosen: dict[str, Any], says: str):
    with pytest.raises(ConfigurationError, match=says):
        serve(load_serving_settings({}, **chosen))


def test_a_moved_alias_is_followed_without_a_failed_request(
    running: Running, running_server: Callable[..., ServerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    registry = running_server(folder=tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.url)
    mlflow.set_tracking_uri(registry.url)
    features = np.zeros((3, 4))
    for kind in (1, 2, 3):
        constant = DummyClassifier(strategy="constant", constant=kind).fit(features, [1, 2, 3])
        mlflow.sklearn.log_model(
            constant, name="model", input_example=features, registered_model_name="iris-classifier"
        )
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("iris-classifier", "champion", "1")

    server = running(
        "models:/iris-classifier@champion",
        *("--watch", "--watch-interval", "1", "--no-access-log"),
        environment={"MLFLOW_TRACKING_URI": registry.url},
    )
    stops = threading.Event()
    seen: list[tuple[int, int, str]] = []

    def load() -> None:
        with contextlib.closing(Client(server)) as asking:
            while not stops.is_set():
                status, content, headers = asking.ask('{"inputs": [[0, 0, 0, 0]]}')
                kind = content["predictions"][0] if status == 200 else content
                seen.append((status, kind, headers["x-model-version"]))

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            loads = [pool.submit(load) for _ in range(4)]
            try:
                for version in ("2", "3"):
                    client.set_registered_model_alias("iris-classifier", "champion", version)
                    deadline = time.monotonic() + 30
                    while seen[-1:] and seen[-1][2] != version:
                        assert time.monotonic() < deadline, server.log()
                        time.sleep(0.05)
            finally:
                stops.set()
            for each in loads:
                each.result()
        assert {status for status, _, _ in seen} == {200}
        # Each answer is of the version that it says.
        assert {(kind, version) for _, kind, version in seen} == {(1, "1"), (2, "2"), (3, "3")}
        found = metrics(server)
        assert found['runyard_serving_model_changes_total{result="done"}'] == 2
        assert found['runyard_serving_model_workers{name="iris-classifier",version="3"}'] == 1
        assert found['runyard_serving_model_workers{name="iris-classifier",version="1"}'] == 0
        assert "serving iris-classifier version 3 now" in server.log()

        # What cannot be loaded, or be looked up, leaves what is served.
        client.delete_registered_model_alias("iris-classifier", "champion")
        deadline = time.monotonic() + 20
        while "cannot tell which version" not in server.log():
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        assert ask(server, '{"inputs": [[0, 0, 0, 0]]}')[1] == {"predictions": [3]}
    finally:
        connections.close_all()
        mlflow.set_tracking_uri("")


def test_a_worker_that_is_replaced_serves_what_was_first_where_the_next_version_is_broken(
    iris: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    registry = f"sqlite:///{tmp_path / 'registry.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    mlflow.set_tracking_uri(registry)
    try:
        client = mlflow.MlflowClient()
        client.create_registered_model("iris")
        broken = tmp_path / "broken"
        shutil.copytree(iris, broken)
        (broken / "model.pkl").unlink()
        for folder in (iris, broken):
            run = client.create_run(mlflow.set_experiment("iris").experiment_id)
            client.log_artifacts(run.info.run_id, str(folder), "model")
            client.create_model_version("iris", f"runs:/{run.info.run_id}/model", run.info.run_id)
        client.set_registered_model_alias("iris", "champion", "2")
        settings = load_serving_settings(
            {}, model_uri="models:/iris@champion", watch=True, fetched_folder=str(iris), fetched_version="1"
        )
        assert load_fetched(settings).version == "1"
    finally:
        connections.close_all()
        mlflow.set_tracking_uri("")
    assert "serving what models:/iris@champion was first" in caplog.text
    assert not list((tmp_path / "temporary").glob("runyard-model-*"))


def _by_value(source: str) -> Any:
    """Return the function predict of a source, as if a script had defined it."""
    module: dict[str, Any] = {"__name__": "__main__"}
    exec(source, module)  # noqa: S102 - it is the test's own
    return module["predict"]
