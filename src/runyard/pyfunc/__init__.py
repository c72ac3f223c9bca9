"""Models as one kind of thing that predicts, whichever library made them; and models of the user's own making."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from runyard.client.models import ModelInfo, defaults, downloaded, log
from runyard.errors import InvalidParameter
from runyard.models import packaging, pyfunc
from runyard.models.environment import CONDA_FILE, REQUIREMENTS_FILE
from runyard.models.model import Model
from runyard.models.pyfunc import PyFuncModel, PythonModel, PythonModelContext, save_model

__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "add_to_model",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "get_model_dependencies",
    "load_model",
    "log_model",
    "save_model",
    "spark_udf",
]


get_default_pip_requirements, get_default_conda_env = defaults("cloudpickle")


def add_to_model(
    model: Model,
    loader_module: str,
    data: str | None = None,
    code: str | None = None,
    conda_env: str | None = None,
    python_env: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    model_code_path: str | None = None,
    **kwargs: Any,
) -> Model:
    """Give a model, as a flavor of the program's own writes it, the flavor by which any is loaded.

    Args:
        loader_module: a module whose ``_load_pyfunc(path)`` returns what has a ``predict``.
        data: the file or folder of the model that ``_load_pyfunc`` is given; by default the model's own folder.
        code: the folder of Python that goes with it.
        conda_env, python_env: files of its environments.
        model_config: values for ``_load_pyfunc``, if it takes a ``model_config``.
    """
    told = {
        "data": data,
        "config": None if model_config is None else dict(model_config),
        "model_code_path": model_code_path,
        **kwargs,
    }
    packaging.add_pyfunc(
        model, loader_module, code, **{name: value for name, value in told.items() if value is not None}
    )
    env = {name: file for name, file in (("conda", conda_env), ("virtualenv", python_env)) if file is not None}
    if env:
        model.flavors[pyfunc.FLAVOR]["env"] = env
    return model


def log_model(artifact_path: str | None = None, **options: Any) -> ModelInfo:
    """Save a model of the user's own making as a logged model; return what is known of it.

    Args:
        artifact_path: an earlier spelling of ``name``.
        options: those of `save_model`, and those of `runyard.client.models.LOG_OPTIONS`.
    """
    return log(save_model, artifact_path, options)


def load_model(
    model_uri: str | Path,
    suppress_warnings: bool = False,
    dst_path: str | None = None,
    model_config: str | Path | Mapping[str, Any] | None = None,
) -> PyFuncModel:
    """Return a model that predicts, whichever flavor saved it.

    Loading runs code of whoever made the model: only load what you trust.

    Args:
        model_uri: models:/NAME/VERSION, models:/NAME@ALIAS, models:/MODEL_ID, runs:/RUN_ID/PATH, a path, or where the
            files are kept.
        dst_path: an existing folder to fetch it into.
        model_config: values, or a JSON or YAML file of them, that go before those saved with the model.
    """
    if isinstance(model_config, (str, Path)):
        model_config = _read_config(Path(model_config))
    return pyfunc.load_model(downloaded(model_uri, dst_path), model_config=model_config)


def spark_udf(
    spark: Any,
    model_uri: str | Path,
    result_type: Any = None,
    env_manager: str | None = None,
    params: Mapping[str, Any] | None = None,
    extra_env: Mapping[str, str] | None = None,
    prebuilt_env_uri: str | None = None,
    model_config: str | Path | Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """Return a function of Spark's columns whose value is the model's prediction.

    See `runyard.models.spark.spark_udf`. The executors' own Python runs the model: ``env_manager`` must be local, and
    ``extra_env`` and ``prebuilt_env_uri`` be left out.
    """
    if env_manager not in (None, "local") or extra_env or prebuilt_env_uri:
        raise InvalidParameter(
            "spark_udf runs a model in the executors' own Python: leave out env_manager, extra_env and "
            "prebuilt_env_uri, and install there what get_model_dependencies names"
        )
    from runyard.models import spark as on_spark

    if isinstance(model_config, (str, Path)):
        model_config = _read_config(Path(model_config))
    folder = downloaded(model_uri)
    return on_spark.spark_udf(spark, folder, result_type=result_type, params=params, model_config=model_config)


def get_model_dependencies(model_uri: str | Path, format: Literal["pip", "conda"] = "pip") -> str:  # noqa: A002
    """Return the path of the file that says what a model needs: requirements.txt or conda.yaml.

    Raises:
        InvalidParameter: another format, or the model came without such a file.
    """
    if format not in ("pip", "conda"):
        raise InvalidParameter(f"format must be pip or conda, got {format!r}")
    folder = downloaded(model_uri)
    file = folder / REQUIREMENTS_FILE
    if format == "conda":
        file = folder / _conda_file(Model.load(folder))
    if not file.is_file():
        raise InvalidParameter(f"the model at {str(model_uri)!r} came without a {file.name}")
    return str(file)


def _conda_file(meta: Model) -> str:
    # MLflow 1 wrote the name alone.
    named = meta.flavor(pyfunc.FLAVOR).get("env") or {}
    return str(named if isinstance(named, str) else named.get("conda", CONDA_FILE))


def _read_config(path: Path) -> Mapping[str, Any]:
    import yaml

    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise InvalidParameter(f"model_config: {str(path)!r} must hold a mapping, got {type(found).__name__}")
    return found
