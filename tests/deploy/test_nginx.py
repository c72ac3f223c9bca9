"""The configuration for nginx, in a real nginx in front of a real server; what logs in is a stand-in."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.nginx import Nginx
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment

FOLDER = Path(__file__).parent.parent.parent / "deploy/nginx"
NAME = "mlflow.example.com"
TIMEOUT_S = 60

Start = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tls.crt and tls.key of the name and of this machine."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"),
            *("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")),
        ],
        check=True,
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    return folder


class Site:
    """nginx with our file, its ports and folders those of the test."""

    def __init__(self, server_port: int, tls: Path, *changes: tuple[str, str]) -> None:
        self.http_port, port = free_port(), free_port()
        text = (FOLDER / "mlflow.conf").read_text()
        for written, here in (
            ("server 127.0.0.1:5000;", f"server 127.0.0.1:{server_port};"),
            ("listen 80;", f"listen 127.0.0.1:{self.http_port};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
            ("/etc/nginx/tls/", f"{tls}/"),
            *changes,
        ):
            assert written in text
            text = text.replace(written, here)
        self.nginx = Nginx(site=text, port=port)
        self.url = f"https://127.0.0.1:{port}"
        self.certificate = str(tls / "tls.crt")
        trusted = ssl.create_default_context(cafile=self.certificate)
        self.client = httpx.Client(verify=trusted, base_url=self.url, timeout=30, trust_env=False)

    def stop(self) -> None:
        self.client.close()
        self.nginx.stop()


@pytest.fixture
def site(running_server: Start, tls: Path) -> Iterator[Callable[..., tuple[Site, ServerProcess]]]:
    """A function that starts a server with options, and nginx in front of it with changes of its file."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, changes: tuple[tuple[str, str], ...] = ()) -> tuple[Site, ServerProcess]:
            server = running_server(None, *options)
            started = Site(server.port, tls, *changes)
            stack.callback(started.stop)
            return started, server

        yield start


def test_tls_ends_at_nginx_and_plain_http_is_sent_there(site: Callable[..., tuple[Site, ServerProcess]]) -> None:
    front, server = site("--allowed-hosts", f"{NAME},127.0.0.1:*")
    assert front.client.get("/health").status_code == 200
    assert front.client.get("/", headers={"Host": NAME}).status_code == 200
    assert front.client.get("/", headers={"Host": "evil.example.com"}).status_code == 403
    # A POST stays one: the client of an http:// address is none the worse.
    plain = httpx.post(
        f"http://127.0.0.1:{front.http_port}/api/2.0/mlflow/experiments/create",
        json={"name": "x"},
        trust_env=False,
    )
    assert (plain.status_code, plain.headers["location"]) == (
        308,
        f"https://127.0.0.1:{front.http_port}/api/2.0/mlflow/experiments/create",
    )
    created = front.client.post("/api/2.0/mlflow/experiments/create", json={"name": "x"})
    assert created.json()["experiment_id"] == "1"
    # The page may call its own server: nginx hands on the Host that the browser named.
    origin = {"Origin": front.url}
    made = front.client.post("/ajax-api/2.0/mlflow/experiments/create", json={"name": "y"}, headers=origin)
    assert made.status_code == 200
    assert server.process.poll() is None


