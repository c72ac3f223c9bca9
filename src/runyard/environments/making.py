"""Make an environment, or find it made: by uv, by Python's own venv and pip, or by conda.

An environment's name is a digest of what it holds. It is made where it stays, since programs in it name their folder,
by one process at a time, and is one only once a mark in it says that it is complete: what was killed half-way, and
what failed, is made anew by the next that asks.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runyard.environments.interpreters import find_interpreter, known_interpreters
from runyard.environments.spec import EnvironmentSpec
from runyard.errors import ConfigurationError, InvalidParameter
from runyard.settings import load_environment_settings, variable

try:
    import fcntl
except ImportError:  # Windows has no such locks; two processes there may make one environment twice.
    fcntl = None  # type: ignore[assignment]

MANAGERS: Final = ("virtualenv", "uv", "conda", "local")

_COMPLETE: Final = ".complete"
_CONDA_PROGRAMS: Final = ("micromamba", "mamba", "conda")
_NO_QUESTIONS: Final = {"PIP_NO_INPUT": "1", "CONDA_ALWAYS_YES": "true", "MAMBA_ALWAYS_YES": "true"}
# By which pip is told where packages are, and uv; what a company set for the one holds for the other.
_OF_UV: Final = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
_ALSO_OF_UV: Final = ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_LINES_IN_ERROR: Final = 15
_RELATIVE: Final = re.compile(r"(?P<option>-r|--requirement|-c|--constraint)(?P<gap>[\s=]*)(?P<file>[^\s/].*)")


@dataclass(frozen=True)
class Environment:
    """Where programs run: a folder with a Python of its own, or, with none, what this process runs in."""

    python: Path
    folder: Path | None = None
    is_conda: bool = False

    def command(self, *words: str | os.PathLike[str]) -> list[str]:
        """Return the command that gives these words to the environment's Python."""
        return [str(self.python), *(os.fspath(word) for word in words)]

    def variables(self) -> dict[str, str]:
        """Return the variables, other than this process's, of programs that run there: its programs are found first."""
        found = {"PATH": os.pathsep.join([str(self.python.parent), *os.get_exec_path()])}
        if self.folder is not None:
            found["CONDA_PREFIX" if self.is_conda else "VIRTUAL_ENV"] = str(self.folder)
        return found

    def run(self, *words: str | os.PathLike[str], cwd: str | os.PathLike[str] | None = None) -> int:
        """Give these words to its Python, wait, and return how that ended."""
        return subprocess.run(
            self.command(*words), cwd=cwd, env={**os.environ, **self.variables()}, check=False
        ).returncode


def prepare(
    spec: EnvironmentSpec,
    *,
    manager: str = "virtualenv",
    root: str | os.PathLike[str] | None = None,
    extra: Sequence[str] = (),
    paths: Sequence[Path] = (),
) -> Environment:
    """Return the environment that holds what ``spec`` says, made now if it is not there yet.

    Args:
        manager: ``virtualenv`` uses uv, or pip where there is no uv; ``uv`` insists on it; ``conda`` uses micromamba,
            mamba or conda, and uv for what needs none of them; ``local`` is the environment of this process.
        root: the folder of all environments; by default what MLFLOW_ENV_ROOT says, else one in the user's cache.
        extra: requirements installed last, which may replace what was installed before.
        paths: folders whose modules are found there, without a copy.

    Raises:
        InvalidParameter: there is no such manager, or what the environment is to hold cannot be read.
        ConfigurationError: this machine lacks the Python or the program that it takes, or an installation failed.
    """
    if manager not in MANAGERS:
        raise InvalidParameter(f"the environment manager must be one of {', '.join(MANAGERS)}, got {manager!r}")
    settings = load_environment_settings()
    if manager == "local" or settings.disable_creation:
        return Environment(Path(sys.executable))
    by_conda = bool(spec.conda_packages)
    if by_conda and manager != "conda":
        raise ConfigurationError(
            f"{spec.conda_file} asks for packages that only conda installs: {', '.join(spec.conda_packages)}. "
            "Use --env-manager conda, or list what pip can install of them below 'pip:'"
        )
    folder = Path(root or settings.root or _cache()).expanduser().absolute()
    kind = "conda" if by_conda else "pip"
    digest = spec.digest(kind, sysconfig.get_platform(), *extra, *map(str, paths))
    environment = _environment(folder / f"runyard-{digest}", by_conda)
    if _is_complete(environment):
        return environment
    conda = _find_conda(settings.conda_home, spec) if by_conda else None
    with _turn(folder, environment):
        if not _is_complete(environment):
            _make(spec, environment, conda, uv_is_needed=manager == "uv", extra=extra, paths=paths)
    return environment


