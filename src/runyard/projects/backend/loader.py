"""Backends by their names."""

from __future__ import annotations

import importlib.metadata
from typing import Final

from runyard.exceptions import ExecutionException
from runyard.projects.backend.abstract_backend import AbstractBackend

# The first is where packages written for MLflow offer theirs.
GROUPS: Final = ("mlflow.project_backend", "runyard.project_backend")
OURS: Final = ("local", "kubernetes")


def load_backend(name: str) -> AbstractBackend:
    """Return a backend of ours, or the one that an installed package offers under that name.

    Raises:
        ExecutionException: there is none.
    """
    if name == "local":
        from runyard.projects.backend.local import LocalBackend

        return LocalBackend()
    if name == "kubernetes":
        from runyard.projects.backend.kubernetes import KubernetesBackend

        return KubernetesBackend()
    offered = [each for group in GROUPS for each in importlib.metadata.entry_points(group=group)]
    found = next((each for each in offered if each.name == name), None)
    if found is None:
        there = ", ".join([*OURS, *sorted({each.name for each in offered})])
        raise ExecutionException(
            f"Got unsupported execution mode {name}. Supported values: {there}; an installed package may offer more, "
            f"by an entry point of the group {GROUPS[0]}"
        )
    try:
        backend: AbstractBackend = found.load()()
    except Exception as error:
        raise ExecutionException(f"the backend {name} of {found.value} cannot be loaded: {error!r}") from error
    return backend
