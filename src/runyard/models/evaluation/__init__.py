"""Evaluation, where programs look for it; it is above this package, and loaded when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    found = importlib.import_module("runyard.evaluation")
    if name not in found.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(found, name)


def __dir__() -> list[str]:
    return sorted(importlib.import_module("runyard.evaluation").__all__)