def find_uv() -> str | None:
    """Return the program uv: the one on PATH, or the one that the package of that name brought."""
    on_path = shutil.which("uv")
    if on_path is not None:
        return on_path
    try:
        return str(importlib.import_module("uv").find_uv_bin())
    except (ImportError, FileNotFoundError):
        return None


def _make(
    spec: EnvironmentSpec,
    environment: Environment,
    conda: str | None,
    *,
    uv_is_needed: bool,
    extra: Sequence[str],
    paths: Sequence[Path],
) -> None:
    folder = environment.folder
    assert folder is not None
    uv = find_uv()
    if uv is None and uv_is_needed:
        raise ConfigurationError(
            "uv is not there: `pip install uv` brings it; --env-manager virtualenv works without it, more slowly"
        )
    shutil.rmtree(folder, ignore_errors=True)
    if conda is not None:
        _tell(f"making a conda environment for {spec.conda_file} in {folder}")
        words = ["create"] if Path(conda).stem == "micromamba" else ["env", "create"]
        _run([conda, *words, "--prefix", str(folder), "--file", str(spec.conda_file)], spec.folder)
    else:
        _tell(f"making a Python {spec.python_version} environment in {folder}")
        _run(_creation(spec, uv, folder), spec.folder)
        # Two steps, since the second may need what the first installs, or be meant to replace it.
        _install(spec, environment, uv, spec.build_dependencies)
        _install(spec, environment, uv, spec.dependencies)
    _install(spec, environment, uv, extra)
    if paths:
        done = subprocess.run(
            environment.command("-c", "import sysconfig; print(sysconfig.get_path('purelib'))"),
            capture_output=True,
            text=True,
            check=True,
        )
        Path(done.stdout.strip(), "runyard-sources.pth").write_text("".join(f"{path}\n" for path in paths))
    (folder / _COMPLETE).touch()


def _creation(spec: EnvironmentSpec, uv: str | None, folder: Path) -> list[str]:
    version = spec.python_version
    interpreter = find_interpreter(version)
    if interpreter is None:
        got = None if uv is None else _get(uv, version)
        if uv is not None and got is not None:
            return [uv, "venv", "--quiet", "--no-project", "--python", got, str(folder)]
        there = ", ".join(f"{each.version} ({each.path})" for each in known_interpreters())
        raise ConfigurationError(
            f"Python {version} is asked for and is not on this machine, which has {there}. "
            f"Install it, as by `uv python install {version}`, or use --env-manager local for the Python that runs now"
        )
    if interpreter.version != version and version.count(".") == 2:
        _tell(f"Python {version} is asked for; {interpreter.version}, which is here, is used")
    if uv is None:
        return [str(interpreter.path), "-m", "venv", str(folder)]
    return [uv, "venv", "--quiet", "--no-project", "--python", str(interpreter.path), str(folder)]


def _get(uv: str, version: str) -> str | None:
    """Have uv find or fetch this version, or another of the same minor one; return which it got."""
    _tell(f"Python {version} is not on this machine: asking uv for it")
    minor = ".".join(version.split(".")[:2])
    for each in dict.fromkeys((version, minor)):
        if subprocess.run([uv, "python", "install", "--quiet", each], stdout=2, check=False).returncode == 0:
            return each
    return None


