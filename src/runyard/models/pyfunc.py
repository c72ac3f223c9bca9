"""Any saved model as one that predicts: loaded by its python_function flavor, its input held to the signature."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import logging
import shutil
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter, NotFound
from runyard.models import packaging, pickles
from runyard.models.enforcement import enforce_params, enforce_schema
from runyard.models.examples import load_example, split_example
from runyard.models.model import Model
from runyard.models.python_model import (
    FunctionPythonModel,
    PythonModel,
    PythonModelContext,
    call_predict,
    run_code,
    unwrapped,
)
from runyard.models.signature import AnyType, ColSpec, ModelSignature, Schema, infer_params, infer_schema
from runyard.models.type_hints import Hints, UnknownType, converted, hints_of, keep_resolved, schema_of

__all__ = ["PyFuncModel", "PythonModel", "PythonModelContext", "load_model", "save_model"]

FLAVOR: Final = "python_function"
_log: Final = logging.getLogger(__name__)

PYTHON_MODEL_LOADER: Final = "mlflow.pyfunc.model"
CODE_MODEL_LOADER: Final = "mlflow.pyfunc.loaders.code_model"


class PyFuncModel:
    """A loaded model. Predictions may be asked for by several threads where the model itself allows it."""

    def __init__(self, metadata: Model, implementation: Any, folder: Path) -> None:
        self.metadata = metadata
        self._implementation = implementation
        self._folder = folder
        # By the name of the method, whether it takes params.
        self._takes_params: dict[str, bool] = {}

    @property
    def model_id(self) -> str | None:
        """The id of the logged model that it is, if it is one."""
        return self.metadata.model_id

    @functools.cached_property
    def input_example(self) -> Any:
        """The input example that was saved with the model; None without one."""
        info = self.metadata.saved_input_example_info
        return None if info is None else load_example(self._folder, info, self.metadata.get_input_schema())[0]

    @property
    def loader_module(self) -> str:
        return str(self.metadata.flavor(FLAVOR)["loader_module"])

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return the model's predictions.

        Args:
            data: a frame, array, dict or list; where the model has a signature, what fits it.
            params: where the signature has params, those that differ from the defaults.
        Raises:
            InvalidParameter: the input or a param does not fit the signature.
        """
        return self._call("predict", data, params)

    def predict_fitting(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return the predictions for data that is as `enforce_schema` would have made it: it is not looked at again.

        Raises:
            InvalidParameter: a param does not fit the signature.
        """
        return self._ask("predict", data, params)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Return predictions one by one, where the model can.

        Raises:
            InvalidParameter: it cannot, or the input does not fit the signature.
        """
        if not self.metadata.flavor(FLAVOR).get("streamable") or not hasattr(self._implementation, "predict_stream"):
            raise InvalidParameter("the model does not stream its predictions: call predict")
        found: Iterator[Any] = self._call("predict_stream", data, params)
        return found

    def array_predictor(self, names: Sequence[str | int]) -> Callable[[Any], Any] | None:
        """Return what predicts from an array of these columns, more quickly than from a frame; None without one."""
        find = getattr(self._implementation, "array_predictor", None)
        found: Callable[[Any], Any] | None = None if find is None else find(names)
        return found

    def unwrap_python_model(self) -> Any:
        """Return the PythonModel that was saved.

        Raises:
            InvalidParameter: the model is of another flavor.
        """
        if not isinstance(self._implementation, _PythonModelAdapter):
            raise InvalidParameter("the model was not saved from a PythonModel or a function")
        return self._implementation.python_model

    def get_raw_model(self) -> Any:
        """Return the library's own model, as it was saved."""
        implementation = self._implementation
        return implementation.get_raw_model() if hasattr(implementation, "get_raw_model") else implementation

    def _call(self, method: str, data: Any, params: Mapping[str, Any] | None) -> Any:
        signature = self.metadata.signature
        if self.metadata.is_signature_from_type_hint and isinstance(self._implementation, _PythonModelAdapter):
            # A function that says list[str] gets the list, and no frame made of it.
            data = self._implementation.as_hinted(data)
        elif signature is not None and signature.inputs is not None:
            data = enforce_schema(data, signature.inputs)
        return self._ask(method, data, params)

    def _ask(self, method: str, data: Any, params: Mapping[str, Any] | None) -> Any:
        signature = self.metadata.signature
        known = enforce_params(params, signature.params if signature else None)
        function = getattr(self._implementation, method)
        takes_params = self._takes_params.get(method)
        if takes_params is None:
            takes_params = self._takes_params[method] = _takes_params(function)
        return function(data, params=known) if takes_params else function(data)


def save_model(
    path: str | Path,
    *,
    python_model: PythonModel | Callable[..., Any] | str | Path | None = None,
    loader_module: str | None = None,
    data_path: str | Path | None = None,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, Any] | None = None,
    streamable: bool | None = None,
    **options: Any,
) -> Model:
    """Save a model of the user's own making to a new folder.

    Args:
        python_model: an instance of a PythonModel, a function, or the path of a source file that calls `set_model`.
        loader_module: instead of ``python_model``, a module whose ``_load_pyfunc(path)`` returns what has a
            ``predict``; ``path`` is that of ``data_path``'s copy, or of the model's folder.
        artifacts: local files and folders by name, copied into the model; ``context.artifacts`` has their paths.
        model_config: values for ``context.model_config``.
        options: see `packaging.Options`.
    Raises:
        InvalidParameter: both or neither of ``python_model`` and ``loader_module``, or one that will not do.
    """
    if (python_model is None) == (loader_module is None):
        raise InvalidParameter("give python_model or loader_module, one of them")
    if loader_module is not None:
        return _save_loader(path, loader_module, data_path, model_config, streamable, options)
    if data_path is not None:
        raise InvalidParameter("data_path goes with loader_module; files for a python_model are artifacts")
    source = Path(python_model) if isinstance(python_model, (str, Path)) else None
    if source is not None and not source.is_file():
        raise InvalidParameter(f"python_model {str(source)!r} is no file of Python")
    for each in options.get("code_paths") or []:
        packaging.add_code(Path(each).parent, ".")
    model: Any = run_code(source, model_config) if source else python_model
    if not hasattr(model, "predict"):
        if not callable(model) or isinstance(model, type):
            raise InvalidParameter(
                f"python_model must be an instance with a predict, a function or a file, got {model!r}"
            )
        model = FunctionPythonModel(model)
    named = {name: _local(name, uri) for name, uri in (artifacts or {}).items()}
    if streamable is None:
        streamable = getattr(type(model), "predict_stream", None) not in (None, PythonModel.predict_stream)

    adapter = functools.cache(
        lambda: _PythonModelAdapter(
            model, PythonModelContext({name: str(found) for name, found in named.items()}, model_config)
        )
    )
    function = unwrapped(model.func if isinstance(model, FunctionPythonModel) else type(model).predict)
    hints = hints_of(function)
    hinted = None if options.get("signature") is False else _hinted_inputs(hints)
    if hinted is not None:
        keep_resolved(function)
        options["signature"] = _hinted_signature(
            hinted, hints, options.get("signature"), options.get("input_example"), adapter
        )

    def write(folder: Path, meta: Model, code: str | None) -> None:
        meta.is_signature_from_type_hint = hinted is not None
        flavor: dict[str, Any] = {"cloudpickle_version": packaging.version_of("cloudpickle"), "code": code}
        if source:
            # MLflow takes the last part of it, whatever folder it was in.
            shutil.copyfile(source, folder / source.name)
            flavor["model_code_path"] = source.name
        else:
            pickles.dump(model, folder / "python_model.pkl")
            flavor["python_model"] = "python_model.pkl"
        if named:
            flavor["artifacts"] = {
                name: {"path": _copy(found, folder / "artifacts", folder), "uri": str((artifacts or {})[name])}
                for name, found in named.items()
            }
        if model_config:
            flavor["config"] = dict(model_config)
        loader = CODE_MODEL_LOADER if source else PYTHON_MODEL_LOADER
        packaging.add_pyfunc(meta, loader, streamable=streamable, **flavor)

    return packaging.save(
        path,
        write,
        modules=["cloudpickle"],
        predict=lambda sample, params: adapter().predict(sample, params),
        **options,
    )


