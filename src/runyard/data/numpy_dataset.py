"""Arrays of NumPy, one or several by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runyard.client.datasets import Dataset, DatasetSource, PyFuncInputsOutputs, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.digest_utils import compute_numpy_digest
from runyard.data.evaluation_dataset import EvaluationDataset, of_dataset
from runyard.data.schema import TensorDatasetSchema
from runyard.models.signature import infer_schema

if TYPE_CHECKING:
    import numpy as np


class TensorDataset(Dataset):
    """Features and targets, whose schema is of tensors."""

    def __init__(
        self,
        features: Any,
        source: DatasetSource,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    @property
    def targets(self) -> Any:
        return self._targets

    def to_dict(self) -> dict[str, str | None]:
        schema = self.schema
        written = None if schema is None else json.dumps(schema.to_dict())
        return {**super().to_dict(), "schema": written, "profile": json.dumps(self.profile)}

    def to_pyfunc(self) -> PyFuncInputsOutputs:
        return PyFuncInputsOutputs(self._features, self._targets)

    def to_evaluation_dataset(
        self, path: str | None = None, feature_names: Sequence[str] | None = None
    ) -> EvaluationDataset:
        """Return what it holds, as `evaluate` uses it."""
        return of_dataset(self, path, feature_names)


class NumpyDataset(TensorDataset):
    @property
    def features(self) -> Any:
        return self._features

    @property
    def profile(self) -> dict[str, Any]:
        told = {}
        for part, held in (("features", self._features), ("targets", self._targets)):
            if held is not None:
                for what in ("shape", "size", "nbytes"):
                    told[f"{part}_{what}"] = _each(held, what)
        return told

    @property
    def schema(self) -> TensorDatasetSchema | None:
        targets = self._targets
        return inferred(
            lambda: TensorDatasetSchema(
                infer_schema(self._features), None if targets is None else infer_schema(targets)
            )
        )

    def _compute_digest(self) -> str:
        return compute_numpy_digest(self._features, self._targets)


def from_numpy(
    features: np.ndarray | dict[str, np.ndarray],
    source: str | DatasetSource | None = None,
    targets: np.ndarray | dict[str, np.ndarray] | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Return a dataset of arrays, one or several by name; without a source it came from the program that calls this."""
    return NumpyDataset(features, source_or_code(source), targets, name, digest)


def _each(held: Any, what: str) -> Any:
    if isinstance(held, dict):
        return {name: getattr(array, what) for name, array in held.items()}
    return getattr(held, what)
