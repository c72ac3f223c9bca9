"""LightGBM models: boosters, and the estimators that LightGBM makes for scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.models import estimators, packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "lightgbm"
BOOSTER: Final = "lightgbm.basic.Booster"

# What skops has to be told of an estimator's own parts.
TRUSTED: Final = (
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "lightgbm.basic.Booster",
    "collections.OrderedDict",
)


def save_model(
    lgb_model: Any,
    path: str | Path,
    *,
    serialization_format: str = "cloudpickle",
    skops_trusted_types: Sequence[str] | None = None,
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a booster, as LightGBM's text, or an estimator to a new folder.

    Args:
        serialization_format: of an estimator: ``cloudpickle``, ``pickle`` or ``skops``, which runs no code.
        skops_trusted_types: types beyond LightGBM's and skops' own that loading may make.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: no such format.
    """
    packaging.check_choice("serialization_format", serialization_format, estimators.FORMATS)
    fields: dict[str, Any] = {
        "lgb_version": packaging.version_of("lightgbm"),
        "model_class": packaging.class_path(lgb_model),
    }
    if fields["model_class"] == BOOSTER:
        name, dump = "model.lgb", lambda file: lgb_model.save_model(str(file))
    else:
        name = estimators.file_name(serialization_format)
        trusted = list(dict.fromkeys([*TRUSTED, *(skops_trusted_types or ())]))
        fields |= {"serialization_format": serialization_format, "skops_trusted_types": trusted}

        def dump(file: Path) -> None:
            estimators.dump(lgb_model, file, serialization_format)

    return packaging.save_file(
        path,
        FLAVOR,
        name,
        dump,
        modules=["lightgbm", *([] if fields["model_class"] == BOOSTER else ["sklearn", serialization_format])],
        predict=lambda sample, params: lgb_model.predict(sample, **params or {}),
        fields=fields,
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the booster or the estimator that a folder holds.

    Raises:
        NotFound: the folder holds no LightGBM model.
        PermissionDenied: it is a pickle where those are forbidden, or has types that skops was not told to trust.
    """
    import lightgbm

    flavor, file = packaging.load_file(path, FLAVOR)
    # Models of MLflow 1 are boosters, and do not say so.
    if flavor.get("model_class", BOOSTER) == BOOSTER:
        return lightgbm.Booster(model_file=str(file))
    return estimators.load(
        file, flavor.get("serialization_format"), trusted=flavor.get("skops_trusted_types"), own=TRUSTED
    )


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> packaging.Predictor:
    return packaging.Predictor(load_model(folder))
