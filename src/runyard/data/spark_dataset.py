"""Data frames of Spark, and tables of Delta Lake."""

# Spark's Python has no public way to its Java classes.
# ruff: noqa: SLF001

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from runyard.client.datasets import DatasetSource, PyFuncInputsOutputs, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.delta_dataset_source import DeltaDatasetSource
from runyard.data.digest_utils import MAX_ROWS, get_normalized_md5_digest
from runyard.data.pandas_dataset import FrameDataset
from runyard.data.spark_dataset_source import SparkDatasetSource
from runyard.errors import InvalidParameter
from runyard.models.signature import Array, ColSpec, DataType, Object, Property, Schema, Type

_COUNT_TIMEOUT_MS: Final = 5000
_COUNT_CONFIDENCE: Final = 0.9


class SparkDataset(FrameDataset):
    """Its digest is of the query that makes it, and its rows are counted roughly, for to read them may take hours."""

    @property
    def df(self) -> Any:
        return self._df

    @property
    def profile(self) -> dict[str, Any] | None:
        return inferred(self._count)

    @property
    def schema(self) -> Schema | None:
        return inferred(lambda: Schema(ColSpec(_type_of(each.dataType), each.name) for each in self._df.schema.fields))

    def to_pyfunc(self) -> PyFuncInputsOutputs:
        """Return the first 10,000 rows."""
        return self._split(self._df.limit(MAX_ROWS).toPandas())

    def _count(self) -> dict[str, Any]:
        found = self._df.rdd.countApprox(_COUNT_TIMEOUT_MS, _COUNT_CONFIDENCE)
        return {"approx_count": found if found > 0 else "unknown"}

    def _compute_digest(self) -> str:
        import numpy as np

        return get_normalized_md5_digest([np.int64(self._df.semanticHash())])


def from_spark(
    df: Any,
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    sql: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> SparkDataset:
    """Return a dataset of a data frame.

    Args:
        path, table_name, sql: what the frame came from, one of them or none: then from the program that calls this.
        version: of a table of Delta Lake.
    Raises:
        InvalidParameter: several sources are named, or a version of what has none.
    """
    if [path, table_name, sql].count(None) < 2:
        raise InvalidParameter("at most one of path, table_name and sql may be given")
    if sql is not None and version is not None:
        raise InvalidParameter("version goes with path or table_name, and not with sql")
    source: DatasetSource | None = None
    if (path is not None and _is_delta_folder(path)) or (table_name is not None and _is_delta_table(table_name)):
        found = version if version is not None else _newest_version(path, table_name)
        source = DeltaDatasetSource(path, table_name, found)  # type: ignore[arg-type] # a version as it was given
    elif version is not None:
        raise InvalidParameter(f"version {version!r} was given, but {path or table_name!r} is no table of Delta Lake")
    elif path is not None or table_name is not None or sql is not None:
        source = SparkDatasetSource(path, table_name, sql)
    return SparkDataset(df, source_or_code(source), targets, name, digest, predictions)


def load_delta(
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> SparkDataset:
    """Return a dataset of a table of Delta Lake, read at ``version`` or the newest.

    Raises:
        InvalidParameter: not exactly one of path and table_name is given.
        ConfigurationError: Spark's session has no Delta Lake.
    """
    if (path is None) == (table_name is None):
        raise InvalidParameter("exactly one of path and table_name must be given")
    found: Any = version if version is not None else _newest_version(path, table_name)
    if name is None and table_name is not None:
        name = table_name if found is None else f"{table_name}@v{found}"
    source = DeltaDatasetSource(path, table_name, found)
    return SparkDataset(source.load(), source, targets, name, digest)


def _is_delta_folder(path: str) -> bool:
    return Path(path, "_delta_log").is_dir()


def _is_delta_table(table_name: str) -> bool:
    from pyspark.errors import AnalysisException
    from pyspark.sql import SparkSession

    try:
        described = SparkSession.builder.getOrCreate().sql(f"DESCRIBE DETAIL {table_name}")
        return bool(described.filter("format = 'delta'").count())
    except AnalysisException:
        return False


def _newest_version(path: str | None, table_name: str | None) -> Any:
    """Return the newest version of a table of Delta Lake; None where Spark's session cannot tell."""
    from pyspark.sql import SparkSession

    def found() -> Any:
        spark: Any = SparkSession.builder.getOrCreate()
        tables = spark._jvm.io.delta.tables.DeltaTable
        java: Any = spark._jsparkSession
        table = tables.forPath(java, path) if path is not None else tables.forName(java, table_name)
        newest = table.history(1).head()
        return newest.get(newest.fieldIndex("version"))

    return inferred(found)


def _type_of(kind: Any) -> Type:
    from pyspark.sql import types

    scalars = (
        (types.LongType, DataType.long),
        (types.IntegralType, DataType.integer),
        (types.FloatType, DataType.float),
        (types.DoubleType, DataType.double),
        (types.BooleanType, DataType.boolean),
        (types.StringType, DataType.string),
        (types.BinaryType, DataType.binary),
        (types.DateType, DataType.datetime),
        (types.TimestampType, DataType.datetime),
    )
    for spark_type, found in scalars:
        if isinstance(kind, spark_type):
            return found
    if isinstance(kind, types.ArrayType):
        return Array(_type_of(kind.elementType))
    if isinstance(kind, types.StructType):
        return Object(Property(each.name, _type_of(each.dataType), not each.nullable) for each in kind.fields)
    raise InvalidParameter(f"no type of a schema describes Spark's {kind}")
