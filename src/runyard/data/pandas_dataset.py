"""Data frames of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runyard.client.datasets import ColumnDataset, DatasetSource, PyFuncInputsOutputs, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.digest_utils import compute_pandas_digest
from runyard.data.evaluation_dataset import EvaluationDataset, of_dataset
from runyard.errors import InvalidParameter
from runyard.models.signature import Schema, infer_schema
from runyard.wire.names import shown

if TYPE_CHECKING:
    import pandas as pd


class FrameDataset(ColumnDataset):
    """A table of any library, some of whose columns may be targets and predictions."""

    def __init__(
        self,
        df: Any,
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
    def targets(self) -> str | None:
        return self._targets

    @property
    def predictions(self) -> str | None:
        return self._predictions

    def to_evaluation_dataset(
        self, path: str | None = None, feature_names: Sequence[str] | None = None
    ) -> EvaluationDataset:
        """Return what it holds, as `evaluate` uses it."""
        return of_dataset(self, path, feature_names)

    def _split(self, frame: pd.DataFrame) -> PyFuncInputsOutputs:
        if self._targets is None:
            return PyFuncInputsOutputs(frame)
        return PyFuncInputsOutputs(frame.drop(columns=[self._targets]), frame[self._targets])


class PandasDataset(FrameDataset):
    @property
    def df(self) -> pd.DataFrame:
        return self._df

    @property
    def profile(self) -> dict[str, Any]:
        return {"num_rows": len(self._df), "num_elements": int(self._df.size)}

    @property
    def schema(self) -> Schema | None:
        return inferred(lambda: infer_schema(self._df))

    def to_pyfunc(self) -> PyFuncInputsOutputs:
        return self._split(self._df)

    def _compute_digest(self) -> str:
        return compute_pandas_digest(self._df)


def from_pandas(
    df: pd.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Return a dataset of a table; without a source it came from the program that calls this."""
    return PandasDataset(df, source_or_code(source), targets, name, digest, predictions)
