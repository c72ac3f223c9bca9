"""The same requests to upstream's scoring server and to ours: what upstream answers, ours answers the same."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from runyard.models import pyfunc
from runyard.models.flavors import sklearn
from runyard.models.signature import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema
from tests.compat.conftest import QUIET, client_python
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment

pytestmark = pytest.mark.compat

COLUMNS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
ROW = [5.1, 3.5, 1.4, 0.2]
RECORD = dict(zip(COLUMNS, ROW, strict=True))
ECHO = {"i": 1, "d": 1.5, "s": "text", "b": True}
JSON, CSV = "application/json", "text/csv"

# Of each request: the model, the type, the body.
REQUESTS: dict[str, tuple[str, str | None, Any]] = {
    "split": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS, "data": [ROW, ROW]}}),
    "split with an index": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS, "index": [7], "data": [ROW]}}),
    "split in another order": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS[::-1], "data": [ROW[::-1]]}}),
    "split without columns": ("iris", JSON, {"dataframe_split": {"data": [ROW]}}),
    "split with more": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS, "data": [ROW], "more": 1}}),
    "split without data": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS}}),
    "split of a list": ("iris", JSON, {"dataframe_split": [ROW]}),
    "split of a number": ("iris", JSON, {"dataframe_split": {"columns": COLUMNS, "data": 5}}),
    "records": ("iris", JSON, {"dataframe_records": [RECORD, RECORD]}),
    "records of one": ("iris", JSON, {"dataframe_records": RECORD}),
    "no records": ("iris", JSON, {"dataframe_records": []}),
    "a missing column": ("iris", JSON, {"dataframe_records": [{COLUMNS[0]: 1}]}),
    "another column": ("iris", JSON, {"dataframe_records": [{**RECORD, "more": 1}]}),
    "a whole number": ("iris", JSON, {"dataframe_records": [{**RECORD, COLUMNS[0]: 5}]}),
    "a number as text": ("iris", JSON, {"dataframe_records": [{**RECORD, COLUMNS[0]: "5.1"}]}),
    "a text": ("iris", JSON, {"dataframe_records": [{**RECORD, COLUMNS[0]: "wide"}]}),
    "a boolean": ("iris", JSON, {"dataframe_records": [{**RECORD, COLUMNS[0]: True}]}),
    "a null": ("iris", JSON, {"dataframe_records": [{**RECORD, COLUMNS[0]: None}]}),
    "inputs of records": ("iris", JSON, {"inputs": [RECORD]}),
    "inputs of columns": ("iris", JSON, {"inputs": {name: [value] for name, value in RECORD.items()}}),
    "inputs of one": ("iris", JSON, {"inputs": RECORD}),
    "instances of records": ("iris", JSON, {"instances": [RECORD, RECORD]}),
    "params nobody knows": ("iris", JSON, {"dataframe_records": [RECORD], "params": {"a": 1}}),
    "more beside it": ("iris", JSON, {"dataframe_records": [RECORD], "more": 1}),
    "a list": ("iris", JSON, [ROW]),
    "a string": ("iris", JSON, "text"),
    "null": ("iris", JSON, None),
    "nothing": ("iris", JSON, {}),
    "two": ("iris", JSON, {"inputs": [RECORD], "instances": [RECORD]}),
    "a chat": ("iris", JSON, {"messages": [{"role": "user", "content": "hi"}]}),
    "no body": ("iris", JSON, b""),
    "no JSON": ("iris", JSON, b"{"),
    "no UTF-8": ("iris", JSON, b"\xff\xfe"),
    "CSV": ("iris", CSV, pd.DataFrame([ROW, ROW], columns=COLUMNS).to_csv(index=False).encode()),
    "CSV of others": ("iris", CSV, b"a,b\n1,2\n"),
    "empty CSV": ("iris", CSV, b""),
    "no Parquet": ("iris", "application/vnd.apache.parquet", b"PAR2"),
    "a charset": ("iris", f"{JSON}; charset=utf-8", {"dataframe_records": [RECORD]}),
    "another charset": ("iris", f"{JSON}; charset=utf-16", {"dataframe_records": [RECORD]}),
    "a format": ("iris", f"{JSON}; format=pandas-split", {"dataframe_records": [RECORD]}),
    "another type": ("iris", "application/xml", b"<a/>"),
    "a tensor": ("tensor", JSON, {"inputs": [ROW, ROW]}),
    "a tensor of whole numbers": ("tensor", JSON, {"inputs": [[5, 3, 1, 0]]}),
    "instances of a tensor": ("tensor", JSON, {"instances": [ROW]}),
    "a tensor as a frame": ("tensor", JSON, {"dataframe_split": {"columns": COLUMNS, "data": [ROW]}}),
    "a tensor too narrow": ("tensor", JSON, {"inputs": [ROW[:3]]}),
    "a ragged tensor": ("tensor", JSON, {"inputs": [[1, 2], [1]]}),
    "a tensor of records": ("tensor", JSON, {"inputs": [RECORD]}),
    "no rows": ("tensor", JSON, {"inputs": []}),
    "bare NaN": ("tensor", JSON, b'{"inputs": [[NaN, 1, 2, 3]]}'),
    "every type": ("echo", JSON, {"dataframe_records": [ECHO]}),
    "params": ("echo", JSON, {"dataframe_records": [ECHO], "params": {"factor": 3}}),
    "params of another type": ("echo", JSON, {"dataframe_records": [ECHO], "params": {"factor": "three"}}),
    "a text for a number": ("echo", JSON, {"dataframe_records": [{**ECHO, "i": "one"}]}),
}

# Where ours differs on purpose, as docs/compatibility.md says: upstream's status and ours.
DIFFERENT: dict[str, tuple[Any, int | None, Any, int]] = {
    "inputs of rows by position": (("iris", JSON, {"inputs": [ROW]}), 400, [0], 200),
    "instances of rows by position": (("iris", JSON, {"instances": [ROW]}), 400, [0], 200),
    "CSV for a tensor": (("tensor", CSV, b"a,b,c,d\n5.1,3.5,1.4,0.2\n"), 400, [0], 200),
    "a type in capitals": (("iris", "Application/JSON", {"dataframe_records": [RECORD]}), 415, [0], 200),
    "params that are no object": (("iris", JSON, {"dataframe_records": [RECORD], "params": [1]}), 200, None, 400),
    "a number that is not whole": (("echo", JSON, {"dataframe_records": [{**ECHO, "i": 1.5}]}), 200, None, 400),
    "a text for a boolean": (("echo", JSON, {"dataframe_records": [{**ECHO, "b": "no"}]}), 200, None, 400),
    # Upstream's model gets the number.
    "a number for a text": (
        ("echo", JSON, {"dataframe_records": [{**ECHO, "s": 1}]}),
        200,
        [{**ECHO, "s": "1", "factor": 1.0}],
        200,
    ),
    "no type": (("iris", None, b"{}"), 500, None, 415),
}


def echo(context: Any, model_input: Any, params: dict[str, Any]) -> Any:
    frame = model_input.copy()
    frame["factor"] = params["factor"]
    return frame


class Servers:
    def __init__(self, ours: dict[str, ServerProcess], upstream: dict[str, ServerProcess]) -> None:
        self.ours = ours
        self.upstream = upstream


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("scoring")
    features, kinds = load_iris(return_X_y=True, as_frame=True)
    sklearn.save_model(
        LogisticRegression(max_iter=1000).fit(features, kinds), folder / "iris", input_example=features.head(2)
    )
    sklearn.save_model(
        LogisticRegression(max_iter=1000).fit(features.to_numpy(), kinds),
        folder / "tensor",
        input_example=features.to_numpy()[:2],
    )
    schema = Schema([ColSpec("integer", "i"), ColSpec("double", "d"), ColSpec("string", "s"), ColSpec("boolean", "b")])
    signature = ModelSignature(schema, None, ParamSchema([ParamSpec("factor", "double", 1.0)]))

    class Echo(pyfunc.PythonModel):
        predict = echo  # type: ignore[assignment]

    # By value, as a script's are: upstream has no module of this name.
    Echo.__module__ = echo.__module__ = "__main__"
    pyfunc.save_model(folder / "echo", python_model=Echo(), signature=signature)
    names = ["iris", "tensor", "echo"]
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(6) as pool:
        ours = {name: pool.submit(_start, [sys.executable, "-m", "runyard"], folder, name) for name in names}
        python = client_python("mlflow-3")
        upstream = {name: pool.submit(_start, [str(python), "-m", "mlflow"], folder, name) for name in names}
        for each in (*ours.values(), *upstream.values()):
            stack.callback(each.result().kill)
        yield Servers(
            {name: each.result() for name, each in ours.items()},
            {name: each.result() for name, each in upstream.items()},
        )


def _start(command: list[str], folder: Path, name: str) -> ServerProcess:
    port = free_port()
    # Upstream starts uvicorn by way of PATH.
    path = f"{Path(command[0]).parent}:{clean_environment()['PATH']}"
    return ServerProcess(
        [*command, "models", "serve", "-m", name, "-p", str(port), "--env-manager", "local"],
        port=port,
        folder=folder,
        environment={**QUIET, "PATH": path},
    )


def ask(server: ServerProcess, content_type: str | None, body: Any) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(
            "POST", "/invocations", content, {} if content_type is None else {"Content-Type": content_type}
        )
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if answer.status == 200 else text.decode()


def test_what_upstream_answers_ours_answers_the_same(servers: Servers) -> None:
    differing = {}
    for name, (model, content_type, body) in REQUESTS.items():
        theirs = ask(servers.upstream[model], content_type, body)
        ours = ask(servers.ours[model], content_type, body)
        if theirs[0] != ours[0] or (theirs[0] == 200 and theirs[1] != ours[1]):
            differing[name] = (theirs, ours)
    assert differing == {}


def test_errors_are_json_and_do_not_repeat_the_data_as_upstreams_do(servers: Servers) -> None:
    secret = "4111-1111-1111-1111"
    body = {"dataframe_records": [{"card": secret}]}
    status, theirs = ask(servers.upstream["iris"], JSON, body)
    assert (status, secret in theirs) == (400, True)
    status, ours = ask(servers.ours["iris"], JSON, body)
    assert (status, secret in ours) == (400, False)
    for content_type, content in ((None, b"{}"), ("application/xml", b"<a/>"), (JSON, b"{")):
        assert json.loads(ask(servers.ours["iris"], content_type, content)[1]).keys() == {"error_code", "message"}


def test_where_ours_differs_it_is_on_purpose(servers: Servers) -> None:
    for name, ((model, content_type, body), theirs, predictions, ours) in DIFFERENT.items():
        assert ask(servers.upstream[model], content_type, body)[0] == theirs, name
        status, answer = ask(servers.ours[model], content_type, body)
        assert status == ours, (name, answer)
        if predictions is not None:
            assert answer == {"predictions": predictions}, name


def test_the_other_paths_answer_the_same(servers: Servers) -> None:
    for path in ("/ping", "/health", "/version"):
        answers = []
        for server in (servers.upstream["iris"], servers.ours["iris"]):
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                answers.append((answer.status, answer.read(), answer.headers["content-type"]))
        assert answers[0] == answers[1], path
