"""The client of a tracking server, and which server it is."""

from __future__ import annotations

import importlib
from typing import Any, Final

from runyard.client.client import MlflowClient
from runyard.client.connections import (
    get_registry_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    set_registry_uri,
    set_tracking_uri,
)

__all__ = [
    "MlflowClient",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_tracking_uri",
]

_MODULES: Final = ("artifact_utils", "client", "context", "fluent", "request_header")


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
