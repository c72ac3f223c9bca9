"""The program git, asked about folders and sent for repositories."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from runyard.exceptions import ExecutionException
from runyard.projects.telling import tell

_HEAD_BRANCH = re.compile(r"ref: refs/heads/(\S+)\tHEAD")


def fetch(uri: str, version: str | None, target: Path) -> None:
    """Put the files of a repository into an empty folder, with no more history than it takes.

    Args:
        version: a branch, a tag, or a commit of which the beginning is enough; by default the remote's HEAD.
    Raises:
        ExecutionException: git is not there, there is no such repository, or it has no such version.
    """
    _git(target, "init", "--quiet")
    _git(target, "remote", "add", "origin", uri)
    if version is None:
        answer = _git(target, "ls-remote", "--symref", "origin", "HEAD", named=uri)
        if not answer:
            raise ExecutionException(f"the git repository {without_password(uri)} is empty")
        head = _HEAD_BRANCH.search(answer)
        _git(target, "fetch", "--quiet", "--depth", "1", "origin", "HEAD", named=uri)
        _git(target, "checkout", "--quiet", *(["-B", head[1]] if head else ["--detach"]), "FETCH_HEAD")
    else:
        _check_out(target, uri, version)
    if (target / ".gitmodules").exists():
        _git(target, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1", named=uri)
    tell(f"fetched commit {commit(target)} of {without_password(uri)}")


def _check_out(target: Path, uri: str, version: str) -> None:
    if version.startswith("-") or ":" in version:
        raise ExecutionException(f"the version of a git project must be a branch, a tag or a commit, got {version!r}")
    shallow = ("fetch", "--quiet", "--depth", "1", "origin")
    if _try(target, *shallow, f"refs/heads/{version}"):
        # A branch of its own name, so that the run is recorded as of this branch.
        _git(target, "checkout", "--quiet", "-B", version, "FETCH_HEAD")
    elif _try(target, *shallow, version):
        _git(target, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    else:
        # The beginning of a commit's name means nothing to a server, and some give no commit that is not a branch's.
        _git(target, "fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*", named=uri)
        if not _try(target, "checkout", "--quiet", "--detach", f"{version}^{{commit}}"):
            raise ExecutionException(
                f"Unable to checkout version '{version}' of git repo {without_password(uri)}: it has no such branch, "
                "tag or commit"
            )


def commit(folder: Path) -> str | None:
    """Return the commit that a folder's files are of, if they are in a repository."""
    return _ask(folder, "rev-parse", "HEAD")


def top(folder: Path) -> Path | None:
    """Return the folder that the repository of ``folder`` starts at, if it is in one."""
    found = _ask(folder, "rev-parse", "--show-toplevel")
    return None if not found else Path(found)


def origin(folder: Path) -> str | None:
    """Return the address of the first remote, without a password, if there is one."""
    remote = (_ask(folder, "remote") or "").split("\n")[0]
    address = _ask(folder, "remote", "get-url", remote) if remote else None
    return None if address is None else without_password(address)


def is_branch(folder: Path, name: str) -> bool:
    return _ask(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}") is not None


def is_bare(folder: Path) -> bool:
    """Return whether a folder is a repository without files beside it, as servers keep them."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def without_password(uri: str) -> str:
    """Return an address fit to be shown: without who asks, and by which password."""
    parts = urlsplit(uri)
    if not parts.scheme or "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _ask(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _try(folder: Path, *words: str) -> bool:
    return _run(folder, words).returncode == 0


def _git(folder: Path, *words: str, named: str = "") -> str:
    done = _run(folder, words)
    if done.returncode != 0:
        said = done.stderr.strip().replace(named, without_password(named)) if named else done.stderr.strip()
        what = f" of {without_password(named)}" if named else ""
        raise ExecutionException(f"`git {words[0]}`{what} failed: {said}")
    return done.stdout


def _run(folder: Path, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", folder, *words],
            # Its words for people are not read, and those that are read stay the same in any language.
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ExecutionException(f"the project comes by git, and git cannot be run: {error.strerror}") from None