def load_model(model_path: str | Path, *, model_config: Mapping[str, Any] | None = None) -> PyFuncModel:
    """Return the model in a local folder, ready to predict, whichever flavor saved it.

    Loading runs code of whoever made the model: only load what you trust.

    Args:
        model_config: values that go before those that were saved.
    Raises:
        NotFound: the folder holds no model, or one without the python_function flavor.
        PermissionDenied: it is a pickle where those are forbidden.
        InvalidParameter: a part of it is missing, or a module that it needs.
    """
    folder = Path(model_path)
    metadata = Model.load(folder)
    flavor = metadata.flavor(FLAVOR)
    packaging.add_code(folder, flavor.get("code"))
    config = {**(flavor.get("config") or {}), **(model_config or {})}
    loader = flavor["loader_module"]
    if loader in {PYTHON_MODEL_LOADER, CODE_MODEL_LOADER}:
        return PyFuncModel(metadata, _load_python_model(folder, flavor, config), folder)
    if loader.startswith("mlflow."):
        return PyFuncModel(metadata, _flavor_module(loader).load_pyfunc(folder, {**flavor, "config": config}), folder)
    try:
        module = importlib.import_module(loader)
    except ModuleNotFoundError as missing:
        raise InvalidParameter(
            f"the model's loader module {loader!r} cannot be imported ({missing}): save it with code_paths that hold it"
        ) from missing
    data = flavor.get("data")
    load = getattr(module, "_load_pyfunc", None)
    if load is None:
        raise InvalidParameter(f"the model's loader module {loader!r} must define _load_pyfunc(path)")
    told = {"model_config": config} if "model_config" in inspect.signature(load).parameters else {}
    return PyFuncModel(metadata, load(str(packaging.within(folder, data) if data else folder), **told), folder)


