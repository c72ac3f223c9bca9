from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import obstore
import pytest

from runyard.artifacts import clouds
from runyard.artifacts.local import UPLOADS_FOLDER, LocalStore
from runyard.artifacts.objects import ObjectStore
from runyard.artifacts.store import ArtifactStore, Usage, open_store
from runyard.errors import Changed, ConfigurationError, InvalidParameter, NotFound, Unavailable
from runyard.settings import load_store_settings
from tests.google_cloud import HOST, GoogleCloud
from tests.object_stores import Cloud, SeaweedFS

T = TypeVar("T")
Address = Callable[[str], str]

ODD_NAMES = [
    "a b.txt",
    "ключ/数据.bin",
    "100%.txt",
    "a%20b",
    "q?x=1",
    "hash#tag",
    "plus+and&",
    ".hidden",
    "quote'\".txt",
    "n" * 250,
]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken(part: bytes) -> AsyncIterator[bytes]:
    yield part
    raise ConnectionError("the client went away")


def write(store: ArtifactStore, path: str, *parts: bytes) -> None:
    run(store.write(path, pieces(*parts)))


def read(store: ArtifactStore, path: str, start: int = 0, end: int | None = None) -> bytes:
    async def collect() -> bytes:
        size = (await store.head(path)).size_bytes
        blocks = await store.read(path, start, size if end is None else end)
        return b"".join([block async for block in blocks])

    return run(collect())


def listed(store: ArtifactStore, path: str = "") -> list[tuple[str, int | None]]:
    return [(entry.path, entry.size_bytes) for entry in run(store.list_folder(path))]


class ArtifactStoreContract:
    def test_what_was_written_is_read_back(self, store: ArtifactStore) -> None:
        write(store, "a/b/c.bin", b"one", b"", b"two")
        assert read(store, "a/b/c.bin") == b"onetwo"
        assert run(store.head("a/b/c.bin")).size_bytes == 6

    def test_an_empty_file_is_a_file(self, store: ArtifactStore) -> None:
        write(store, "empty")
        assert read(store, "empty") == b""
        assert listed(store) == [("empty", 0)]

    def test_a_large_file_comes_back_the_same(self, store: ArtifactStore) -> None:
        blocks = [os.urandom(700_001) for _ in range(30)]
        write(store, "large", *blocks)
        assert read(store, "large") == b"".join(blocks)
        assert read(store, "large", 699_999, 700_003) == b"".join(blocks)[699_999:700_003]

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_come_back_as_they_were(self, store: ArtifactStore, name: str) -> None:
        write(store, f"folder/{name}", b"x")
        assert read(store, f"folder/{name}") == b"x"
        assert listed(store, f"folder/{name}".rpartition("/")[0]) == [(f"folder/{name}", 1)]

    def test_a_folder_lists_what_is_directly_in_it_by_name(self, store: ArtifactStore) -> None:
        for path in ("d/z.txt", "d/a/deep.txt", "d/b.txt", "other"):
            write(store, path, b"12")
        assert listed(store, "d") == [("d/a", None), ("d/b.txt", 2), ("d/z.txt", 2)]
        assert listed(store) == [("d", None), ("other", 2)]
        assert listed(store, "none") == listed(store, "other") == []

    def test_a_missing_artifact_is_named_in_the_error(self, store: ArtifactStore) -> None:
        for operation in (store.head, lambda path: store.read(path, 0, 1)):
            with pytest.raises(NotFound, match=r"weights\.bin"):
                run(operation("weights.bin"))

    def test_the_last_write_of_a_path_stays(self, store: ArtifactStore) -> None:
        write(store, "f", b"long before")
        first = run(store.head("f")).etag
        write(store, "f", b"after")
        assert read(store, "f") == b"after"
        assert run(store.head("f")).etag != first

    def test_what_was_written_anew_is_not_read_as_what_was_there_before(self, store: ArtifactStore) -> None:
        write(store, "f", b"before")
        before = run(store.head("f"))
        write(store, "f", b"afterwards")
        with pytest.raises(Changed, match=r"'f'.*read it again"):
            run(store.read("f", 0, before.size_bytes, etag=before.etag))
        assert run(store.head("f")).etag.startswith('"')

    def test_an_interrupted_write_leaves_what_was_there_before(self, store: ArtifactStore) -> None:
        write(store, "kept", b"before")
        for path in ("kept", "new/file"):
            with pytest.raises(ConnectionError):
                run(store.write(path, broken(b"x" * 3_000_000)))
        assert read(store, "kept") == b"before"
        assert listed(store) == [("kept", 6)]

    def test_of_writes_at_once_one_stays_whole(self, store: ArtifactStore) -> None:
        contents = [bytes([letter]) * 2_000_000 for letter in b"abcdef"]

        async def race() -> None:
            await asyncio.gather(*(store.write("f", pieces(content)) for content in contents))

        run(race())
        assert read(store, "f") in contents

    def test_deleting_takes_a_file_or_a_folder_and_is_no_error_where_there_is_none(self, store: ArtifactStore) -> None:
        for path in ("d/a", "d/b/c", "dd", "e"):
            write(store, path, b"x")
        for path in ("d", "e", "none", "none/at/all"):
            run(store.delete(path))
        # SeaweedFS has folders, and removes those that have become empty a while later.
        assert [(path, size) for path, size in listed(store) if size is not None] == [("dd", 1)]
        assert run(store.usage("d")).file_count == 0
        with pytest.raises(InvalidParameter, match="path"):
            run(store.delete(""))

    def test_a_folder_is_as_large_as_all_below_it_and_as_young_as_the_last_of_it(self, store: ArtifactStore) -> None:
        assert run(store.usage("d")) == Usage(0, 0, None)
        before = datetime.now(timezone.utc) - timedelta(seconds=2)
        for path in ("d/a", "d/b/c", "d/b/e/f", "dd/g"):
            write(store, path, b"123")
        found = run(store.usage("d"))
        assert (found.file_count, found.size_bytes) == (3, 9)
        assert found.modified is not None
        assert before < found.modified < datetime.now(timezone.utc) + timedelta(seconds=2)

    def test_a_digest_is_kept_with_its_file(self, store: ArtifactStore) -> None:
        content = os.urandom(3_000_000)
        digest = hashlib.sha256(content).hexdigest()
        run(store.write("f", pieces(content[:1_000_000], content[1_000_000:]), size_bytes=3_000_000, sha256=digest))
        assert run(store.head("f")).sha256 == digest
        write(store, "f", b"another")
        assert run(store.head("f")).sha256 is None

    def test_what_was_damaged_on_its_way_is_not_stored(self, store: ArtifactStore) -> None:
        digest = hashlib.sha256(b"sent").hexdigest()
        write(store, "f", b"before")
        for path in ("f", "new"):
            with pytest.raises(InvalidParameter, match="damaged on its way.*" + digest):
                run(store.write(path, pieces(b"received"), sha256=digest))
        assert listed(store) == [("f", 6)]

    def test_a_store_that_can_be_used_answers_the_ping(self, store: ArtifactStore) -> None:
        run(store.ping())


class TestLocalStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return open_store(str(tmp_path / "root"))

    def test_nothing_is_left_of_an_interrupted_write(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        with pytest.raises(ConnectionError):
            run(store.write("f", broken(b"x" * 3_000_000)))
        assert list((tmp_path / UPLOADS_FOLDER).iterdir()) == []

    def test_a_link_does_not_lead_out(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "link").symlink_to(tmp_path)
        store = LocalStore(tmp_path / "root")
        for operation in (store.head, store.list_folder, store.delete):
            with pytest.raises(InvalidParameter, match="leads out"):
                run(operation("link/secret"))
        assert (tmp_path / "secret").exists()

    def test_a_file_cannot_be_where_a_folder_is_nor_below_a_file(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        write(store, "d/f", b"x")
        for path in ("d", "d/f/g"):
            with pytest.raises(InvalidParameter, match="Invalid path"):
                write(store, path, b"y")
        assert read(store, "d/f") == b"x"

    def test_a_file_uri_is_a_folder(self, tmp_path: Path) -> None:
        write(open_store(f"file://{tmp_path}/with%20space"), "f", b"x")
        assert (tmp_path / "with space" / "f").read_bytes() == b"x"

    def test_a_root_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"")
        with pytest.raises(ConfigurationError, match="is a file"):
            open_store(str(tmp_path / "f"))

    def test_a_full_disk_is_told_and_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="no room"):
            run(LocalStore(tmp_path).write("f", full()))
        assert list((tmp_path / UPLOADS_FOLDER).iterdir()) == []

    def test_a_file_that_was_changed_since_has_another_digest(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        run(store.write("f", pieces(b"1"), sha256=hashlib.sha256(b"1").hexdigest()))
        (tmp_path / "f").write_bytes(b"2")
        assert run(store.head("f")).sha256 is None

    def test_uploads_that_were_given_up_are_removed(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        assert run(store.remove_stale_uploads(timedelta(0))) == 0
        (tmp_path / UPLOADS_FOLDER).mkdir()
        for name, age_s in (("old", 90_000), ("new", 80_000)):
            (tmp_path / UPLOADS_FOLDER / name).write_bytes(b"x")
            os.utime(tmp_path / UPLOADS_FOLDER / name, (time.time() - age_s,) * 2)
        assert run(store.remove_stale_uploads(timedelta(days=1))) == 1
        assert [child.name for child in (tmp_path / UPLOADS_FOLDER).iterdir()] == ["new"]

    def test_a_scheme_that_nobody_knows_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="nonsense"):
            open_store("nonsense://x/y")


async def full() -> AsyncIterator[bytes]:
    # What the file system says when it is full, said where the store would hear it.
    from runyard.artifacts.local import _in_thread

    def write() -> None:
        raise OSError(28, "No space left on device")

    yield b"x"
    await _in_thread(write)


@pytest.mark.cloud
class TestObjectStore(ArtifactStoreContract):
    """On real object stores, as their users name them."""

    @pytest.fixture
    def store(self, cloud: Cloud) -> ArtifactStore:
        return open_store(f"{cloud.new_root()}/with 100%")

    def test_objects_have_the_names_that_upstream_would_give_them(self, seaweedfs_store: ObjectStore) -> None:
        write(seaweedfs_store, "a b/100%#.txt", b"x")
        keys = [item["path"] for page in obstore.list(seaweedfs_store.bucket.store) for item in page]
        assert keys == ["a b/100%#.txt"]

    def test_nothing_is_left_of_an_interrupted_write(self, seaweedfs_store: ObjectStore) -> None:
        with pytest.raises(ConnectionError):
            run(seaweedfs_store.write("f", broken(b"x" * 30_000_000)))
        assert run(seaweedfs_store.remove_stale_uploads(timedelta(0))) == 0

    def test_what_a_killed_server_left_is_removed(self, seaweedfs_store: ObjectStore) -> None:
        async def leave() -> None:
            started = asyncio.Event()

            async def endless() -> AsyncIterator[bytes]:
                yield b"x" * 20_000_000
                started.set()
                await asyncio.sleep(3600)

            task = asyncio.ensure_future(seaweedfs_store.write("f", endless()))
            await started.wait()
            await asyncio.sleep(0.5)
            task.cancel()

        run(leave())
        assert run(seaweedfs_store.remove_stale_uploads(timedelta(days=1))) == 0
        assert run(seaweedfs_store.remove_stale_uploads(timedelta(0))) == 1
        assert run(seaweedfs_store.remove_stale_uploads(timedelta(0))) == 0

    @pytest.fixture
    def seaweedfs_store(self, s3: SeaweedFS) -> ObjectStore:
        return ObjectStore(s3.new_root())


@pytest.mark.cloud
class TestSignedAddresses:
    """What a server signs, sent to the stores by somebody without credentials."""

    @pytest.fixture(params=["s3", "s3 without Amazon's library", "azure", "gcs"])
    def opened(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[ArtifactStore, Address]:
        """A store, and what makes an address one that the test reaches."""
        cloud: Cloud = request.getfixturevalue(request.param.partition(" ")[0])
        if "without" in request.param:
            monkeypatch.setattr(clouds, "_amazon_session", lambda: None)
        store = ObjectStore(f"{cloud.new_root()}/with 100%")
        if not isinstance(cloud, GoogleCloud):
            return store, lambda url: url
        google = f"https://{HOST}"
        # Addresses are Google's own, which nobody reaches from here.
        store.signer = ObjectStore(f"gs://{store.bucket.name}/{store.bucket.prefix}", load_store_settings({})).signer
        return store, lambda url: url.replace(google, cloud.url)

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_an_address_is_that_of_the_file_that_was_meant(
        self, opened: tuple[ArtifactStore, Address], name: str
    ) -> None:
        store, reachable = opened
        assert store.signer is not None
        assert run(store.signer.can_sign())
        hour = timedelta(hours=1)
        put = run(store.signer.sign_write(f"d/{name}", hour))
        sent(reachable(put.url), "PUT", b"content", put.headers)
        assert read(store, f"d/{name}") == b"content"
        assert listed(store, f"d/{name}".rpartition("/")[0]) == [(f"d/{name}", 7)]
        get = run(store.signer.sign_read(f"d/{name}", hour))
        assert sent(reachable(get.url), "GET") == b"content"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            sent(reachable(get.url), "PUT", b"another", put.headers)


def sent(url: str, method: str, content: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, content, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


SHORT_PROGRAM = """
import asyncio, sys
from runyard.artifacts.store import open_store

async def chunks():
    yield b"content"

async def main():
    store = open_store(sys.argv[1])
    await asyncio.gather(*(store.write(f"file-{number}", chunks()) for number in range(8)))

asyncio.run(main())
"""


@pytest.mark.cloud
def test_a_program_that_ends_after_its_last_answer_ends_well(s3: SeaweedFS) -> None:
    ends = []
    for _ in range(6):
        programs = [subprocess.Popen([sys.executable, "-c", SHORT_PROGRAM, s3.new_root()]) for _ in range(4)]
        ends += [program.wait(60) for program in programs]
    assert ends == [0] * 24
