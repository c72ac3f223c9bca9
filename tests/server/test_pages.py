"""The pages as the server sends them: the built UI, its files, and what browsers are told about them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest

from tests.server.http import send
from tests.servers import ServerProcess


@pytest.fixture
def server(running_server: Callable[..., ServerProcess]) -> ServerProcess:
    return running_server()


def assets_of(page: bytes) -> list[str]:
    return re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.decode())


def test_the_page_names_assets_that_are_there_kept_for_ever_and_compressed(server: ServerProcess) -> None:
    page = send(server.port, "GET", "/")
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assets = assets_of(page.body)
    assert {name.rpartition(".")[2] for name in assets} == {"js", "css", "svg"}
    for name in assets:
        plain = send(server.port, "GET", f"/{name}")
        packed = send(server.port, "GET", f"/{name}", headers={"Accept-Encoding": "gzip"})
        assert plain.status == packed.status == 200
        assert "immutable" in plain.headers["cache-control"]
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body


def test_a_page_that_a_browser_has_is_not_sent_again(server: ServerProcess) -> None:
    etag = send(server.port, "GET", "/").headers["etag"]
    again = send(server.port, "GET", "/", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


def test_the_first_load_is_under_400_kilobytes(server: ServerProcess) -> None:
    page = send(server.port, "GET", "/")
    packed = [
        send(server.port, "GET", f"/{name}", headers={"Accept-Encoding": "gzip"}) for name in assets_of(page.body)
    ]
    assert sum(len(answer.body) for answer in packed) < 400_000


def test_pages_may_load_scripts_styles_and_data_from_the_server_alone(server: ServerProcess) -> None:
    policy = send(server.port, "GET", "/").headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    sources = {source for rule in rules.values() for source in rule.split()}
    assert sources <= {"'none'", "'self'", "data:", "blob:"}


@pytest.mark.parametrize("path", ["/assets/nothing.js", "/assets/..%2findex.html", "/static/../ui/index.html"])
def test_what_is_no_file_of_the_pages_is_not_found(server: ServerProcess, path: str) -> None:
    answer = send(server.port, "GET", path)
    assert answer.status == 404
    assert answer.json["error_code"] == "ENDPOINT_NOT_FOUND"


def test_behind_a_prefix_the_page_is_found_with_and_without_its_slash(
    running_server: Callable[..., ServerProcess],
) -> None:
    server = running_server(None, "--static-prefix", "/mlflow")
    bare = send(server.port, "GET", "/mlflow")
    assert (bare.status, bare.headers["location"]) == (308, "/mlflow/")
    page = send(server.port, "GET", "/mlflow/")
    assert page.status == 200
    assert all(send(server.port, "GET", f"/mlflow/{name}").status == 200 for name in assets_of(page.body))
