"""Folders of artifacts as zips: what is in them, how they are made, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.requests import ClientDisconnect

from runyard.artifacts.local import LocalStore
from runyard.artifacts.store import Entry
from runyard.errors import InvalidParameter, NotFound
from runyard.server.archive import MAX_DEPTH, ArchiveResponse, open_archive
from tests.server.http import Answer, make_run, post, send
from tests.servers import ServerProcess, start_runyard

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
FILES = {
    "a.txt": b"a",
    "empty.txt": b"",
    "model/MLmodel": b"flavors: {}",
    "model/data/large.bin": os.urandom(6_000_000),
    "model/with space/ключ 100% #1.txt": b"odd",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("archive")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def run_id(server: ServerProcess) -> str:
    """A run with `FILES`."""
    run_id = make_run(server.port)
    put_all(server, f"0/{run_id}/artifacts")
    return run_id


def put_all(server: ServerProcess, root: str) -> None:
    for path, content in FILES.items():
        assert send(server.port, "PUT", f"{PROXY}/{root}/{quote(path)}", content).status == 200


def fetch(server: ServerProcess, address: str, **query: str) -> Answer:
    return send(server.port, "GET", f"{address}?{urlencode(query)}")


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_runs_artifacts_come_as_they_were_stored(server: ServerProcess, run_id: str) -> None:
    answer = fetch(server, "/get-artifact-archive", run_id=run_id)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.zip"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert unzipped(answer.body) == FILES


def test_names_are_relative_to_the_folder_and_the_zip_has_its_name(server: ServerProcess, run_id: str) -> None:
    answer = fetch(server, "/get-artifact-archive", run_uuid=run_id, path="model")
    assert answer.headers["content-disposition"] == 'attachment; filename="model.zip"'
    assert unzipped(answer.body) == {
        path.removeprefix("model/"): content for path, content in FILES.items() if path.startswith("model/")
    }
    deep = fetch(server, "/get-artifact-archive", run_id=run_id, path="model/with space/")
    assert deep.headers["content-disposition"] == 'attachment; filename="with space.zip"'
    assert unzipped(deep.body) == {"ключ 100% #1.txt": b"odd"}


def test_a_folder_that_is_empty_missing_or_a_file_is_404(server: ServerProcess, run_id: str) -> None:
    for path in ("nowhere", "a.txt"):
        answer = fetch(server, "/get-artifact-archive", run_id=run_id, path=path)
        assert (answer.status, answer.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert path in answer.json["message"]
    assert fetch(server, "/get-artifact-archive", run_id=make_run(server.port)).status == 404
    assert fetch(server, "/get-artifact-archive", run_id="nope").status == 404
    assert fetch(server, "/get-artifact-archive").status == 400
    assert fetch(server, "/get-artifact-archive", run_id=run_id, path="../..").status == 400


def test_models_and_versions_of_them_come_the_same_way(server: ServerProcess) -> None:
    info = post(server.port, "logged-models", {"experiment_id": "0", "name": "m"}).json["model"]["info"]
    model_id = info["model_id"]
    put_all(server, f"0/models/{model_id}/artifacts")
    post(server.port, "registered-models/create", {"name": "zip me"})
    version = post(server.port, "model-versions/create", {"name": "zip me", "source": f"models:/{model_id}"})
    assert version.json["model_version"]["version"] == "1"
    answer = fetch(server, f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/archive")
    assert unzipped(answer.body) == FILES
    assert model_id in answer.headers["content-disposition"]
    answer = fetch(server, "/model-versions/get-artifact-archive", name="zip me", version="1", path="")
    assert unzipped(answer.body) == FILES
    assert "zip me-1.zip" in answer.headers["content-disposition"]
    assert fetch(server, "/model-versions/get-artifact-archive", name="zip me", version="2").status == 404


def test_a_folder_of_another_server_is_not_sent(server: ServerProcess) -> None:
    body = {"name": "evil archive", "artifact_location": "file:///etc"}
    run_id = make_run(server.port, post(server.port, "experiments/create", body).json["experiment_id"])
    assert fetch(server, "/get-artifact-archive", run_id=run_id).status == 403


@pytest.mark.slow
def test_memory_does_not_grow_with_the_size_of_a_folder(server: ServerProcess, run_id: str) -> None:
    def resident_mb() -> float:
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1000

    fetch(server, "/get-artifact-archive", run_id=run_id)
    before = resident_mb()
    other = make_run(server.port)
    block = os.urandom(1_000_000)
    for number in range(4):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        path = f"{PROXY}/0/{other}/artifacts/{number}.bin"
        connection.request("PUT", path, (block for _ in range(100)), encode_chunked=True)
        assert connection.getresponse().read() == b"{}"
        connection.close()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", f"/get-artifact-archive?run_id={other}")
    answer = connection.getresponse()
    size = 0
    while content := answer.read(1_000_000):
        size += len(content)
    connection.close()
    assert size > 400_000_000
    assert resident_mb() - before < 50


class WatchedStore(LocalStore):
    """A store that counts what is being read from it."""

    open_reads = 0
    sent_bytes = 0

    async def read(self, path: str, start: int, end: int, *, etag: str | None = None) -> AsyncIterator[bytes]:
        return self._watch(await super().read(path, start, end))

    async def _watch(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self.open_reads += 1
        try:
            async for block in blocks:
                self.sent_bytes += len(block)
                yield block
        finally:
            self.open_reads -= 1


def test_it_is_made_no_faster_than_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 5_000_000)

    async def take_one() -> None:
        store = WatchedStore(tmp_path)
        content = await open_archive(store, "")
        assert store.open_reads == 0
        block = await anext(content)
        assert len(block) < 2_000_000
        assert (store.open_reads, store.sent_bytes) == (1, len(b"x" * 2**20))
        await content.aclose()
        assert store.open_reads == 0

    asyncio.run(take_one())


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_reading_stops_when_the_client_goes_away(tmp_path: Path, spec_version: str) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 5_000_000)
    store = WatchedStore(tmp_path)
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send_part(message: Any) -> None:
        if message.get("body"):
            gone.set()
            if spec_version == "2.4":
                raise OSError("the connection is closed")
            await asyncio.sleep(0.05)

    async def respond() -> None:
        response = ArchiveResponse(await open_archive(store, ""), {})
        scope = {"type": "http", "asgi": {"spec_version": spec_version}}
        # With one, Starlette is told by an error when it sends; with the other, by a message.
        with pytest.raises(ClientDisconnect) if spec_version == "2.4" else contextlib.nullcontext():
            await response(scope, receive, send_part)
        assert store.open_reads == 0

    asyncio.run(respond())
    assert 0 < store.sent_bytes < 5_000_000


class NestedStore(LocalStore):
    """A folder within itself, as a link to a folder above makes it."""

    async def list_folder(self, path: str) -> list[Entry]:
        return [Entry(f"{path}/again".lstrip("/"), True, None)]


def test_folders_within_one_another_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match=str(MAX_DEPTH)):
        asyncio.run(open_archive(NestedStore(tmp_path), ""))


def test_folders_without_files_are_nothing_to_send(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(NotFound, match="'a'"):
        asyncio.run(open_archive(LocalStore(tmp_path), "a"))