def test_the_doctor_finds_nothing_wrong_with_it(site: Callable[..., tuple[Site, ServerProcess]]) -> None:
    front, _ = site()
    examined = subprocess.run(
        [sys.executable, "-m", "runyard", "doctor", "--json", "--url", front.url],
        env=clean_environment({"RUNYARD_TRACKING_SERVER_CERT_PATH": front.certificate}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    found = {f"{each['area']} {each['check']}": each["verdict"] for each in json.loads(examined.stdout)}
    assert set(found.values()) <= {"ok", "warning"}, found
    assert examined.returncode == 0


def test_below_a_path_page_and_api_are_found(site: Callable[..., tuple[Site, ServerProcess]]) -> None:
    front, _ = site("--static-prefix", "/mlflow", changes=(("location / {", "location /mlflow/ {"),))
    page = front.client.get("/mlflow/")
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page.text)
    assert assets
    for asset in assets:
        assert front.client.get(str(page.url.join(asset))).status_code == 200, asset
    for path in ("/mlflow/health", "/mlflow/metrics", "/mlflow/openapi.json"):
        assert front.client.get(path).status_code == 200, path
    found = front.client.post("/mlflow/api/2.0/mlflow/experiments/search", json={"max_results": 5})
    assert [each["name"] for each in found.json()["experiments"]] == ["Default"]
    assert front.client.get("/health").status_code == 404


@pytest.mark.slow
def test_a_large_file_goes_through_as_it_comes(site: Callable[..., tuple[Site, ServerProcess]], tmp_path: Path) -> None:
    front, _ = site()
    piece = bytes(range(256)) * 4096
    pieces = 64
    path = "/api/2.0/mlflow-artifacts/artifacts/0/large.bin"
    seen_before_the_end: list[int] = []

    def content() -> Iterator[bytes]:
        for n in range(pieces):
            if n == pieces - 1:
                # What was sent is with the server already, in its unfinished file, and not with nginx.
                deadline = time.monotonic() + TIMEOUT_S
                while time.monotonic() < deadline:
                    size = sum(each.stat().st_size for each in (tmp_path / "artifacts").rglob("*") if each.is_file())
                    if size > len(piece) * pieces // 2:
                        break
                    time.sleep(0.05)
                seen_before_the_end.append(size)
            yield piece

    assert front.client.put(path, content=content()).status_code == 200
    assert seen_before_the_end[0] > len(piece) * pieces // 2
    digest = hashlib.sha256()
    with front.client.stream("GET", path) as answer:
        for part in answer.iter_bytes():
            digest.update(part)
    assert digest.digest() == hashlib.sha256(piece * pieces).digest()


def test_a_body_that_is_no_file_has_the_servers_limit(site: Callable[..., tuple[Site, ServerProcess]]) -> None:
    front, _ = site("--max-body-bytes", "4096")
    refused = front.client.post("/api/2.0/mlflow/experiments/create", json={"name": "x" * 10_000})
    # The server's own answer, and not a page of nginx's.
    assert (refused.status_code, "max-body-bytes" in refused.text or "4096" in refused.text) == (413, True)


def test_a_client_is_told_from_others_by_the_address_that_nginx_adds(
    site: Callable[..., tuple[Site, ServerProcess]],
) -> None:
    front, _ = site("--rate-limit", "2", "--trusted-proxies", "127.0.0.0/8")

    def statuses(forwarded_for: str) -> set[int]:
        asked = [
            front.client.get("/api/2.0/mlflow/runs/get?run_id=x", headers={"X-Forwarded-For": forwarded_for})
            for _ in range(12)
        ]
        return {answer.status_code for answer in asked}

    assert 429 in statuses("203.0.113.7")
    assert (
        front.client.get("/api/2.0/mlflow/runs/get?run_id=x", headers={"X-Forwarded-For": "203.0.113.8"}).status_code
        != 429
    )


@contextlib.contextmanager
def login_stand_in() -> Iterator[int]:
    """Answer as oauth2-proxy does: 202 to who has its cookie or a bearer token, else 401; yield the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/oauth2/auth":
                is_known = "_oauth2_proxy=good" in self.headers.get("Cookie", "")
                is_program = self.headers.get("Authorization") == "Bearer good"
                self.send_response(202 if is_known or is_program else 401)
            else:
                self.send_response(302)
                self.send_header("Location", "https://login.example.com/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_with_a_log_in_nobody_gets_past_it(site: Callable[..., tuple[Site, ServerProcess]], tmp_path: Path) -> None:
    """oauth2-proxy is a stand-in here: this is about what nginx asks of it, and does with the answer."""
    with login_stand_in() as port:
        included = (FOLDER / "oauth2-proxy.conf").read_text()
        (tmp_path / "oauth2-proxy.conf").write_text(included.replace("127.0.0.1:4180", f"127.0.0.1:{port}"))
        # The two lines that the file says to add.
        lines = "\n".join(re.findall(r"^#   (.*;)$", included, re.MULTILINE))
        assert lines.count(";") == 2
        front, _ = site(
            changes=(
                ("client_max_body_size 0;", f"client_max_body_size 0; include {tmp_path}/oauth2-proxy.conf;"),
                ("location / {", f"location / {{\n{lines}"),
            )
        )
        create = "/api/2.0/mlflow/experiments/create"
        for method, path in (("GET", "/"), ("GET", "/metrics"), ("POST", create), ("GET", "/get-artifact?path=a")):
            refused = front.client.request(method, path)
            assert refused.status_code == 401, path
            assert refused.json()["error_code"] == "UNAUTHENTICATED"
        sent = front.client.get("/", headers={"Accept": "text/html,*/*"})
        assert (sent.status_code, sent.headers["location"].removeprefix(front.url)) == (302, "/oauth2/start?rd=/")
        assert front.client.get("/oauth2/start").headers["location"] == "https://login.example.com/"
        assert front.client.get("/oauth2/auth").status_code == 404
        assert front.client.get("/readyz").status_code == 200

        program = {"Authorization": "Bearer good"}
        assert front.client.post(create, json={"name": "x"}, headers=program).status_code == 200
        assert front.client.get("/", headers={"Cookie": "_oauth2_proxy=good"}).status_code == 200
        assert front.client.get("/", headers={"Cookie": "_oauth2_proxy=bad"}).status_code == 401
