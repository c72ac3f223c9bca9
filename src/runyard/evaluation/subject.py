"""What is evaluated: a model that is asked, or predictions that are there already."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from runyard.data.evaluation_dataset import EvaluationDataset
from runyard.errors import InvalidParameter
from runyard.models.pyfunc import PyFuncModel

if TYPE_CHECKING:
    import pandas as pd

# Flavors whose own model is asked, without a signature between: it has ``predict_proba``, and takes whole numbers for
# decimals.
_ASKED_THEMSELVES: Final = ("mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost")


class FunctionModel:
    """A function of a program as a model."""

    metadata = None

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        return self._function(data)


class Subject:
    """The model, or the predictions, of one evaluation."""

    def __init__(self, model: Any, dataset: EvaluationDataset, output: str | None = None) -> None:
        """Take a model that has a ``predict``, or None where the dataset holds the predictions.

        Args:
            output: the column of what the model gives that is its predictions.
        """
        if model is None and not dataset.has_predictions:
            raise InvalidParameter("give a model, or predictions: the column of the data that holds them")
        self.model = model
        self._dataset = dataset
        self._output = output
        self._loader = model.loader_module if isinstance(model, PyFuncModel) else None
        self._raw = None
        if self._loader in _ASKED_THEMSELVES:
            raw = model.get_raw_model()
            # Boosters take data of their own kind, which the flavor makes.
            self._raw = raw if hasattr(raw, "get_params") or self._loader == "mlflow.catboost" else None

    @functools.cached_property
    def outputs(self) -> tuple[Any, pd.DataFrame | None, str | None]:
        """The predictions, other columns that the model gave beside them, and the name of the predictions."""
        if self.model is None:
            return self._dataset.predictions_data, None, self._dataset.predictions_name
        ask = self.model if self._raw is None else self._raw
        return split(ask.predict(self._features()), self._output)

    @functools.cached_property
    def probabilities(self) -> Any:
        """The probability of each class, a column a class; None where the model tells none."""
        ask = getattr(self._raw, "predict_proba", None)
        if ask is None:
            return None
        import numpy as np

        return np.asarray(ask(self._features()))

    @property
    def classes(self) -> Any:
        """The classes that the columns of the probabilities are of; None where the model does not say."""
        return getattr(self._raw, "classes_", None)

    def score(self, labels: Any, weights: Any) -> float | None:
        """Return what a scikit-learn estimator says of itself; None of others."""
        if self._loader != "mlflow.sklearn" or not hasattr(self._raw, "score"):
            return None
        assert self._raw is not None
        told = {} if weights is None else {"sample_weight": weights}
        return float(self._raw.score(self._features(), labels, **told))

    def _features(self) -> Any:
        if self._raw is not None and not self._dataset.is_named and not hasattr(self._raw, "feature_names_in_"):
            # Names that are made up here would only have the estimator warn of them.
            return self._dataset.features_data.copy()
        return self._dataset.frame()


def split(given: Any, name: str | None) -> tuple[Any, pd.DataFrame | None, str | None]:
    """Return the predictions of what a model gave, its other columns, and the name of the predictions.

    Raises:
        InvalidParameter: it gave several columns, and ``name`` is none of them.
    """
    import pandas as pd

    is_rows = isinstance(given, list) and given and all(isinstance(row, dict) for row in given)
    if is_rows or isinstance(given, dict):
        given = pd.DataFrame(given)
    if not isinstance(given, pd.DataFrame):
        return given, None, name
    columns = list(given.columns)
    if name not in columns:
        if len(columns) > 1:
            raise InvalidParameter(
                f"predictions must name the column of what the model gives that is to be measured, one of {columns}; "
                f"got {name!r}"
            )
        name = columns[0]
    others = given.drop(columns=[name])
    return given[name], None if others.columns.empty else others, name
