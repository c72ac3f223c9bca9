"""Datasets as a program holds them: what they are called, where they came from, what they look like."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runyard.artifacts.uris import local_path, scheme_of
from runyard.client import context
from runyard.entities import Dataset as DatasetEntity, DatasetInput, InputTag
from runyard.errors import InvalidParameter
from runyard.wire.names import shown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CONTEXT_TAG: Final = "mlflow.data.context"
# A digest looks at no more than so many rows, and is so many characters long.
_DIGEST_ROWS: Final = 10_000
_DIGEST_LENGTH: Final = 8
_STORES: Final = frozenset({"s3", "gs", "wasb", "wasbs", "abfss", "dbfs", "hdfs", "sftp", "ftp", "r2", "b2"})


class DatasetSource:
    """Where a dataset came from: a kind, and what finds it again."""

    def __init__(self, source_type: str, fields: Mapping[str, Any]) -> None:
        self._source_type = source_type
        self._fields = dict(fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_fields"][name]
        except KeyError:
            raise AttributeError(f"a source of the kind {self.source_type!r} has no {name!r}") from None

    @property
    def source_type(self) -> str:
        return str(self.__dict__.get("_source_type"))

    def load(self, dst_path: str | None = None) -> str:
        """Fetch the source's files; return where they are now.

        Raises:
            InvalidParameter: it is no place of files, but code.
        """
        from runyard.client.artifact_calls import download_artifacts

        place = self._fields.get("uri") or self._fields.get("url")
        if place is None:
            raise InvalidParameter(f"a source of the kind {self._source_type!r} names no files to load")
        return download_artifacts(artifact_uri=place, dst_path=dst_path)

    def to_dict(self) -> dict[str, Any]:
        return dict(self._fields)

    def to_json(self) -> str:
        return json.dumps(self._fields)

    def __repr__(self) -> str:
        return f"<DatasetSource: {self._source_type} {self._fields}>"


class Dataset(ABC):
    """A dataset that can be logged as a run's input."""

    def __init__(self, source: DatasetSource, name: str | None = None, digest: str | None = None) -> None:
        self._source = source
        self._name = name
        self._digest = digest

    @property
    def name(self) -> str:
        return self._name or "dataset"

    @property
    def digest(self) -> str:
        """A short text that changes with the content."""
        if self._digest is None:
            self._digest = self._compute_digest()
        return self._digest

    @property
    def source(self) -> DatasetSource:
        return self._source

    @property
    @abstractmethod
    def profile(self) -> dict[str, Any] | None:
        """How much it holds."""

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any] | None:
        """The names, types and shapes of what it holds, as the protocol writes them."""

    @abstractmethod
    def _compute_digest(self) -> str: ...

    def to_dict(self) -> dict[str, str | None]:
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(),
            "source_type": self.source.source_type,
            "schema": None if self.schema is None else json.dumps(self.schema),
            "profile": None if self.profile is None else json.dumps(self.profile),
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    def to_entity(self) -> DatasetEntity:
        """Return what a run's inputs tell of it."""
        fields = self.to_dict()
        return DatasetEntity(
            name=self.name,
            digest=self.digest,
            source_type=str(fields["source_type"]),
            source=str(fields["source"]),
            schema=fields["schema"],
            profile=fields["profile"],
        )


class PandasDataset(Dataset):
    def __init__(
        self,
        df: pd.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        for what, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in df.columns:
                raise InvalidParameter(f"{what}: there is no column {column!r}; there are {shown(list(df.columns))}")
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    @property
    def df(self) -> pd.DataFrame:
        return self._df

    @property
    def targets(self) -> str | None:
        return self._targets

    @property
    def predictions(self) -> str | None:
        return self._predictions

    @property
    def profile(self) -> dict[str, Any]:
        return {"num_rows": len(self._df), "num_elements": int(self._df.size)}

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "mlflow_colspec": [
                {
                    "type": _column_type(self._df[name]),
                    "name": name if isinstance(name, (str, int)) else str(name),
                    "required": not bool(self._df[name].isna().any()),
                }
                for name in self._df.columns
            ]
        }

    def _compute_digest(self) -> str:
        import pandas as pd

        head = self._df.head(_DIGEST_ROWS)
        try:
            hashes = pd.util.hash_pandas_object(head, index=False).to_numpy().tobytes()
        except TypeError:
            # Cells such as lists have no hash.
            hashes = head.to_json(default_handler=str).encode()
        return _digest_of(hashes, json.dumps([list(map(str, head.columns)), list(self._df.shape)]).encode())


