"""scikit-learn models.

The default leaves one file, ``model.pkl``, because KServe's sklearn server loads that and no ``model.skops``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models import estimators, packaging
from runyard.models.model import Model

FLAVOR: Final = "sklearn"

# MLflow's module of the same purpose: what the MLmodel file names as its loader.
LOADER_MODULE: Final = "mlflow.sklearn"


def save_model(
    sk_model: Any,
    path: str | Path,
    *,
    serialization_format: str = "cloudpickle",
    pyfunc_predict_fn: str = "predict",
    skops_trusted_types: Sequence[str] | None = None,
    **options: Any,
) -> Model:
    """Save a fitted estimator or pipeline to a new folder.

    Args:
        serialization_format: ``cloudpickle`` and ``pickle`` write model.pkl, ``skops`` writes model.skops, which runs
            no code when it is loaded.
        pyfunc_predict_fn: the method that predictions call, such as ``predict_proba``.
        skops_trusted_types: types beyond skops' own that loading may make.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: no such format or method.
    """
    packaging.check_choice("serialization_format", serialization_format, estimators.FORMATS)
    method = getattr(sk_model, pyfunc_predict_fn, None)
    if not callable(method) and pyfunc_predict_fn != "predict":
        raise InvalidParameter(f"pyfunc_predict_fn {pyfunc_predict_fn!r} is no method of {type(sk_model).__name__}")
    file = estimators.file_name(serialization_format)

    def write(folder: Path, model: Model, code: str | None) -> None:
        estimators.dump(sk_model, folder / file, serialization_format)
        if callable(method):
            packaging.add_pyfunc(model, LOADER_MODULE, code, model_path=file, predict_fn=pyfunc_predict_fn)
        model.add_flavor(
            FLAVOR,
            pickled_model=file,
            sklearn_version=packaging.version_of("scikit-learn"),
            serialization_format=serialization_format,
            skops_trusted_types=None if skops_trusted_types is None else list(skops_trusted_types),
            code=code,
        )

    return packaging.save(
        path,
        write,
        modules=["sklearn", "skops" if serialization_format == "skops" else serialization_format],
        predict=None if not callable(method) else lambda sample, _: method(sample),
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the estimator that a folder holds.

    Raises:
        NotFound: the folder holds no scikit-learn model.
        PermissionDenied: it is a pickle where those are forbidden, or has types that skops was not told to trust.
    """
    folder = Path(path)
    flavor = Model.load(folder).flavor(FLAVOR)
    packaging.add_code(folder, flavor.get("code"))
    file = packaging.within(folder, flavor.get("pickled_model", "model.pkl"))
    return estimators.load(file, flavor.get("serialization_format"), trusted=flavor.get("skops_trusted_types"))


# Estimators that make an array of whatever they are given, and know no column by its name.
_OF_ARRAYS: Final = tuple(
    f"sklearn.{name}."
    for name in (
        "cluster",
        "discriminant_analysis",
        "ensemble._forest",
        "linear_model",
        "naive_bayes",
        "neighbors",
        "neural_network",
        "svm",
        "tree",
    )
)


class Adapter:
    """The estimator as a pyfunc model."""

    def __init__(self, estimator: Any, predict_fn: str) -> None:
        self.estimator = estimator
        self._predict_fn = predict_fn
        self._predict = getattr(estimator, predict_fn)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return self._predict(model_input)

    def get_raw_model(self) -> Any:
        return self.estimator

    def array_predictor(self, names: Sequence[Any]) -> Callable[[Any], Any] | None:
        """Return what predicts from an array as from a frame with these columns, in a fifth of the time.

        None where the estimator may look at the columns' names.
        """
        fitted = getattr(self.estimator, "feature_names_in_", None)
        if not f"{type(self.estimator).__module__}.".startswith(_OF_ARRAYS) or fitted is None:
            return None
        if list(fitted) != list(names):
            return None
        # One that was fitted without names does not miss them.
        nameless = copy.copy(self.estimator)
        del nameless.feature_names_in_
        found: Callable[[Any], Any] = getattr(nameless, self._predict_fn)
        return found


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    """Return the adapter of a saved model, given the python_function flavor."""
    return Adapter(load_model(folder), flavor.get("predict_fn", "predict"))
