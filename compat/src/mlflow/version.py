"""The version of the MLflow whose API is offered, where programs look for it."""

from mlflow import VERSION

__all__ = ["VERSION"]
