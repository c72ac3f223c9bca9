"""How fast artifacts move: `python -m benchmarks.artifacts` sends a large file and fetches it, and watches the memory.

Through the server to a folder, beside upstream's server in the same run, and to S3 and Azure. Those are emulators on
the same cores and disk, so their own speed bounds them: a row says how fast each moves the file with nothing before it.
Straight to a store goes the client of this project, from a file to a file, with its digests.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import urllib3

from benchmarks.results import RESULTS, measured_by, put
from benchmarks.servers import KINDS, install, running
from runyard.client.http import HttpTransport
from runyard.settings import ClientSettings
from tests.object_stores import Azurite, ObjectStoreServer, SeaweedFS
from tests.servers import start_runyard

PROXY: Final = "/api/2.0/mlflow-artifacts/artifacts/1/large.bin"
MIB: Final = 1024 * 1024
TIMEOUT_S: Final = 300


@dataclass(frozen=True)
class Content:
    """A file that is ``block``, of a MiB, ``count`` times."""

    block: bytes
    count: int

    @property
    def size_bytes(self) -> int:
        return self.count * MIB

    def blocks(self) -> Iterator[bytes]:
        return (self.block for _ in range(self.count))

    def check(self, answer: http.client.HTTPResponse | urllib3.BaseHTTPResponse) -> None:
        """Read an answer to its end and require that it is this."""
        size, last = 0, b""
        while piece := answer.read(MIB):
            size += len(piece)
            last = piece
        if answer.status != 200 or size != self.size_bytes or self.block[-len(last) :] != last:
            raise SystemExit(f"{size} bytes came back with status {answer.status}; {self.size_bytes} were sent")


@dataclass(frozen=True)
class Row:
    sent_mb_s: float
    fetched_mb_s: float
    # None where no server of ours or a peer's is in it.
    added_mb: float | None


@click.command(help=__doc__)
@click.option("--size", default=256, show_default=True, help="MiB of the file.")
@click.option("--repeats", default=3, show_default=True, help="How often it is moved each way; the median counts.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, help="Where the results go.")
def main(size: int, repeats: int, output: Path) -> None:
    content = Content(os.urandom(MIB), size)
    rows: dict[str, Row] = {}
    for name in ("runyard", "upstream"):
        install(KINDS[name])
        with tempfile.TemporaryDirectory() as folder, running(KINDS[name], f"sqlite:///{folder}/db") as server:
            server.settle()
            rows[f"{name}, a folder"] = _through(server.port, content, server.pids, repeats)
    for title, kind in (("S3", SeaweedFS), ("Azure", Azurite)):
        rows.update(_on_store(title, kind, content, repeats))
    ours, theirs = rows["runyard, a folder"], rows["upstream, a folder"]
    how = (
        f"A file of {size} MiB, the client on the server's own cores; medians of {repeats}. Memory: by how much the "
        "peaks of the server's processes grew (VmHWM). S3 is SeaweedFS, Azure is Azurite."
    )
    ratios = (
        f"To a folder, {ours.sent_mb_s / theirs.sent_mb_s:.1f} times upstream's speed, and from it "
        f"{ours.fetched_mb_s / theirs.fetched_mb_s:.1f} times ({', '.join(KINDS['upstream'].packages)})."
    )
    text = [measured_by("python -m benchmarks.artifacts"), how, _table(rows), ratios]
    put("Artifacts", "\n\n".join(text), output)
    click.echo("\n\n".join(text))


def _on_store(title: str, kind: Callable[[], ObjectStoreServer], content: Content, repeats: int) -> dict[str, Row]:
    store = kind()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            options = ("--artifacts-destination", store.new_root())
            server = start_runyard(f"sqlite:///{folder}/db", folder, *options, environment=store.environment)
            try:
                return {
                    f"runyard, {title}": _through(server.port, content, server.pids, repeats),
                    f"runyard's client straight to {title}": _straight(
                        server.url, content, folder, server.pids, repeats
                    ),
                    f"{title} by itself": _bare(store, content, repeats),
                }
            finally:
                server.stop()
    finally:
        store.stop()


def _through(port: int, content: Content, pids: Callable[[], list[int]], repeats: int) -> Row:
    """As any client does it, through a server."""

    def send() -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
            connection.request("PUT", PROXY, content.blocks(), {"Content-Length": str(content.size_bytes)})
            answer = connection.getresponse()
            if answer.status != 200:
                raise SystemExit(f"the upload was refused: {answer.status} {answer.read()!r}")

    def fetch() -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
            connection.request("GET", PROXY)
            content.check(connection.getresponse())

    return _measured(send, fetch, content, pids, repeats)


def _straight(url: str, content: Content, folder: Path, pids: Callable[[], list[int]], repeats: int) -> Row:
    source, back = folder / "source", folder / "back"
    with source.open("wb") as file:
        file.writelines(content.blocks())
    transport = HttpTransport(url, ClientSettings())
    artifacts = transport.open_proxied("1")
    try:
        return _measured(
            lambda: artifacts.upload(source, "straight.bin", lambda _: None),
            lambda: artifacts.download("straight.bin", back, lambda _: None),
            content,
            pids,
            repeats,
        )
    finally:
        transport.close()


def _bare(store: ObjectStoreServer, content: Content, repeats: int) -> Row:
    whole = b"".join(content.blocks())
    put_url, get_url = store.sign("bare.bin")
    pool = urllib3.PoolManager()

    def send() -> None:
        answer = pool.request("PUT", put_url, body=whole, headers={"x-ms-blob-type": "BlockBlob"})
        if answer.status >= 300:
            raise SystemExit(f"the store refused the file: {answer.status} {answer.data[:500]!r}")

    def fetch() -> None:
        with pool.request("GET", get_url, preload_content=False) as answer:
            content.check(answer)

    return _measured(send, fetch, content, None, repeats)


def _measured(
    send: Callable[[], None],
    fetch: Callable[[], None],
    content: Content,
    pids: Callable[[], list[int]] | None,
    repeats: int,
) -> Row:
    before = _peak_mb(pids()) if pids is not None else 0
    speeds = []
    for move in (send, fetch):
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            move()
            times.append(time.perf_counter() - started)
        speeds.append(content.size_bytes / 1e6 / statistics.median(times))
    return Row(speeds[0], speeds[1], _peak_mb(pids()) - before if pids is not None else None)


def _peak_mb(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            total += int(status.partition("VmHWM:")[2].split()[0])
    return total / 1000


def _table(rows: dict[str, Row]) -> str:
    lines = ["| | sent, MB/s | fetched, MB/s | memory added, MB |", "|---|---|---|---|"]
    for name, row in rows.items():
        added = "" if row.added_mb is None else f"{row.added_mb:,.0f}"
        lines.append(f"| {name} | {row.sent_mb_s:,.0f} | {row.fetched_mb_s:,.0f} | {added} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
