"""What all libraries share: patches that can be undone, a training's run, and errors that stop nobody."""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import importlib.util
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from runyard.client import fluent
from runyard.client.client import MlflowClient
from runyard.client.models import log
from runyard.entities import Metric, Param, RunTag
from runyard.models.model import Model
from runyard.wire.names import MAX_PARAM_VALUE_LENGTH

AUTOLOGGING_TAG: Final = "mlflow.autologging"
EXAMPLE_ROWS: Final = 5

_log: Final = logging.getLogger("runyard.autologging")


@dataclass
class Library:
    """How one library logs itself: what was asked for, and what of it was patched."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    is_on: bool = False
    patched: list[tuple[Any, str, Any]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def configure(self, setup: Callable[[], None], options: Mapping[str, Any]) -> None:
        """Take the arguments of its ``autolog``: patch the library, or undo that."""
        with _lock:
            self.options = dict(options)
            if self.options.get("disable"):
                self.is_on = False
                while self.patched:
                    owner, name, original = self.patched.pop()
                    setattr(owner, name, original)
                return
            self.told.clear()
            if not self.patched:
                setup()
            self.is_on = True

    def patch(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        """Have ``around(original, *args, **kwargs)`` called in place of a function or method."""
        original = vars(owner)[name]

        @functools.wraps(original)
        def called(*args: Any, **kwargs: Any) -> Any:
            if not self.is_on:
                return original(*args, **kwargs)
            return around(original, *args, **kwargs)

        setattr(owner, name, called)
        self.patched.append((owner, name, original))

    @contextlib.contextmanager
    def training(self) -> Iterator[Training | None]:
        """Give what logs a training; None within another, or where the program's own runs are to be left alone.

        Where no run is active one is started, and ended: FAILED if the training raises.
        """
        if _state.depth or (self.options.get("exclusive") and fluent.active_run() is not None):
            with within():
                yield None
            return
        training = None
        with self.attempt("start a run"):
            training = Training(self)
        try:
            with within():
                yield training
        except BaseException:
            if training is not None:
                training.finish("FAILED")
            raise
        if training is not None:
            training.finish("FINISHED")

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Go on after an error in the block, having told of the first of its kind."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
            if what not in self.told and not self.options.get("silent"):
                _log.warning("autologging of %s could not %s: %s: %s", self.name, what, type(error).__name__, error)
            self.told.add(what)


class Training:
    """One training that is being logged, to the active run or to one of its own."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.options = library.options
        self.client = MlflowClient()
        active = fluent.active_run()
        self.owns_run = active is None
        if active is None:
            tags = {AUTOLOGGING_TAG: library.name, **(self.options.get("extra_tags") or {})}
            active = fluent.start_run(tags=tags)
        self.run_id = active.info.run_id
        self.experiment_id = active.info.experiment_id
        self.logged_model_id: str | None = None

    def attempt(self, what: str) -> contextlib.AbstractContextManager[None]:
        return self.library.attempt(what)

    def finish(self, status: str) -> None:
        with self.attempt("end the run"):
            fluent.flush_async_logging()
            if self.owns_run:
                fluent.end_run(status)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log params in the background, whose sender tells of what it lost; what is too long is cut."""
        texts = [Param(key, str(value)[:MAX_PARAM_VALUE_LENGTH]) for key, value in params.items()]
        self.client.log_batch(self.run_id, params=texts, synchronous=False)

    def log_metrics(self, values: Mapping[str, Any], step: int = 0) -> None:
        """Log one point of each metric, in the background."""
        now_ms = int(time.time() * 1000)
        points = [
            Metric(key, float(value), now_ms, step, model_id=self.logged_model_id) for key, value in values.items()
        ]
        self.client.log_batch(self.run_id, metrics=points, synchronous=False)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        texts = [RunTag(key, str(value)) for key, value in tags.items()]
        self.client.log_batch(self.run_id, tags=texts, synchronous=False)

    def log_text(self, text: str, name: str) -> None:
        self.client.log_text(self.run_id, text, name)

    def log_figure(self, figure: Any, name: str) -> None:
        self.client.log_figure(self.run_id, figure, name)

    def log_dataset(self, features: Any, targets: Any = None, *, context: str = "train", name: str = "dataset") -> None:
        """Log data as an input of the run, where it is of a kind that is known."""
        if self.options.get("log_datasets", True):
            log_dataset(self.client, self.run_id, features, targets, context=context, name=name)

    def log_model(
        self,
        save_model: Callable[..., Model],
        model: Any,
        *,
        name: str = "model",
        example: Any = None,
        predict: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        """Log a model, with a signature if there is an example of what it takes.

        Args:
            save_model: its flavor's; ``options`` are for that.
        """
        if not self.options.get("log_models", True):
            return
        if example is not None and self.options.get("log_model_signatures", True) and predict is not None:
            from runyard.models.signature import infer_signature

            with self.attempt("infer the model's signature"):
                options["signature"] = infer_signature(example, predict(example))
        if example is not None and self.options.get("log_input_examples"):
            options["input_example"] = example
        options.setdefault("signature", False)
        if self.options.get("registered_model_name"):
            options["registered_model_name"] = self.options["registered_model_name"]
        # What was logged in the background becomes the model's too.
        fluent.flush_async_logging()
        log(functools.partial(save_model, model), name, {**options, "run_id": self.run_id})


@contextlib.contextmanager
def within() -> Iterator[None]:
    """Mark a block as part of a training: nothing in it is one of its own."""
    _state.depth += 1
    try:
        yield
    finally:
        _state.depth -= 1


def is_within() -> bool:
    return _state.depth > 0


def rows(data: Any) -> Any:
    """Return the first rows of data, as an example; None of what is no table or array."""
    import numpy as np
    import pandas as pd

    if isinstance(data, (pd.DataFrame, pd.Series)):
        return data.head(EXAMPLE_ROWS)
    return data[:EXAMPLE_ROWS] if isinstance(data, np.ndarray) else None


class _State(threading.local):
    depth = 0


_state: Final = _State()
_lock: Final = threading.RLock()


class _Awaited(importlib.abc.MetaPathFinder):
    """Calls what waits for a module when that has been imported."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Callable[[], None]]] = {}

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        functions = self.waiting.pop(fullname, None)
        if functions is None:
            return None
        # No longer awaited, so this does not come back here.
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            self.waiting[fullname] = functions
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for function in functions:
                _apply(fullname, function)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_awaited: Final = _Awaited()


