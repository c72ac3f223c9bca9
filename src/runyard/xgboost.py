"""XGBoost models: boosters, and the estimators that XGBoost makes for scikit-learn.

See `runyard.models.flavors.xgboost`.
"""

from __future__ import annotations

from runyard.autologging.xgboost import autolog
from runyard.client.models import public
from runyard.models.flavors import xgboost as flavor

__all__ = ["autolog", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
