"""Models of Sentence Transformers: texts to vectors.

See `runyard.models.flavors.sentence_transformers`.
"""

from __future__ import annotations

from runyard.client.models import defaults, public
from runyard.models.flavors import sentence_transformers as flavor

__all__ = ["get_default_conda_env", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

save_model = flavor.save_model
log_model, load_model = public(flavor)
get_default_pip_requirements, get_default_conda_env = defaults("sentence_transformers", "transformers", "torch")
