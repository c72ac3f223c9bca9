"""Projects are fetched from folders, zip files and git repositories: real ones, made here."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.exceptions import ExecutionException
from runyard.projects import git as asked
from runyard.projects.sources import fetch_project, source_name, split_uri
from tests.projects.conftest import commit, git, write


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the files below tmp_path/web."""
    folder = tmp_path / "web"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A bare repository with a branch beside its main one, and a tag; and their commits."""
    source = write(tmp_path / "source", MLproject="name: first")
    commits = {"tag": commit(source)}
    git(source, "tag", "v1")
    write(source / "deep" / "v1.2", MLproject="name: second")
    commits["trunk"] = commit(source)
    git(source, "checkout", "--quiet", "-b", "feature/x")
    write(source, MLproject="name: third")
    commits["feature/x"] = commit(source)
    git(source, "checkout", "--quiet", "trunk")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(source), str(bare))
    return bare, commits


def test_a_folder_is_used_where_it_is(tmp_path):
    folder = write(tmp_path / "a" / "project", MLproject="")
    assert fetch_project(str(folder)) == fetch_project(f"'{folder}'") == fetch_project(folder.as_uri()) == folder
    assert fetch_project(f"{folder.parent}#project") == folder
    odd = write(tmp_path / "c#3", MLproject="")
    assert fetch_project(str(odd)) == odd


def test_a_repository_is_fetched_at_its_main_branch_without_its_history(place, repository):
    bare, commits = repository
    for uri in (bare.as_uri(), str(bare)):
        folder = fetch_project(uri)
        assert (folder / "MLproject").read_text() == "name: first"
        assert asked.commit(folder) == commits["trunk"]
        assert asked.is_branch(folder, "trunk")
    assert git(fetch_project(bare.as_uri()), "rev-list", "--count", "HEAD") == "1"
    assert (fetch_project(f"{bare.as_uri()}#deep/v1.2") / "MLproject").read_text() == "name: second"


@pytest.mark.parametrize("named", ["feature/x", "v1", "commit", "short commit"])
def test_a_version_is_a_branch_a_tag_or_a_commit(place, repository, named):
    bare, commits = repository
    version, expected = {
        "feature/x": ("feature/x", commits["feature/x"]),
        "v1": ("v1", commits["tag"]),
        "commit": (commits["tag"], commits["tag"]),
        "short commit": (commits["tag"][:9], commits["tag"]),
    }[named]
    folder = fetch_project(bare.as_uri(), version)
    assert asked.commit(folder) == expected
    assert asked.is_branch(folder, version) == (named == "feature/x")


def test_a_version_of_a_folder_in_git_leaves_the_folder_as_it_is(place, tmp_path, repository):
    source = tmp_path / "source"
    write(source, MLproject="name: changed")
    folder = fetch_project(str(source / "deep"), "feature/x")
    assert folder.name == "deep"
    assert (folder.parent / "MLproject").read_text() == "name: third"
    assert (source / "MLproject").read_text() == "name: changed"
    assert git(source, "rev-parse", "--abbrev-ref", "HEAD") == "trunk"


def test_what_git_cannot_give_is_told(place, tmp_path, repository):
    bare, _ = repository
    with pytest.raises(ExecutionException, match="Unable to checkout version 'nonesuch' of git repo"):
        fetch_project(bare.as_uri(), "nonesuch")
    with pytest.raises(ExecutionException, match="must be a branch, a tag or a commit, got '--upload-pack=x'"):
        fetch_project(bare.as_uri(), "--upload-pack=x")
    with pytest.raises(ExecutionException, match=r"`git ls-remote` of file:///nonesuch\.git failed: .*does not appear"):
        fetch_project("file:///nonesuch.git")
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "--quiet", "--bare", str(empty))
    with pytest.raises(ExecutionException, match="is empty"):
        fetch_project(empty.as_uri())
    with pytest.raises(ExecutionException, match="only supported for Git project URIs"):
        fetch_project(str(place), "v1")
    with pytest.raises(ExecutionException, match="Could not find subdirectory gone of"):
        fetch_project(f"{place}#gone")


def test_submodules_come_along(place, tmp_path, repository, monkeypatch):
    # Git fetches submodules from folders for who asks it to only.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    bare, _ = repository
    outer = write(tmp_path / "outer", MLproject="")
    commit(outer)
    git(outer, "submodule", "--quiet", "add", bare.as_uri(), "inner")
    commit(outer)
    assert (fetch_project(str(outer), "trunk") / "inner" / "MLproject").read_text() == "name: first"


def make_zip(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_zip_file_is_unpacked_from_here_and_from_the_web(tmp_path, web):
    path = make_zip(tmp_path / "web" / "project.zip", **{"MLproject": "name: zipped", "deep/MLproject": "name: deep"})
    for uri in (str(path), path.as_uri(), f"{web}/project.zip"):
        folder = fetch_project(uri)
        assert (folder / "MLproject").read_text() == "name: zipped"
        assert folder not in path.parents
        assert (fetch_project(f"{uri}#deep") / "MLproject").read_text() == "name: deep"


def test_a_zip_file_that_is_none_leads_out_or_is_not_there_is_refused(tmp_path, web):
    outwards = make_zip(tmp_path / "out.zip", **{"../escaped": "x"})
    with pytest.raises(ExecutionException, match=r"holds '\.\./escaped', which leads out of the project's folder"):
        fetch_project(str(outwards))
    (tmp_path / "no.zip").write_text("no")
    with pytest.raises(ExecutionException, match="cannot be unpacked: File is not a zip file"):
        fetch_project(str(tmp_path / "no.zip"))
    damaged = make_zip(tmp_path / "damaged.zip", MLproject="name: wine")
    # Its first file is said to be encrypted, where it is and in the list at the end.
    content = bytearray(damaged.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    damaged.write_bytes(content)
    with pytest.raises(ExecutionException, match=r"cannot be unpacked: .*encrypted"):
        fetch_project(str(damaged))
    with pytest.raises(ExecutionException, match=r"cannot be unpacked: .*No such file"):
        fetch_project(str(tmp_path / "gone.zip"))
    with pytest.raises(ExecutionException, match=r"gone\.zip' answered with status 404"):
        fetch_project(f"{web}/gone.zip")
    with pytest.raises(ExecutionException, match="only supported for Git"):
        fetch_project(str(outwards), "v1")


@pytest.mark.parametrize("subfolder", ["../other", "/etc", "a/../../b"])
def test_a_folder_out_of_the_project_is_refused(subfolder):
    with pytest.raises(ExecutionException, match="must be inside of it"):
        split_uri(f"https://example.com/a.git#{subfolder}")


def test_the_source_is_recorded_so_that_it_is_found_again_and_without_a_password(place, tmp_path, repository):
    source = tmp_path / "source"
    assert source_name(str(source)) == f"file://{source}"
    assert source_name(f"{source}#deep") == source_name(str(source / "deep")) == f"file://{source}#deep"
    assert source_name(str(place)) == str(place)
    assert source_name("https://ada:secret@example.com/a.git#b") == "https://example.com/a.git#b"
    assert source_name("git@example.com:a.git") == "git@example.com:a.git"
