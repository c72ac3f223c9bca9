"""Digests of data: 8 characters that change with the content, the same as MLflow's for the same data.

Source: the digests of MLflow 3; what goes into them, and in which order, is its format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# More than these are not looked at.
MAX_ROWS: Final = 10_000
_LENGTH: Final = 8


def get_normalized_md5_digest(elements: Iterable[Any]) -> str:
    """Return the digest of bytes, or of what holds such."""
    digest = hashlib.md5(usedforsecurity=False)
    for element in elements:
        digest.update(element)
    return digest.hexdigest()[:_LENGTH]


def compute_pandas_digest(df: pd.DataFrame) -> str:
    """Return the digest of the first rows' texts and numbers, the number of rows and the names of all columns."""
    import numpy as np
    import pandas as pd

    head = df.head(MAX_ROWS)
    is_text = [all(type(value) is str for value in head.iloc[:, place]) for place in range(head.shape[1])]
    columns = head.columns[np.array(is_text, dtype=bool)].union(head.select_dtypes(include=[np.number]).columns)
    names = [str(name).encode() for name in df.columns]
    return get_normalized_md5_digest([pd.util.hash_pandas_object(head[columns]).values, np.int64(len(df)), *names])


def compute_numpy_digest(features: Any, targets: Any = None) -> str:
    """Return the digest of the first values and the shapes of arrays, or of dictionaries of arrays."""
    elements: list[Any] = []
    for held in (features, targets):
        if isinstance(held, dict):
            for name in sorted(held):
                elements += _of_array(held[name])
        elif held is not None:
            elements += _of_array(held)
    return get_normalized_md5_digest(elements)


def hashed_values(values: np.ndarray) -> Any:
    """Return the hashes of values in one dimension, or how many they are where such values have none."""
    import numpy as np
    import pandas as pd

    first = values[:MAX_ROWS]
    try:
        return pd.util.hash_array(first)
    except TypeError:
        return np.int64(first.size)


def _of_array(array: np.ndarray) -> list[Any]:
    import numpy as np

    # Of a flat view, the first values are copied and not the whole array.
    return [hashed_values(np.asarray(array.flat[:MAX_ROWS])), *(np.int64(length) for length in array.shape)]
