"""Artifacts through a real server: what arrives, what leaves, and what is refused."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.server.http import Answer, get, make_run, post, send
from tests.servers import ServerProcess, start_runyard

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("artifacts")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


def put(server: ServerProcess, path: str, body: bytes) -> Answer:
    return send(server.port, "PUT", f"{PROXY}/{quote(path)}", body)


def fetch(server: ServerProcess, path: str, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(server.port, method, f"{PROXY}/{quote(path)}", headers=named)


def test_an_artifact_comes_back_as_it_was_sent(server: ServerProcess) -> None:
    content = os.urandom(3_000_000)
    assert put(server, "1/r/artifacts/model.pkl", content).body == b"{}"
    answer = fetch(server, "1/r/artifacts/model.pkl")
    assert answer.body == content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-disposition"] == 'attachment; filename="model.pkl"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    head = fetch(server, "1/r/artifacts/model.pkl", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(content)))


def test_odd_names_come_back(server: ServerProcess) -> None:
    name = "ключ 100% #1 ?&+.txt"
    put(server, f"odd/{name}", b"x")
    answer = fetch(server, f"odd/{name}")
    assert answer.body == b"x"
    assert f"filename*=UTF-8''{quote(name, safe='')}" in answer.headers["content-disposition"]
    listed = send(server.port, "GET", f"{PROXY}?path=odd").json["files"]
    assert listed == [{"path": name, "is_dir": False, "file_size": 1}]


def test_a_listing_names_what_is_directly_below_relative_to_it(server: ServerProcess) -> None:
    for path in ("l/r/a.txt", "l/r/d/b.txt"):
        put(server, path, b"12")
    listed = send(server.port, "GET", f"{PROXY}?path=l/r").json["files"]
    assert listed == [{"path": "a.txt", "is_dir": False, "file_size": 2}, {"path": "d", "is_dir": True}]
    assert send(server.port, "GET", f"{PROXY}?path=nowhere").body == b"{}"


def test_a_runs_artifacts_are_listed_relative_to_its_root(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    put(server, f"0/{run_id}/artifacts/d/x.txt", b"123")
    answer = get(server.port, "artifacts/list", run_id=run_id, path="d").json
    assert answer["root_uri"] == f"mlflow-artifacts:/0/{run_id}/artifacts"
    assert answer["files"] == [{"path": "d/x.txt", "is_dir": False, "file_size": 3}]
    found = send(server.port, "GET", f"/get-artifact?run_uuid={run_id}&path=d/x.txt")
    assert found.body == b"123"
    sent = send(server.port, "POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=up.txt", b"up")
    assert sent.status == 200
    assert send(server.port, "GET", f"/get-artifact?run_id={run_id}&path=up.txt").body == b"up"


@pytest.mark.parametrize(
    "asked, status, body, content_range",
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=5-999", 206, b"56789", "bytes 5-9/10"),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
    ],
)
def test_a_range_is_answered_with_that_part(
    server: ServerProcess, asked: str, status: int, body: bytes, content_range: str | None
) -> None:
    put(server, "range.bin", b"0123456789")
    answer = fetch(server, "range.bin", range=asked)
    assert (answer.status, answer.body, answer.headers.get("content-range")) == (status, body, content_range)


def test_a_range_outside_the_artifact_is_416(server: ServerProcess) -> None:
    put(server, "range.bin", b"0123456789")
    for asked in ("bytes=10-", "bytes=5-3", "bytes=-0"):
        answer = fetch(server, "range.bin", range=asked)
        assert answer.status == 416
        assert asked in answer.json["message"]


def test_what_the_client_has_already_is_not_sent_again(server: ServerProcess) -> None:
    put(server, "known.txt", b"content")
    first = fetch(server, "known.txt")
    tag = first.headers["etag"]
    assert fetch(server, "known.txt", if_none_match=tag).status == 304
    assert fetch(server, "known.txt", if_modified_since=first.headers["last-modified"]).status == 304
    assert fetch(server, "known.txt", range="bytes=1-2", if_range=tag).status == 206
    assert fetch(server, "known.txt", range="bytes=1-2", if_range='"other"').status == 200
    time.sleep(0.01)
    put(server, "known.txt", b"changed")
    assert fetch(server, "known.txt", if_none_match=tag).body == b"changed"


def test_a_missing_artifact_is_404_that_names_it(server: ServerProcess) -> None:
    answer = fetch(server, "no/such/file.bin")
    assert answer.status == 404
    assert answer.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "no/such/file.bin" in answer.json["message"]


def test_deleting_is_no_error_where_there_is_nothing(server: ServerProcess) -> None:
    put(server, "gone/a", b"x")
    for _ in range(2):
        assert send(server.port, "DELETE", f"{PROXY}/gone").body == b"{}"
    assert fetch(server, "gone/a").status == 404


@pytest.mark.parametrize(
    "path",
    ["../x", "..%2fx", "%2e%2e/x", "%252e%252e%252fx", "a/..%5c..%5cx", "/etc/passwd", "%2fetc/passwd", "a%00b"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_that_climbs_out_is_refused_and_touches_nothing(server: ServerProcess, method: str, path: str) -> None:
    before = sorted(server.log_path.parent.iterdir())
    answer = send(server.port, method, f"{PROXY}/{path}", b"evil" if method == "PUT" else None)
    assert answer.status == 400
    assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"
    assert sorted(server.log_path.parent.iterdir()) == before
    listing = send(server.port, "GET", f"{PROXY}?path={path}")
    assert listing.status == 400


def test_the_servers_own_files_are_not_to_be_had_by_an_experiment_placed_on_them(server: ServerProcess) -> None:
    body = {"name": "evil", "artifact_location": "file:///etc"}
    run_id = make_run(server.port, post(server.port, "experiments/create", body).json["experiment_id"])
    for answer in (
        get(server.port, "artifacts/list", run_id=run_id),
        send(server.port, "GET", f"/get-artifact?run_uuid={run_id}&path=passwd"),
    ):
        assert answer.status == 403
        assert b"root:" not in answer.body


def test_an_interrupted_upload_leaves_nothing(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {PROXY}/half.bin HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 5_000_000)
        time.sleep(0.2)
    uploads = server.log_path.parent / "artifacts" / ".runyard-uploads"
    deadline = time.monotonic() + 10
    while list(uploads.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(uploads.iterdir()) == []
    assert fetch(server, "half.bin").status == 404


def test_a_chunked_upload_needs_no_length(server: ServerProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("PUT", f"{PROXY}/chunked.bin", iter([b"one", b"two"]), encode_chunked=True)
    assert connection.getresponse().read() == b"{}"
    connection.close()
    assert fetch(server, "chunked.bin").body == b"onetwo"


def test_uploads_of_one_path_at_once_leave_one_whole(server: ServerProcess) -> None:
    contents = [bytes([letter]) * 3_000_000 for letter in b"abcdef"]
    threads = [threading.Thread(target=put, args=(server, "race.bin", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetch(server, "race.bin").body in contents


def test_a_server_that_serves_no_artifacts_says_how_it_would(running_server: Callable[..., ServerProcess]) -> None:
    server = running_server(None, "--no-serve-artifacts")
    answer = fetch(server, "x")
    assert answer.status == 503
    assert "--no-serve-artifacts" in answer.json["message"]
    assert json.loads(send(server.port, "GET", "/readyz").body) == {"ready": True, "database": "ok"}


def peak_mb(server: ServerProcess) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.cloud)])
def server_anywhere(
    request: pytest.FixtureRequest, running_server: Callable[..., ServerProcess]
) -> tuple[ServerProcess, int]:
    """A server on a folder or a bucket, and how many MB to send it: what the emulator keeps in memory is less."""
    if request.param == "folder":
        return running_server(), 2_148
    s3 = request.getfixturevalue("s3")
    return running_server(None, "--artifacts-destination", s3.new_root(), environment=s3.environment), 300


@pytest.mark.slow
def test_memory_does_not_grow_with_the_size_of_an_artifact(server_anywhere: tuple[ServerProcess, int]) -> None:
    server, size_mb = server_anywhere
    put(server, "small.bin", b"x" * 2_000_000)
    fetch(server, "small.bin")
    before = peak_mb(server)
    block = os.urandom(1_000_000)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("PUT", f"{PROXY}/large.bin", (block for _ in range(size_mb)), encode_chunked=True)
    assert connection.getresponse().read() == b"{}"
    connection.request("GET", f"{PROXY}/large.bin")
    answer = connection.getresponse()
    size = 0
    while content := answer.read(1_000_000):
        size += len(content)
    connection.close()
    assert size == size_mb * 1_000_000
    assert peak_mb(server) - before < 50


def shown(server: ServerProcess, path: str, **query: str) -> Mapping[str, str]:
    """Return the headers of an artifact that a page asks for."""
    put(server, path, b"<p>content</p>")
    answer = send(server.port, "GET", f"{PROXY}/{quote(path)}?{urlencode(query)}")
    assert answer.body == b"<p>content</p>"
    return answer.headers


def test_html_is_shown_on_request_and_in_an_origin_of_its_own(server: ServerProcess) -> None:
    headers = shown(server, "shown/plot ключ.html", inline="true")
    assert headers["content-type"].startswith("text/html")
    assert headers["content-disposition"].startswith("inline; filename=")
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"
    directives = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert directives["sandbox"] == "allow-scripts"
    assert directives["default-src"] == "'none'"
    assert not any("http" in value or "'self'" in value or "*" in value for value in directives.values())


def test_a_pdf_is_shown_on_request(server: ServerProcess) -> None:
    headers = shown(server, "shown/paper.pdf", inline="true")
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == 'inline; filename="paper.pdf"'
    assert headers["x-frame-options"] == "SAMEORIGIN"
    # A viewer does not show it in a sandbox.
    assert "sandbox" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    "name, query",
    [
        ("page.html", {}),
        ("page.html", {"inline": "1"}),
        ("page.html.gz", {"inline": "true"}),
        ("image.svg", {"inline": "true"}),
        ("page.xhtml", {"inline": "true"}),
        ("page.xml", {"inline": "true"}),
        ("script.js", {"inline": "true"}),
        ("noname", {"inline": "true"}),
        ("paper.pdf", {}),
    ],
)
def test_anything_else_is_for_saving(server: ServerProcess, name: str, query: dict[str, str]) -> None:
    headers = shown(server, f"saved/{name}", **query)
    assert headers["content-disposition"] == f'attachment; filename="{name}"'
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_every_way_to_an_artifact_can_show_it(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    put(server, f"0/{run_id}/artifacts/page.html", b"<p>")
    model_id = post(server.port, "logged-models", {"experiment_id": "0"}).json["model"]["info"]["model_id"]
    put(server, f"0/models/{model_id}/artifacts/page.html", b"<p>")
    post(server.port, "registered-models/create", {"name": "shown"})
    post(server.port, "model-versions/create", {"name": "shown", "source": f"models:/{model_id}"})
    for address in (
        f"/get-artifact?run_id={run_id}&path=page.html",
        "/model-versions/get-artifact?name=shown&version=1&path=page.html",
        f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files?artifact_file_path=page.html",
    ):
        answer = send(server.port, "GET", f"{address}&inline=true")
        assert answer.body == b"<p>"
        assert answer.headers["content-disposition"] == 'inline; filename="page.html"'


def list_version(server: ServerProcess, **query: str) -> Answer:
    return send(server.port, "GET", f"/api/1.0/runyard/model-versions/artifacts?{urlencode(query)}")


def test_a_versions_artifacts_are_listed_wherever_its_source_is(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    put(server, f"0/{run_id}/artifacts/model/data/weights.bin", b"123")
    model_id = post(server.port, "logged-models", {"experiment_id": "0"}).json["model"]["info"]["model_id"]
    put(server, f"0/models/{model_id}/artifacts/data/weights.bin", b"123")
    post(server.port, "registered-models/create", {"name": "listed"})
    sources = {
        f"runs:/{run_id}/model": f"mlflow-artifacts:/0/{run_id}/artifacts/model",
        f"models:/{model_id}": f"mlflow-artifacts:/0/models/{model_id}/artifacts",
        f"mlflow-artifacts:/0/{run_id}/artifacts/model": f"mlflow-artifacts:/0/{run_id}/artifacts/model",
    }
    for number, (source, root) in enumerate(sources.items(), start=1):
        assert post(server.port, "model-versions/create", {"name": "listed", "source": source}).status == 200
        answer = list_version(server, name="listed", version=str(number))
        assert answer.json == {"root_uri": root, "files": [{"path": "data", "is_dir": True}]}
        answer = list_version(server, name="listed", version=str(number), path="data")
        assert answer.json["files"] == [{"path": "data/weights.bin", "is_dir": False, "file_size": 3}]
    assert list_version(server, name="listed", version="9").status == 404
    assert list_version(server, name="listed", version="1", path="../x").status == 400


def test_a_versions_artifacts_in_a_place_unknown_to_the_server_are_refused_by_its_name(server: ServerProcess) -> None:
    post(server.port, "registered-models/create", {"name": "far"})
    post(server.port, "model-versions/create", {"name": "far", "source": "dbfs:/far/away"})
    answer = list_version(server, name="far", version="1")
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "dbfs:/far/away" in answer.json["message"]
