"""Pipelines of Transformers: saved, logged and loaded."""

from __future__ import annotations

from runyard.client.models import defaults, public
from runyard.models.flavors import transformers as flavor

__all__ = ["get_default_conda_env", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
get_default_pip_requirements, get_default_conda_env = defaults("transformers", "torch", "accelerate")
