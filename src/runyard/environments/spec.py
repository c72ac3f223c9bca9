"""What an environment holds, as python_env.yaml, conda.yaml and requirements.txt say it."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter

PYTHON_ENV_FILE: Final = "python_env.yaml"
CONDA_FILE: Final = "conda.yaml"
REQUIREMENTS_FILE: Final = "requirements.txt"

_PYTHON_VERSION: Final = re.compile(r"\d+(\.\d+){0,2}")
# What conda files name that pip installs as well, under the same name.
_OF_BOTH: Final = re.compile(
    r"(?P<name>python|pip|setuptools|wheel)\s*(?P<rule>[<>=!]=?)?\s*(?P<version>[\d.]*)(\.\*)?"
)
_INCLUSION: Final = re.compile(r"(?P<option>-r|--requirement|-c|--constraint)[\s=]*(?P<file>\S.*)")
_EDITABLE: Final = re.compile(r"(-e|--editable)[\s=]*")
_COMMENT: Final = re.compile(r"(^|\s)#.*$")
# Not part of what a folder of sources installs.
_UNINSTALLED: Final = {".git", "__pycache__", "build", ".venv", "mlruns"}


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an environment holds.

    Attributes:
        folder: what relative paths in requirements are relative to.
        python: the version asked for, such as 3.11 or 3.11.7; None is this process's own.
        build_dependencies: requirements installed first.
        dependencies: lines as of a requirements file, ``-r requirements.txt`` among them.
        conda_file: the file to give to conda, where there is one.
        conda_packages: what that file names that conda alone can install.
    """

    folder: Path
    python: str | None = None
    build_dependencies: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    conda_file: Path | None = field(default=None)
    conda_packages: tuple[str, ...] = ()

    @property
    def python_version(self) -> str:
        return self.python or "{}.{}.{}".format(*sys.version_info)

    def requirements(self) -> list[str]:
        """Return the lines of the dependencies, with those of each file that they include in its place.

        Raises:
            InvalidParameter: a file that is included is not there.
        """
        return list(_lines(self.dependencies, self.folder, ()))

    def names(self) -> set[str]:
        """Return the names of the packages that are asked for, in lower case and with hyphens."""
        found = set()
        for line in [*self.build_dependencies, *self.requirements()]:
            name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
            if name is not None and _local_source(line, self.folder) is None:
                found.add(re.sub(r"[-_.]+", "-", name[0]).lower())
        return found

    def digest(self, *more: str) -> str:
        """Return what tells this environment from others: of what it holds, not of where it is written.

        Raises:
            InvalidParameter: a file that is included is not there.
        """
        digest = hashlib.sha256()
        for line in [self.python_version, "", *self.build_dependencies, "", *self.requirements(), "", *more]:
            digest.update(line.encode() + b"\0")
            source = _local_source(line, self.folder)
            if source is not None:
                digest.update(str(source).encode())
                # An editable package is used where it is; of another, the environment has a copy.
                if not _EDITABLE.match(line):
                    digest.update(_digest_of_files(source).encode())
        if self.conda_packages and self.conda_file is not None:
            digest.update(self.conda_file.read_bytes())
        return digest.hexdigest()[:32]


def read_python_env(path: str | os.PathLike[str]) -> EnvironmentSpec:
    """Read a python_env.yaml: ``python``, ``build_dependencies`` and ``dependencies``.

    Raises:
        InvalidParameter: it is not there, is no YAML, or says something else.
    """
    path = Path(path)
    content = _read_yaml(path)
    unknown = sorted(map(str, content.keys() - {"python", "build_dependencies", "dependencies"}))
    if unknown:
        raise InvalidParameter(
            f"{path} says {', '.join(unknown)}, and may say python, build_dependencies and dependencies only"
        )
    python = content.get("python")
    # An unquoted 3.11 is a number in YAML; 3.10 would have become 3.1, which no one can mean.
    if isinstance(python, float):
        raise InvalidParameter(f"python in {path} must be in quotes, for YAML reads 3.10 as 3.1: got {python}")
    if python is not None and not (isinstance(python, str) and _PYTHON_VERSION.fullmatch(python)):
        raise InvalidParameter(f"python in {path} must be a version such as '3.11' or '3.11.7', got {python!r}")
    return EnvironmentSpec(
        path.parent,
        python,
        _texts(content.get("build_dependencies"), "build_dependencies", path),
        _texts(content.get("dependencies"), "dependencies", path),
    )


