"""What Spark reads: files, a table, or a query."""

from __future__ import annotations

from typing import Any

from runyard.client.datasets import DatasetSource
from runyard.errors import InvalidParameter


class SparkDatasetSource(DatasetSource):
    """One of a path to Parquet files, a table's name and a query."""

    def __init__(self, path: str | None = None, table_name: str | None = None, sql: str | None = None) -> None:
        told = {"path": path, "table_name": table_name, "sql": sql}
        self._told = {name: value for name, value in told.items() if value is not None}
        if len(self._told) != 1:
            raise InvalidParameter(f"exactly one of path, table_name and sql must be given, got {self._told!r}")

    @staticmethod
    def _get_source_type() -> str:
        return "spark"

    def load(self, **kwargs: Any) -> Any:
        """Return the data frame, of the session that is active or a new one."""
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.getOrCreate()
        [(kind, value)] = self._told.items()
        if kind == "sql":
            return spark.sql(value)
        return spark.read.table(value) if kind == "table_name" else spark.read.parquet(value)

    def to_dict(self) -> dict[str, Any]:
        return dict(self._told)

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> SparkDatasetSource:
        return cls(source_dict.get("path"), source_dict.get("table_name"), source_dict.get("sql"))
