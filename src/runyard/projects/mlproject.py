"""The file MLproject: a project's name, the environment it runs in, its entry points and their parameters.

Source: the format is MLflow's; what it leaves open is settled here and told in docs/projects.md.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from runyard.artifacts.uris import local_path, scheme_of
from runyard.environments import EnvironmentSpec, read_conda_env, read_python_env
from runyard.exceptions import ExecutionException
from runyard.projects.telling import tell
from runyard.settings import variable
from runyard.wire.names import shown

FILE_NAME: Final = "MLproject"
DEFAULT_ENTRY_POINT: Final = "main"

_KEYS: Final = ("name", "entry_points", "docker_env", "python_env", "conda_env")
_ENVIRONMENTS: Final = ("docker_env", "python_env", "conda_env")
# Where the file names no environment, the first of these that the folder has.
_FALLBACKS: Final = (("python_env", "python_env.yaml"), ("conda_env", "conda.yaml"))
_SCRIPTS: Final = (".py", ".sh", ".R")

# What a value of a type must be; a value of any other type is the program's own business.
_CHECKS: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "float": (float, "a number"),
    "int": (int, "a whole number"),
}


@dataclass(frozen=True)
class Parameter:
    """What an entry point takes under a name; without a default it has to be given."""

    name: str
    type: str = "string"
    default: Any = None

    def check(self, value: Any) -> None:
        """Raise ExecutionException unless ``value`` is one of this type."""
        text = str(value)
        if self.type == "uri":
            if not urlsplit(text).scheme:
                raise ExecutionException(
                    f"parameter {self.name!r} must be a URI such as s3://bucket/file, got {text!r}"
                )
        elif self.type in _CHECKS:
            parse, what = _CHECKS[self.type]
            try:
                parse(text)
            except ValueError:
                raise ExecutionException(
                    f"parameter {self.name!r} is of type {self.type} and must be {what}, got {text!r}"
                ) from None


@dataclass(frozen=True)
class EntryPoint:
    """A command of the project, with its parameters in braces."""

    name: str
    command: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any]) -> None:
        """Raise ExecutionException where a parameter is missing, or is not of its type."""
        missing = [name for name, each in self.parameters.items() if each.default is None and name not in given]
        if missing:
            raise ExecutionException(
                f"No value given for missing parameters: {', '.join(map(repr, missing))} of entry point {self.name!r}; "
                f"say -P {missing[0]}=VALUE"
            )
        for name, value in given.items():
            if name in self.parameters:
                self.parameters[name].check(value)

    def values(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Return every parameter as it is recorded: the values that were given and the defaults of the others."""
        defaults = {name: each.default for name, each in self.parameters.items()}
        return {str(name): str(value) for name, value in {**defaults, **given}.items()}

    def command_line(self, given: Mapping[str, Any], resolve: Callable[[Parameter, str], str]) -> str:
        """Return the shell's command; what is no parameter of the entry point comes last, as options.

        Args:
            resolve: makes a path of this machine of the value of a parameter of type path.
        """
        self.check(given)
        values = self.values(given)
        filled = {
            name: shlex.quote(resolve(each, values[name]) if each.type == "path" else values[name])
            for name, each in self.parameters.items()
        }
        try:
            command = self.command.format(**filled)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ExecutionException(
                f"the command of entry point {self.name!r} names {{{str(error).strip(chr(39))}}}, and its parameters "
                f"are {', '.join(self.parameters) or 'none'}; braces of its own are doubled: {shown(self.command)}"
            ) from None
        options = [
            f"--{shlex.quote(name)} {shlex.quote(value)}" for name, value in values.items() if name not in filled
        ]
        return " ".join([command, *options])


