"""A table of Delta Lake, which Spark reads with its package."""

from __future__ import annotations

from typing import Any

from runyard.client.datasets import DatasetSource
from runyard.errors import ConfigurationError, InvalidParameter


class DeltaDatasetSource(DatasetSource):
    """A table by its path or its name, at a version or the newest."""

    def __init__(
        self,
        path: str | None = None,
        delta_table_name: str | None = None,
        delta_table_version: int | None = None,
        delta_table_id: str | None = None,
    ) -> None:
        if (path is None) == (delta_table_name is None):
            raise InvalidParameter("exactly one of path and delta_table_name must be given")
        self._path = path
        self._table_name = delta_table_name
        self._version = delta_table_version
        self._id = delta_table_id

    @property
    def path(self) -> str | None:
        return self._path

    @property
    def delta_table_name(self) -> str | None:
        return self._table_name

    @property
    def delta_table_version(self) -> int | None:
        return self._version

    @property
    def delta_table_id(self) -> str | None:
        return self._id

    @staticmethod
    def _get_source_type() -> str:
        return "delta_table"

    def load(self, **kwargs: Any) -> Any:
        """Return the data frame, of the session that is active or a new one.

        Raises:
            ConfigurationError: the session has no Delta Lake.
        """
        from pyspark.sql import SparkSession

        reader = SparkSession.builder.getOrCreate().read.format("delta")
        if self._version is not None:
            reader = reader.option("versionAsOf", self._version)
        try:
            return reader.load(self._path) if self._path is not None else reader.table(self._table_name)
        except Exception as error:
            if "DATA_SOURCE_NOT_FOUND" not in str(error) and "delta.DefaultSource" not in str(error):
                raise
            raise ConfigurationError(
                "Spark has no Delta Lake: make the session with the package of delta-spark "
                "(delta.configure_spark_with_delta_pip), then load the table again"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        told = {
            "path": self._path,
            "delta_table_name": self._table_name,
            "delta_table_version": self._version,
            "delta_table_id": self._id,
        }
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> DeltaDatasetSource:
        names = ("path", "delta_table_name", "delta_table_version", "delta_table_id")
        return cls(*(source_dict.get(name) for name in names))
