"""A saved model asked once, without a server; and the environment that a model is run in."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from runyard.artifacts.uris import local_path
from runyard.client.artifact_calls import download_artifacts
from runyard.environments import Environment, own_package, prepare, read_model_folder
from runyard.errors import InvalidParameter, NotFound, RunyardError
from runyard.models.examples import serving_request
from runyard.models.model import MLMODEL_FILE
from runyard.serving.invocations import CSV, JSON, Invocation, is_request
from runyard.serving.served import fetch, load, name_of

_TYPES: Final = {"json": JSON, "csv": CSV}
# What of a model's folder says what the model needs.
_FILES: Final = (MLMODEL_FILE, "python_env.yaml", "conda.yaml", "requirements.txt")


def predict(
    model_uri: str,
    input_data: Any = None,
    input_path: str | None = None,
    content_type: Literal["json", "csv"] = "json",
    output_path: str | None = None,
    env_manager: str = "local",
    install_mlflow: bool = False,
    pip_requirements_override: Sequence[str] | None = None,
    extra_envs: Mapping[str, str] | None = None,
) -> None:
    """Ask a model, and write its predictions as a scoring server would answer, to a file or the standard output.

    Args:
        input_data: what the model takes, such as a frame, array, list or dict; or the body of a request as a dict; for
            CSV, its text or a frame.
        input_path: a file in its place: the body of a request, or CSV with a header; without both, standard input.
        env_manager: local for the packages that are here; virtualenv, uv or conda for an environment of what the
            model needs, which always gets this Runyard too, whatever ``install_mlflow`` says.
        pip_requirements_override: requirements that such an environment gets last.
        extra_envs: variables that the model finds in its environment.
    Raises:
        InvalidParameter: the input does not fit the model, or an argument the others.
        NotFound: there is no such model.
    """
    if content_type not in _TYPES:
        raise InvalidParameter(f"content_type must be json or csv, got {content_type!r}")
    if input_data is not None and input_path is not None:
        raise InvalidParameter("input_data and input_path are both given: give one of them")
    if input_path is not None and not os.path.isfile(input_path):
        raise InvalidParameter(f"input_path {input_path!r} is no file")
    if env_manager == "local":
        if pip_requirements_override or extra_envs:
            raise InvalidParameter(
                "pip_requirements_override and extra_envs change an environment that is made for the model: "
                "name an env_manager other than local"
            )
        content = _bytes_of(input_data, input_path, content_type)
        _write(_predicted(model_uri, content, content_type), output_path)
        return
    environment = environment_of(model_uri, env_manager, pip_requirements_override or ())
    with _as_file(input_data, input_path, content_type) as path:
        words = ["models", "predict", "-m", model_uri, "-t", content_type, "--env-manager", "local", "-i", path]
        if output_path is not None:
            words += ["-o", output_path]
        done = subprocess.run(
            environment.command("-m", "runyard", *words),
            env={**os.environ, **environment.variables(), **(extra_envs or {})},
            check=False,
        )
    if done.returncode != 0:
        raise RunyardError(f"the model's prediction in {environment.folder} ended with {done.returncode}; see above")


def environment_of(model_uri: str, manager: str, extra: Sequence[str] = ()) -> Environment:
    """Return the environment that holds what a model needs and this Runyard, made now if it is not there yet.

    Raises:
        ConfigurationError: it cannot be made on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="runyard-") as temporary:
        local = local_path(model_uri)
        folder = Path(temporary if local is None else local)
        if local is None:
            # The model itself is fetched where it is run.
            for name in _FILES:
                with contextlib.suppress(NotFound):
                    download_artifacts(f"{model_uri.rstrip('/')}/{name}", dst_path=temporary)
        if not (folder / MLMODEL_FILE).is_file():
            raise NotFound(f"{model_uri!r} holds no model: the file {MLMODEL_FILE} is missing")
        requirements, paths = own_package() if manager != "local" else ([], [])
        spec = read_model_folder(folder, manager=manager)
        return prepare(spec, manager=manager, extra=[*requirements, *extra], paths=paths)


def _predicted(model_uri: str, content: bytes, content_type: str) -> bytes:
    served = load(fetch(model_uri), name_of(model_uri))
    question = Invocation(content, _TYPES[content_type])
    return question.write(served, served.predict(question.read(served)))


def _bytes_of(input_data: Any, input_path: str | None, content_type: str) -> bytes:
    if input_path is not None:
        return Path(input_path).read_bytes()
    if input_data is None:
        return sys.stdin.buffer.read()
    if content_type == "csv":
        if isinstance(input_data, (str, bytes)):
            return input_data.encode() if isinstance(input_data, str) else input_data
        import pandas as pd

        frame = input_data if isinstance(input_data, pd.DataFrame) else pd.DataFrame(input_data)
        return str(frame.to_csv(index=False)).encode()
    if is_request(input_data):
        return msgspec.json.encode(input_data)
    return serving_request(input_data).encode()


@contextlib.contextmanager
def _as_file(input_data: Any, input_path: str | None, content_type: str) -> Iterator[str]:
    if input_path is not None:
        yield os.path.abspath(input_path)
        return
    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        path = Path(folder, f"input.{content_type}")
        path.write_bytes(_bytes_of(input_data, None, content_type))
        yield str(path)


def _write(answer: bytes, output_path: str | None) -> None:
    if output_path is None:
        sys.stdout.write(f"{answer.decode()}\n")
    else:
        Path(output_path).write_bytes(answer)
