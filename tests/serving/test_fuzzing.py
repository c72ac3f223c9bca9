"""Whatever comes, the answer is a 200 or a 4xx: nothing a client sends is the server's fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from runyard.models.signature import ColSpec, ModelSignature, Schema, TensorSpec
from tests.serving.conftest import COLUMNS, Served

SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*COLUMNS[:2], "i", "t", "x"]), inner),
    max_leaves=12,
)
ROWS = st.lists(st.lists(SCALARS, min_size=1, max_size=5), max_size=3)
RECORDS = st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "i", "l", "s", "b", "t", "x"]), SCALARS), max_size=3)
INVOCATIONS = st.one_of(
    VALUES,
    st.fixed_dictionaries({"dataframe_records": RECORDS | VALUES}),
    st.fixed_dictionaries(
        {
            "dataframe_split": st.fixed_dictionaries(
                {"data": ROWS | VALUES}, optional={"columns": VALUES, "index": VALUES}
            )
        }
    ),
    st.fixed_dictionaries({"inputs": ROWS | RECORDS | VALUES}, optional={"params": VALUES}),
    st.fixed_dictionaries({"instances": ROWS | RECORDS | VALUES}),
    st.fixed_dictionaries({"messages": VALUES}),
)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from([*COLUMNS[:2], "x", "i"]),
        "shape": st.lists(st.integers(-1, 4), max_size=3) | VALUES,
        "datatype": st.sampled_from(["FP64", "FP32", "INT8", "UINT64", "BOOL", "BYTES", "FP16", "none"]),
    },
    optional={
        "data": ROWS | VALUES,
        "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "content_type"]), SCALARS),
    },
)
INFERENCES = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=3) | VALUES},
    optional={"id": SCALARS, "parameters": VALUES, "outputs": VALUES},
)
QUICK = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=["columns", "types", "tensor", "none"])
def served(
    request: pytest.FixtureRequest, serve: Callable[..., Served], saved: Callable[..., Path], iris: Path
) -> Served:
    """A model of each kind of signature."""
    if request.param == "columns":
        return serve(iris)
    kinds = {"i": "integer", "l": "long", "f": "float", "s": "string", "b": "binary", "t": "datetime", "o": "boolean"}
    signatures = {
        "types": ModelSignature(Schema([ColSpec(kind, name, False) for name, kind in kinds.items()])),
        "tensor": ModelSignature(Schema([TensorSpec("int32", (-1, 2), "x"), TensorSpec("str", (-1,), "i")])),
        "none": None,
    }
    return serve(saved(lambda data: [str(type(data))], signature=signatures[request.param]))


def test_no_invocation_is_the_servers_fault(served: Served):
    @QUICK
    @given(INVOCATIONS)
    def ask(body: Any) -> None:
        answer = served.invoke(json.dumps(body))
        assert answer.status_code in (200, 400), answer.text

    ask()


def test_no_inference_is_the_servers_fault(served: Served):
    @QUICK
    @given(INFERENCES)
    def ask(body: Any) -> None:
        answer = served.post("/v2/models/iris/infer", json.dumps(body))
        assert answer.status_code in (200, 400), answer.text

    ask()


def test_no_file_is_the_servers_fault(served: Served):
    @QUICK
    @given(st.binary(max_size=200) | st.text('ab,1.\n"', max_size=60).map(str.encode))
    def ask(body: bytes) -> None:
        assert served.invoke(body, "text/csv").status_code in (200, 400)
        assert served.invoke(body).status_code in (200, 400)

    ask()
