"""Datasets and tensors of TensorFlow."""

from __future__ import annotations

from typing import Any

from runyard.client.datasets import DatasetSource, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.digest_utils import compute_numpy_digest, get_normalized_md5_digest, hashed_values
from runyard.data.numpy_dataset import TensorDataset
from runyard.data.schema import TensorDatasetSchema
from runyard.errors import InvalidParameter
from runyard.models.signature import Schema, infer_schema


class TensorFlowDataset(TensorDataset):
    """A `tf.data.Dataset`, or a tensor, and targets of the same kind."""

    def __init__(
        self,
        features: Any,
        source: DatasetSource,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        kinds = [_kind(each) for each in (features, targets) if each is not None]
        if None in kinds or len(set(kinds)) != 1:
            raise InvalidParameter(
                "features and targets must both be of tf.data.Dataset or both be tensors, got "
                f"{type(features).__name__} and {type(targets).__name__}"
            )
        self._is_tensor = kinds[0] == "tensor"
        super().__init__(features, source, targets, name, digest)

    @property
    def data(self) -> Any:
        return self._features

    @property
    def profile(self) -> dict[str, Any]:
        told = {"features_cardinality": self._cardinality(self._features)}
        if self._targets is not None:
            told["targets_cardinality"] = self._cardinality(self._targets)
        return told

    @property
    def schema(self) -> TensorDatasetSchema | None:
        targets = self._targets
        return inferred(
            lambda: TensorDatasetSchema(
                self._schema_of(self._features), None if targets is None else self._schema_of(targets)
            )
        )

    def _cardinality(self, held: Any) -> int:
        import tensorflow as tf

        return int(tf.size(held).numpy() if self._is_tensor else held.cardinality().numpy())

    def _schema_of(self, held: Any) -> Schema:
        if self._is_tensor:
            return infer_schema(held.numpy())
        element = next(held.as_numpy_iterator())
        if isinstance(element, tuple):
            element = {str(place): each for place, each in enumerate(element)}
        return infer_schema(element)

    def _compute_digest(self) -> str:
        import numpy as np
        import tensorflow as tf

        if self._is_tensor:
            return compute_numpy_digest(
                self._features.numpy(), None if self._targets is None else self._targets.numpy()
            )
        elements = (
            hashed_values(np.concatenate([np.ravel(each) for each in tf.nest.flatten(element)]))
            for held in (self._features, self._targets)
            if held is not None
            for element in held.as_numpy_iterator()
        )
        return get_normalized_md5_digest(elements)


def from_tensorflow(
    features: Any,
    source: str | DatasetSource | None = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> TensorFlowDataset:
    """Return a dataset of a `tf.data.Dataset` or a tensor; all of it is read for its digest, unless one is given."""
    return TensorFlowDataset(features, source_or_code(source), targets, name, digest)


def _kind(held: Any) -> str | None:
    import tensorflow as tf

    if isinstance(held, tf.data.Dataset):
        return "dataset"
    return "tensor" if tf.is_tensor(held) else None
