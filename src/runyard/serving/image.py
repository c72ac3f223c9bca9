"""The image of a scoring server: a Dockerfile, and the folder that it is built in."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from runyard.environments import own_package, read_model_folder
from runyard.errors import ConfigurationError, InvalidParameter
from runyard.models.model import Model
from runyard.models.pyfunc import FLAVOR
from runyard.serving.served import fetch

# Where the model is in the image; a model may be mounted there too.
MODEL_FOLDER: Final = "/opt/ml/model"
DEFAULT_NAME: Final = "mlflow-pyfunc-servable"

_DOCKERFILE: Final = """\
# The scoring server of a saved model, made by `runyard models generate-dockerfile`.
FROM {base}
{java}
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1{path}
{runyard}
{model}
COPY --chmod=755 serve.sh /opt/runyard/serve.sh
RUN useradd --uid 10001 --create-home runyard
USER 10001
EXPOSE 8080
ENTRYPOINT ["/opt/runyard/serve.sh"]
"""
_JAVA: Final = """
# Java as the base image's release has it.
# hadolint ignore=DL3008
RUN apt-get update \\
 && apt-get install --yes --no-install-recommends default-jre-headless \\
 && rm -rf /var/lib/apt/lists/*
"""
_MODEL: Final = f"""\
# Before the model's other files, so that another version with the same needs takes the layer as it is.
COPY model/requirements.txt {MODEL_FOLDER}/requirements.txt
RUN pip install -r {MODEL_FOLDER}/requirements.txt
COPY model {MODEL_FOLDER}
"""
_NO_MODEL: Final = f"""\
# The model is mounted at {MODEL_FOLDER}; what it needs is installed when the container starts.
ENV RUNYARD_INSTALLS_MODEL=1 PYTHONUSERBASE=/tmp/runyard
"""
_SCRIPT: Final = f"""\
#!/bin/sh
# Serves the model in MODEL_PATH at PORT, with MLFLOW_MODELS_WORKERS workers; more options may follow.
set -eu
model="${{MODEL_PATH:-{MODEL_FOLDER}}}"
# SageMaker says so.
if [ "${{1:-}}" = serve ]; then shift; fi
if [ -n "${{RUNYARD_INSTALLS_MODEL:-}}" ] && [ -f "$model/requirements.txt" ]; then
  python -m pip install --quiet --user -r "$model/requirements.txt"
fi
exec python -m runyard models serve --model-uri "$model" --host "${{HOST:-0.0.0.0}}" --port "${{PORT:-8080}}" \\
  --workers "${{MLFLOW_MODELS_WORKERS:-$(nproc)}}" --env-manager local "$@"
"""
# Of a checkout, what an image has no use for.
_LEFT_OUT: Final = (".git", ".venvs", ".venv", "node_modules", "__pycache__", "dist", "build", ".*_cache", "mlruns")


def write_context(
    folder: Path,
    model_uri: str | None,
    *,
    env_manager: str = "local",
    install_java: bool = False,
    sources: str | None = None,
    base_image: str | None = None,
) -> None:
    """Write a Dockerfile and all that it copies to a folder.

    Args:
        model_uri: None leaves the model to be mounted.
        env_manager: how the model's packages get into the image; whatever it is, pip puts them into its one Python.
        sources: a checkout of Runyard to install, in place of the one that is running.
        base_image: in place of Python's own of the version that the model was saved with.
    Raises:
        InvalidParameter: another manager, or a model that needs conda.
    """
    if env_manager not in ("local", "virtualenv", "uv"):
        raise InvalidParameter(
            f"an image is made with env_manager local, virtualenv or uv, which come to the same, got {env_manager!r}: "
            "what only conda installs is not put into it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    python = "{}.{}".format(*sys.version_info)
    if model_uri is not None:
        source = fetch(model_uri)
        try:
            Model.load(source.folder).flavor(FLAVOR)
            shutil.rmtree(folder / "model", ignore_errors=True)
            shutil.copytree(source.folder, folder / "model")
        finally:
            source.remove()
        spec = read_model_folder(folder / "model")
        if spec.conda_packages:
            raise InvalidParameter(
                f"the model needs packages that only conda installs: {', '.join(spec.conda_packages)}; "
                "list what pip can install of them in its requirements.txt"
            )
        python = ".".join(spec.python_version.split(".")[:2])
        (folder / "model" / "requirements.txt").touch()
    install, path = _install_runyard(folder, sources)
    text = _DOCKERFILE.format(
        base=base_image or f"python:{python}-slim",
        java=_JAVA if install_java else "",
        path=f" PYTHONPATH={path}" if path else "",
        runyard=install,
        model=_NO_MODEL if model_uri is None else _MODEL,
    )
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    (folder / "serve.sh").write_text(_SCRIPT, encoding="utf-8")
    (folder / "serve.sh").chmod(0o755)


def build(
    model_uri: str | None,
    name: str = DEFAULT_NAME,
    *,
    env_manager: str = "local",
    install_java: bool = False,
    sources: str | None = None,
    base_image: str | None = None,
) -> None:
    """Build an image with the docker, or podman, of this machine.

    Raises:
        ConfigurationError: there is neither, or it failed.
    """
    program = shutil.which("docker") or shutil.which("podman")
    if program is None:
        raise ConfigurationError(
            "neither docker nor podman is on PATH: `runyard models generate-dockerfile` writes the folder that an "
            "image is built in, wherever that is"
        )
    with tempfile.TemporaryDirectory(prefix="runyard-image-") as temporary:
        write_context(
            Path(temporary),
            model_uri,
            env_manager=env_manager,
            install_java=install_java,
            sources=sources,
            base_image=base_image,
        )
        done = subprocess.run([program, "build", "--tag", name, temporary], check=False)
    if done.returncode != 0:
        raise ConfigurationError(f"{Path(program).name} build ended with {done.returncode}; it has said why")


def _install_runyard(folder: Path, sources: str | None) -> tuple[str, str]:
    """Return the lines that install Runyard, with what they copy in the folder, and what is to be on PYTHONPATH."""
    target = folder / "runyard"
    shutil.rmtree(target, ignore_errors=True)
    if sources is not None:
        if not Path(sources, "pyproject.toml").is_file():
            raise InvalidParameter(f"{sources!r} is no checkout of Runyard: it has no pyproject.toml")
        shutil.copytree(sources, target, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        return "COPY runyard /opt/runyard/source\nRUN pip install /opt/runyard/source", ""
    requirements, paths = own_package()
    if paths:
        # It runs from its sources here, and so it does there.
        shutil.copytree(paths[0] / "runyard", target / "runyard", ignore=shutil.ignore_patterns(*_LEFT_OUT, "ui"))
        (target / "requirements.txt").write_text("".join(f"{each}\n" for each in requirements), encoding="utf-8")
        copied = "COPY runyard/requirements.txt /opt/runyard/requirements.txt\n"
        installed = "RUN pip install -r /opt/runyard/requirements.txt\nCOPY runyard/runyard /opt/runyard/lib/runyard"
        return copied + installed, "/opt/runyard/lib"
    (wanted,) = requirements
    if Path(wanted).is_file():
        target.mkdir()
        shutil.copy(wanted, target)
        name = Path(wanted).name
        return f"COPY runyard/{name} /opt/runyard/{name}\nRUN pip install /opt/runyard/{name}", ""
    return f"RUN pip install '{wanted}'", ""
