"""Data as an evaluation uses them: features, and the labels and predictions that are known of them."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter
from runyard.wire.names import shown

if TYPE_CHECKING:
    import numpy as np

# Rows at either end that the hash is of.
_HASHED_ROWS: Final = 5


class EvaluationDataset:
    """Features in a table or an array, with their labels and, where there is no model, predictions.

    Args:
        data: a data frame of pandas, an array of two dimensions, or a list of equally long lists.
        targets: the column of the labels in a data frame; else the labels themselves.
        path: where the data came from, for the record.
        feature_names: columns of a data frame that are features, all others by default; names for those of an array.
        predictions: the column of the predictions in a data frame.
    Raises:
        InvalidParameter: a column is not there, or lengths differ.
    """

    def __init__(
        self,
        data: Any,
        *,
        targets: Any = None,
        name: str | None = None,
        path: str | None = None,
        feature_names: Sequence[str] | None = None,
        predictions: str | None = None,
        digest: str | None = None,
    ) -> None:
        import pandas as pd

        for what, text in (("name", name), ("path", path)):
            if text is not None and '"' in text:
                raise InvalidParameter(f'{what} of a dataset must have no double quote ("), got {text!r}')
        if feature_names is not None and len(set(feature_names)) < len(list(feature_names)):
            raise InvalidParameter(f"feature_names must be unique, got {list(feature_names)}")
        self._name = name
        self._path = path
        self._digest = digest
        self._targets_name: str | None = None
        self._predictions_name = predictions
        self._predictions: Any = None
        self.is_named = isinstance(data, pd.DataFrame) or feature_names is not None
        if isinstance(data, pd.DataFrame):
            self._take_frame(data, targets, feature_names, predictions)
        else:
            self._take_array(data, targets, feature_names, predictions)

    def _take_frame(self, data: Any, targets: Any, names: Sequence[str] | None, predictions: str | None) -> None:
        if targets is not None and not isinstance(targets, str):
            raise InvalidParameter(
                "targets must be the name of a column where data is a data frame, got "
                f"{type(targets).__name__}: add the labels to the data as a column"
            )
        wanted = [
            ("targets", targets),
            ("predictions", predictions),
            *(("feature_names", name) for name in names or ()),
        ]
        for what, column in wanted:
            if column is not None and column not in data.columns:
                raise InvalidParameter(f"{what}: there is no column {column!r}; there are {shown(list(data.columns))}")
        taken = [column for column in (targets, predictions) if column is not None]
        self._features = data.drop(columns=taken) if names is None else data[list(names)]
        self._feature_names = [
            column if isinstance(column, str) else f"feature_{column}" for column in self._features.columns
        ]
        self._labels = None if targets is None else data[targets].to_numpy()
        self._targets_name = targets
        if predictions is not None:
            self._predictions = data[predictions].to_numpy()

    def _take_array(self, data: Any, targets: Any, names: Sequence[str] | None, predictions: str | None) -> None:
        import numpy as np

        if predictions is not None:
            raise InvalidParameter("predictions names a column: give data as a data frame that has it")
        try:
            self._features = np.asarray(data)
        except ValueError as wrong:
            raise InvalidParameter(f"data must be a data frame, an array or a list of equal rows: {wrong}") from None
        if self._features.ndim != 2:
            raise InvalidParameter(
                "data must be a data frame, or an array of two dimensions, rows and features; got "
                f"{type(data).__name__} of shape {self._features.shape}"
            )
        width = self._features.shape[1]
        if names is not None and len(names) != width:
            raise InvalidParameter(f"feature_names must be as many as the data's columns, {width}, got {len(names)}")
        digits = math.ceil(math.log10(width + 1))
        self._feature_names = list(names) if names else [f"feature_{index + 1:0{digits}}" for index in range(width)]
        if isinstance(targets, str):
            raise InvalidParameter(f"targets must be the labels themselves where data is an array, got {targets!r}")
        self._labels = None if targets is None else np.asarray(targets)
        if self._labels is not None and len(self._labels) != len(self._features):
            raise InvalidParameter(
                f"targets must be as many as the data's rows, {len(self._features)}, got {len(self._labels)}"
            )

    @property
    def name(self) -> str:
        return self._name if self._name is not None else self.hash

    @property
    def path(self) -> str | None:
        return self._path

    @property
    def digest(self) -> str | None:
        return self._digest

    @property
    def feature_names(self) -> list[str]:
        return self._feature_names

    @property
    def features_data(self) -> Any:
        """The features: a data frame, or an array."""
        return self._features

    @property
    def labels_data(self) -> np.ndarray | None:
        return self._labels

    @property
    def has_targets(self) -> bool:
        return self._labels is not None

    @property
    def targets_name(self) -> str | None:
        """The column that the labels are from."""
        return self._targets_name

    @property
    def predictions_data(self) -> np.ndarray | None:
        found: np.ndarray | None = self._predictions
        return found

    @property
    def has_predictions(self) -> bool:
        return self._predictions is not None

    @property
    def predictions_name(self) -> str | None:
        return self._predictions_name

    @property
    def hash(self) -> str:
        """A text that changes with the length, the first and last rows and the names of the features.

        Source: that of MLflow's tag ``mlflow.datasets``.
        """
        digest = hashlib.md5(usedforsecurity=False)
        for held in (self._features, self._labels, self._predictions):
            if held is not None:
                digest.update(struct.pack(">Q", len(held)))
                parts = [held] if len(held) < 2 * _HASHED_ROWS else [held[:_HASHED_ROWS], held[-_HASHED_ROWS:]]
                for part in parts:
                    digest.update(_hashed(part))
        digest.update(",".join(self._feature_names).encode())
        return digest.hexdigest()

    def frame(self) -> Any:
        """Return a copy of the features as a data frame with their names."""
        import pandas as pd

        frame = pd.DataFrame(self._features)
        return frame.set_axis(self._feature_names, axis="columns").copy()


def of_dataset(dataset: Any, path: str | None = None, feature_names: Sequence[str] | None = None) -> EvaluationDataset:
    """Return what a dataset of `runyard.data` holds.

    Raises:
        InvalidParameter: it is of a kind that tells no features.
    """
    if not hasattr(dataset, "to_pyfunc"):
        raise InvalidParameter(
            f"a {type(dataset).__name__} tells no features: give a dataset of a data frame or an array, such as "
            "mlflow.data.from_pandas makes"
        )
    held = dataset.to_pyfunc()
    targets, data = dataset.targets, held.inputs
    if isinstance(targets, str) and held.outputs is not None:
        data = data.assign(**{targets: held.outputs})
    return EvaluationDataset(
        data,
        targets=targets,
        name=dataset.name,
        path=path,
        feature_names=feature_names,
        predictions=getattr(dataset, "predictions", None),
        digest=dataset.digest,
    )


def _hashed(part: Any) -> bytes:
    import numpy as np
    import pandas as pd

    shape: tuple[int, ...] = ()
    if not isinstance(part, pd.DataFrame):
        part = np.asarray(part)
        shape = part.shape
    try:
        hashes = pd.util.hash_pandas_object(part) if not shape else pd.util.hash_array(part.flatten())
    except TypeError:
        # Lists and the like, which have no hash of their own.
        hashes = pd.util.hash_array(np.array([str(row) for row in np.asarray(part)], dtype=object))
    return struct.pack(f">{len(hashes) + len(shape)}Q", *hashes, *shape)
