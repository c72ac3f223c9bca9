"""The tags that say who started a run, from which source, and at which commit of it."""

from __future__ import annotations

import functools
import getpass
import json
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from runyard.errors import InvalidParameter
from runyard.settings import load_client_settings, notebook_name
from runyard.wire.names import shown

USER: Final = "mlflow.user"
RUN_NAME: Final = "mlflow.runName"
NOTE: Final = "mlflow.note.content"
PARENT_RUN_ID: Final = "mlflow.parentRunId"
SOURCE_NAME: Final = "mlflow.source.name"
SOURCE_TYPE: Final = "mlflow.source.type"
GIT_COMMIT: Final = "mlflow.source.git.commit"
GIT_BRANCH: Final = "mlflow.source.git.branch"
GIT_REPOSITORY: Final = "mlflow.source.git.repoURL"
GIT_TIMEOUT_S: Final = 5


def user() -> str:
    """Return the name of the user of this process, or 'unknown' in a container that knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def tags() -> dict[str, str]:
    """Return the tags of a run that is started now.

    Raises:
        InvalidParameter: MLFLOW_RUN_CONTEXT is no JSON object.
    """
    name, kind = source()
    found = {USER: user(), SOURCE_NAME: name, SOURCE_TYPE: kind, **_git_tags(_folder_of(name))}
    added = load_client_settings().run_context
    if added:
        try:
            found.update({key: str(value) for key, value in json.loads(added).items()})
        except (ValueError, AttributeError):
            raise InvalidParameter(f"MLFLOW_RUN_CONTEXT must be a JSON object of tags, got {shown(added)}") from None
    return found


def source() -> tuple[str, str]:
    """Return the name of what is running, and of what kind it is: NOTEBOOK or LOCAL."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    if running is not None and hasattr(running, "kernel"):
        name = running.user_ns.get("__vsc_ipynb_file__") or notebook_name()
        return (str(name) if name else sys.argv[0]), "NOTEBOOK"
    return (sys.argv[0] if sys.argv and sys.argv[0] else sys.executable), "LOCAL"


def _folder_of(name: str) -> str:
    path = Path(name)
    return str(path.parent.absolute()) if path.is_file() else str(Path.cwd())


@functools.lru_cache(maxsize=32)
def _git_tags(folder: str) -> dict[str, str]:
    """Return commit, branch and origin of the repository that holds ``folder``; nothing outside of one."""
    told = _git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD")
    if told is None:
        return {}
    commit, _, branch = told.partition("\n")
    found = {GIT_COMMIT: commit}
    # A checkout of a commit is on no branch.
    if branch != "HEAD":
        found[GIT_BRANCH] = branch
    origin = _git(folder, "remote", "get-url", "origin")
    if origin:
        found[GIT_REPOSITORY] = _without_password(origin)
    return found


def _git(folder: str, *words: str) -> str | None:
    command = ["git", "-C", folder, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.scheme.startswith("http"):
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
