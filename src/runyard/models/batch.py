"""Files scored by a model in batches, so that they may be larger than memory."""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import AlreadyExists, InvalidParameter, NotFound
from runyard.models.signature import ColSpec, DataType, is_array, is_frame, is_series

if TYPE_CHECKING:
    from runyard.models.pyfunc import PyFuncModel

FORMATS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
}


def score(model: PyFuncModel, source: str | Path, target: str | Path, *, batch_rows: int = 10_000) -> int:
    """Write the rows of files with the model's predictions beside them, and return how many rows there were.

    One batch is in memory at a time. Predictions are in the column ``prediction``, those of several values a row in
    ``prediction_0`` and so on, those with names under their names.

    Args:
        source: a file of Parquet, CSV or JSON lines, by its suffix, or a folder of them, its subfolders included.
        target: the file to write, in the format of its suffix; for a folder, a new folder, with
            files of the same names.
        batch_rows: rows that the model is asked at once.
    Raises:
        NotFound: no source, or a folder without such files.
        AlreadyExists: the target is there and, if a folder, not empty.
        InvalidParameter: a suffix is not known, or rows do not fit the model; the message names the file and the rows.
    """
    source, target = Path(source), Path(target)
    if batch_rows < 1:
        raise InvalidParameter(f"batch_rows must be at least 1, got {batch_rows}")
    if not source.exists():
        raise NotFound(f"source {str(source)!r} does not exist")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExists(f"target {str(target)!r} is there already: name a new one")
    if source.is_file():
        if not (rows := _score_file(model, source, target, batch_rows)):
            raise InvalidParameter(f"source {str(source)!r} holds no rows")
        return rows
    files = sorted(path for path in source.rglob("*") if path.suffix in FORMATS and _is_data(path.relative_to(source)))
    if not files:
        raise NotFound(f"source {str(source)!r} holds no file of {', '.join(FORMATS)}")
    if target.resolve().is_relative_to(source.resolve()):
        raise InvalidParameter(f"target {str(target)!r} must be outside the source {str(source)!r}")
    return sum(_score_file(model, path, target / path.relative_to(source), batch_rows) for path in files)


def _is_data(path: Path) -> bool:
    # Spark and others leave files beside the data whose names begin so.
    return not any(part.startswith(("_", ".")) for part in path.parts)


def _score_file(model: PyFuncModel, source: Path, target: Path, batch_rows: int) -> int:
    kinds = [_format(source, "source"), _format(target, "target")]
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    # A file that is there is whole.
    with tempfile.TemporaryDirectory(prefix=".scoring-", dir=target.parent) as made, contextlib.ExitStack() as stack:
        unfinished = Path(made) / target.name
        schema, batches = _READERS[kinds[0]](source, batch_rows, model)
        write = stack.enter_context(_WRITERS[kinds[1]](unfinished, schema))
        for batch in batches:
            try:
                write(_joined(batch, model.predict(batch)))
            except InvalidParameter as wrong:
                where = f"{source.name}, rows {rows} to {rows + len(batch) - 1}"
                raise InvalidParameter(f"{where}: {wrong.message}") from wrong
            rows += len(batch)
        stack.close()
        # Spark leaves parts without a row: of what columns theirs are, nobody can tell.
        if rows:
            unfinished.replace(target)
    return rows


def _format(path: Path, what: str) -> str:
    if path.suffix not in FORMATS:
        raise InvalidParameter(f"{what} must be a file of {', '.join(FORMATS)}, got {path.name!r}")
    return FORMATS[path.suffix]


def _joined(batch: Any, predicted: Any) -> Any:
    """Return the rows with their predictions as further columns."""
    import numpy as np
    import pandas as pd

    if is_series(predicted):
        columns = {"prediction": predicted.to_numpy()}
    elif is_frame(predicted):
        # Outputs of arrays come back with numbers for names.
        columns = {
            name if isinstance(name, str) else f"prediction_{name}": predicted[name].to_numpy() for name in predicted
        }
        if len(columns) == 1 and "prediction_0" in columns:
            columns = {"prediction": columns["prediction_0"]}
    elif isinstance(predicted, dict):
        columns = {str(name): _cells(np.asarray(values)) for name, values in predicted.items()}
    elif is_array(predicted) and predicted.ndim == 2 and predicted.shape[1] > 1:
        columns = {f"prediction_{index}": predicted[:, index] for index in range(predicted.shape[1])}
    else:
        columns = {"prediction": _cells(predicted)}
    for name, values in columns.items():
        if len(values) != len(batch):
            raise InvalidParameter(f"the model gave {len(values)} predictions for {len(batch)} rows")
        if name in batch.columns:
            raise InvalidParameter(f"the rows have a column {name!r} already, which is to hold predictions: rename it")
    return pd.concat([batch, pd.DataFrame(columns, index=batch.index)], axis="columns")


