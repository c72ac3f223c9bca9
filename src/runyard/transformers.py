"""Pipelines of Transformers: saved, logged and loaded."""

from __future__ import annotations

from runyard.client.models import public
from runyard.models.flavors import transformers as flavor

__all__ = ["load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
