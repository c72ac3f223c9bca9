"""Runyard under the name `mlflow`: each module below it is the module of runyard, the very same object.

This one tells another version: that of the MLflow whose API it offers, which programs and libraries ask for.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

# Where it was not loaded as the interpreter started.
import _runyard_mlflow  # noqa: F401

from mlflow._places import PACKAGES, PLACES

_UPSTREAM = ("mlflow", "mlflow-skinny")


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `mlflow.X` where `runyard.X` is."""

    def __init__(self) -> None:
        # What an import under the alias would take from a module, by the alias's name: threads import at once.
        self._own: dict[str, tuple[importlib.machinery.ModuleSpec | None, Any, str | None]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("mlflow."):
            return None
        name = fullname.removeprefix("mlflow.")
        try:
            found = importlib.util.find_spec(f"runyard.{PLACES.get(name, name)}")
        except ModuleNotFoundError:
            found = None
        if found is None:
            return None
        is_package = name in PACKAGES or found.submodule_search_locations is not None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        name = spec.name.removeprefix("mlflow.")
        module = importlib.import_module(f"runyard.{PLACES.get(name, name)}")
        self._own[spec.name] = module.__spec__, module.__loader__, module.__package__
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__, module.__loader__, module.__package__ = self._own.pop(module.__spec__.name)


def _installed_upstream() -> str | None:
    for name in _UPSTREAM:
        for found in importlib.metadata.distributions(name=name):
            if not hasattr(found, "is_runyards"):
                return f"{name} {found.version}"
    return None


_upstream = _installed_upstream()
if _upstream is not None:
    warnings.warn(
        f"runyard-mlflow and {_upstream} are both installed, and both are the module 'mlflow'; this is runyard's. "
        "Uninstall one of them, and install the other again: they have overwritten each other's files.",
        stacklevel=2,
    )

sys.meta_path.insert(0, _Alias())
import runyard  # noqa: E402
from runyard.models.model import FORMAT_VERSION  # noqa: E402

__version__ = VERSION = FORMAT_VERSION


def __getattr__(name: str) -> Any:
    try:
        value = getattr(runyard, name)
    except AttributeError:
        raise AttributeError(f"module 'mlflow' (of runyard) has no attribute {name!r}") from None
    # Found at once from now on.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(runyard)})
