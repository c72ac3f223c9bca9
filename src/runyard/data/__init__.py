"""Datasets, to be logged as inputs of runs. Each kind is loaded when it is first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from runyard.client.datasets import Dataset, DatasetSource
from runyard.data.dataset_source_registry import (
    get_dataset_source_from_json,
    get_registered_sources,
    register_dataset_source,
    resolve_dataset_source,
)
from runyard.entities import Dataset as DatasetEntity, DatasetInput
from runyard.errors import InvalidParameter

if TYPE_CHECKING:
    from runyard.data.huggingface_dataset import from_huggingface
    from runyard.data.meta_dataset import MetaDataset
    from runyard.data.numpy_dataset import NumpyDataset, from_numpy
    from runyard.data.pandas_dataset import PandasDataset, from_pandas
    from runyard.data.polars_dataset import from_polars
    from runyard.data.spark_dataset import from_spark, load_delta

__all__ = [
    "Dataset",
    "DatasetSource",
    "MetaDataset",
    "NumpyDataset",
    "PandasDataset",
    "from_huggingface",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "from_spark",
    "get_dataset_source_from_json",
    "get_registered_sources",
    "get_source",
    "load_delta",
    "register_dataset_source",
    "resolve_dataset_source",
]

_NAMES: Final = {
    "MetaDataset": "meta_dataset",
    "NumpyDataset": "numpy_dataset",
    "PandasDataset": "pandas_dataset",
    "from_huggingface": "huggingface_dataset",
    "from_numpy": "numpy_dataset",
    "from_pandas": "pandas_dataset",
    "from_polars": "polars_dataset",
    "from_spark": "spark_dataset",
    "load_delta": "spark_dataset",
}
_MODULES: Final = (
    "code_dataset_source",
    "dataset",
    "dataset_source",
    "dataset_source_registry",
    "delta_dataset_source",
    "digest_utils",
    "evaluation_dataset",
    "filesystem_dataset_source",
    "http_dataset_source",
    "huggingface_dataset",
    "huggingface_dataset_source",
    "meta_dataset",
    "numpy_dataset",
    "pandas_dataset",
    "polars_dataset",
    "schema",
    "sources",
    "spark_dataset",
    "spark_dataset_source",
)


def get_source(dataset: Dataset | DatasetEntity | DatasetInput) -> DatasetSource:
    """Return where a dataset came from, also that of one that a run names.

    Raises:
        NotFound: a run names a kind of source that is not known here.
    """
    if isinstance(dataset, Dataset):
        return dataset.source
    told = dataset.dataset if isinstance(dataset, DatasetInput) else dataset
    if not isinstance(told, DatasetEntity):
        raise InvalidParameter(f"expected a dataset or an input of a run, got {type(dataset).__name__}")
    return get_dataset_source_from_json(told.source, told.source_type)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_MODULES})
