"""Artifacts that clients move straight to and from an object store, at addresses that a real server signs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runyard.artifacts.store import open_store
from runyard.client import direct
from runyard.client.artifacts import ProxiedFolder
from runyard.client.http import HttpTransport
from runyard.errors import NotFound, Unavailable
from runyard.settings import ClientSettings
from tests.breaking_proxy import BreakingProxy
from tests.google_cloud import GoogleCloud
from tests.object_stores import Cloud, SeaweedFS
from tests.server.http import Answer, artifact_bytes, make_run, post, send
from tests.servers import ServerProcess

MPU = "/api/2.0/mlflow-artifacts/mpu"
PRESIGNED = "/api/2.0/mlflow-artifacts/presigned"
Start = Callable[..., ServerProcess]
Folder = Callable[[ServerProcess], ProxiedFolder]


@pytest.fixture
def on_cloud(running_server: Start, signing_cloud: Cloud) -> ServerProcess:
    """A server that keeps its artifacts in each cloud in turn."""
    options = ("--artifacts-destination", signing_cloud.new_root())
    return running_server(None, *options, environment=signing_cloud.environment)


@pytest.fixture
def on_s3(running_server: Start, s3: SeaweedFS) -> ServerProcess:
    return running_server(None, "--artifacts-destination", s3.new_root(), environment=s3.environment)


@pytest.fixture
def folder() -> Iterator[Folder]:
    transports: list[HttpTransport] = []

    def connect(server: ServerProcess) -> ProxiedFolder:
        transports.append(HttpTransport(server.url, ClientSettings()))
        return transports[-1].open_proxied("1/run/artifacts")

    yield connect
    for transport in transports:
        transport.close()


def ask(server: ServerProcess, step: str, **fields: Any) -> Answer:
    body, headers = json.dumps(fields).encode(), {"Content-Type": "application/json"}
    return send(server.port, "POST", f"{MPU}/{step}/1/run/artifacts/models", body, headers)


def presigned(server: ServerProcess, path: str) -> Answer:
    return send(server.port, "GET", f"{PRESIGNED}/{path}")


def put(url: str, content: bytes, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, content, headers or {}, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers


def fetch(server: ServerProcess, path: str) -> Answer:
    return send(server.port, "GET", f"/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/{path}")


def make_file(path: Path, size_bytes: int) -> str:
    """Make a file of random bytes and return its SHA-256."""
    content = os.urandom(size_bytes)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.cloud
def test_a_file_in_parts_appears_when_it_is_complete(on_cloud: ServerProcess) -> None:
    contents = [os.urandom(6_000_000), os.urandom(1_000)]
    begun = ask(on_cloud, "create", path="/home/me/weights.bin", num_parts=2).json
    parts = [
        {"part_number": part["part_number"], "etag": put(part["url"], content, part.get("headers", {})).get("ETag")}
        for part, content in zip(begun["credentials"], contents, strict=True)
    ]
    assert fetch(on_cloud, "models/weights.bin").status == 404
    parts.reverse()
    answer = ask(on_cloud, "complete", path="weights.bin", upload_id=begun["upload_id"], parts=parts)
    assert (answer.status, answer.json) == (200, {})
    assert fetch(on_cloud, "models/weights.bin").body == b"".join(contents)


@pytest.mark.cloud
def test_an_upload_that_is_given_up_leaves_nothing(on_cloud: ServerProcess) -> None:
    begun = ask(on_cloud, "create", path="f", num_parts=1).json
    put(begun["credentials"][0]["url"], b"x" * 6_000_000)
    assert ask(on_cloud, "abort", path="f", upload_id=begun["upload_id"]).json == {}
    # A client that is not sure asks again.
    assert ask(on_cloud, "abort", path="f", upload_id=begun["upload_id"]).status == 200
    assert fetch(on_cloud, "models/f").status == 404


@pytest.mark.cloud
def test_parts_that_did_not_arrive_are_told(on_cloud: ServerProcess) -> None:
    begun = ask(on_cloud, "create", path="f", num_parts=2).json
    etag = put(begun["credentials"][0]["url"], b"x" * 6_000_000).get("ETag")
    parts = [{"part_number": 1, "etag": etag}, {"part_number": 2, "etag": '"d41d8cd98f00b204e9800998ecf8427e"'}]
    answer = ask(on_cloud, "complete", path="f", upload_id=begun["upload_id"], parts=parts)
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "send the file again" in answer.json["message"]
    assert fetch(on_cloud, "models/f").status == 404


@pytest.mark.cloud
def test_a_part_that_was_damaged_is_refused_by_the_store(on_cloud: ServerProcess) -> None:
    begun = ask(on_cloud, "create", path="f", num_parts=1).json
    digest = base64.b64encode(hashlib.md5(b"sent", usedforsecurity=False).digest()).decode()
    with pytest.raises(urllib.error.HTTPError, match="400"):
        put(begun["credentials"][0]["url"], b"damaged", {"Content-MD5": digest})


BAD_INPUT: list[tuple[str, dict[str, Any], str]] = [
    ("create", {"num_parts": 1}, "path"),
    ("create", {"path": "f", "num_parts": 10_001}, "num_parts"),
    ("create", {"path": "f", "num_parts": 0}, "num_parts"),
    ("create", {"path": "..", "num_parts": 1}, ".."),
    ("create", {"path": "f", "sha256": "nonsense"}, "sha256"),
    ("complete", {"path": "f", "upload_id": "x", "parts": []}, "parts"),
    ("complete", {"path": "f", "upload_id": "x", "parts": [{"part_number": 1}, {"part_number": 1}]}, "twice"),
    ("abort", {"path": "f"}, "upload_id"),
]


@pytest.mark.cloud
def test_bad_input_is_named(on_s3: ServerProcess) -> None:
    for step, fields, part in BAD_INPUT:
        answer = ask(on_s3, step, **fields)
        assert (answer.status, part in answer.json["message"]) == (400, True), (step, fields, answer.json)


@pytest.mark.cloud
def test_an_address_for_a_download_is_for_one_file_and_a_while(running_server: Start, s3: SeaweedFS) -> None:
    server = running_server(
        None, "--artifacts-destination", s3.new_root(), "--signed-download", "1", environment=s3.environment
    )
    send(server.port, "PUT", "/api/2.0/mlflow-artifacts/artifacts/1/a%20b%25.bin", b"0123456789")
    signed = presigned(server, "1/a%20b%25.bin").json
    assert signed["file_size"] == 10
    request = urllib.request.Request(signed["url"], headers={"Range": "bytes=2-4"})
    assert urllib.request.urlopen(request, timeout=10).read() == b"234"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(signed["url"].replace("a%20b%25.bin", "other"), timeout=10)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        put(signed["url"], b"another")
    time.sleep(2.5)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(signed["url"], timeout=10)
    assert presigned(server, "1/none").status == 404


@pytest.mark.cloud
def test_where_runs_keep_artifacts_in_a_bucket_clients_are_given_addresses_there(
    running_server: Start, s3: SeaweedFS
) -> None:
    server = running_server(None, "--default-artifact-root", s3.new_root(), environment=s3.environment)
    experiment = post(server.port, "experiments/create", {"name": "direct"}).json["experiment_id"]
    run_id = make_run(server.port, experiment_id=experiment)
    signed = post(server.port, "artifacts/presigned-upload-url", {"run_id": run_id, "path": "a/b.txt"}).json
    put(signed["presigned_url"], b"hello", signed.get("headers", {}))
    found = post(server.port, "artifacts/presigned-download-url", {"run_id": run_id, "path": "a/b.txt"}).json
    assert found["file_size"] == 5
    assert urllib.request.urlopen(found["presigned_url"], timeout=10).read() == b"hello"
    for fields, message in (
        ({"path": "x"}, "Exactly one of run_id and model_id"),
        ({"run_id": run_id, "path": "../x"}, ".."),
        ({"run_id": run_id, "path": "x", "expiration": 604_801}, "604800"),
    ):
        answer = post(server.port, "artifacts/presigned-upload-url", fields)
        assert answer.status == 400
        assert message in answer.json["message"]


@pytest.mark.parametrize("options", [(), ("--no-direct-transfers",)])
def test_without_addresses_clients_are_sent_through_the_server(
    running_server: Start, folder: Folder, tmp_path: Path, options: tuple[str, ...]
) -> None:
    server = running_server(None, *options)
    # What stock clients look for before they send the file whole.
    message = "Multipart upload is not supported for the current artifact repository"
    for step in ({"path": "f"}, {"path": "f", "num_parts": 3}):
        answer = ask(server, "create", **step)
        assert (answer.status, answer.json["error_code"]) == (501, "NOT_IMPLEMENTED")
        assert answer.json["message"].startswith(message)
    assert presigned(server, "f").status == 501
    info = send(server.port, "GET", "/api/3.0/mlflow/server-info").json
    assert (info["multipart_uploads_enabled"], info["multipart_downloads_enabled"]) == (False, False)
    run_id = make_run(server.port)
    answer = post(server.port, "artifacts/presigned-upload-url", {"run_id": run_id, "path": "x"})
    assert answer.status == 400
    assert "through the server" in answer.json["message"]
    digest = make_file(tmp_path / "f", direct.MIN_BYTES)
    folder(server).upload(tmp_path / "f", "f", lambda _: None)
    folder(server).download("f", tmp_path / "back", lambda _: None)
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest


@pytest.mark.cloud
def test_our_client_goes_straight_to_the_store(on_cloud: ServerProcess, folder: Folder, tmp_path: Path) -> None:
    digest = make_file(tmp_path / "large.bin", 40_000_000)
    told: list[int] = []
    folder(on_cloud).upload(tmp_path / "large.bin", "models/large.bin", told.append)
    assert sum(told) == 40_000_000
    head = send(on_cloud.port, "HEAD", "/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/models/large.bin")
    assert base64.b64decode(head.headers["repr-digest"].split(":")[1]).hex() == digest
    assert artifact_bytes(on_cloud.port, "received") == 0
    told.clear()
    folder(on_cloud).download("models/large.bin", tmp_path / "back", told.append)
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    assert sum(told) == 40_000_000
    # But for what was on its way of an answer that the client had only wanted the head of: what the kernel takes to
    # send, 4 MB on Linux, and what it has received at the other end.
    assert artifact_bytes(on_cloud.port, "sent") < 8_000_000


@pytest.mark.cloud
def test_a_file_goes_through_the_server_where_its_cloud_signs_no_parts(
    running_server: Start, gcs: GoogleCloud, folder: Folder, tmp_path: Path
) -> None:
    server = running_server(None, "--artifacts-destination", gcs.new_root(), environment=gcs.environment)
    digest = make_file(tmp_path / "large.bin", 20_000_000)
    folder(server).upload(tmp_path / "large.bin", "a b/large%.bin", lambda _: None)
    folder(server).download("a b/large%.bin", tmp_path / "back", lambda _: None)
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    head = send(server.port, "HEAD", "/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/a%20b/large%25.bin")
    assert base64.b64decode(head.headers["repr-digest"].split(":")[1]).hex() == digest
    assert artifact_bytes(server.port, "received") == 20_000_000


@pytest.mark.cloud
def test_a_store_that_clients_cannot_reach_is_reached_through_the_server(
    running_server: Start, s3: SeaweedFS, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = s3.new_root()
    server = running_server(None, "--artifacts-destination", root, environment=s3.environment)

    def refuse(*_: Any, **__: Any) -> Any:
        raise direct.Unreachable("closed to this network")

    monkeypatch.setattr(direct, "_tried", refuse)
    digest = make_file(tmp_path / "f", 20_000_000)
    told: list[int] = []
    folder(server).upload(tmp_path / "f", "f", told.append)
    folder(server).download("f", tmp_path / "back", told.append)
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    assert sum(told) == 40_000_000
    assert artifact_bytes(server.port, "received") == 20_000_000
    assert asyncio.run(open_store(root).remove_stale_uploads(timedelta(0))) == 0


@pytest.mark.cloud
def test_a_transfer_to_the_store_that_breaks_goes_on_where_it_broke(
    running_server: Start, s3: SeaweedFS, folder: Folder, tmp_path: Path
) -> None:
    root, size = s3.new_root(), 40_000_000
    proxy = BreakingProxy(s3.port, after_bytes=6_000_000, breaks=3)
    environment = {**s3.environment, "MLFLOW_S3_ENDPOINT_URL": proxy.url}
    server = running_server(None, "--artifacts-destination", root, environment=environment)
    digest = make_file(tmp_path / "f", size)
    try:
        folder(server).upload(tmp_path / "f", "f", lambda _: None)
        # What broke was sent again, a part at most, and nothing else.
        assert (proxy.left, artifact_bytes(server.port, "received")) == (0, 0)
        assert size < proxy.sent_bytes < size + 3 * (6_000_000 + 1_000_000)
        proxy.left, proxy.received_bytes = 3, 0
        (tmp_path / "back").touch()
        # Without the folder, by way of which the server begins to read the file too.
        with contextlib.closing(HttpTransport(server.url, ClientSettings())) as transport:
            transport.direct.download("1/run/artifacts/f", tmp_path / "back", lambda _: None)
        assert proxy.left == 0
        # And of what is fetched, what had arrived when it broke is kept, but for what a broken connection takes along
        # (a block, and the machine's own buffers); all of it again would be 18 MB.
        assert size < proxy.received_bytes < size + 12_000_000
    finally:
        proxy.close()
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    assert asyncio.run(open_store(root).remove_stale_uploads(timedelta(0))) == 0


def test_a_download_through_the_server_that_breaks_goes_on_where_it_broke(
    running_server: Start, folder: Folder, tmp_path: Path
) -> None:
    server, size = running_server(), 40_000_000
    digest = make_file(tmp_path / "f", size)
    folder(server).upload(tmp_path / "f", "f", lambda _: None)
    proxy = BreakingProxy(server.port, after_bytes=9_000_000, breaks=3)
    transport = HttpTransport(proxy.url, ClientSettings())
    told: list[int] = []
    try:
        transport.open_proxied("1/run/artifacts").download("f", tmp_path / "back", told.append)
    finally:
        transport.close()
        proxy.close()
    assert hashlib.sha256((tmp_path / "back").read_bytes()).hexdigest() == digest
    assert proxy.left == 0
    # All of it again would be 27 MB.
    assert size < proxy.received_bytes < size + 12_000_000
    assert sum(told) == size


def test_an_upload_through_the_server_that_breaks_is_sent_again_whole(
    running_server: Start, folder: Folder, tmp_path: Path
) -> None:
    server = running_server()
    digest = make_file(tmp_path / "f", 20_000_000)
    proxy = BreakingProxy(server.port, after_bytes=9_000_000, breaks=2)
    transport = HttpTransport(proxy.url, ClientSettings())
    told: list[int] = []
    try:
        transport.open_proxied("1/run/artifacts").upload(tmp_path / "f", "f", told.append)
    finally:
        transport.close()
        proxy.close()
    assert (proxy.left, sum(told)) == (0, 20_000_000)
    assert hashlib.sha256(fetch(server, "f").body).hexdigest() == digest
    # Nothing is left of what broke.
    assert [path.name for path in tmp_path.glob("artifacts/**/*") if path.is_file()] == ["f"]


def test_what_was_damaged_on_its_way_is_not_stored(running_server: Start) -> None:
    server = running_server()
    wrong = base64.b64encode(hashlib.sha256(b"sent").digest()).decode()
    path = "/api/2.0/mlflow-artifacts/artifacts/f"
    answer = send(server.port, "PUT", path, b"received", headers={"Repr-Digest": f"sha-256=:{wrong}:"})
    assert answer.status == 400
    assert "damaged on its way" in answer.json["message"]
    assert send(server.port, "GET", path).status == 404
    answer = send(server.port, "PUT", path, b"received", headers={"Content-Digest": "sha-256=:AAAA:"})
    assert answer.status == 400
    assert "content-digest" in answer.json["message"]


def test_what_was_damaged_where_it_is_kept_is_not_taken_for_good(
    running_server: Start, folder: Folder, tmp_path: Path
) -> None:
    server = running_server()
    (tmp_path / "f").write_bytes(b"0123456789")
    folder(server).upload(tmp_path / "f", "f", lambda _: None)
    [kept] = tmp_path.glob("artifacts/**/f")
    status = kept.stat()
    kept.write_bytes(b"0123456780")
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(Unavailable, match="damaged"):
        folder(server).download("f", tmp_path / "back", lambda _: None)
    assert not (tmp_path / "back").exists()


def test_a_missing_file_is_not_found(running_server: Start, folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="none"):
        folder(running_server()).download("none", tmp_path / "back", lambda _: None)