class _PythonModelAdapter:
    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model = python_model
        self._context = context
        if hasattr(python_model, "load_context"):
            python_model.load_context(context)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return call_predict(self._method("predict"), self._context, model_input, params)

    def predict_stream(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return call_predict(self._method("predict_stream"), self._context, model_input, params)

    def get_raw_model(self) -> Any:
        return self.python_model

    def as_hinted(self, data: Any) -> Any:
        """Return an input as the type hint of ``predict`` says, if that is of a list."""
        hints = self.hints
        return converted(data, hints.input) if hints.is_of_signature else data

    @functools.cached_property
    def hints(self) -> Hints:
        return hints_of(self._method("predict"))

    def _method(self, name: str) -> Callable[..., Any]:
        model = self.python_model
        if isinstance(model, FunctionPythonModel) and name == "predict":
            return unwrapped(model.func)
        return types.MethodType(unwrapped(getattr(type(model), name)), model)


def _hinted_inputs(hints: Hints) -> Schema | None:
    """Return the schema that the hint of the input makes; None where it is of no list that a signature describes.

    Raises:
        InvalidParameter: the list does not say what is in it.
    """
    try:
        return schema_of(hints.input)
    except UnknownType as unknown:
        _log.warning("the type hint of predict is passed over: %s", unknown)
        return None


def _hinted_signature(
    inputs: Schema, hints: Hints, given: Any, example: Any, adapter: Callable[[], _PythonModelAdapter]
) -> ModelSignature:
    """Return the signature that type hints make, with params and outputs of the example where those say nothing.

    Raises:
        InvalidParameter: the example does not fit the hint.
    """
    sample, params = split_example(example)
    outputs = _outputs(hints)
    if example is not None:
        sample = converted(sample, hints.input)
        if outputs is None:
            outputs = infer_schema(adapter().predict(sample, params))
    made = ModelSignature(inputs, outputs or Schema([ColSpec(AnyType())]), infer_params(params) if params else None)
    if isinstance(given, ModelSignature):
        if given.params is not None:
            made = ModelSignature(made.inputs, made.outputs, given.params)
        if given != made:
            _log.warning("the signature is that of the type hints of predict, and not the other one that was given")
    return made


def _outputs(hints: Hints) -> Schema | None:
    try:
        return schema_of(hints.output)
    except InvalidParameter:
        # An output may be of any kind; what cannot be described is not.
        return None


def _load_python_model(folder: Path, flavor: dict[str, Any], config: dict[str, Any]) -> _PythonModelAdapter:
    if code := flavor.get("model_code_path"):
        model = run_code(packaging.within(folder, Path(code).name), config)
    else:
        model = pickles.load(packaging.within(folder, flavor.get("python_model", "python_model.pkl")))
    artifacts = {
        name: str(packaging.within(folder, entry["path"])) for name, entry in (flavor.get("artifacts") or {}).items()
    }
    return _PythonModelAdapter(model, PythonModelContext(artifacts, config))


def _flavor_module(loader: str) -> Any:
    name = loader.removeprefix("mlflow.").split(".")[0]
    if not name.isidentifier() or importlib.util.find_spec(f"runyard.models.flavors.{name}") is None:
        raise NotFound(f"the model was saved as {loader!r}, a flavor that runyard does not have")
    return importlib.import_module(f"runyard.models.flavors.{name}")


def _save_loader(
    path: str | Path,
    loader_module: str,
    data_path: str | Path | None,
    model_config: Mapping[str, Any] | None,
    streamable: bool | None,
    options: dict[str, Any],
) -> Model:
    def write(folder: Path, meta: Model, code: str | None) -> None:
        flavor: dict[str, Any] = {"code": code, "streamable": bool(streamable)}
        if data_path is not None:
            flavor["data"] = _copy(_local("data_path", data_path), folder / "data", folder)
        if model_config:
            flavor["config"] = dict(model_config)
        packaging.add_pyfunc(meta, loader_module, **flavor)

    return packaging.save(path, write, modules=[loader_module], **options)


def _local(name: str, uri: str | Path) -> Path:
    path = Path(str(uri).removeprefix("file://"))
    if not path.exists():
        raise InvalidParameter(f"{name} {str(uri)!r} is no local file or folder")
    return path


def _copy(source: Path, into: Path, root: Path) -> str:
    into.mkdir(exist_ok=True)
    target = into / source.resolve().name
    if target.exists():
        raise InvalidParameter(f"two artifacts are named {target.name!r}: rename one of the files")
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    return target.relative_to(root).as_posix()


def _takes_params(function: Callable[..., Any]) -> bool:
    try:
        accepted = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(each.name == "params" or each.kind is inspect.Parameter.VAR_KEYWORD for each in accepted)
