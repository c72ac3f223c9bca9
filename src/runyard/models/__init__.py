"""Saved models: the MLmodel format, signatures, environments, and the flavors that write and read them."""

from __future__ import annotations

from runyard.models.model import Model
from runyard.models.python_model import set_model
from runyard.models.signature import ModelSignature, infer_signature

__all__ = ["Model", "ModelSignature", "infer_signature", "set_model"]
