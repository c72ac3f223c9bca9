"""Models as functions of columns, on a Spark of this machine's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct
from sklearn.linear_model import LogisticRegression

import runyard as mlflow
from runyard.errors import InvalidParameter

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    assert shutil.which("java"), "Spark needs Java: install a Java 17 runtime"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        options = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.driver.memory": "512m"}
        builder = SparkSession.builder.master("local[2]")
        for name, value in options.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="module")
def estimator() -> Any:
    return LogisticRegression().fit(FRAME, [0, 0, 1, 1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, estimator: Any) -> Path:
    made = tmp_path_factory.mktemp("models")
    mlflow.sklearn.save_model(estimator, made / "class", input_example=FRAME)
    mlflow.sklearn.save_model(estimator, made / "proba", pyfunc_predict_fn="predict_proba", input_example=FRAME)

    def named(model_input: Any, params: Any = None) -> Any:
        return pd.DataFrame({"twice": model_input["a"] * 2, "text": model_input["a"].astype(str) + params["end"]})

    mlflow.pyfunc.save_model(made / "named", python_model=named, input_example=(FRAME, {"end": "!"}))
    return made


def test_predictions_are_a_column_of_the_signatures_type(spark: SparkSession, folder: Path, estimator: Any):
    rows = spark.createDataFrame(FRAME)
    predict = mlflow.pyfunc.spark_udf(spark, folder / "class")
    for columns in ([], ["a", "b"], [struct("b", "a")]):
        found = rows.withColumn("out", predict(*columns))
        assert found.schema["out"].dataType.simpleString() == "bigint"
        assert [row.out for row in found.collect()] == estimator.predict(FRAME).tolist()


def test_several_values_are_a_list_or_a_struct(spark: SparkSession, folder: Path, estimator: Any):
    rows = spark.createDataFrame(FRAME)
    found = rows.select(mlflow.pyfunc.spark_udf(spark, folder / "proba")().alias("out"))
    assert found.schema["out"].dataType.simpleString() == "array<double>"
    np.testing.assert_allclose([row.out for row in found.collect()], estimator.predict_proba(FRAME))

    named = mlflow.pyfunc.spark_udf(spark, folder / "named", params={"end": "?"})
    found = rows.select(named().alias("out")).select("out.*")
    assert [tuple(row) for row in found.collect()] == [(0.0, "0.0?"), (2.0, "1.0?"), (4.0, "2.0?"), (6.0, "3.0?")]


def test_a_type_that_is_given_counts(spark: SparkSession, folder: Path):
    found = spark.createDataFrame(FRAME).select(mlflow.pyfunc.spark_udf(spark, folder / "class", "double")().alias("o"))
    assert found.schema["o"].dataType.simpleString() == "double"
    assert [row.o for row in found.collect()] == [0.0, 0.0, 1.0, 1.0]


def test_executors_refuse_pickles_where_the_driver_does(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    # Executors of this machine have been started, with the environment of that moment.
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    predict = mlflow.pyfunc.spark_udf(spark, folder / "class")
    with pytest.raises(Exception, match="RUNYARD_ALLOW_PICKLE forbids pickles"):
        spark.createDataFrame(FRAME).withColumn("out", predict()).collect()
    monkeypatch.undo()
    allowed = spark.createDataFrame(FRAME).withColumn("out", mlflow.pyfunc.spark_udf(spark, folder / "class")())
    assert len(allowed.collect()) == len(FRAME)


def test_what_will_not_do_is_told(spark: SparkSession, folder: Path):
    with pytest.raises(InvalidParameter, match=r"takes the columns \['a', 'b'\], got 3"):
        mlflow.pyfunc.spark_udf(spark, folder / "class")("a", "b", "a")
    with pytest.raises(InvalidParameter, match="leave out env_manager"):
        mlflow.pyfunc.spark_udf(spark, folder / "class", env_manager="conda")
