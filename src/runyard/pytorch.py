"""PyTorch models.

See `runyard.models.flavors.pytorch`.
"""

from __future__ import annotations

from runyard.autologging.pytorch import autolog
from runyard.client.models import public
from runyard.models.flavors import pytorch as flavor

__all__ = ["autolog", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
