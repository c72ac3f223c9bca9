"""The Open Inference Protocol: what a request's tensors become, and what an answer's were."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runyard.models.signature import ColSpec, ModelSignature, Schema
from runyard.serving.served import name_of
from tests.serving.conftest import COLUMNS, ROWS, Served

Serve = Callable[..., Served]
Saved = Callable[..., Path]

FLAT = [value for row in ROWS for value in row]
WHOLE = {"name": "x", "shape": [3, 4], "datatype": "FP64", "data": FLAT}
BY_NAME = [
    {"name": name, "shape": [3, 1], "datatype": "FP64", "data": [row[place] for row in ROWS]}
    for place, name in enumerate(COLUMNS)
]


def infer(served: Served, *inputs: Any, model: str = "iris", **others: Any) -> Any:
    answer = served.post(f"/v2/models/{model}/infer", {"inputs": list(inputs), **others})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(served: Served, content: Any, **headers: str) -> str:
    answer = served.post("/v2/models/iris/infer", content, **headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), answer.text
    assert answer.headers.get_list("content-type") == ["application/json"]
    return str(answer.json()["message"])


@pytest.mark.parametrize(
    "inputs",
    [
        [WHOLE],
        [{**WHOLE, "data": ROWS}],
        BY_NAME,
        BY_NAME[::-1],
        [{**each, "shape": [3]} for each in BY_NAME],
        [*BY_NAME, {"name": "spare", "shape": [3], "datatype": "BYTES", "data": ["a", "b", "c"]}],
    ],
)
def test_columns_come_by_name_or_as_one_tensor(iris: Path, serve: Serve, inputs: Any):
    answer = infer(serve(iris, version="2"), *inputs, id="42")
    assert answer == {
        "model_name": "iris",
        "model_version": "2",
        "id": "42",
        "outputs": [{"name": "output-0", "datatype": "INT64", "shape": [3], "data": [0, 1, 2]}],
    }


def test_a_tensor_comes_under_any_name(tensor_iris: Path, serve: Serve):
    served = serve(tensor_iris)
    for tensor in (WHOLE, {**WHOLE, "datatype": "FP32"}, {**WHOLE, "datatype": "INT64", "data": [5, 3, 1, 0] * 3}):
        assert infer(served, tensor)["outputs"][0]["shape"] == [3]


def test_binary_tensors_go_both_ways(tensor_iris: Path, serve: Serve):
    served = serve(tensor_iris)
    raw = np.array(ROWS, "<f8").tobytes()
    header = json.dumps(
        {
            "inputs": [
                {"name": "x", "shape": [3, 4], "datatype": "FP64", "parameters": {"binary_data_size": len(raw)}}
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    answer = served.post(
        "/v2/models/iris/infer",
        header + raw,
        "application/octet-stream",
        inference_header_content_length=str(len(header)),
    )
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers["inference-header-content-length"])
    (output,) = json.loads(answer.content[:length])["outputs"]
    assert output["parameters"] == {"binary_data_size": 24}
    assert np.frombuffer(answer.content[length:], "<i8").tolist() == [0, 1, 2]


def test_texts_and_several_outputs(serve: Serve, saved: Saved):
    def describe(data: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"text": data["name"].str.upper(), "length": data["name"].str.len()})

    served = serve(saved(describe, signature=ModelSignature(Schema([ColSpec("string", "name")]))))
    names = {"name": "name", "shape": [2], "datatype": "BYTES", "data": ["ana", "bo"]}
    outputs = infer(served, names)["outputs"]
    assert [(each["name"], each["datatype"], each["data"]) for each in outputs] == [
        ("text", "BYTES", ["ANA", "BO"]),
        ("length", "INT64", [3, 2]),
    ]
    assert [each["name"] for each in infer(served, names, outputs=[{"name": "length"}])["outputs"]] == ["length"]
    message = refused(served, {"inputs": [names], "outputs": [{"name": "width"}]})
    assert message == "the model has no output 'width'; it has 'text', 'length'"


def test_a_model_without_a_signature_gets_what_comes(serve: Serve, saved: Saved):
    served = serve(saved(lambda data: [type(data).__name__]))
    column = {"name": "a", "shape": [2], "datatype": "INT64", "data": [1, 2]}
    assert infer(served, column)["outputs"][0]["data"] == ["ndarray"]
    assert infer(served, column, {**column, "name": "b"})["outputs"][0]["data"] == ["DataFrame"]
    uneven = {"name": "b", "shape": [3], "datatype": "INT64", "data": [1, 2, 3]}
    assert infer(served, column, uneven)["outputs"][0]["data"] == ["dict"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "missing required field `inputs`"),
        ({"inputs": []}, "inputs must hold at least one tensor"),
        ({"inputs": [{"name": "x", "shape": "3"}]}, r"Expected `array`, got `str` - at `\$.inputs\[0\].shape`"),
        ({"inputs": [{**WHOLE, "datatype": "FP128"}]}, "datatype of input 'x' must be one of BOOL, .*got 'FP128'"),
        ({"inputs": [{**WHOLE, "shape": [3, 5]}]}, r"input 'x' has 12 values, .* its shape \[3, 5\]"),
        ({"inputs": [{**WHOLE, "shape": [-3, -4]}]}, "shape"),
        ({"inputs": [{**WHOLE, "shape": [0, 10**30], "data": []}]}, "the shape of input 'x' is none of an array"),
        ({"inputs": [{**WHOLE, "shape": [3, 4, *[1] * 99]}]}, "the shape of input 'x' is none of an array"),
        ({"inputs": [{**WHOLE, "data": None}]}, "input 'x' has no data"),
        ({"inputs": [{**WHOLE, "data": ["a"] * 12}]}, "does not fit its datatype FP64"),
        ({"inputs": [{**WHOLE, "data": [[1, 2], [3]]}]}, "data of input 'x' is no tensor"),
        ({"inputs": [{**WHOLE, "datatype": "INT8", "data": [300] * 12}]}, "beyond INT8"),
        ({"inputs": [{**WHOLE, "datatype": "INT64"}]}, "does not fit its datatype INT64"),
        ({"inputs": [WHOLE, WHOLE]}, "two inputs have the name 'x'"),
        ({"inputs": [{**WHOLE, "parameters": {"binary_data_size": 99}}]}, "must be within the 0 bytes behind"),
        ({"inputs": [BY_NAME[0]]}, "missing inputs"),
        ({"inputs": [{**BY_NAME[0], "shape": [3, 1, 1]}, *BY_NAME[1:]]}, "sepal length"),
        ({"inputs": [*BY_NAME[1:], {**BY_NAME[0], "shape": [1], "data": [1.0]}]}, "the same number of rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_field_rule_and_value(iris: Path, serve: Serve, content: Any, says: str):
    message = refused(serve(iris), content)
    assert re.search(says, message), message


def test_a_wrong_length_of_the_json_part_is_refused(iris: Path, serve: Serve):
    served = serve(iris)
    for length in ("many", "-1", "100000"):
        answer = served.post("/v2/models/iris/infer", {"inputs": [WHOLE]}, inference_header_content_length=length)
        assert answer.status_code == 400
        assert "Inference-Header-Content-Length" in answer.json()["message"]


def test_metadata_tells_what_the_model_takes(iris: Path, tensor_iris: Path, serve: Serve):
    served = serve(iris, version="2")
    for path in ("/v2/models/iris", "/v2/models/iris/versions/2"):
        about = served.get(path).json()
        assert (about["name"], about["versions"], about["platform"]) == ("iris", ["2"], "mlflow_sklearn")
        assert about["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in COLUMNS]
        assert about["outputs"] == [{"name": "output-0", "datatype": "INT64", "shape": [-1]}]
    about = serve(tensor_iris).get("/v2/models/iris").json()
    assert about["inputs"] == [{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}]
    assert served.get("/v2").json()["extensions"] == ["binary_tensor_data"]


def test_a_model_is_named_by_its_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "iris").mkdir()
    monkeypatch.chdir(tmp_path / "iris")
    for uri in (
        ".",
        "../iris/",
        str(tmp_path / "iris"),
        "models:/iris@champion",
        "models:/iris/3",
        "s3://bucket/iris/",
    ):
        assert name_of(uri) == "iris"


def test_health_follows_readiness(iris: Path, serve: Serve):
    served = serve(iris)
    ready = ("/v2/health/ready", "/v2/models/iris/ready", "/readyz")
    assert [served.get(path).status_code for path in ready] == [200, 200, 200]
    assert served.get("/v2/models/iris/ready").json() == {"name": "iris", "ready": True}
    served.readiness.refusal = "stopping"
    assert [served.get(path).status_code for path in ready] == [503, 503, 503]
    assert served.get("/v2/health/live").json() == {"live": True}


def test_another_model_or_version_is_not_found(iris: Path, serve: Serve):
    served = serve(iris, version="2")
    for path in ("/v2/models/roses", "/v2/models/iris/versions/3", "/v2/models/iris/versions/3/ready"):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert "this server has iris version 2" in answer.json()["message"]
        # The protocol's own field, which its clients show.
        assert answer.json()["error"] == answer.json()["message"]
    assert served.post("/v2/models/roses/infer", {"inputs": [WHOLE]}).status_code == 404
