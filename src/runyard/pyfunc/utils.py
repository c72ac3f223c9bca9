"""A mark for functions that are models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Predict = TypeVar("Predict", bound=Callable[..., object])

__all__ = ["pyfunc"]


def pyfunc(func: Predict) -> Predict:
    """Return the function as it is: input is held to its type hints wherever it is a loaded model."""
    return func
