"""ONNX models, which ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter
from runyard.models import packaging
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "onnx"
PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
FILE: Final = "model.onnx"


def save_model(
    onnx_model: Any,
    path: str | Path,
    *,
    onnx_execution_providers: Sequence[str] | None = None,
    onnx_session_options: Mapping[str, Any] | None = None,
    save_as_external_data: bool = True,
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a model to a new folder, having checked it.

    Args:
        onnx_execution_providers: of ONNX Runtime, the preferred first; those that are not there are passed over.
        onnx_session_options: fields of ONNX Runtime's SessionOptions.
        save_as_external_data: keep the weights in a file beside the model, which one of 2 GB or more needs.
        options: see `packaging.Options`.
    """
    import onnx

    providers = list(onnx_execution_providers or PROVIDERS)
    session_options = dict(onnx_session_options) if onnx_session_options else None

    def dump(file: Path) -> None:
        onnx.save_model(
            onnx_model,
            str(file),
            save_as_external_data=save_as_external_data,
            location="model.onnx.data" if save_as_external_data else None,
        )
        onnx.checker.check_model(str(file))

    def predict(sample: Any, params: dict[str, Any] | None) -> Any:
        return Adapter(onnx_model.SerializeToString(), providers, session_options).predict(sample, params)

    return packaging.save_file(
        path,
        FLAVOR,
        FILE,
        dump,
        modules=["onnx", "onnxruntime"],
        predict=predict,
        fields={
            "onnx_version": packaging.version_of("onnx"),
            "providers": providers,
            "onnx_session_options": session_options,
        },
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the model that a folder holds.

    Raises:
        NotFound: the folder holds no ONNX model.
    """
    import onnx

    _, file = packaging.load_file(path, FLAVOR)
    return onnx.load(str(file))


class Adapter:
    """A session of ONNX Runtime as a pyfunc model.

    A frame gives its values where the model has one input, else a column for each input, and its outputs are the
    columns of a frame; an array or a dict of arrays gives a dict of arrays.
    """

    def __init__(self, model: str | bytes, providers: Sequence[Any], session_options: Mapping[str, Any] | None) -> None:
        import onnxruntime

        told = onnxruntime.SessionOptions()
        for name, value in (session_options or {}).items():
            _set_option(told, name, value)
        there = set(onnxruntime.get_available_providers())
        # A provider with options is a pair, which YAML gives back as a list.
        named = [tuple(each) if isinstance(each, list) else each for each in providers]
        chosen = [each for each in named if (each if isinstance(each, str) else each[0]) in there]
        self._session = onnxruntime.InferenceSession(model, told, providers=chosen or ["CPUExecutionProvider"])
        self._inputs = [(each.name, each.type) for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import numpy as np
        import pandas as pd

        names = [name for name, _ in self._inputs]
        if isinstance(model_input, dict):
            feed = {name: np.asarray(value) for name, value in model_input.items()}
        elif isinstance(model_input, pd.DataFrame):
            if len(names) == 1:
                feed = {names[0]: model_input.to_numpy()}
            else:
                missing = [name for name in names if name not in model_input.columns]
                if missing:
                    raise InvalidParameter(f"the model's inputs {', '.join(missing)} are no columns of the frame")
                feed = {name: np.stack([np.asarray(each) for each in model_input[name]]) for name in names}
        elif isinstance(model_input, np.ndarray) and len(names) == 1:
            feed = {names[0]: model_input}
        else:
            raise InvalidParameter(
                "a model of ONNX takes a frame, a dict of arrays or, if it has one input, an array; "
                f"got {type(model_input).__name__} for the inputs {', '.join(names)}"
            )
        for name, kind in self._inputs:
            # What others compute in 64 bits, ONNX mostly does in 32.
            if kind == "tensor(float)" and name in feed and feed[name].dtype == np.float64:
                feed[name] = feed[name].astype(np.float32)
        found = self._session.run(self._outputs, feed)
        if not isinstance(model_input, pd.DataFrame):
            return dict(zip(self._outputs, found, strict=True))
        return pd.DataFrame({name: _column(value) for name, value in zip(self._outputs, found, strict=True)})

    def get_raw_model(self) -> Any:
        return self._session


def _column(value: Any) -> Any:
    import numpy as np

    values = np.asarray(value)
    return list(values) if values.ndim > 1 and values.shape[1:] != (1,) else values.reshape(-1)


def _set_option(told: Any, name: str, value: Any) -> None:
    if name == "extra_session_config":
        for key, text in value.items():
            told.add_session_config_entry(key, text)
    elif hasattr(told, name):
        import onnxruntime

        kinds = {
            "execution_mode": {
                "sequential": onnxruntime.ExecutionMode.ORT_SEQUENTIAL,
                "parallel": onnxruntime.ExecutionMode.ORT_PARALLEL,
            }
        }
        setattr(told, name, kinds.get(name, {}).get(str(value).lower(), value))
    else:
        raise InvalidParameter(f"onnx_session_options: ONNX Runtime has no option {name!r}")


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    saved, file = packaging.load_file(folder, FLAVOR)
    providers = saved.get("providers") or PROVIDERS
    return Adapter(
        str(file), [providers] if isinstance(providers, str) else providers, saved.get("onnx_session_options")
    )
