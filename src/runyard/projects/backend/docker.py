"""Projects in containers: their images, and the command that runs one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from runyard.artifacts.uris import local_path, scheme_of
from runyard.entities import Run
from runyard.exceptions import ExecutionException
from runyard.projects import execution, git, records
from runyard.projects.mlproject import DockerEnvironment, Project
from runyard.projects.telling import tell
from runyard.settings import variable

# Where an image that is built of a project has its files, and runs it; MLflow's, as images that are there expect it.
WORKING_DIRECTORY: Final = "/mlflow/projects/code/"
_DATABASE_DIRECTORY: Final = "/mlflow/tmp/tracking"
# What a program in the container needs of this environment to reach the artifacts that are kept there.
_STORE_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "MLFLOW_S3_ENDPOINT_URL",
        "MLFLOW_S3_IGNORE_TLS",
    ),
    "wasbs": ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCESS_KEY"),
    "abfss": ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCESS_KEY"),
}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check(project: Project) -> None:
    """Raise ExecutionException unless the project has a name, and an engine answers."""
    if not project.name:
        raise ExecutionException("Project name in MLProject must be specified when using docker for image tagging.")
    if shutil.which("docker") is None:
        raise ExecutionException(
            "the project runs in a container, and there is no docker on PATH: install Docker, or a program of that "
            "name that takes its options, such as podman's"
        )
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ExecutionException(
            f"docker is there, and its engine does not answer: {said[-1] if said else 'no reason'}"
        )


def image_for(project: Project, run: Run, config: Mapping[str, Any], *, repository: str | None) -> str:
    """Return the image to run: the project's own, or, where one is to be built, a new one with the project's files.

    Raises:
        ExecutionException: the engine cannot build or fetch it.
    """
    assert project.docker is not None
    auth = config.get(execution.DOCKER_AUTH)
    if auth:
        _log_in(auth)
    image = project.docker.image
    if config.get(execution.BUILD_IMAGE):
        image = _tag(repository, project.folder)
        _build(project, image)
    elif _docker("image", "inspect", image, is_checked=False) is None:
        tell(f"pulling {image}")
        _docker("pull", "--quiet", image)
    records.set_tags(run.info.run_id, {records.IMAGE_URI: image, records.IMAGE_ID: identity(image)})
    return image


def identity(image: str) -> str:
    """Return the id that an image has here."""
    return (_docker("image", "inspect", "--format", "{{.Id}}", image) or "").strip()


def push(image: str) -> str:
    """Send an image to its registry, and return it with the digest that it has there."""
    tell(f"pushing {image}")
    _docker("push", "--quiet", image)
    digests = (_docker("image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', image) or "").split()
    repository = image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image
    digest = next((each.partition("@")[2] for each in digests if each.partition("@")[0] == repository), None)
    return image if digest is None else f"{image}@{digest}"


def run_command(
    docker: DockerEnvironment,
    image: str,
    command: str,
    variables: Mapping[str, str],
    run: Run,
    arguments: Mapping[str, Any] | None,
) -> list[str]:
    """Return the command that runs the project's in a container.

    Args:
        arguments: options of `docker run` by their names; True for those without a value.
    Raises:
        ExecutionException: a variable is to be copied and is not set.
    """
    # With a first process of its own: the program as the first would not hear that it is to end.
    words = ["docker", "run", "--rm", "--init"]
    for name, value in (arguments or {}).items():
        option = f"-{name}" if len(name) == 1 else f"--{name}"
        words += [option] if value is True else [option, str(value)]
    inside = dict(variables)
    mounts, told = _tracking(variables["MLFLOW_TRACKING_URI"], arguments or {})
    inside.update(told)
    more, told = _artifacts(run.info.artifact_uri or "")
    inside.update(told)
    for each in docker.environment:
        if isinstance(each, tuple):
            inside[each[0]] = each[1]
        else:
            value = variable(each)
            if value is None:
                raise ExecutionException(
                    f"This project expects the environment variable {each} to be set on the machine running the "
                    "project, and it is not"
                )
            inside[each] = value
    for mount in [*mounts, *more, *docker.volumes]:
        words += ["-v", mount]
    around = execution.program_environment(variables)
    for name, value in inside.items():
        # By name alone where docker's own environment has it: what everyone on this machine can read holds no secrets.
        words += ["-e", name if around.get(name) == value else f"{name}={value}"]
    return [*words, image, *execution.words_of(command)]


def _tracking(uri: str, arguments: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the mounts and variables by which the container reaches the tracking server, or database."""
    file = uri.removeprefix("sqlite:///")
    if file != uri:
        # With its folder: SQLite keeps files beside the database.
        folder, name = os.path.split(os.path.abspath(file))
        return [f"{folder}:{_DATABASE_DIRECTORY}"], {"MLFLOW_TRACKING_URI": f"sqlite:///{_DATABASE_DIRECTORY}/{name}"}
    if urlsplit(uri).hostname in _LOOPBACK and not {"net", "network"} & arguments.keys():
        tell(f"the tracking server {uri} is this machine's own, which a container reaches with -A network=host only")
    return [], {}


def _artifacts(uri: str) -> tuple[list[str], dict[str, str]]:
    """Return the mounts and variables by which the container reaches the run's artifacts."""
    local = local_path(uri)
    if uri and local is not None:
        return [f"{local.absolute()}:{local.absolute()}"], {}
    mounts, told = [], {}
    scheme = scheme_of(uri)
    for name in _STORE_VARIABLES.get(scheme, ()):
        value = variable(name)
        if value is not None:
            told[name] = value
    credentials = Path.home() / ".aws"
    if scheme == "s3" and credentials.is_dir():
        mounts.append(f"{credentials}:/.aws")
    key = variable("GOOGLE_APPLICATION_CREDENTIALS")
    if scheme == "gs" and key is not None:
        mounts.append(f"{key}:/.gcs")
        told["GOOGLE_APPLICATION_CREDENTIALS"] = "/.gcs"
    return mounts, told


def _tag(repository: str | None, folder: Path) -> str:
    commit = git.commit(folder)
    return f"{repository or 'docker-project'}{f':{commit[:7]}' if commit else ''}"


def _build(project: Project, image: str) -> None:
    assert project.docker is not None
    tell(f"building {image} on {project.docker.image}")
    text = f"FROM {project.docker.image}\nCOPY . {WORKING_DIRECTORY}\nWORKDIR {WORKING_DIRECTORY}\n"
    # The project's own Dockerfile, if it has one, is part of the files and not what is built.
    _docker("build", "--quiet", "--tag", image, "--file", "-", str(project.folder), given=text)


def _log_in(auth: Mapping[str, Any]) -> None:
    words = ["login"]
    if auth.get("username"):
        words += ["--username", str(auth["username"])]
    if auth.get("registry"):
        words.append(str(auth["registry"]))
    # Not as an argument, which everyone on this machine could read.
    words.insert(1, "--password-stdin")
    _docker(*words, given=str(auth.get("password", "")))


def _docker(*words: str, given: str | None = None, is_checked: bool = True) -> str | None:
    """Return what docker printed; None where it failed and that is an answer too."""
    done = subprocess.run(["docker", *words], input=given, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    if not is_checked:
        return None
    said = done.stderr.strip() or done.stdout.strip()
    raise ExecutionException(f"`docker {words[0]}` failed: {said}")
