"""scikit-learn models: saved, logged and loaded."""

from __future__ import annotations

from runyard.autologging.sklearn import autolog
from runyard.client.models import public
from runyard.models.flavors import sklearn as flavor

__all__ = ["autolog", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
