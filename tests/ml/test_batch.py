"""Files of every format scored in batches, and files larger than the memory that scoring takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LinearRegression

from runyard.errors import AlreadyExists, InvalidParameter, NotFound
from runyard.models import batch, pyfunc
from runyard.models.flavors import sklearn

FRAME = pd.DataFrame({"key": [f"{n:03}" for n in range(25)], "a": np.arange(25.0), "b": np.arange(25.0) ** 2})

READ = {".parquet": pd.read_parquet, ".csv": pd.read_csv, ".jsonl": lambda path: pd.read_json(path, lines=True)}
WRITE = {
    ".parquet": lambda frame, path: frame.to_parquet(path, row_group_size=4),
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
}


@pytest.fixture
def model(tmp_path: Path) -> Any:
    estimator = LinearRegression().fit(FRAME[["a", "b"]], FRAME["a"] * 2 - FRAME["b"])
    sklearn.save_model(estimator, tmp_path / "model", input_example=FRAME[["a", "b"]].head(3))
    return pyfunc.load_model(tmp_path / "model")


@pytest.mark.parametrize("target", READ)
@pytest.mark.parametrize("source", READ)
def test_rows_are_written_with_their_predictions(model: Any, source: str, target: str, tmp_path: Path):
    WRITE[source](FRAME, tmp_path / f"in{source}")

    assert batch.score(model, tmp_path / f"in{source}", tmp_path / f"out{target}", batch_rows=7) == 25

    found = READ[target](tmp_path / f"out{target}")
    np.testing.assert_allclose(found["prediction"], FRAME["a"] * 2 - FRAME["b"], atol=1e-9)
    assert list(found.columns) == ["key", "a", "b", "prediction"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_is_scored_file_by_file(model: Any, tmp_path: Path):
    for day in ("day=1", "day=2"):
        (tmp_path / "in" / day).mkdir(parents=True)
        FRAME.to_parquet(tmp_path / "in" / day / "part.parquet")
    (tmp_path / "in" / "_SUCCESS").touch()

    assert batch.score(model, tmp_path / "in", tmp_path / "out") == 50
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.parquet")) == [
        "day=1/part.parquet",
        "day=2/part.parquet",
    ]


def test_types_of_a_parquet_file_stay(model: Any, tmp_path: Path):
    table = pa.table(
        {"a": pa.array([1.0, 2.0]), "b": pa.array([1.0, 2.0]), "n": pa.array([None, 2**60 + 1], pa.int64())}
    )
    pq.write_table(table, tmp_path / "in.parquet")

    batch.score(model, tmp_path / "in.parquet", tmp_path / "out.parquet", batch_rows=1)
    assert pq.read_table(tmp_path / "out.parquet").drop(["prediction"]).equals(table)


def test_several_outputs_are_several_columns(tmp_path: Path):
    def both(model_input: Any) -> Any:
        return np.stack([model_input["a"], -model_input["a"]], axis=1)

    pyfunc.save_model(tmp_path / "model", python_model=both)
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    batch.score(pyfunc.load_model(tmp_path / "model"), tmp_path / "in.csv", tmp_path / "out.csv")
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "out.csv")["prediction_1"], -FRAME["a"])


def test_texts_that_look_like_numbers_are_texts(tmp_path: Path):
    def lengths(model_input: Any) -> Any:
        return [len(key) for key in model_input["key"]]

    pyfunc.save_model(tmp_path / "model", python_model=lengths, input_example=FRAME[["key"]])
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    batch.score(pyfunc.load_model(tmp_path / "model"), tmp_path / "in.csv", tmp_path / "out.csv", batch_rows=4)
    assert set(pd.read_csv(tmp_path / "out.csv")["prediction"]) == {3}


def test_what_will_not_do_is_told_and_leaves_no_file(model: Any, tmp_path: Path):
    FRAME.assign(a=[*[1.0] * 20, *["x"] * 5]).astype({"a": object}).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(InvalidParameter, match=r"in\.csv, rows 20 to 24: column 'a' must be double"):
        batch.score(model, tmp_path / "in.csv", tmp_path / "out.csv", batch_rows=10)
    FRAME.assign(prediction=1).to_csv(tmp_path / "taken.csv", index=False)
    with pytest.raises(InvalidParameter, match="have a column 'prediction' already"):
        batch.score(model, tmp_path / "taken.csv", tmp_path / "out.csv")
    (tmp_path / "in.xlsx").touch()
    with pytest.raises(InvalidParameter, match=r"source must be a file of .*, got 'in\.xlsx'"):
        batch.score(model, tmp_path / "in.xlsx", tmp_path / "out.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InvalidParameter, match="holds no rows"):
        batch.score(model, tmp_path / "empty.csv", tmp_path / "out.csv")
    with pytest.raises(NotFound, match="does not exist"):
        batch.score(model, tmp_path / "absent.csv", tmp_path / "out.csv")
    with pytest.raises(InvalidParameter, match="batch_rows must be at least 1, got 0"):
        batch.score(model, tmp_path / "in.csv", tmp_path / "out.csv", batch_rows=0)
    with pytest.raises(AlreadyExists, match="name a new one"):
        batch.score(model, tmp_path / "in.csv", tmp_path / "taken.csv")
    assert not (tmp_path / "out.csv").exists()


SCORING = """
import resource, sys
from runyard.models import batch, pyfunc
model = pyfunc.load_model("model")
batch.score(model, "small", "warm")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(batch.score(model, "large", "out"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_folder_larger_than_the_memory_it_takes(model: Any, tmp_path: Path):
    rows, files = 1_000_000, 8
    rng = np.random.default_rng(1)
    columns = {name: rng.random(rows) for name in ("a", "b", "c", "d")}
    for folder, count in (("small", 20_000), ("large", rows)):
        (tmp_path / folder).mkdir()
        table = pa.table({name: values[:count] for name, values in columns.items()})
        for index in range(files if folder == "large" else 1):
            pq.write_table(table, tmp_path / folder / f"{index}.parquet", row_group_size=50_000)

    done = subprocess.run(
        [sys.executable, "-c", SCORING], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    scored, grown_kib = (int(word) for word in done.stdout.split())
    assert scored == rows * files
    # 256 MB of numbers; a batch is a third of one.
    assert grown_kib < 64 * 1024
