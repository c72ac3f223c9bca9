"""Datasets of Hugging Face's library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runyard.client.datasets import ColumnDataset, DatasetSource, PyFuncInputsOutputs, inferred
from runyard.data.dataset_source_registry import source_or_code
from runyard.data.digest_utils import MAX_ROWS, compute_pandas_digest
from runyard.data.evaluation_dataset import EvaluationDataset, of_dataset
from runyard.data.huggingface_dataset_source import HuggingFaceDatasetSource
from runyard.errors import InvalidParameter
from runyard.models.signature import Schema, infer_schema
from runyard.wire.names import shown

if TYPE_CHECKING:
    import datasets
    import pandas as pd


class HuggingFaceDataset(ColumnDataset):
    def __init__(
        self,
        ds: datasets.Dataset,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        if targets is not None and targets not in ds.column_names:
            raise InvalidParameter(f"targets: there is no column {targets!r}; there are {shown(ds.column_names)}")
        self._ds = ds
        self._targets = targets
        super().__init__(source, name, digest)

    @property
    def ds(self) -> datasets.Dataset:
        return self._ds

    @property
    def targets(self) -> str | None:
        return self._targets

    @property
    def profile(self) -> dict[str, Any]:
        return {
            "num_rows": self._ds.num_rows,
            "dataset_size": self._ds.dataset_size,
            "size_in_bytes": self._ds.size_in_bytes,
        }

    @property
    def schema(self) -> Schema | None:
        return inferred(lambda: infer_schema(self._first_rows()))

    def to_pyfunc(self) -> PyFuncInputsOutputs:
        frame = self._ds.to_pandas()
        if self._targets is None:
            return PyFuncInputsOutputs(frame)
        return PyFuncInputsOutputs(frame.drop(columns=[self._targets]), frame[self._targets])

    def to_evaluation_dataset(
        self, path: str | None = None, feature_names: Sequence[str] | None = None
    ) -> EvaluationDataset:
        """Return what it holds, as `evaluate` uses it."""
        return of_dataset(self, path, feature_names)

    def _first_rows(self) -> pd.DataFrame:
        return next(self._ds.to_pandas(batch_size=MAX_ROWS, batched=True))

    def _compute_digest(self) -> str:
        return compute_pandas_digest(self._first_rows())


def from_huggingface(
    ds: datasets.Dataset,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    revision: Any = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
    source: str | DatasetSource | None = None,
) -> HuggingFaceDataset:
    """Return a dataset of one split.

    Args:
        path, data_dir, data_files, revision, trust_remote_code: what loads it again, by `datasets.load_dataset`.
        source: where it came from, instead; without it and ``path``, from the program that calls this.
    Raises:
        InvalidParameter: it is several splits, or a dataset of another library.
    """
    import datasets

    if not isinstance(ds, datasets.Dataset):
        raise InvalidParameter(f"ds must be a datasets.Dataset, one split and not several, got {type(ds).__name__}")
    found = source
    if source is None and path is not None:
        found = HuggingFaceDatasetSource(
            path, ds.config_name, data_dir, data_files, ds.split, revision, trust_remote_code
        )
    return HuggingFaceDataset(ds, source_or_code(found), targets, name, digest)
