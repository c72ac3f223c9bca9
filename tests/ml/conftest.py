"""What the tests with the large libraries share; see `make test-ml`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before any of them is imported: Keras on PyTorch, nobody phones home, and each test process keeps to one core.
os.environ.update(
    KERAS_BACKEND="torch", DO_NOT_TRACK="1", HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false"
)

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what the libraries warn of to them; what we warn of is an error."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.filterwarnings("default"))
            item.add_marker(pytest.mark.filterwarnings("error:::runyard"))
