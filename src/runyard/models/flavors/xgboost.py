"""XGBoost models: boosters, and the estimators that XGBoost makes for scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.models import packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "xgboost"
FORMATS: Final = ("ubj", "json", "xgb")


def save_model(
    xgb_model: Any, path: str | Path, *, model_format: str = "ubj", **options: Unpack[packaging.Options]
) -> Model:
    """Save a booster or an estimator to a new folder.

    Args:
        model_format: ``ubj`` (binary) or ``json``; ``xgb`` is XGBoost's oldest, which new versions do not write.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: no such format.
    """
    packaging.check_choice("model_format", model_format, FORMATS)
    return packaging.save_file(
        path,
        FLAVOR,
        f"model.{model_format}",
        lambda file: xgb_model.save_model(str(file)),
        modules=["xgboost", *(["sklearn"] if _is_estimator(xgb_model) else [])],
        predict=Adapter(xgb_model).predict,
        fields={
            "xgb_version": packaging.version_of_module("xgboost"),
            "model_class": packaging.class_path(xgb_model),
            "model_format": model_format,
        },
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the booster or the estimator that a folder holds.

    Raises:
        NotFound: the folder holds no XGBoost model.
        InvalidParameter: it is of a class that is not XGBoost's.
    """
    flavor, file = packaging.load_file(path, FLAVOR)
    # Models of MLflow 1 are boosters, and do not say so.
    model = packaging.class_of(flavor.get("model_class", "xgboost.core.Booster"), "xgboost")()
    model.load_model(str(file))
    return model


class Adapter:
    """A booster or an estimator as a pyfunc model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        if _is_estimator(self._model):
            return self._model.predict(model_input, **params or {})
        import xgboost

        return self._model.predict(xgboost.DMatrix(model_input), **params or {})

    def get_raw_model(self) -> Any:
        return self._model


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    return Adapter(load_model(folder))


def _is_estimator(model: Any) -> bool:
    return hasattr(model, "get_booster")
