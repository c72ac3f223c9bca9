"""What programs use to reach a server: a transport, and typed calls over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runyard.client.client import MlflowClient

__all__ = ["MlflowClient"]


def __getattr__(name: str) -> Any:
    if name != "MlflowClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.client.client import MlflowClient

    return MlflowClient
