"""Saved models: the MLmodel format, signatures, environments, and the flavors that write and read them.

To users it offers what the client knows of models where they are kept, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard.models.model import Model
from runyard.models.python_model import set_model
from runyard.models.signature import ModelSignature, infer_signature

if TYPE_CHECKING:
    from runyard.client.models import get_model_info, set_signature

__all__ = ["Model", "ModelSignature", "get_model_info", "infer_signature", "set_model", "set_signature"]

_CLIENTS = ("get_model_info", "set_signature")


def __getattr__(name: str) -> Any:
    # The client is above this package, and only who asks for it loads it.
    if name not in _CLIENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.client import models

    return getattr(models, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_CLIENTS])