@dataclass(frozen=True)
class Project:
    """A folder with an MLproject, or without one: then each of its scripts is an entry point."""

    folder: Path
    name: str | None = None
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)
    # Of _ENVIRONMENTS; where nothing is said it is python_env without a file, an empty environment.
    environment: str = "python_env"
    environment_file: Path | None = None
    docker: DockerEnvironment | None = None

    @property
    def docker_env(self) -> dict[str, Any] | None:
        """What the file says of Docker, as backends of others ask for it."""
        if self.docker is None:
            return None
        return {
            "image": self.docker.image,
            "volumes": list(self.docker.volumes),
            "environment": [list(each) if isinstance(each, tuple) else each for each in self.docker.environment],
        }

    def get_entry_point(self, name: str) -> EntryPoint:
        """Return the entry point of that name, or the script.

        Raises:
            ExecutionException: there is neither.
        """
        if name in self.entry_points:
            return self.entry_points[name]
        command = _script_command(name)
        there = ", ".join(map(repr, self.entry_points)) or "none"
        if command is None:
            raise ExecutionException(
                f"Could not find {name} among entry points {list(self.entry_points)} or interpret {name} as a runnable "
                f"script. Supported script file extensions: {list(_SCRIPTS)}"
            )
        if not (self.folder / name).is_file():
            raise ExecutionException(f"there is no script {name!r} in {self.folder}, and its entry points are {there}")
        return EntryPoint(name, command)

    def environment_spec(self) -> EnvironmentSpec:
        """Return what the project's Python environment holds."""
        if self.environment_file is None:
            return EnvironmentSpec(self.folder)
        read = read_conda_env if self.environment == "conda_env" else read_python_env
        # Its relative paths start at the project's folder, wherever the file is.
        found = read(self.environment_file)
        return EnvironmentSpec(
            self.folder,
            found.python,
            found.build_dependencies,
            found.dependencies,
            found.conda_file,
            found.conda_packages,
        )


@dataclass(frozen=True)
class DockerEnvironment:
    """The image a project runs in; of its variables, a name is copied from here and a pair is set."""

    image: str
    volumes: tuple[str, ...] = ()
    environment: tuple[str | tuple[str, str], ...] = ()


def load_project(directory: str | os.PathLike[str]) -> Project:
    """Read the MLproject of a folder; one without any is a project of its scripts.

    Raises:
        ExecutionException: something is wrong with it; the message says what.
    """
    folder = Path(directory)
    try:
        named = next((path for path in sorted(folder.iterdir()) if path.name.lower() == FILE_NAME.lower()), None)
    except OSError as error:
        raise ExecutionException(f"the project's folder {folder} cannot be read: {error.strerror}") from None
    content = {} if named is None else _read(named)
    for unknown in sorted(map(str, content.keys() - set(_KEYS))):
        if unknown == "databricks_spark_job":
            raise ExecutionException(f"{named} has databricks_spark_job, which runs on Databricks only")
        tell(f"{named} says {unknown!r}, which means nothing here; it may say {', '.join(_KEYS)}")
    chosen = [key for key in _ENVIRONMENTS if content.get(key)]
    if len(chosen) > 1:
        raise ExecutionException(f"Project cannot contain multiple environment fields: {', '.join(chosen)}")
    entry_points = _mapping(content.get("entry_points"), "entry_points", named)
    name = content.get("name")
    project = Project(
        folder,
        None if name is None else str(name),
        {str(each): _entry_point(str(each), said, named) for each, said in entry_points.items()},
    )
    return _with_environment(project, content, chosen[0] if chosen else None)


def _with_environment(project: Project, content: Mapping[str, Any], key: str | None) -> Project:
    if key == "docker_env":
        docker = _docker(content[key])
        return Project(project.folder, project.name, project.entry_points, key, None, docker)
    if key is not None:
        file = project.folder / str(content[key])
        if not file.is_file():
            raise ExecutionException(f"Project specified {key} file {file}, but no such file was found.")
        return Project(project.folder, project.name, project.entry_points, key, file)
    for fallback, file_name in _FALLBACKS:
        if (project.folder / file_name).is_file():
            return Project(project.folder, project.name, project.entry_points, fallback, project.folder / file_name)
    return project


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExecutionException(f"{path} cannot be read: {error}") from None
    return _mapping(content, "it", path)


