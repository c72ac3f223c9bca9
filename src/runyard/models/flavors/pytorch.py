"""PyTorch models.

The default is a pickle of the whole module, which any model can be. ``serialization_format="pt2"`` is torch.export's: a
graph, traced with an input example, which loads without the model's code and runs none.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter, PermissionDenied
from runyard.models import packaging, pickles
from runyard.models.examples import split_example
from runyard.models.model import Model
from runyard.settings import load_model_settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "pytorch"
FORMATS: Final = ("pickle", "pt2")
PICKLE_MODULE: Final = "mlflow.pytorch.pickle_module"
FILES: Final = {"pickle": "model.pth", "pt2": "model.pt2"}


def save_model(
    pytorch_model: Any,
    path: str | Path,
    *,
    serialization_format: str = "pickle",
    **options: Unpack[packaging.Options],
) -> Model:
    """Save a module, or one that torch.jit made, to a new folder.

    Args:
        serialization_format: ``pickle``, or ``pt2``, which needs an input example and runs no code when it is loaded.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: no such format, or no input example for pt2.
        PermissionDenied: pickles are forbidden.
    """
    import torch

    packaging.check_choice("serialization_format", serialization_format, FORMATS)
    if not isinstance(pytorch_model, torch.nn.Module):
        raise InvalidParameter(f"pytorch_model must be a torch.nn.Module, got {type(pytorch_model).__name__}")
    example = options.get("input_example")
    if serialization_format == "pt2" and example is None:
        raise InvalidParameter("serialization_format 'pt2' traces the model: give an input_example to trace it with")

    def write(folder: Path, model: Model, code: str | None) -> None:
        data = folder / "data"
        data.mkdir()
        file = data / FILES[serialization_format]
        if serialization_format == "pt2":
            sample, _ = split_example(example)
            batch = torch.export.Dim("batch")
            traced = torch.export.export(pytorch_model.eval(), (_tensor(sample),), dynamic_shapes=({0: batch},))
            torch.export.save(traced, str(file))
        elif isinstance(pytorch_model, torch.jit.ScriptModule):
            torch.jit.save(pytorch_model, str(file))
        else:
            pickles.check_allowed(file.name)
            import cloudpickle

            # By value where the class is of a script or a notebook, so that another process loads it.
            torch.save(pytorch_model, str(file), pickle_module=cloudpickle)
        if serialization_format == "pickle":
            (data / "pickle_module_info.txt").write_text(PICKLE_MODULE, encoding="utf-8")
        packaging.add_pyfunc(
            model, "mlflow.pytorch", code, data="data", pickle_module_name=PICKLE_MODULE, config={"device": None}
        )
        model.add_flavor(FLAVOR, model_data="data", pytorch_version=str(torch.__version__), code=code)

    return packaging.save(
        path,
        write,
        modules=["torch", "cloudpickle"],
        predict=lambda sample, params: Adapter(pytorch_model).predict(sample, params),
        **options,
    )


def load_model(path: str | Path, *, map_location: Any = None, device: Any = None) -> Any:
    """Return the module that a folder holds.

    Args:
        map_location, device: where its tensors go; by default to the CPU where they were saved from elsewhere.
    Raises:
        NotFound: the folder holds no PyTorch model.
        PermissionDenied: it is a pickle where those are forbidden.
    """
    import torch

    folder = Path(path)
    flavor = Model.load(folder).flavor(FLAVOR)
    packaging.add_code(folder, flavor.get("code"))
    data = packaging.within(folder, flavor.get("model_data", "data"))
    where = device or map_location or (None if torch.cuda.is_available() else torch.device("cpu"))
    graph = data / FILES["pt2"]
    if graph.exists():
        with _as_settings_allow():
            module = torch.export.load(str(graph)).module()
        return module if device is None else module.to(device)
    file = packaging.within(folder, f"{data.name}/{FILES['pickle']}")
    if _is_of_jit(file):
        return torch.jit.load(str(file), map_location=where)
    pickles.check_allowed(file.name)
    return torch.load(str(file), map_location=where, weights_only=False)


@contextlib.contextmanager
def _as_settings_allow() -> Iterator[None]:
    """Where pickles are forbidden, let torch load nothing but tensors.

    A graph's own parts are tensors, but torch loads whatever pickle is in their place, having failed to read tensors.
    """
    if load_model_settings().allow_pickle:
        yield
        return
    with _lock:
        before = os.environ.get(_TENSORS_ALONE)
        os.environ[_TENSORS_ALONE] = "1"
        try:
            yield
        except pickle.UnpicklingError as refused:
            raise PermissionDenied(
                "the graph holds a pickle beside its tensors, and RUNYARD_ALLOW_PICKLE forbids pickles"
            ) from refused
        finally:
            if before is None:
                del os.environ[_TENSORS_ALONE]
            else:
                os.environ[_TENSORS_ALONE] = before


_lock: Final = threading.Lock()
# Of torch, which reads it at each load.
_TENSORS_ALONE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def _is_of_jit(file: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


class Adapter:
    """A module as a pyfunc model: takes an array, or a frame as an array of 32-bit floats."""

    def __init__(self, module: Any, device: Any = None) -> None:
        self._module = module
        self._device = device
        if device is not None:
            module.to(device)
        # A traced graph is for inference already, and has no such switch.
        with contextlib.suppress(NotImplementedError):
            module.eval()

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        import pandas as pd
        import torch

        with torch.no_grad():
            found = self._module(_tensor(model_input, self._device), **params or {})
        if not isinstance(found, torch.Tensor):
            raise InvalidParameter(f"the model must return a tensor to be a pyfunc model, got {type(found).__name__}")
        values = found.cpu().numpy()
        if not isinstance(model_input, pd.DataFrame):
            return values
        return pd.DataFrame(values, index=model_input.index)

    def get_raw_model(self) -> Any:
        return self._module


def _tensor(sample: Any, device: Any = None) -> Any:
    import numpy as np
    import pandas as pd
    import torch

    if isinstance(sample, pd.DataFrame):
        sample = sample.to_numpy(dtype=np.float32)
    if isinstance(sample, np.ndarray):
        # A frame may hand out what is not to be written to, which a tensor always can be.
        sample = torch.from_numpy(np.require(sample, requirements="W"))
    if not isinstance(sample, torch.Tensor):
        raise InvalidParameter(f"a PyTorch model takes a frame or an array, got {type(sample).__name__}")
    return sample.to(device)


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    device = (flavor.get("config") or {}).get("device")
    return Adapter(load_model(folder, device=device), device)
