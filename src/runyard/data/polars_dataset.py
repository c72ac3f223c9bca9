"""Data frames of Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard.client.datasets import DatasetSource, PyFuncInputsOutputs, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.pandas_dataset import FrameDataset
from runyard.errors import InvalidParameter
from runyard.models.signature import Array, ColSpec, DataType, Object, Property, Schema, Type

if TYPE_CHECKING:
    import polars as pl


class PolarsDataset(FrameDataset):
    @property
    def df(self) -> pl.DataFrame:
        return self._df

    @property
    def profile(self) -> dict[str, Any]:
        return {"num_rows": self._df.height, "num_elements": self._df.height * self._df.width}

    @property
    def schema(self) -> Schema | None:
        # A column is required where it holds a value: as MLflow has it for these frames, and them alone.
        def column(each: pl.Series) -> ColSpec:
            return ColSpec(_type_of(each.dtype), each.name, each.count() > 0)

        return inferred(lambda: Schema(map(column, self._df.iter_columns())))

    def to_pyfunc(self) -> PyFuncInputsOutputs:
        return self._split(self._df.to_pandas())

    def _compute_digest(self) -> str:
        return str(self._df.hash_rows().sum())


def from_polars(
    df: pl.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Return a dataset of a table; without a source it came from the program that calls this.

    Its digest is of Polars' own hashes, which change with its version.
    """
    return PolarsDataset(df, source_or_code(source), targets, name, digest, predictions)


def _type_of(dtype: Any) -> Type:
    import polars as pl

    scalars = {
        pl.Binary: DataType.binary,
        pl.Boolean: DataType.boolean,
        pl.Categorical: DataType.string,
        pl.Date: DataType.datetime,
        pl.Datetime: DataType.datetime,
        pl.Enum: DataType.string,
        pl.Float32: DataType.float,
        pl.Float64: DataType.double,
        pl.Int8: DataType.integer,
        pl.Int16: DataType.integer,
        pl.Int32: DataType.integer,
        pl.Int64: DataType.long,
        pl.String: DataType.string,
        pl.UInt8: DataType.integer,
        pl.UInt16: DataType.integer,
        pl.UInt32: DataType.long,
    }
    found = scalars.get(dtype.base_type())
    if found is not None:
        return found
    if isinstance(dtype, (pl.Array, pl.List)):
        return Array(_type_of(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return Object(Property(field.name, _type_of(field.dtype)) for field in dtype.fields)
    raise InvalidParameter(f"no type of a schema describes Polars' {dtype}")
