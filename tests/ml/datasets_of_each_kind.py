"""One dataset of each kind, made with whichever `mlflow` it is: `python -m tests.ml.datasets_of_each_kind`."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd


def pandas_frames() -> dict[str, pd.DataFrame]:
    dates = pd.to_datetime(["2026-01-01", "2026-01-02", None])
    return {
        "numbers": pd.DataFrame({"b": [1, 2, 3], "a": [0.5, None, 2.5], "y": np.array([0, 1, 0], "int8")}),
        "mixed": pd.DataFrame(
            {
                "text": ["x", "y", "z"],
                "flag": [True, False, True],
                "when": dates,
                "small": np.array([1, 2, 3], "float32"),
                "gaps": ["a", None, "c"],
                "kind": pd.Categorical(["u", "v", "u"]),
                "raw": [b"1", b"2", b"3"],
                "y": [1, 2, 3],
            }
        ),
        "no rows": pd.DataFrame({"a": np.array([], "float64"), "y": np.array([], "int64")}),
        "long": pd.DataFrame({"a": np.arange(20_000), "y": np.arange(20_000) % 7}),
        "nested": pd.DataFrame({"a": [[1, 2], [3]], "b": [{"c": 1}, {"c": 2}], "y": [1, 2]}),
        "named rows": pd.DataFrame({"a": [1.0, 2.0], "y": [3, 4]}, index=["one", "two"]),
    }


def arrays() -> dict[str, tuple[Any, Any]]:
    many = np.arange(30_000.0).reshape(10_000, 3)
    return {
        "plain": (np.arange(6.0).reshape(3, 2), None),
        "targets": (np.arange(6, dtype="float32").reshape(3, 2), np.array([0, 1, 0])),
        "more than is looked at": (many, many[:, 0]),
        "turned": (many.T, None),
        "named": ({"b": np.arange(4), "a": np.ones((2, 2, 2))}, {"y": np.array([True, False])}),
        "texts": (np.array(["a", "b"]), None),
        "objects": (np.array(["a", 1], dtype=object), None),
    }


def of_pandas(mlflow: Any) -> dict[str, Any]:
    return {
        name: mlflow.data.from_pandas(frame, source="s3://bucket/x.csv", targets="y", name=name)
        for name, frame in pandas_frames().items()
    }


def of_numpy(mlflow: Any) -> dict[str, Any]:
    return {
        name: mlflow.data.from_numpy(features, source="data/x.npy", targets=targets)
        for name, (features, targets) in arrays().items()
    }


def of_polars(mlflow: Any) -> dict[str, Any]:
    import datetime as dt

    import polars as pl

    frames = {
        "numbers": pl.DataFrame({"a": [1, 2], "b": [0.5, None], "y": [True, False]}),
        "more": pl.DataFrame(
            {
                "text": ["x", None],
                "when": [dt.date(2026, 1, 1)] * 2,
                "list": [[1], [2, 3]],
                "object": [{"c": 1, "d": "e"}] * 2,
                "nothing": pl.Series([None, None], dtype=pl.Int32),
                "y": pl.Series([1, 2], dtype=pl.UInt8),
            }
        ),
    }
    return {name: mlflow.data.from_polars(frame, source="http://h/x", targets="y") for name, frame in frames.items()}


def of_huggingface(mlflow: Any) -> dict[str, Any]:
    import datasets

    plain = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]})
    return {
        "plain": mlflow.data.from_huggingface(plain, path="team/reviews", targets="label", revision="main"),
        "split": mlflow.data.from_huggingface(
            datasets.Dataset.from_dict({"x": [1.5, 2.5]}, split="train"), path="csv", data_files={"train": "a.csv"}
        ),
        "source": mlflow.data.from_huggingface(plain, source="s3://bucket/reviews"),
    }


def of_spark(mlflow: Any) -> dict[str, Any]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    frame = spark.sql(
        "select 1 as a, cast(2 as bigint) as b, 0.5d as c, 'x' as d, true as e, array(1, 2) as f, "
        "struct(1 as g, 'h' as i) as j, timestamp '2026-01-01' as k, cast(0.5 as float) as l, binary('m') as m"
    )
    made = {
        "files": mlflow.data.from_spark(frame, path="/data/x.parquet", targets="c", predictions="l"),
        "table": mlflow.data.from_spark(frame, table_name="shop.sales"),
        "query": mlflow.data.from_spark(spark.range(5), sql="select id from range(5)"),
    }
    told = {name: told_of(dataset) for name, dataset in made.items()}
    spark.stop()
    return told


def of_nothing(mlflow: Any) -> dict[str, Any]:
    from mlflow.data.http_dataset_source import HTTPDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.types import ColSpec, DataType, Schema

    source = HTTPDatasetSource(url="https://example.com/a.tar.gz")
    schema = Schema([ColSpec(type=DataType.string, name="text"), ColSpec(type=DataType.integer, name="label")])
    return {
        "plain": MetaDataset(source),
        "schema": MetaDataset(source, name="reviews", schema=schema),
        "local": MetaDataset(mlflow.data.sources.LocalArtifactDatasetSource("a.csv")),
    }


KINDS = {
    "pandas": of_pandas,
    "numpy": of_numpy,
    "polars": of_polars,
    "huggingface": of_huggingface,
    "spark": of_spark,
    "nothing": of_nothing,
}


def told_of(dataset: Any) -> Any:
    return dataset if isinstance(dataset, dict) else dataset.to_dict()


def main(mlflow: Any, kinds: list[str]) -> dict[str, dict[str, Any]]:
    return {
        kind: {name: told_of(dataset) for name, dataset in KINDS[kind](mlflow).items()} for kind in kinds or list(KINDS)
    }


if __name__ == "__main__":
    import mlflow

    print(json.dumps(main(mlflow, sys.argv[1:])))
