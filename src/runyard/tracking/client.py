"""`MlflowClient`, where programs look for it."""

from runyard.client.client import MlflowClient

__all__ = ["MlflowClient"]
