"""XGBoost models: boosters, and the estimators that XGBoost makes for scikit-learn.

See `runyard.models.flavors.xgboost`.
"""

from __future__ import annotations

from runyard.autologging.xgboost import autolog
from runyard.client.models import defaults, public
from runyard.models.flavors import xgboost as flavor

__all__ = ["autolog", "get_default_conda_env", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
get_default_pip_requirements, get_default_conda_env = defaults("xgboost")
