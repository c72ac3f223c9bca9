"""CatBoost models.

See `runyard.models.flavors.catboost`.
"""

from __future__ import annotations

from runyard.client.models import public
from runyard.models.flavors import catboost as flavor

__all__ = ["load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
