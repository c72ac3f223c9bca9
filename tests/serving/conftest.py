"""Models to serve, and scoring servers: in this process for what they answer, as processes for how they run."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from runyard.models import pyfunc
from runyard.models.flavors import sklearn
from runyard.server.readiness import Readiness
from runyard.serving.app import Application
from runyard.serving.measures import ServingMonitoring
from runyard.serving.scoring import Scorer
from runyard.serving.served import ServedModel, Source, load
from runyard.settings import ServingSettings
from tests.ports import free_port
from tests.servers import ServerProcess

COLUMNS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
# Of the first kind, the second and the third.
ROWS = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier whose signature has four columns."""
    features, kinds = load_iris(return_X_y=True, as_frame=True)
    path = tmp_path_factory.mktemp("models") / "iris"
    sklearn.save_model(LogisticRegression(max_iter=1000).fit(features, kinds), path, input_example=features.head(2))
    return path


@pytest.fixture(scope="session")
def tensor_iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of an array."""
    features, kinds = load_iris(return_X_y=True)
    path = tmp_path_factory.mktemp("models") / "tensor-iris"
    sklearn.save_model(LogisticRegression(max_iter=1000).fit(features, kinds), path, input_example=features[:2])
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """A function that saves a function, or an instance with a predict, as a model."""

    def save(model: Any, **options: Any) -> Path:
        path = tmp_path / f"model-{len(list(tmp_path.iterdir()))}"
        pyfunc.save_model(path, python_model=model, **options)
        return path

    return save


class Served:
    """A scoring server without a socket: each call is a request, all on one event loop."""

    def __init__(self, model: ServedModel, max_body_bytes: int = 10_000_000, **options: Any) -> None:
        settings = ServingSettings(model_uri="model", access_log=False, max_body_bytes=max_body_bytes)
        self.monitoring = ServingMonitoring()
        self.readiness = Readiness()
        self.model = model
        self.scorer = Scorer(model, self.monitoring, **{"threads": 4, "max_queue": 100, "timeout_s": 20.0, **options})
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(Application(settings, self.scorer, self.monitoring, self.readiness)),
            base_url="http://127.0.0.1",
        )
        self.run(self._begin())

    async def _begin(self) -> None:
        self.scorer.begin()

    def run(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(coroutine)

    def get(self, path: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = self.run(self._client.get(path, **options))
        return answer

    def post(
        self, path: str, content: Any, content_type: str | None = "application/json", **headers: str
    ) -> httpx.Response:
        answer: httpx.Response = self.run(self.asking(path, content, content_type, **headers))
        return answer

    async def asking(
        self, path: str, content: Any, content_type: str | None = "application/json", **headers: str
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            sent["content-type"] = content_type
        if isinstance(content, (bytes, str)):
            return await self._client.post(path, content=content, headers=sent)
        request = self._client.build_request("POST", path, json=content, headers=sent)
        return await self._client.send(request)

    def invoke(self, content: Any, content_type: str | None = "application/json") -> httpx.Response:
        return self.post("/invocations", content, content_type)

    def predictions(self, content: Any, content_type: str = "application/json") -> Any:
        answer = self.invoke(content, content_type)
        assert answer.status_code == 200, answer.text
        return answer.json()["predictions"]

    def refused(self, content: Any, content_type: str | None = "application/json", status: int = 400) -> str:
        """Return the message of an error, whose shape every error has."""
        answer = self.invoke(content, content_type)
        assert answer.status_code == status, answer.text
        error = answer.json()
        assert error.keys() == {"error_code", "message"}
        assert answer.headers["x-request-id"]
        return str(error["message"])

    def metrics(self) -> dict[str, float]:
        lines = [line for line in self.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def close(self) -> None:
        self.run(self._client.aclose())
        self.scorer.close()
        self._loop.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """A function that serves a saved model in this process."""
    with contextlib.ExitStack() as stack:

        def start(path: Path, version: str | None = None, **options: Any) -> Served:
            model = load(Source(path, version), "iris")
            served = Served(model, **options)
            stack.callback(served.close)
            return served

        yield start


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """A function that starts ``runyard models serve``; what the test does not end itself has to end well."""
    with contextlib.ExitStack() as stack:

        def start(model: str | Path, *options: str, environment: Mapping[str, str] | None = None) -> ServerProcess:
            port = free_port()
            server = ServerProcess(
                [sys.executable, "-m", "runyard", "models", "serve", "-m", str(model), "-p", str(port), *options],
                port=port,
                folder=tmp_path,
                environment=environment,
            )
            stack.callback(_stop, server)
            return server

        yield start


def _stop(server: ServerProcess) -> None:
    if not server.was_ended:
        server.stop()
    print(f"--- the log of the server at {server.url} ---\n{server.log()}")


def frame(rows: Any = None) -> pd.DataFrame:
    return pd.DataFrame(np.array(ROWS if rows is None else rows), columns=COLUMNS)
