"""What all flavors share: a folder becomes a model, and its code can be imported."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from runyard.errors import AlreadyExists, InvalidParameter
from runyard.models.environment import ENVIRONMENT, infer_requirements, read_requirements, write_environment
from runyard.models.examples import save_example, split_example
from runyard.models.model import Model
from runyard.models.signature import ColSpec, ModelSignature, infer_params, infer_schema, infer_signature

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Options(TypedDict, total=False):
    """What every flavor's ``save_model`` takes besides its own arguments.

    conda_env: an environment, or the file of one, in place of the one that is made.
    code_paths: files and folders of Python that the model imports; they travel in ``code/``.
    pip_requirements: lines, or a file of them, in place of those inferred; extra_pip_requirements: besides them.
    """

    conda_env: dict[str, Any] | str | None
    code_paths: Sequence[str] | None
    mlflow_model: Model | None
    signature: ModelSignature | bool | None
    input_example: Any
    pip_requirements: str | Iterable[str] | None
    extra_pip_requirements: str | Iterable[str] | None
    metadata: dict[str, Any] | None


def save(
    path: str | Path,
    write: Callable[[Path, Model, str | None], Any],
    *,
    modules: Iterable[str] = (),
    predict: Callable[[Any, dict[str, Any] | None], Any] | None = None,
    conda_env: dict[str, Any] | str | None = None,
    code_paths: Sequence[str] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: str | Iterable[str] | None = None,
    extra_pip_requirements: str | Iterable[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Model:
    """Save a model to a new folder, all of it or nothing, and return what its MLmodel file says.

    Args:
        write: puts the flavor's own files into the folder and its flavors into the model; given the name of the
            folder of code, or None.
        modules: what the flavor needs at least.
        predict: asked with the input example for the outputs of the signature, where none is given;
            ``signature=False`` says that there shall be none.
    Raises:
        AlreadyExists: the folder is there and not empty.
        InvalidParameter: an argument is not what it must be; the message names it.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExists(f"path {str(target)!r} is there already and not empty: name a new folder")
    if conda_env is not None and (pip_requirements is not None or extra_pip_requirements is not None):
        raise InvalidParameter("conda_env and pip requirements are both given: name one of them")
    target.parent.mkdir(parents=True, exist_ok=True)
    model = mlflow_model or Model()
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=target.parent) as made:
        folder = Path(made) / "model"
        folder.mkdir()
        code = _copy_code(folder, code_paths)
        write(folder, model, code)
        if metadata is not None:
            model.metadata = metadata
        if input_example is not None:
            model.saved_input_example_info = save_example(folder, input_example)
        if isinstance(signature, ModelSignature):
            model.signature = signature
        elif signature is None and input_example is not None:
            model.signature = _signature_of(input_example, predict)
        if pip_requirements is not None:
            requirements = read_requirements(pip_requirements)
        else:
            takes_columns = (
                model.signature and model.signature.inputs and isinstance(next(iter(model.signature.inputs)), ColSpec)
            )
            requirements = infer_requirements(folder, [*modules, *(["pandas"] if takes_columns else [])])
        requirements += read_requirements(extra_pip_requirements or [])
        write_environment(folder, requirements, conda_env)
        model.model_size_bytes = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        model.save(folder)
        if target.exists():
            target.rmdir()
        folder.rename(target)
    return model


def save_file(
    path: str | Path,
    flavor: str,
    file: str,
    dump: Callable[[Path], Any],
    *,
    modules: Iterable[str],
    predict: Callable[[Any, dict[str, Any] | None], Any] | None,
    fields: dict[str, Any],
    is_pyfunc: bool = True,
    **options: Unpack[Options],
) -> Model:
    """Save a model that is one file, or one folder, of its library's own.

    Args:
        flavor: its name, and that of MLflow's module for it.
        dump: writes the file whose path it is given.
        fields: what the flavor says beside the file's name.
        is_pyfunc: whether the model can be loaded as one that predicts.
    """

    def write(folder: Path, model: Model, code: str | None) -> None:
        dump(folder / file)
        if is_pyfunc:
            add_pyfunc(model, f"mlflow.{flavor}", code, data=file)
        model.add_flavor(flavor, data=file, code=code, **fields)

    return save(path, write, modules=modules, predict=predict, **options)


