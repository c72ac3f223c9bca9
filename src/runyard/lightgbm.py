"""LightGBM models: boosters, and the estimators that LightGBM makes for scikit-learn.

See `runyard.models.flavors.lightgbm`.
"""

from __future__ import annotations

from runyard.autologging.lightgbm import autolog
from runyard.client.models import defaults, public
from runyard.models.flavors import lightgbm as flavor

__all__ = ["autolog", "get_default_conda_env", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
get_default_pip_requirements, get_default_conda_env = defaults("lightgbm")
