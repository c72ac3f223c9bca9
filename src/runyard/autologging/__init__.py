"""Training that logs itself: the libraries' own callbacks where there are any, and patches where there are none.

An error in logging is told once as a warning, and never reaches the training.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import Any, Final

from runyard.autologging.core import when_imported

__all__ = ["autolog"]

# The libraries, by the module that a program imports of each.
LIBRARIES: Final = {
    "sklearn": ("sklearn",),
    "xgboost": ("xgboost",),
    "lightgbm": ("lightgbm",),
    "statsmodels": ("statsmodels",),
    "keras": ("keras",),
    "pytorch": ("lightning", "pytorch_lightning"),
}


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: dict[str, str] | None = None,
    exclude_flavors: Iterable[str] | None = None,
) -> None:
    """Have every supported library log what it trains, from when it is imported on.

    Args:
        log_input_examples: keep some rows of the training data with the model.
        log_model_signatures, log_models, log_datasets: what of it is logged.
        log_traces: taken for the sake of programs; there are no traces here.
        disable: stop all of it.
        exclusive: leave runs alone that the program started itself.
        disable_for_unsupported_versions: has no effect: no version is refused.
        silent: tell no warnings.
        extra_tags: of the runs that are started for a training.
        exclude_flavors: libraries to leave out.
    """
    given = dict(locals())
    for name, modules in LIBRARIES.items():
        if name in (exclude_flavors or ()):
            continue

        def configure(name: str = name) -> None:
            library = importlib.import_module(f"runyard.autologging.{name}").autolog
            taken = inspect.signature(library).parameters
            library(**{option: value for option, value in given.items() if option in taken})

        for module in modules:
            when_imported(module, configure)


def __getattr__(name: str) -> Any:
    if name in LIBRARIES:
        return importlib.import_module(f"runyard.autologging.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
