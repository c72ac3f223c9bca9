"""What /invocations takes and gives, in each of its forms."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runyard.models.signature import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec
from tests.serving.conftest import COLUMNS, ROWS, Served, frame

Serve = Callable[..., Served]
Saved = Callable[..., Path]

RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
LISTS = {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS, "index": [7, 8, 9]}},
        {"dataframe_split": {"columns": ["spare", *COLUMNS[::-1]], "data": [["x", *row[::-1]] for row in ROWS]}},
        {"dataframe_records": RECORDS},
        {"dataframe_records": [{"spare": "x", **record} for record in RECORDS]},
        {"dataframe_records": [{**record, COLUMNS[0]: str(record[COLUMNS[0]])} for record in RECORDS]},
        {"inputs": ROWS},
        {"inputs": RECORDS},
        {"inputs": LISTS},
        {"instances": RECORDS},
        {"instances": ROWS},
        {"inputs": ROWS, "params": None},
        {"inputs": ROWS, "params": {"unknown": 1}, "other": True},
    ],
)
def test_a_model_of_columns_takes_every_form(iris: Path, serve: Serve, body: Any):
    assert serve(iris).predictions(body) == [0, 1, 2]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": ROWS},
        {"instances": ROWS},
        {"inputs": [[5, 3, 1, 0], [7, 3, 5, 1], [6, 3, 6, 2]]},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_records": RECORDS},
    ],
)
def test_a_model_of_a_tensor_takes_every_form(tensor_iris: Path, serve: Serve, body: Any):
    assert serve(tensor_iris).predictions(body) == [0, 1, 2]


def test_csv_and_parquet_are_taken_too(iris: Path, serve: Serve):
    served = serve(iris)
    assert served.predictions(frame().to_csv(index=False), "text/csv") == [0, 1, 2]
    assert served.predictions(frame().to_csv(index=False), "text/csv; charset=utf-8") == [0, 1, 2]
    message = served.refused(b"PAR1 no more", "application/vnd.apache.parquet")
    # The dependencies of the tests have no pyarrow; tests/compat sends a file to a server that has.
    assert "Parquet" in message


def test_bare_nan_is_understood_and_null_is_a_missing_value(serve: Serve, saved: Saved):
    path = saved(
        lambda data: data["a"].isna().tolist(), signature=ModelSignature(Schema([ColSpec("double", "a", False)]))
    )
    served = serve(path)
    assert served.predictions(b'{"dataframe_records": [{"a": NaN}, {"a": 1}]}') == [True, False]
    assert served.predictions({"dataframe_records": [{"a": None}, {"a": 1.5}]}) == [True, False]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([ROWS[0]], "must be an object with exactly one of dataframe_split, .*got a list"),
        ("a text", "got a string"),
        (None, "got null"),
        ({}, "exactly one of .*, got an empty object"),
        ({"columns": COLUMNS, "data": ROWS}, "got 'columns', 'data'"),
        ({"inputs": ROWS, "instances": ROWS}, "got inputs and instances"),
        ({"dataframe_records": RECORDS[0]}, "dataframe_records must be a list of objects, got an object"),
        ({"dataframe_records": [1, 2]}, "missing inputs"),
        ({"dataframe_split": ROWS}, "dataframe_split must be an object .*, got a list"),
        ({"dataframe_split": {"columns": COLUMNS}}, "dataframe_split has no field 'data'"),
        ({"dataframe_split": {"data": ROWS, "colums": COLUMNS}}, "unknown field 'colums'"),
        ({"dataframe_split": {"columns": COLUMNS, "data": 5}}, "dataframe_split cannot be made a table"),
        ({"dataframe_split": {"columns": COLUMNS, "data": [[1, 2]]}}, "dataframe_split cannot be made a table"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "two columns have the name 'a'"),
        ({"dataframe_records": [{COLUMNS[0]: 1}]}, r"missing inputs \['sepal width"),
        (
            {"dataframe_records": [{**RECORDS[0], COLUMNS[1]: "wide"}]},
            r"column 'sepal width \(cm\)' must be double, got 'wide'",
        ),
        ({"instances": [RECORDS[0], {COLUMNS[0]: 1}]}, "instances have 'sepal width .* in 1 of 2 objects"),
        ({"instances": [RECORDS[0], 3]}, "instances must hold objects or none, got a number"),
        ({"inputs": ROWS, "params": [1]}, "params must be an object, got a list"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "missing inputs"),
    ],
)
def test_what_does_not_fit_is_refused_with_field_rule_and_value(iris: Path, serve: Serve, body: Any, says: str):
    import re

    message = serve(iris).refused(json.dumps(body))
    assert re.search(says, message), message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"inputs": [[1,]]}', b"[" * 100_000])
def test_what_is_no_json_is_refused(iris: Path, serve: Serve, body: bytes):
    assert "JSON" in serve(iris).refused(body) or "nested too deeply" in serve(iris).refused(body)


def test_a_tensor_of_another_shape_is_refused(tensor_iris: Path, serve: Serve):
    served = serve(tensor_iris)
    assert "shape (-1, 4), got (1, 3)" in served.refused({"inputs": [[1, 2, 3]]})
    assert "differ in length" in served.refused({"inputs": [[1, 2], [1]]})
    assert "dtype float64, got object" in served.refused({"inputs": [{"a": 1}]})


@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        (None, "Content-Type header is missing"),
        ("application/xml", "must be application/json, text/csv or .*, got 'application/xml'"),
        ("application/json; charset=utf-16", "charset must be utf-8, got 'utf-16'"),
        ("application/json; format=pandas-split", "parameter 'format'"),
    ],
)
def test_another_content_type_is_415(iris: Path, serve: Serve, content_type: str | None, says: str):
    import re

    message = serve(iris).refused(b"{}", content_type, status=415)
    assert re.search(says, message), message


def test_no_error_sends_the_data_back(iris: Path, serve: Serve):
    served = serve(iris)
    secret = "4111-1111-1111-1111 " * 200
    for body in (
        {"dataframe_records": [{**RECORDS[0], COLUMNS[0]: secret}]},
        {"dataframe_split": {"columns": [secret], "data": [[1]]}},
        {"inputs": {secret: secret}},
        {secret: 1},
        [secret],
    ):
        answer = served.invoke(body)
        assert answer.status_code == 400
        assert len(answer.content) < 1500, answer.text


def test_numbers_become_those_of_the_signature_where_nothing_is_lost(serve: Serve, saved: Saved):
    signature = ModelSignature(
        Schema([ColSpec(kind, kind) for kind in ("integer", "long", "float", "double", "boolean", "string")])
    )
    served = serve(saved(lambda data: [f"{name} {kind}" for name, kind in data.dtypes.items()], signature=signature))
    row = {"integer": 1, "long": 2, "float": 1.5, "double": 3, "boolean": True, "string": "x"}
    found = served.predictions({"dataframe_records": [row]})
    assert found[:5] == ["integer int32", "long int64", "float float32", "double float64", "boolean bool"]
    assert served.predictions({"dataframe_records": [{**row, "integer": 1.0}]})[0] == "integer int32"
    assert served.predictions({"dataframe_records": [{**row, "string": 1}]}) == found
    for name, value, says in (
        ("integer", 1.5, "column 'integer' must be integer, got numbers that are not whole"),
        ("integer", 2**31, "column 'integer' must be integer, from -2147483648 to 2147483647"),
        ("integer", None, "missing values"),
        ("long", "many", "column 'long' must be long, got 'many'"),
        ("boolean", 1, "column 'boolean' must be boolean, got int64"),
        ("string", ["x"], "column 'string' must be string"),
    ):
        assert says in served.refused({"dataframe_records": [{**row, name: value}]})


def test_bytes_travel_as_base64_and_times_as_iso_8601(serve: Serve, saved: Saved):
    def echo(data: pd.DataFrame) -> pd.DataFrame:
        assert data["b"].map(type).tolist() == [bytes]
        return data

    signature = ModelSignature(Schema([ColSpec("binary", "b"), ColSpec("datetime", "t")]))
    served = serve(saved(echo, signature=signature))
    found = served.predictions({"dataframe_records": [{"b": "eA==", "t": "2026-01-31T09:05:00"}]})
    assert found == [{"b": "eA==", "t": "2026-01-31T09:05:00"}]
    assert "must be base64" in served.refused({"dataframe_records": [{"b": "e", "t": "2026-01-31"}]})
    assert "column 't' must be datetime" in served.refused({"dataframe_records": [{"b": "", "t": "soon"}]})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (np.array([[0.25, 0.75]]), [[0.25, 0.75]]),
        (np.array([1, 2], dtype="int32"), [1, 2]),
        (pd.Series([1.5, 2.5]), [{"0": 1.5}, {"0": 2.5}]),
        (pd.DataFrame({"p": [0.5, float("nan")]}), [{"p": 0.5}, {"p": None}]),
        ([np.float64(1.5), dt.date(2026, 1, 31), None], [1.5, "2026-01-31", None]),
        ({"a": np.array([1])}, {"a": [1]}),
        ("text", "text"),
        (np.array(["2026-01-31"], dtype="datetime64[D]"), ["2026-01-31"]),
    ],
)
def test_predictions_of_every_kind_become_json(serve: Serve, saved: Saved, answer: Any, expected: Any):
    served = serve(saved(lambda _: answer))
    assert served.predictions({"inputs": [1]}) == expected


def test_predictions_that_are_no_json_are_the_models_fault(
    serve: Serve, saved: Saved, caplog: pytest.LogCaptureFixture
):
    served = serve(saved(lambda _: [object()]))
    answer = served.invoke({"inputs": [1]})
    assert (answer.status_code, answer.json()["error_code"]) == (500, "INTERNAL_ERROR")
    assert "the model's predictions are not JSON: object is no JSON" in answer.json()["message"]
    assert "not JSON" in caplog.text


def test_params_reach_the_model_and_are_held_to_its_schema(serve: Serve, saved: Saved):
    class Scales:
        def predict(self, context: Any, model_input: Any, params: dict[str, Any]) -> Any:
            return [params["factor"] * 2]

    Scales.__module__ = "__main__"
    signature = ModelSignature(
        Schema([ColSpec("double", "a")]), None, ParamSchema([ParamSpec("factor", "double", 1.0)])
    )
    served = serve(saved(Scales(), signature=signature))
    body = {"dataframe_records": [{"a": 1.0}]}
    assert served.predictions(body) == [2.0]
    assert served.predictions({**body, "params": {"factor": 3, "other": 1}}) == [6.0]
    assert "param 'factor' must be double" in served.refused({**body, "params": {"factor": "three"}})


@pytest.mark.parametrize("key", ["messages", "prompt", "input"])
def test_a_chat_a_completion_and_an_embedding_go_through_whole(serve: Serve, saved: Saved, key: str):
    class Echo:
        def predict(self, context: Any, model_input: Any, params: dict[str, Any]) -> Any:
            return {"got": model_input, "params": params}

    Echo.__module__ = "__main__"
    signature = ModelSignature(params=ParamSchema([ParamSpec("temperature", "double", 1.0)]))
    served = serve(saved(Echo(), signature=signature))
    body = {key: ["hi"], "temperature": 0.5, "top_p": 1}
    answer = served.invoke(body)
    assert answer.json() == {"got": {key: ["hi"], "top_p": 1}, "params": {"temperature": 0.5}}


def test_without_a_signature_the_model_gets_arrays_and_records(serve: Serve, saved: Saved):
    served = serve(saved(lambda data: type(data).__name__))
    assert served.predictions({"inputs": [[1, 2]]}) == "ndarray"
    assert served.predictions({"inputs": {"a": [1]}}) == "dict"
    assert served.predictions({"instances": [{"a": 1}]}) == "dict"
    assert served.predictions({"dataframe_records": [{"a": 1}]}) == "DataFrame"


def test_a_model_of_named_tensors_gets_a_dict_of_them(serve: Serve, saved: Saved):
    signature = ModelSignature(Schema([TensorSpec("float32", (-1, 2), "x"), TensorSpec("int64", (-1,), "n")]))
    served = serve(saved(lambda data: [str(data["x"].dtype), data["n"].tolist()], signature=signature))
    assert served.predictions({"inputs": {"x": [[1, 2], [3, 4]], "n": [5, 6]}}) == ["float32", [5, 6]]
    assert served.predictions({"instances": [{"x": [1, 2], "n": 5}, {"x": [3, 4], "n": 6}]}) == ["float32", [5, 6]]


def test_a_model_that_fails_is_a_400_that_says_how_and_logs_the_rest(
    serve: Serve, saved: Saved, caplog: pytest.LogCaptureFixture
):
    def divide(data: Any) -> Any:
        return 1 // data[0]

    served = serve(saved(divide))
    message = served.refused({"inputs": [0, 1]})
    assert "the model failed on this input" in message
    assert "Traceback" not in message
    assert caplog.records[-1].exc_info is not None


def test_the_rest_is_where_mlflow_has_it(iris: Path, serve: Serve):
    served = serve(iris, version="3")
    for path in ("/ping", "/health"):
        answer = served.get(path)
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "\n", "application/json")
    assert served.get("/version").text == "3.17.2"
    document = served.get("/openapi.json").json()
    assert document["paths"].keys() >= {"/invocations", "/v2/models/{name}/infer", "/health"}
    example = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert len(served.predictions(example)) == 1
    page = served.get("/docs")
    assert "sepal length (cm)" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert served.invoke({"inputs": ROWS}).headers["x-model-version"] == "3"


def test_an_unknown_path_or_method_is_json_too(iris: Path, serve: Serve):
    served = serve(iris)
    for path, status in (
        ("/", 404),
        ("/invocations", 405),
        ("/v2/models/iris/versions", 404),
        ("/v2/models/iris/infer", 405),
    ):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (status, "ENDPOINT_NOT_FOUND"), path
