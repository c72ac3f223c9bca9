"""Datasets, to be logged as inputs of runs."""

from runyard.client.datasets import (
    Dataset,
    DatasetSource,
    NumpyDataset,
    PandasDataset,
    from_numpy,
    from_pandas,
    get_dataset_source_from_json,
    get_source,
)

__all__ = [
    "Dataset",
    "DatasetSource",
    "NumpyDataset",
    "PandasDataset",
    "from_numpy",
    "from_pandas",
    "get_dataset_source_from_json",
    "get_source",
]