class NumpyDataset(Dataset):
    def __init__(
        self,
        features: np.ndarray | dict[str, np.ndarray],
        source: DatasetSource,
        targets: np.ndarray | dict[str, np.ndarray] | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    @property
    def features(self) -> np.ndarray | dict[str, np.ndarray]:
        return self._features

    @property
    def targets(self) -> np.ndarray | dict[str, np.ndarray] | None:
        return self._targets

    @property
    def profile(self) -> dict[str, Any]:
        told = {}
        for part, held in (("features", self._features), ("targets", self._targets)):
            if held is not None:
                told[f"{part}_shape"] = _each(held, lambda array: list(array.shape))
                told[f"{part}_size"] = _each(held, lambda array: int(array.size))
                told[f"{part}_nbytes"] = _each(held, lambda array: int(array.nbytes))
        return told

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "mlflow_tensorspec": {
                "features": _tensors(self._features),
                "targets": None if self._targets is None else _tensors(self._targets),
            }
        }

    def _compute_digest(self) -> str:
        parts: list[bytes] = []
        for held in (self._features, self._targets):
            for name, array in sorted(_named(held).items()):
                parts += [f"{name}{array.shape}{array.dtype}".encode(), array[:_DIGEST_ROWS].tobytes()]
        return _digest_of(*parts)


def from_pandas(
    df: pd.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Return a dataset of a table; without a source it came from the code that calls this."""
    return PandasDataset(df, _resolved(source), targets, name, digest, predictions)


def from_numpy(
    features: np.ndarray | dict[str, np.ndarray],
    source: str | DatasetSource | None = None,
    targets: np.ndarray | dict[str, np.ndarray] | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Return a dataset of arrays, one or several by name; without a source it came from the code that calls this."""
    return NumpyDataset(features, _resolved(source), targets, name, digest)


def get_source(dataset: Dataset | DatasetEntity | DatasetInput) -> DatasetSource:
    """Return where a dataset came from, also that of one that a run names."""
    if isinstance(dataset, Dataset):
        return dataset.source
    told = dataset.dataset if isinstance(dataset, DatasetInput) else dataset
    if not isinstance(told, DatasetEntity):
        raise InvalidParameter(f"expected a dataset or an input of a run, got {type(dataset).__name__}")
    return get_dataset_source_from_json(told.source, told.source_type)


def get_dataset_source_from_json(source_json: str, source_type: str) -> DatasetSource:
    return DatasetSource(source_type, json.loads(source_json))


def dataset_input(
    dataset: Dataset | DatasetEntity, purpose: str | None = None, tags: Mapping[str, str] | None = None
) -> DatasetInput:
    """Return a dataset as a run's input, with what it is used for."""
    entity = dataset.to_entity() if isinstance(dataset, Dataset) else dataset
    found = [InputTag(key, str(value)) for key, value in (tags or {}).items()]
    if purpose:
        found.append(InputTag(CONTEXT_TAG, purpose))
    return DatasetInput(entity, found)


def _resolved(source: str | DatasetSource | None) -> DatasetSource:
    if isinstance(source, DatasetSource):
        return source
    if source is None:
        return DatasetSource("code", {"tags": context.tags()})
    scheme = scheme_of(str(source))
    if scheme in {"http", "https"}:
        return DatasetSource("http", {"url": source})
    if scheme in _STORES:
        return DatasetSource(scheme, {"uri": source})
    if local_path(str(source)) is not None:
        return DatasetSource("local", {"uri": str(source)})
    raise InvalidParameter(
        f"source: no kind is known for {shown(source)}; expected a path, http(s)://… or {', '.join(sorted(_STORES))}"
    )


def _column_type(column: pd.Series) -> str:
    kind, size = column.dtype.kind, getattr(column.dtype, "itemsize", 8)
    if kind == "b":
        return "boolean"
    if kind in "iu":
        return "integer" if size < 4 or (size == 4 and kind == "i") else "long"
    if kind == "f":
        return "float" if size <= 4 else "double"
    if kind == "M":
        return "datetime"
    first = next((value for value in column if value is not None), None)
    return "binary" if isinstance(first, (bytes, bytearray)) else "string"


def _tensors(held: Any) -> str:
    return json.dumps(
        [
            {
                **({"name": name} if name else {}),
                "type": "tensor",
                # The first dimension is that of the rows, of which there may be any number.
                "tensor-spec": {"dtype": str(array.dtype), "shape": [-1, *array.shape[1:]]},
            }
            for name, array in _named(held).items()
        ]
    )


def _named(held: Any) -> dict[str, Any]:
    if held is None:
        return {}
    return held if isinstance(held, dict) else {"": held}


def _each(held: Any, told: Any) -> Any:
    return {name: told(array) for name, array in held.items()} if isinstance(held, dict) else told(held)


def _digest_of(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:_DIGEST_LENGTH]
