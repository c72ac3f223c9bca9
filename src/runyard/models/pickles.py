"""Pickles of models: where they are allowed, and written so that MLflow loads them and what it wrote is loaded here.

Loading a pickle runs the code in it; ``RUNYARD_ALLOW_PICKLE=false`` refuses to load one, and to write one.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter, PermissionDenied
from runyard.settings import load_model_settings

# Where MLflow has what a pickle of a model may refer to, and where it is here.
COUNTERPARTS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("mlflow.pyfunc.model", "PythonModel"): ("runyard.models.python_model", "PythonModel"),
    ("mlflow.pyfunc.model", "PythonModelContext"): ("runyard.models.python_model", "PythonModelContext"),
    ("mlflow.pyfunc.model", "_FunctionPythonModel"): ("runyard.models.python_model", "FunctionPythonModel"),
    ("mlflow.pyfunc.utils.data_validation", "FuncInfo"): ("runyard.models.python_model", "Unused"),
    ("mlflow.pyfunc.utils.data_validation", "_validate_model_input"): ("runyard.models.python_model", "Unused"),
    ("mlflow.models.signature", "_TypeHints"): ("runyard.models.python_model", "Unused"),
    ("mlflow.models.signature", "ModelSignature"): ("runyard.models.signature", "ModelSignature"),
    ("mlflow.exceptions", "MlflowException"): ("runyard.errors", "RunyardError"),
}


def check_allowed(what: str) -> None:
    """Raise unless pickles are allowed.

    Raises:
        PermissionDenied: the settings forbid them.
    """
    if not load_model_settings().allow_pickle:
        raise PermissionDenied(
            f"{what} is a pickle, which runs code when it is loaded, and RUNYARD_ALLOW_PICKLE forbids pickles: "
            "save the model in a format without one (for scikit-learn serialization_format='skops'; for a "
            "PythonModel its source file), or allow pickles if you trust who made it"
        )


def dump(value: Any, path: Path, *, by_value: bool = True) -> None:
    """Write an object as a pickle.

    Args:
        by_value: classes and functions of scripts and notebooks go into the file (cloudpickle), so that a process
            without them loads it; otherwise the file names their modules (pickle).
    Raises:
        PermissionDenied: pickles are forbidden.
        InvalidParameter: a part of the object cannot be pickled.
    """
    check_allowed(path.name)
    buffer = io.BytesIO()
    try:
        _pickler(buffer, by_value=by_value).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError) as wrong:
        raise InvalidParameter(f"a model of {type(value).__name__} cannot be pickled: {wrong}") from wrong
    path.write_bytes(buffer.getvalue())


def load(path: Path) -> Any:
    """Return the object that a pickle holds, having run its code.

    Raises:
        PermissionDenied: pickles are forbidden.
        InvalidParameter: it needs a module that is not installed here, or is no pickle.
    """
    check_allowed(path.name)
    with path.open("rb") as file:
        try:
            return _Unpickler(file).load()
        except ModuleNotFoundError as missing:
            raise InvalidParameter(
                f"{path.name} needs the module {missing.name!r}, which is not installed here: "
                "install what the model's requirements.txt names"
            ) from missing
        except (pickle.UnpicklingError, EOFError) as wrong:
            raise InvalidParameter(f"{path} is no pickle that can be read: {wrong}") from wrong


def strings_in(path: Path) -> set[str]:
    """Return every text in a pickle, names of modules among them, without running it."""
    try:
        return {argument for _, argument, _ in pickletools.genops(path.read_bytes()) if isinstance(argument, str)}
    except ValueError:
        # joblib writes arrays between the opcodes; what comes before them has been read to no end.
        return set()


class _Module:
    """Stands for a module of MLflow's, which need not be installed where the pickle is written."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return importlib.import_module, (self.name,)


def _pickler(buffer: io.BytesIO, *, by_value: bool) -> Any:
    if not by_value:
        return pickle.Pickler(buffer, protocol=pickle.DEFAULT_PROTOCOL)
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc, name-defined, unused-ignore]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type) and (name := _upstream_name(obj)):
                return getattr, (_Module(name[0]), name[1])
            return super().reducer_override(obj)

    return Pickler(buffer)


def _upstream_name(kind: type) -> tuple[str, str] | None:
    own = (kind.__module__, kind.__qualname__)
    if own not in {
        ("runyard.models.python_model", "PythonModel"),
        ("runyard.models.python_model", "FunctionPythonModel"),
    }:
        return None
    return next(theirs for theirs, ours in COUNTERPARTS.items() if ours == own)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("importlib", "import_module"):
            return _import_counterpart
        if (module, name) == ("builtins", "getattr"):
            return _getattr
        if ours := COUNTERPARTS.get((module, name)):
            module, name = ours
        elif module == "mlflow" or module.startswith("mlflow."):
            return _of_upstream(module, name)
        return super().find_class(module, name)


def _of_upstream(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise InvalidParameter(
            f"the pickle refers to {module}.{name}, of which runyard has no "
            "counterpart: load it where MLflow is installed"
        ) from None


def _import_counterpart(module: str) -> Any:
    if any(module == theirs for theirs, _ in COUNTERPARTS):
        return _Module(module)
    return importlib.import_module(module)


def _getattr(value: Any, name: str) -> Any:
    if isinstance(value, _Module):
        module, name = COUNTERPARTS[value.name, name]
        value = importlib.import_module(module)
    return functools.reduce(getattr, name.split("."), value)
