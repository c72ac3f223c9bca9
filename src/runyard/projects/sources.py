"""Where a project is: a folder, a zip file or a git repository, here or elsewhere; and its folder on this machine."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from runyard.artifacts.uris import local_path
from runyard.data.http_dataset_source import HTTPDatasetSource
from runyard.errors import Unavailable
from runyard.exceptions import ExecutionException
from runyard.projects import git
from runyard.projects.telling import tell


def fetch_project(uri: str, version: str | None = None) -> Path:
    """Return the project's folder. A folder is used where it is; anything else is fetched into a temporary one.

    Args:
        uri: a path, ``file://``, a zip file here or at http(s), or anything that git fetches from; after ``#`` comes
            the folder in it.
        version: a branch, a tag or a commit, of projects in git only.
    Raises:
        ExecutionException: there is no such project, or no such version of it.
    """
    place, subfolder = split_uri(uri)
    local = _local(place)
    if place.endswith(".zip"):
        _refuse(version, uri)
        folder = _unpacked(place if local is None else str(local))
    elif local is None or git.is_bare(local):
        folder = _cloned(place, version)
    elif version is None:
        folder = local
    else:
        # Not in place: the folder's own files may have changes that nobody has committed.
        repository = git.top(local)
        if repository is None:
            _refuse(version, uri)
        assert repository is not None
        folder = _cloned(repository.as_uri(), version) / local.resolve().relative_to(repository.resolve())
    found = (folder / subfolder).absolute()
    if not found.is_dir():
        raise ExecutionException(
            f"Could not find subdirectory {subfolder} of {folder}" if subfolder else f"there is no folder {found}"
        )
    return found


def split_uri(uri: str) -> tuple[str, str]:
    """Return what is before ``#`` and the folder after it."""
    uri = uri.strip("'\"")
    if not uri:
        raise ExecutionException("the project's URI is empty: say '.' for the project of this folder")
    place, mark, subfolder = uri.partition("#")
    # A folder's own name may hold one.
    if mark and Path(uri).exists():
        return uri, ""
    if ".." in Path(subfolder).parts or subfolder.startswith("/"):
        raise ExecutionException(f"the folder of a project must be inside of it, got {subfolder!r}")
    return place, subfolder


def source_name(uri: str) -> str:
    """Return what is recorded as the source: of a folder in git, its repository here and the folder in it."""
    place, subfolder = split_uri(uri)
    local = _local(place)
    if local is None:
        return git.without_password(uri.strip("'\""))
    folder = (local / subfolder).absolute()
    top = git.top(folder) if folder.is_dir() else None
    if top is None:
        return str(folder)
    below = folder.resolve().relative_to(top.resolve()).as_posix()
    return f"file://{top}" if below == "." else f"file://{top}#{below}"


def _local(place: str) -> Path | None:
    """Return the file or folder of this machine that is meant, if it is there."""
    found = local_path(place)
    return found if found is not None and found.exists() else None


def _refuse(version: str | None, uri: str) -> None:
    if version is not None:
        raise ExecutionException(f"Setting a version is only supported for Git project URIs, and {uri} is none")


def _cloned(uri: str, version: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="runyard-project-"))
    tell(f"fetching project from {git.without_password(uri)} into {folder}")
    try:
        git.fetch(uri, version, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _unpacked(place: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="runyard-project-"))
    tell(f"unpacking project from {git.without_password(place)} into {folder}")
    try:
        with tempfile.TemporaryDirectory(prefix="runyard-") as fetched:
            remote = place.startswith(("http://", "https://"))
            file = HTTPDatasetSource(place).load(fetched) if remote else place
            with zipfile.ZipFile(file) as archive:
                for member in archive.namelist():
                    if not (folder / member).resolve().is_relative_to(folder.resolve()):
                        raise ExecutionException(f"{place} holds {member!r}, which leads out of the project's folder")
                archive.extractall(folder)
    # The last three are what zipfile raises of files that are encrypted, oddly compressed or damaged.
    except (OSError, zipfile.BadZipFile, Unavailable, RuntimeError, zlib.error, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ExecutionException(f"the zip file {place} cannot be unpacked: {error}") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