def _mapping(value: Any, what: str, path: Path | None) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ExecutionException(f"{what} in {path} must be keys and values, got {shown(str(value))}")
    return value


def _entry_point(name: str, said: Any, path: Path | None) -> EntryPoint:
    where = f"entry point {name!r}"
    content = _mapping(said, where, path)
    command = content.get("command")
    if not isinstance(command, str) or not command.strip():
        raise ExecutionException(f"{where} in {path} must have a command, got {command!r}")
    parameters = _mapping(content.get("parameters"), f"parameters of {where}", path)
    return EntryPoint(
        name, command, {str(each): _parameter(str(each), said, where, path) for each, said in parameters.items()}
    )


def _parameter(name: str, said: Any, where: str, path: Path | None) -> Parameter:
    if said is None:
        return Parameter(name)
    if isinstance(said, str):
        return Parameter(name, said)
    if not isinstance(said, dict) or not isinstance(said.get("type", ""), str):
        raise ExecutionException(
            f"parameter {name!r} of {where} in {path} must be a type, or 'type' and 'default', got {said!r}"
        )
    return Parameter(name, said.get("type", "string"), said.get("default"))


def _docker(said: Any) -> DockerEnvironment:
    wrong = "Project configuration (MLproject file) was invalid: "
    if not isinstance(said, dict) or not isinstance(said.get("image"), str) or not said["image"]:
        raise ExecutionException(f"{wrong}Docker environment specified but no image attribute found.")
    volumes, variables = said.get("volumes") or [], said.get("environment") or []
    if not isinstance(volumes, list) or not all(isinstance(each, str) for each in volumes):
        raise ExecutionException(
            f'{wrong}Docker volumes must be a list of strings, e.g.: ["/path1/:/path1", "/path2/:/path2"]'
        )
    is_list = isinstance(variables, list)
    if not is_list or not all(isinstance(each, str) or _is_pair(each) for each in variables):
        raise ExecutionException(
            f"{wrong}environment must be a list containing either strings (to copy environment variables from host "
            'system) or lists of string pairs (to define new environment variables). E.g.: [["NEW_VAR", "new_value"], '
            '"VAR_TO_COPY_FROM_HOST"]'
        )
    return DockerEnvironment(
        said["image"],
        tuple(volumes),
        tuple(each if isinstance(each, str) else (str(each[0]), str(each[1])) for each in variables),
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _script_command(name: str) -> str | None:
    suffix = Path(name).suffix
    # It becomes a part of a pattern for parameters, where braces are doubled.
    quoted = shlex.quote(name).replace("{", "{{").replace("}", "}}")
    if suffix == ".py":
        return f"python {quoted}"
    if suffix == ".sh":
        return f"{variable('SHELL') or 'bash'} {quoted}"
    if suffix == ".R":
        return f"Rscript -e \"mlflow::mlflow_source('{quoted}')\" --args"
    return None


def resolve_path(parameter: Parameter, value: str, project: Project, fetch: Callable[[str], str]) -> str:
    """Return the path of this machine that a parameter of type path means; what is elsewhere is fetched.

    A relative one that was given starts where the caller is, a default at the project's folder; where there is nothing
    there, at the other.

    Raises:
        ExecutionException: there is no such file or folder.
    """
    if scheme_of(value) not in {"", "file"}:
        return fetch(value)
    bases = [Path.cwd(), project.folder.absolute()]
    if value == str(parameter.default):
        bases.reverse()
    local = local_path(value) if scheme_of(value) == "file" else Path(value)
    for base in bases:
        found = base / str(local)
        if found.exists():
            return os.path.abspath(found)
    raise ExecutionException(
        f"Got value {value} for parameter {parameter.name}, but no such file or directory was found."
    )
