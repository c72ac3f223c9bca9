"""Models that users write: classes with a ``predict``, plain functions, and source files that name their model."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import itertools
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from runyard.errors import InvalidParameter


class PythonModelContext:
    """What a model is given when it is loaded: paths of its artifacts, by name, and its configuration."""

    def __init__(self, artifacts: Mapping[str, str], model_config: Mapping[str, Any] | None = None) -> None:
        self.artifacts = dict(artifacts)
        self.model_config = dict(model_config or {})


class PythonModel:
    """A model made of Python: override ``predict``, and ``load_context`` to read artifacts once."""

    def load_context(self, context: PythonModelContext) -> None:
        """Prepare for predictions; called once after loading."""

    def predict(self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions; ``context`` and ``params`` may be left out of an override."""
        raise NotImplementedError(f"{type(self).__name__} must define predict(self, context, model_input)")

    def predict_stream(
        self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """Yield predictions one by one."""
        raise NotImplementedError(f"{type(self).__name__} does not define predict_stream")


class FunctionPythonModel(PythonModel):
    """A plain function as a model."""

    # The names that MLflow's counterpart has, which loads what is pickled here.
    def __init__(self, func: Callable[..., Any], signature: Any = None) -> None:
        self.func = func
        self.signature = signature

    def predict(self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return call_predict(unwrapped(self.func), context, model_input, params)


class Unused:
    """In the place of what a pickle of MLflow's refers to and nothing here asks for."""

    def __init__(self, *args: Any, **state: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def unwrapped(predict: Callable[..., Any]) -> Callable[..., Any]:
    """Return the user's own function where MLflow put its checks around it; the checks here come before."""
    while getattr(predict, "_is_pyfunc", False) and hasattr(predict, "__wrapped__"):
        predict = predict.__wrapped__
    return predict


def call_predict(
    predict: Callable[..., Any], context: PythonModelContext, model_input: Any, params: dict[str, Any] | None
) -> Any:
    """Call a user's ``predict``, which may take a context, params, both or neither."""
    accepted = inspect.signature(predict).parameters
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in accepted.values())
    extra = {"params": params} if "params" in accepted or takes_any else {}
    return predict(context, model_input, **extra) if "context" in accepted else predict(model_input, **extra)


# What the file that this thread, or task, runs just now has named.
_chosen: ContextVar[list[Any] | None] = ContextVar("_chosen", default=None)
# Stand-ins for upstream's modules are the whole process's, and so is what upstream itself keeps of a file.
_running = threading.RLock()
_numbers = itertools.count()


# The configuration that the file which is run just now is given.
_config: ContextVar[Mapping[str, Any] | None] = ContextVar("_config", default=None)


class ModelConfig:
    """The configuration of a model that is a source file: what it is loaded with or, while it is written, its own.

    Args:
        development_config: values, or a YAML file of them, that count where the model is given none.
    Raises:
        InvalidParameter: there are neither, or the file holds no mapping.
    """

    def __init__(self, *, development_config: Mapping[str, Any] | str | Path | None = None) -> None:
        given = _config.get()
        if given:
            development_config = given
        if development_config is None:
            raise InvalidParameter("give development_config, or load the model with a model_config")
        if not isinstance(development_config, Mapping):
            import yaml

            path = Path(development_config)
            if not path.is_file():
                raise InvalidParameter(f"development_config {str(path)!r} is no file")
            development_config = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(development_config, Mapping):
            raise InvalidParameter(f"development_config must hold a mapping, got {type(development_config).__name__}")
        self._values = dict(development_config)

    def get(self, key: str) -> Any:
        """Raises: KeyError: there is no such key."""
        if key not in self._values:
            raise KeyError(f"the configuration has no {key!r}, only {', '.join(map(str, self._values))}")
        return self._values[key]

    def to_dict(self) -> dict[str, Any]:
        return dict(self._values)


def set_model(model: Any) -> None:
    """Name the model that a source file is, where models are saved from code.

    Raises:
        InvalidParameter: it is neither a function nor has a ``predict``.
    """
    if not callable(model) and not hasattr(model, "predict"):
        raise InvalidParameter(f"set_model takes a PythonModel or a function, got {type(model).__name__}")
    chosen = _chosen.get()
    # A file that is run as a program, to try it, names its model to nobody.
    if chosen is not None:
        chosen.append(model)


def run_code(path: Path, config: Mapping[str, Any] | None = None) -> Any:
    """Run a source file and return the model that it named with `set_model`.

    Raises:
        InvalidParameter: it named none.
    """
    # Each file is a module of its own: the model's classes ask for it as long as they live.
    name = f"__runyard_model_{next(_numbers)}__"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    chosen: list[Any] = []
    with _running:
        # Where upstream is installed, it is upstream that the file tells.
        theirs = sys.modules.get("mlflow.models.model")
        if theirs is not None:
            theirs.__dict__.pop("__mlflow_model__", None)
        sys.modules[name] = module
        before = _chosen.set(chosen)
        configured = _config.set(config)
        try:
            with _standing_in_for_mlflow():
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        finally:
            _config.reset(configured)
            _chosen.reset(before)
        told = getattr(sys.modules.get("mlflow.models.model"), "__mlflow_model__", None)
    found = chosen[-1] if chosen else told
    if found is None:
        raise InvalidParameter(f"{path.name} names no model: call set_model(model) at its end")
    return found if hasattr(found, "predict") else FunctionPythonModel(found)


@contextlib.contextmanager
def _standing_in_for_mlflow() -> Iterator[None]:
    """Let a file that says ``import mlflow`` to define its model run where MLflow is not installed."""
    if "mlflow" in sys.modules or importlib.util.find_spec("mlflow") is not None:
        yield
        return
    from runyard.models import signature

    root, models, pyfunc, own = (
        types.ModuleType(name) for name in ("mlflow", "mlflow.models", "mlflow.pyfunc", "mlflow.pyfunc.model")
    )
    vars(models).update(
        set_model=set_model,
        infer_signature=signature.infer_signature,
        ModelSignature=signature.ModelSignature,
        ModelConfig=ModelConfig,
    )
    for module in (pyfunc, own):
        vars(module).update(PythonModel=PythonModel, PythonModelContext=PythonModelContext)
    vars(pyfunc).update(model=own)
    vars(root).update(models=models, pyfunc=pyfunc, __path__=[])
    stand_ins = {module.__name__: module for module in (root, models, pyfunc, own)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)