def _cells(values: Any) -> Any:
    """Return one value a row, a list where it has several."""
    if is_array(values) and values.ndim > 1:
        return values[:, 0] if values.shape[1:] == (1,) else list(values.tolist())
    return values


def _read_parquet(source: Path, batch_rows: int, _: PyFuncModel) -> tuple[Any, Iterator[Any]]:
    _need_pyarrow()
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source)

    def batches() -> Iterator[Any]:
        with file:
            for batch in file.iter_batches(batch_size=batch_rows):
                # Whole numbers stay such where some are missing.
                yield batch.to_pandas(integer_object_nulls=True)

    return file.schema_arrow, batches()


def _read_csv(source: Path, batch_rows: int, model: PyFuncModel) -> tuple[Any, Iterator[Any]]:
    import pandas as pd

    # A batch of texts that all look like numbers is one of texts all the same.
    texts = dict.fromkeys(_texts(model), "str")

    def batches() -> Iterator[Any]:
        try:
            with pd.read_csv(source, chunksize=batch_rows, dtype=texts) as reader:
                yield from reader
        except pd.errors.EmptyDataError:
            return

    return None, batches()


def _read_json_lines(source: Path, batch_rows: int, _: PyFuncModel) -> tuple[Any, Iterator[Any]]:
    import pandas as pd

    def batches() -> Iterator[Any]:
        with source.open(encoding="utf-8") as file:
            lines = (line for line in file if line.strip())
            while batch := list(itertools.islice(lines, batch_rows)):
                try:
                    yield pd.DataFrame([json.loads(line) for line in batch])
                except ValueError as wrong:
                    raise InvalidParameter(f"source {source.name!r} is not of JSON lines: {wrong}") from None

    return None, batches()


def _texts(model: PyFuncModel) -> list[str]:
    signature = model.metadata.signature
    specs = signature.inputs if signature and signature.inputs else ()
    return [
        each.name
        for each in specs
        if isinstance(each, ColSpec) and each.type is DataType.string and isinstance(each.name, str)
    ]


@contextlib.contextmanager
def _write_parquet(target: Path, schema: Any) -> Iterator[Callable[[Any], None]]:
    _need_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: Any = None

    def write(frame: Any) -> None:
        nonlocal writer
        if writer is None:
            found = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
            known = {} if schema is None else {each.name: each for each in schema}
            writer = pq.ParquetWriter(target, pa.schema([known.get(each.name, each) for each in found]))
        try:
            table = pa.Table.from_pandas(frame, schema=writer.schema, preserve_index=False)
        except (pa.ArrowException, KeyError) as wrong:
            raise InvalidParameter(f"the rows are of other types than the first ones: {wrong}") from None
        writer.write_table(table)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


@contextlib.contextmanager
def _write_csv(target: Path, _: Any) -> Iterator[Callable[[Any], None]]:
    with target.open("w", encoding="utf-8", newline="") as file:
        yield lambda frame: frame.to_csv(file, index=False, header=file.tell() == 0)


@contextlib.contextmanager
def _write_json_lines(target: Path, _: Any) -> Iterator[Callable[[Any], None]]:
    with target.open("w", encoding="utf-8") as file:
        yield lambda frame: frame.to_json(file, orient="records", lines=True, date_format="iso", double_precision=15)


def _need_pyarrow() -> None:
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidParameter("files of Parquet need pyarrow: pip install pyarrow")


_READERS: Final = {"parquet": _read_parquet, "csv": _read_csv, "json lines": _read_json_lines}
_WRITERS: Final = {"parquet": _write_parquet, "csv": _write_csv, "json lines": _write_json_lines}
