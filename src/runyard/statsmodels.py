"""statsmodels' results: pickles, as that library writes them.

See `runyard.models.flavors.statsmodels`.
"""

from __future__ import annotations

from runyard.autologging.statsmodels import autolog
from runyard.client.models import defaults, public
from runyard.models.flavors import statsmodels as flavor

__all__ = ["autolog", "get_default_conda_env", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
get_default_pip_requirements, get_default_conda_env = defaults("statsmodels")
