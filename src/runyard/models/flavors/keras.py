"""Keras 3 models, on whichever backend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter, PermissionDenied
from runyard.models import packaging
from runyard.models.model import Model
from runyard.settings import load_model_settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "keras"


def save_model(
    model: Any,
    path: str | Path,
    *,
    custom_objects: dict[str, Any] | None = None,
    save_model_kwargs: dict[str, Any] | None = None,
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a model to a new folder, in Keras' own format.

    Args:
        custom_objects: classes and functions of the model that Keras does not have: give them to ``load_model`` again.
        save_model_kwargs: for Keras' ``save_model``.
        options: see `packaging.Options`.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise InvalidParameter(f"model must be a keras.Model, got {type(model).__name__}")

    def write(folder: Path, meta: Model, code: str | None) -> None:
        (folder / "data").mkdir()
        with keras.saving.custom_object_scope(custom_objects or {}):
            keras.saving.save_model(model, folder / "data" / "model.keras", **save_model_kwargs or {})
        (folder / "data" / "keras_module.txt").write_text("keras", encoding="utf-8")
        packaging.add_pyfunc(meta, "mlflow.keras", code)
        meta.add_flavor(
            FLAVOR,
            data="data",
            keras_version=keras.__version__,
            keras_backend=keras.backend.backend(),
            save_exported_model=False,
        )

    backend = keras.backend.backend()
    return packaging.save(
        path,
        write,
        modules=["keras", backend],
        predict=lambda sample, params: Adapter(model).predict(sample, params),
        **options,
    )


def load_model(
    path: str | Path,
    *,
    custom_objects: dict[str, Any] | None = None,
    load_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Return the model that a folder holds.

    Raises:
        NotFound: the folder holds no Keras model.
        InvalidParameter: it was exported for TensorFlow.
        PermissionDenied: it has code in it, where pickles are forbidden.
    """
    import keras

    folder = Path(path)
    flavor = Model.load(folder).flavor(FLAVOR)
    if flavor.get("save_exported_model"):
        raise InvalidParameter("the model was exported for TensorFlow: load it with tensorflow.saved_model.load")
    saved = packaging.within(folder, flavor.get("data", "data"))
    packaging.add_code(folder, flavor.get("code"))
    files = saved / "model.keras" if saved.is_dir() else saved
    told: dict[str, Any] = {**(load_model_kwargs or {}), **(keras_model_kwargs or {})}
    if told.get("safe_mode") is False and not load_model_settings().allow_pickle:
        raise PermissionDenied("safe_mode=False runs code of the model, and RUNYARD_ALLOW_PICKLE forbids that")
    return keras.saving.load_model(os.fspath(files), custom_objects=custom_objects, **told)


class Adapter:
    """A model as a pyfunc model: a frame gives a frame with its index, an array an array."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import keras
        import numpy as np
        import pandas as pd

        told = {"verbose": 0, **(params or {})}
        if isinstance(model_input, pd.DataFrame):
            return pd.DataFrame(self._model.predict(model_input.to_numpy(), **told), index=model_input.index)
        if not isinstance(model_input, (np.ndarray, list, tuple, dict)):
            raise InvalidParameter(
                f"a Keras model takes a frame, an array, or a list or dict of arrays; got {type(model_input).__name__}"
            )
        return keras.ops.convert_to_numpy(self._model.predict(model_input, **told))

    def get_raw_model(self) -> Any:
        return self._model


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    return Adapter(load_model(folder))