def _install(spec: EnvironmentSpec, environment: Environment, uv: str | None, lines: Sequence[str]) -> None:
    if not lines:
        return
    with tempfile.TemporaryDirectory(prefix="runyard-") as temporary:
        # A model's folder may be one that nobody can write to.
        listed = Path(temporary, "requirements.txt")
        listed.write_text("".join(f"{_absolute(line.strip(), spec.folder)}\n" for line in lines), encoding="utf-8")
        installer = (
            environment.command("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
            if uv is None
            else [uv, "pip", "install", "--python", str(environment.python)]
        )
        _run([*installer, "-r", str(listed)], spec.folder)


def _absolute(line: str, folder: Path) -> str:
    """Return the line so that the file it includes is found from elsewhere."""
    known = _RELATIVE.fullmatch(line)
    if known is None or "://" in line:
        return line
    return f"{known['option']}{known['gap']}{(folder / known['file']).absolute()}"


def _run(command: Sequence[str], folder: Path) -> None:
    """Run a command and show on standard error what it says.

    Raises:
        ConfigurationError: it could not be started, or failed; the message ends with the last that it said.
    """
    last: deque[str] = deque(maxlen=_LINES_IN_ERROR)
    try:
        started = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **_NO_QUESTIONS, **_where_packages_are()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ConfigurationError(f"{command[0]} cannot be run: {error.strerror}") from error
    with started as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                sys.stderr.write(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        words = " ".join(command)
        raise ConfigurationError("\n".join([f"`{words}` ended with {process.returncode}:", *last]))


def _where_packages_are() -> dict[str, str]:
    """Return the variables that tell uv of the indexes that pip is told of, where nobody told uv of any."""
    if any(variable(name) for name in (*_OF_UV.values(), *_ALSO_OF_UV)):
        return {}
    told = {name: (variable(name) or "").split() for name in _OF_UV}
    # Of what is not there pip warns, and uv fails.
    found = {name: [each for each in listed if "://" in each or os.path.isdir(each)] for name, listed in told.items()}
    return {
        _OF_UV[name]: ("," if name == "PIP_FIND_LINKS" else " ").join(listed)
        for name, listed in found.items()
        if listed
    }


def _is_complete(environment: Environment) -> bool:
    # Its Python is a link to the one it was made of, which may have been removed since.
    return environment.folder is not None and (environment.folder / _COMPLETE).exists() and environment.python.exists()


def _environment(folder: Path, is_conda: bool) -> Environment:
    if os.name == "nt":
        return Environment(folder / ("" if is_conda else "Scripts") / "python.exe", folder, is_conda)
    return Environment(folder / "bin" / "python", folder, is_conda)


@contextlib.contextmanager
def _turn(root: Path, environment: Environment) -> Iterator[None]:
    """Wait until no other process makes this environment, and keep others from it meanwhile."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{environment.folder}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise ConfigurationError(
            f"environments cannot be made in {root}: {error.strerror}; MLFLOW_ENV_ROOT names another folder"
        ) from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _tell(f"waiting for another process, which is making {environment.folder}")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _find_conda(home: str | None, spec: EnvironmentSpec) -> str:
    """Return the quickest of conda's programs that is there."""
    where = os.pathsep.join([*([str(Path(home, "bin"))] if home else []), *os.get_exec_path()])
    for program in _CONDA_PROGRAMS:
        found = shutil.which(program, path=where)
        if found is not None:
            return found
    told = variable("CONDA_EXE")
    if told is not None and os.path.isfile(told):
        return told
    raise ConfigurationError(
        f"{spec.conda_file} asks for packages that only conda installs: {', '.join(spec.conda_packages)}. "
        f"None of {', '.join(_CONDA_PROGRAMS)} is on PATH: install one, or name conda's folder by MLFLOW_CONDA_HOME; "
        "or list what pip can install of them below 'pip:'"
    )


def _cache() -> Path:
    return Path(variable("XDG_CACHE_HOME") or Path.home() / ".cache", "runyard", "envs")


def _tell(text: str) -> None:
    sys.stderr.write(f"runyard: {text}\n")
    sys.stderr.flush()
