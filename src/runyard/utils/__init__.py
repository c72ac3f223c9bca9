"""The few names that other libraries look for below `utils`; each module is loaded when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any, Final

_MODULES: Final = ("environment", "mlflow_tags", "name_utils", "validation")


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
