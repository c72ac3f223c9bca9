"""Keras 3 models, on whichever backend.

See `runyard.models.flavors.keras`.
"""

from __future__ import annotations

from runyard.autologging.keras import autolog
from runyard.client.models import public
from runyard.models.flavors import keras as flavor

__all__ = ["autolog", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