def read_conda_env(path: str | os.PathLike[str]) -> EnvironmentSpec:
    """Read a conda.yaml, and tell apart what pip can install from what conda alone can.

    Raises:
        InvalidParameter: it is not there, is no YAML, or is no description of an environment.
    """
    path = Path(path)
    listed = _read_yaml(path).get("dependencies") or []
    if not isinstance(listed, list):
        raise InvalidParameter(f"dependencies in {path} must be a list, got {listed!r}")
    python = None
    build: list[str] = []
    by_pip: list[str] = []
    by_conda: list[str] = []
    for each in listed:
        if isinstance(each, dict) and each.keys() == {"pip"}:
            by_pip += _texts(each["pip"], "dependencies: pip", path)
        elif not isinstance(each, str):
            raise InvalidParameter(f"a dependency in {path} must be a text or a list named pip, got {each!r}")
        elif (known := _OF_BOTH.fullmatch(each.strip())) is None:
            by_conda.append(each)
        elif known["name"] == "python":
            python = _python_of(known["rule"], known["version"].rstrip("."), path)
        else:
            rule = "==" if known["rule"] == "=" else known["rule"] or ""
            build.append(f"{known['name']}{rule}{known['version']}")
    return EnvironmentSpec(path.parent, python, tuple(build), tuple(by_pip), path, tuple(by_conda))


def from_requirements(
    requirements: Iterable[str], *, folder: str | os.PathLike[str] = ".", python: str | None = None
) -> EnvironmentSpec:
    """Return the environment that holds these lines of a requirements file."""
    return EnvironmentSpec(Path(folder), python, (), tuple(requirements))


def read_model_folder(folder: str | os.PathLike[str], *, manager: str = "virtualenv") -> EnvironmentSpec:
    """Return what the model in ``folder`` needs: of its files, the one that is written for ``manager``.

    Raises:
        InvalidParameter: the model has no such file, or there is something wrong with it.
    """
    folder = Path(folder)
    python_env, conda_env, requirements = (folder / name for name in (PYTHON_ENV_FILE, CONDA_FILE, REQUIREMENTS_FILE))
    if manager == "conda" and conda_env.is_file():
        return read_conda_env(conda_env)
    if python_env.is_file():
        return read_python_env(python_env)
    if conda_env.is_file():
        return read_conda_env(conda_env)
    if requirements.is_file():
        return EnvironmentSpec(folder, dependencies=(f"-r {REQUIREMENTS_FILE}",))
    raise InvalidParameter(
        f"the model in {folder} does not say what it needs: it has no {PYTHON_ENV_FILE}, {CONDA_FILE} or "
        f"{REQUIREMENTS_FILE}; --env-manager local uses the environment that is there"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidParameter(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{path} is no YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidParameter(f"{path} must hold keys and values, got {type(content).__name__}")
    return content


def _texts(value: Any, key: str, path: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidParameter(f"{key} in {path} must be a list of requirements, got {value!r}")
    return tuple(value)


def _python_of(rule: str | None, version: str, path: Path) -> str | None:
    """Return the version to look for by what conda's file allows."""
    if rule is None or not version:
        return None
    if rule in {"<", ">", "!="}:
        raise InvalidParameter(f"python in {path} must name a version with =, ==, >= or <=, got {rule}{version}")
    ours = sys.version_info[:3]
    named = tuple(int(part) for part in version.split("."))
    if (rule == ">=" and ours >= named) or (rule == "<=" and ours[: len(named)] <= named):
        return None
    return version


def _lines(lines: Iterable[str], folder: Path, within: tuple[Path, ...]) -> Iterator[str]:
    for line in lines:
        kept = _COMMENT.sub("", line).strip()
        inclusion = _INCLUSION.fullmatch(kept)
        if inclusion is None:
            if kept:
                yield kept
            continue
        # As pip has it: a file's own inclusions are relative to that file.
        file = (within[-1].parent if within else folder) / inclusion["file"].strip("\"'")
        if "://" in inclusion["file"] or file in within:
            yield kept
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise InvalidParameter(f"the requirements file {file} cannot be read: {error.strerror}") from None
        included = _lines(text.replace("\\\n", " ").splitlines(), folder, (*within, file))
        yield from included if inclusion["option"] in {"-r", "--requirement"} else (f"-c {each}" for each in included)


def _local_source(line: str, folder: Path) -> Path | None:
    """Return the file or folder that a requirement installs from this machine, if it does."""
    text = _EDITABLE.sub("", line)
    if " @ file://" in text:
        text = text.partition(" @ file://")[2]
    text = re.split(r"[\s;]|\[[\w,-]*\]$", text.removeprefix("file://"))[0]
    if not text.startswith((".", "/")) and not text.endswith((".whl", ".tar.gz", ".zip")):
        return None
    path = (folder / text).resolve()
    return path if path.exists() else None


def _digest_of_files(path: Path) -> str:
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())
    for file in files:
        if not _UNINSTALLED & set(file.relative_to(path).parts):
            digest.update(str(file.relative_to(path)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
