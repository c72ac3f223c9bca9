"""Datasets as a program holds them: what they are called, where they came from, what they look like.

The kinds of datasets and of sources are in `runyard.data`.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from runyard.entities import Dataset as DatasetEntity, DatasetInput, InputTag

T = TypeVar("T")

CONTEXT_TAG: Final = "mlflow.data.context"
_log: Final = logging.getLogger(__name__)


class DatasetSource(ABC):
    """Where a dataset came from: a kind, and what finds it again."""

    @staticmethod
    @abstractmethod
    def _get_source_type() -> str:
        """Return the kind, as runs name it."""

    @property
    def source_type(self) -> str:
        return self._get_source_type()

    @abstractmethod
    def load(self) -> Any:
        """Fetch what it names; return where it is now, or the data itself."""

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:  # noqa: ARG004 - for kinds that look at it
        """Return whether what a program gave as a source is of this kind."""
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> DatasetSource:
        raise NotImplementedError

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what finds it again, ready for JSON."""

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    @abstractmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> DatasetSource: ...

    @classmethod
    def from_json(cls, source_json: str) -> DatasetSource:
        return cls.from_dict(json.loads(source_json))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.to_dict()}>"


class Dataset(ABC):
    """A dataset that can be logged as a run's input."""

    # The name in the protocol under which a schema of columns is written.
    _COLUMNS: ClassVar = "mlflow_colspec"

    def __init__(self, source: DatasetSource, name: str | None = None, digest: str | None = None) -> None:
        self._name = name
        self._source = source
        # Of the data as they are now: a program may go on to change them.
        self._digest = digest or self._compute_digest()

    @property
    def name(self) -> str:
        return self._name or "dataset"

    @property
    def digest(self) -> str:
        """A short text that changes with the content."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        return self._source

    @property
    @abstractmethod
    def profile(self) -> Any | None:
        """How much it holds, ready for JSON."""

    @property
    @abstractmethod
    def schema(self) -> Any | None:
        """The names, types and shapes of what it holds; None where no schema says them."""

    @abstractmethod
    def _compute_digest(self) -> str: ...

    def _get_source_type(self) -> str:
        return self.source.source_type

    def to_dict(self) -> dict[str, str | None]:
        """Return what a run is told, each as text; a kind of dataset adds its schema and profile."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(),
            "source_type": self._get_source_type(),
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    def to_entity(self) -> DatasetEntity:
        """Return what a run's inputs tell of it."""
        told = self.to_dict()
        return DatasetEntity(
            name=str(told["name"]),
            digest=str(told["digest"]),
            source_type=str(told["source_type"]),
            source=str(told["source"]),
            schema=told.get("schema"),
            profile=told.get("profile"),
        )

    def _to_mlflow_entity(self) -> DatasetEntity:
        return self.to_entity()


class ColumnDataset(Dataset):
    """A dataset whose schema is of columns, or of whatever writes itself with `to_dict`."""

    def to_dict(self) -> dict[str, str | None]:
        schema = self.schema
        written = None if schema is None else json.dumps({self._COLUMNS: schema.to_dict()})
        return {**super().to_dict(), "schema": written, "profile": json.dumps(self.profile)}


@dataclass
class PyFuncInputsOutputs:
    """A dataset as a model takes it: inputs, and the outputs that are expected, if it holds them."""

    inputs: Any
    outputs: Any = None


def inferred(infer: Callable[[], T]) -> T | None:
    """Return the schema that is found, or None where none describes the data: they are logged all the same."""
    try:
        return infer()
    except Exception as error:  # noqa: BLE001 - whatever the data are, it stops no logging
        _log.debug("no schema describes a dataset: %s", error)
        return None


def dataset_input(
    dataset: Dataset | DatasetEntity, purpose: str | None = None, tags: Mapping[str, str] | None = None
) -> DatasetInput:
    """Return a dataset as a run's input, with what it is used for."""
    entity = dataset.to_entity() if isinstance(dataset, Dataset) else dataset
    found = [InputTag(key, str(value)) for key, value in (tags or {}).items()]
    if purpose:
        found.append(InputTag(CONTEXT_TAG, purpose))
    return DatasetInput(entity, found)
