"""Keras 3 models, on whichever backend.

See `runyard.models.flavors.keras`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard.autologging.keras import autolog
from runyard.client.models import defaults, public
from runyard.models.flavors import keras as flavor

if TYPE_CHECKING:
    from runyard.autologging.keras_callback import MlflowCallback, MlflowCallback as MLflowCallback

__all__ = [
    "MLflowCallback",
    "MlflowCallback",
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]

save_model = flavor.save_model
log_model, load_model = public(flavor)


def __getattr__(name: str) -> Any:
    # It is a class of Keras', which only who asks for it loads.
    if name not in {"MlflowCallback", "MLflowCallback"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.autologging.keras_callback import MlflowCallback

    return MlflowCallback


get_default_pip_requirements, get_default_conda_env = defaults("keras")
