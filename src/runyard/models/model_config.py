"""The configuration of a model that is a source file."""

from runyard.models.python_model import ModelConfig

__all__ = ["ModelConfig"]
