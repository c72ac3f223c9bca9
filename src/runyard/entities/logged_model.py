"""A logged model, where libraries look for it."""

from runyard.entities.logged_models import LoggedModel

__all__ = ["LoggedModel"]