def when_imported(module: str, function: Callable[[], None]) -> None:
    """Call a function now, if the module was imported, else when it will have been."""
    with _lock:
        if module in sys.modules:
            _apply(module, function)
            return
        if _awaited not in sys.meta_path:
            sys.meta_path.insert(0, _awaited)
        # The newest word on a library holds.
        _awaited.waiting[module] = [function]


def _apply(module: str, function: Callable[[], None]) -> None:
    try:
        function()
    except Exception as error:  # noqa: BLE001 - a library that is there but broken stops no program that imports it
        _log.warning("autologging of %s could not be set up: %s: %s", module, type(error).__name__, error)


def log_dataset(
    client: MlflowClient, run_id: str, features: Any, targets: Any = None, *, context: str, name: str = "dataset"
) -> None:
    """Log data as an input of a run, where it is of a kind that is known."""
    import numpy as np
    import pandas as pd

    from runyard.client.datasets import Dataset, dataset_input
    from runyard.data import from_numpy, from_pandas

    found: Dataset
    if isinstance(features, pd.DataFrame):
        frame = features
        target = None
        if targets is not None and np.ndim(targets) == 1:
            target = getattr(targets, "name", None) or "target"
            frame = features.assign(**{str(target): np.asarray(targets)})
        found = from_pandas(frame, name=name, targets=None if target is None else str(target))
    elif isinstance(features, np.ndarray):
        found = from_numpy(features, targets=None if targets is None else np.asarray(targets), name=name)
    else:
        return
    client.log_inputs(run_id, [dataset_input(found, context, None)])
