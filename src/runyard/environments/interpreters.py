"""Where this machine has which Python: this process's own, those on PATH, pyenv's and uv's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runyard.settings import variable

_PROBE: Final = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
_PROBE_TIMEOUT_S: Final = 20
_VERSIONED: Final = re.compile(r"python3\.\d+")
_PROGRAM: Final = Path("python.exe") if os.name == "nt" else Path("bin", "python")


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine."""

    version: str
    path: Path

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")))


def find_interpreter(version: str) -> Interpreter | None:
    """Return the Python of that version; of another of the same minor version where there is no better one.

    Args:
        version: such as 3.11.7, 3.11 or 3.
    """
    wanted = tuple(map(int, version.split(".")))
    running = this_interpreter()
    if running.order[: len(wanted)] == wanted:
        return running
    pattern = f"python3.{wanted[1]}" if len(wanted) > 1 else "python3.*"
    found = [each for each in (running, *_kept(), *_on_path(pattern)) if each.order[:2] == wanted[:2]]
    exact = next((each for each in found if each.order == wanted), None)
    return exact or max(found, key=lambda each: each.order, default=None)


def known_interpreters() -> list[Interpreter]:
    """Return all that were found, the oldest first and each version once."""
    found = (*_on_path("python3.*"), *_kept(), this_interpreter())
    return sorted({each.version: each for each in found}.values(), key=lambda each: each.order)


def this_interpreter() -> Interpreter:
    """Return what runs this process; where that is an environment's, what the environment was made of."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Interpreter("{}.{}.{}".format(*sys.version_info), Path(base))


def _kept() -> Iterator[Interpreter]:
    """Give those that pyenv and uv keep, whose folders tell their versions."""
    home = Path.home()
    pyenv = Path(variable("PYENV_ROOT") or home / ".pyenv", "versions")
    shares = Path(variable("XDG_DATA_HOME") or home / ".local" / "share")
    managed = Path(variable("UV_PYTHON_INSTALL_DIR") or shares / "uv" / "python")
    for folder, pattern in ((pyenv, r"(3\.\d+\.\d+)"), (managed, r"cpython-(3\.\d+\.\d+)-.*")):
        for path in sorted(folder.glob("*")):
            named = re.fullmatch(pattern, path.name)
            if named is not None and (path / _PROGRAM).exists():
                yield Interpreter(named[1], path / _PROGRAM)


def _on_path(pattern: str) -> Iterator[Interpreter]:
    for directory in os.get_exec_path():
        for path in sorted(Path(directory).glob(pattern)):
            if _VERSIONED.fullmatch(path.name) and (told := _version_of(path)) is not None:
                yield Interpreter(told, path)


def _version_of(path: Path) -> str | None:
    """Ask it, for a program of this name may be a stand-in that finds no Python."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = done.stdout.strip()
    return answer if done.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+", answer) else None
