"""Saved models: the MLmodel format, signatures, environments, and the flavors that write and read them.

To users it offers what the client knows of models where they are kept, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard.models.model import Model
from runyard.models.python_model import set_model
from runyard.models.signature import ModelSignature, infer_signature

if TYPE_CHECKING:
    from runyard.client.models import get_model_info, set_signature, update_model_requirements
    from runyard.serving.offered import build_docker, predict

__all__ = [
    "Model",
    "ModelSignature",
    "build_docker",
    "get_model_info",
    "infer_signature",
    "predict",
    "set_model",
    "set_signature",
    "update_model_requirements",
]

_CLIENTS = ("get_model_info", "set_signature", "update_model_requirements")
_SERVINGS = ("build_docker", "predict")


def __getattr__(name: str) -> Any:
    # Both are above this package, and only who asks for them loads them.
    if name in _CLIENTS:
        from runyard.client import models

        return getattr(models, name)
    if name in _SERVINGS:
        from runyard.serving import offered

        return getattr(offered, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_CLIENTS, *_SERVINGS])
