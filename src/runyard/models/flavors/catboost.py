"""CatBoost models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.models import packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "catboost"
FORMAT: Final = "cbm"


def save_model(
    cb_model: Any,
    path: str | Path,
    *,
    format: str = FORMAT,  # noqa: A002
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a model to a new folder.

    Args:
        format: as CatBoost's own ``save_model`` takes it; others than ``cbm`` and ``json`` cannot be loaded again.
        options: see `packaging.Options`.
    """
    return packaging.save_file(
        path,
        FLAVOR,
        "model.cb",
        lambda file: cb_model.save_model(str(file), format=format),
        modules=["catboost"],
        predict=lambda sample, params: cb_model.predict(sample, **params or {}),
        fields={
            "catboost_version": packaging.version_of("catboost"),
            "model_type": type(cb_model).__name__,
            "save_format": format,
        },
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the model that a folder holds.

    Raises:
        NotFound: the folder holds no CatBoost model.
        InvalidParameter: it is of a class that CatBoost does not have.
    """
    flavor, file = packaging.load_file(path, FLAVOR)
    model = packaging.class_of(f"catboost.{flavor.get('model_type', 'CatBoost')}", "catboost")()
    return model.load_model(str(file), format=flavor.get("save_format", FORMAT))


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> packaging.Predictor:
    return packaging.Predictor(load_model(folder))