def load_file(path: str | Path, flavor: str, *, default: str | None = None) -> tuple[dict[str, Any], Path]:
    """Return what the MLmodel file says of a flavor that `save_file` wrote, and where its file is."""
    folder = Path(path)
    found = Model.load(folder).flavor(flavor)
    add_code(folder, found.get("code"))
    name = found.get("data", default)
    if not isinstance(name, str):
        raise InvalidParameter(f"the flavor {flavor} of the model in {str(folder)!r} names no file as its data")
    return found, within(folder, name)


class Predictor:
    """A library's model with a ``predict`` as a pyfunc model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return self._model.predict(model_input, **params or {})

    def get_raw_model(self) -> Any:
        return self._model


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises: InvalidParameter: the value is none of the choices."""
    if value not in choices:
        raise InvalidParameter(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def class_path(model: Any) -> str:
    """Return the module and name of a model's class."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def class_of(path: str, package: str) -> type[Any]:
    """Return the class that a model's file names, which must be of the package.

    Raises:
        InvalidParameter: it is of another, or not there.
    """
    module, _, name = path.rpartition(".")
    try:
        if module.split(".")[0] != package:
            raise AttributeError(f"it is none of {package}")
        found: type[Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as missing:
        raise InvalidParameter(f"the model's class {path!r} cannot be had here: {missing}") from None
    return found


def add_pyfunc(model: Model, loader_module: str, code: str | None = None, **parameters: Any) -> None:
    """Give the model the flavor by which any of them is loaded; MLflow reads ``loader_module``, and so do we."""
    if code is not None:
        parameters["code"] = code
    model.add_flavor(
        "python_function",
        loader_module=loader_module,
        python_version=platform.python_version(),
        env=dict(ENVIRONMENT),
        **parameters,
    )


def version_of(distribution: str) -> str:
    """Return the installed version of a package."""
    from importlib.metadata import version

    return version(distribution)


def version_of_module(name: str) -> str:
    """Return the version that a module tells of itself, where several packages may have brought it."""
    return str(importlib.import_module(name).__version__)


def add_code(folder: Path, code: str | None) -> None:
    """Let the code that travels with a model be imported, before anything else of the same name."""
    if code is None:
        return
    path = str((folder / code).resolve())
    if path not in sys.path:
        sys.path.insert(0, path)
        importlib.invalidate_caches()


def within(folder: Path, name: str) -> Path:
    """Return the path of a model's file that its MLmodel file names.

    Raises:
        InvalidParameter: it is outside the model's folder, or is not there.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InvalidParameter(f"the model's MLmodel file names {name!r}, which is outside its folder")
    if not path.exists():
        raise InvalidParameter(f"the model in {str(folder)!r} lacks its file {name!r}")
    return path


def _copy_code(folder: Path, code_paths: Sequence[str] | None) -> str | None:
    if not code_paths:
        return None
    if isinstance(code_paths, str):
        raise InvalidParameter(f"code_paths must be a list of paths, got the text {code_paths!r}")
    for each in code_paths:
        source = Path(each)
        if not source.exists():
            raise InvalidParameter(f"code_paths names {each!r}, which does not exist")
        target = folder / "code" / source.resolve().name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copyfile(source, target)
    return "code"


def _signature_of(example: Any, predict: Callable[[Any, dict[str, Any] | None], Any] | None) -> ModelSignature:
    sample, params = split_example(example)
    known = infer_signature(sample, None, params)
    if predict is None:
        return known
    return ModelSignature(known.inputs, infer_schema(predict(sample, params)), infer_params(params) if params else None)
