"""Estimators of scikit-learn's kind in a file: a pickle, or skops' format, which runs no code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from runyard.errors import PermissionDenied
from runyard.models import pickles
from runyard.settings import load_model_settings

FORMATS: Final = ("cloudpickle", "pickle", "skops")


def file_name(serialization_format: str) -> str:
    return "model.skops" if serialization_format == "skops" else "model.pkl"


def dump(estimator: Any, file: Path, serialization_format: str) -> None:
    """Raises: PermissionDenied: it is to be a pickle, and those are forbidden."""
    if serialization_format == "skops":
        import skops.io

        skops.io.dump(estimator, file)
    else:
        pickles.dump(estimator, file, by_value=serialization_format == "cloudpickle")


def load(
    file: Path, serialization_format: str | None, *, trusted: Sequence[str] | None = None, own: Sequence[str] = ()
) -> Any:
    """Return the estimator that a file holds.

    Args:
        trusted: types that the model says loading may make.
        own: types of the library, which are trusted whatever the model says.
    Raises:
        PermissionDenied: it is a pickle where those are forbidden, or has types that skops was not told to trust.
    """
    if serialization_format != "skops":
        return pickles.load(file)
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    # A model that says whom to trust says so of itself: that is as good as a pickle.
    told = list(trusted or ()) if load_model_settings().allow_pickle else []
    try:
        return skops.io.load(file, trusted=[*own, *told])
    except UntrustedTypesFoundException as found:
        raise PermissionDenied(
            f"{file.name} holds types that are not trusted ({found}): save it with skops_trusted_types naming them, "
            "and load it where RUNYARD_ALLOW_PICKLE is not false"
        ) from None
