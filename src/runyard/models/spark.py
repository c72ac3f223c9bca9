"""Models as functions of Spark's columns."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models import pyfunc
from runyard.models.model import Model
from runyard.models.signature import Array, ColSpec, DataType, ModelSignature, Schema, TensorSpec
from runyard.settings import load_model_settings

_SPARK: Final = {
    DataType.boolean: "boolean",
    DataType.integer: "int",
    DataType.long: "bigint",
    DataType.float: "float",
    DataType.double: "double",
    DataType.string: "string",
    DataType.binary: "binary",
    DataType.datetime: "timestamp",
}
_SPARK_OF_TENSORS: Final = {
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "int64": "bigint",
    "bool": "boolean",
}


_ALLOW_PICKLE: Final = "RUNYARD_ALLOW_PICKLE"


def spark_udf(
    spark: Any,
    folder: Path,
    *,
    result_type: Any = None,
    params: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """Return a function of columns whose value is the model's prediction, for ``select`` and ``withColumn``.

    Each Python process of Spark's loads the model once, with its own Python: what the model needs must be there.

    Args:
        spark: the session, whose executors are given the model's files.
        folder: of the model.
        result_type: Spark's type of a prediction, or its DDL, such as ``double`` or ``array<float>``; by default what
            the signature says, and ``double`` without one.
    Returns:
        A function that takes the model's inputs as columns, or names of such, in the order of the signature; one
        column of structs; or nothing, for the columns that the signature names.
    Raises:
        NotFound: the folder holds no model that predicts.
        InvalidParameter: the signature's outputs are of no type of Spark's, and none is given.
    """
    from pyspark.sql.functions import PandasUDFType, pandas_udf

    meta = Model.load(folder)
    meta.flavor(pyfunc.FLAVOR)
    names = _names(meta.signature)
    kind = _parsed(result_type if result_type is not None else _result_type(meta.signature))
    archive, config = _sent(spark, folder), json.dumps(dict(model_config or {}))
    allow_pickle = load_model_settings().allow_pickle

    def predict(batches: Iterator[Any]) -> Iterator[Any]:
        model = _loaded(archive, config, allow_pickle)
        for columns in batches:
            yield _as_result(model.predict(_frame(columns, names), params), kind)

    function = pandas_udf(predict, kind, functionType=PandasUDFType.SCALAR_ITER)

    def udf(*columns: Any) -> Any:
        if not columns and not names:
            raise InvalidParameter("the model's signature names no columns: name them in the call")
        if names and len(columns) not in {0, 1, len(names)}:
            raise InvalidParameter(f"the model takes the columns {names}, got {len(columns)} of them")
        return function(*(columns or names))

    return udf


def _names(signature: ModelSignature | None) -> list[str]:
    inputs = signature.inputs if signature else None
    return [str(name) for name in inputs.input_names()] if inputs and inputs.has_input_names() else []


def _result_type(signature: ModelSignature | None) -> str:
    outputs = signature.outputs if signature else None
    if not outputs:
        return "double"
    specs = list(outputs)
    if len(specs) == 1:
        return _ddl(specs[0], outputs)
    return ", ".join(f"`{name}` {_ddl(each, outputs)}" for name, each in zip(outputs.input_names(), specs, strict=True))


def _ddl(spec: ColSpec | TensorSpec, outputs: Schema) -> str:
    if isinstance(spec, TensorSpec):
        item = _SPARK_OF_TENSORS.get(spec.type)
        # A column of one value a row is no list.
        dims = 0 if spec.shape[1:] == (1,) else len(spec.shape) - 1
        if item is not None and dims <= 1:
            return f"array<{item}>" if dims else item
    elif isinstance(spec.type, DataType):
        return _SPARK[spec.type]
    elif isinstance(spec.type, Array) and isinstance(spec.type.dtype, DataType):
        return f"array<{_SPARK[spec.type.dtype]}>"
    raise InvalidParameter(f"the model's outputs are {outputs.to_json()}, of no type of Spark's: give result_type")


def _parsed(kind: Any) -> Any:
    from pyspark.sql.types import DataType as SparkType, _parse_datatype_string

    if isinstance(kind, SparkType):
        return kind
    # MLflow's name for what Spark calls bigint.
    return _parse_datatype_string("bigint" if kind == "long" else kind)


def _sent(spark: Any, folder: Path) -> str:
    """Give the executors the model's files in an archive, and return its name there."""
    try:
        context = spark.sparkContext
    except AttributeError:
        raise InvalidParameter("Spark Connect cannot be given a model's files: use a session of Spark itself") from None
    # Executors fetch it when they need it, so that it stays as long as this process.
    made = tempfile.mkdtemp(prefix="runyard-spark-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    # Spark knows a file by its name alone.
    archive = shutil.make_archive(str(Path(made) / f"model-{uuid.uuid4().hex}"), "zip", folder)
    context.addFile(archive)
    return Path(archive).name


@functools.lru_cache(maxsize=8)
def _loaded(archive: str, config: str, allow_pickle: bool) -> pyfunc.PyFuncModel:
    from pyspark import SparkFiles

    folder = tempfile.mkdtemp(prefix="runyard-model-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.unpack_archive(SparkFiles.get(archive), folder)
    before = os.environ.get(_ALLOW_PICKLE)
    if not allow_pickle:
        # What the driver forbids is forbidden here, too: the environment of an executor is its own.
        os.environ[_ALLOW_PICKLE] = "false"
    try:
        return pyfunc.load_model(folder, model_config=json.loads(config))
    finally:
        if before is not None:
            os.environ[_ALLOW_PICKLE] = before
        elif not allow_pickle:
            del os.environ[_ALLOW_PICKLE]


def _frame(columns: Any, names: list[str]) -> Any:
    import pandas as pd

    columns = columns if isinstance(columns, tuple) else (columns,)
    # A column of structs comes as a frame.
    if len(columns) == 1 and isinstance(columns[0], pd.DataFrame):
        return columns[0]
    found = names if len(names) == len(columns) else [str(index) for index in range(len(columns))]
    return pd.DataFrame(dict(zip(found, columns, strict=True)))


def _as_result(predicted: Any, kind: Any) -> Any:
    """Return predictions as Spark takes them: a frame for structs, else a series."""
    import numpy as np
    import pandas as pd
    from pyspark.sql.types import ArrayType, StructType

    if isinstance(kind, StructType):
        frame = predicted if isinstance(predicted, pd.DataFrame) else pd.DataFrame(predicted)
        if not set(kind.names) <= set(frame.columns) and len(frame.columns) == len(kind.names):
            frame.columns = kind.names
        return frame[kind.names]
    if isinstance(predicted, dict):
        [predicted] = predicted.values()
    if isinstance(kind, ArrayType):
        return pd.Series(np.asarray(predicted).tolist())
    if isinstance(predicted, pd.DataFrame):
        predicted = predicted.iloc[:, 0]
    if isinstance(predicted, np.ndarray) and predicted.ndim == 2:
        predicted = predicted[:, 0]
    return pd.Series(predicted)
