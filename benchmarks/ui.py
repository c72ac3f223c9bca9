"""How fast the UI is: `python -m benchmarks.ui` opens experiments in Chromium and measures what a reader waits for.

Of very many runs, which are seeded through the store: from the address to the first rows, from a click to the rows it
asked for, and how long a frame takes while the table is scrolled both ways. Of as many as upstream can be given in a
minute, the same in both: from the address to the first rows, and what is sent for it.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.client import seed_runs
from benchmarks.results import RESULTS, measured_by, put
from benchmarks.seed import Shape, seed
from benchmarks.servers import KINDS, Kind, install, running
from tests.browser.conftest import ARGUMENTS
from tests.servers import ServerProcess, start_runyard

FRAMES = 180
SORTED = ("attributes.duration", "metrics.loss")
# As long as a hand rests on what it is going to press.
POINTED_MS = 300
TIMEOUT_S = 15
PEER_TIMEOUT_MS = 120_000
WIDTH, HEIGHT = 1440, 900
VIEWPORT: Final[ViewportSize] = {"width": WIDTH, "height": HEIGHT}
# The names of runs, and how many of them are the first rows.
ROWS = {"runyard": ".runs-grid-line.body a[href*='/runs/']", "upstream": "a[href*='/runs/']"}
ROUTES = {"runyard": "", "upstream": "/runs"}
FIRST_ROWS = 10
SCROLL = """
async ([down, right, frames]) => {
  const grid = document.querySelector(".runs-grid");
  const times = [];
  let last = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    grid.scrollBy(right, down);
    await new Promise((done) => requestAnimationFrame(done));
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}
"""


@click.command(help=__doc__)
@click.option("--runs", default=100_000, show_default=True, help="Runs in the experiment.")
@click.option(
    "--columns", default=1000, show_default=True, help="Different metrics, params and tags, all of them shown."
)
@click.option("--repeats", default=5, show_default=True, help="How often each thing is done; the median counts.")
@click.option("--database", help="A database that was seeded before; by default one is made and removed.")
@click.option("--peer-runs", default=500, show_default=True, help="Runs in the experiment that upstream is given too.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, help="Where the results go.")
def main(runs: int, columns: int, repeats: int, database: str | None, peer_runs: int, output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        uri = database or f"sqlite:///{folder}/seeded.db"
        experiment_id = seed(uri, Shape(runs=runs, columns=columns))
        server = start_runyard(uri, Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        try:
            found = measure(browser, server, experiment_id, repeats)
        finally:
            server.stop()
        opened = {name: _open_peer(browser, KINDS[name], peer_runs, repeats) for name in ("runyard", "upstream")}
        browser.close()
    rows = [f"| {name} | {value} |" for name, value in found.items()]
    text = [
        measured_by("python -m benchmarks.ui"),
        f"Headless Chromium without a GPU, {WIDTH} by {HEIGHT}, on the server's own two cores; medians of {repeats}.",
        "\n".join([f"| {runs:,} runs with {columns:,} different columns | |", "|---|---|", *rows]),
        f"{peer_runs} runs of 20 metrics and 20 params, opened in both ({', '.join(KINDS['upstream'].packages)}):",
        _comparison(opened),
    ]
    put("The UI", "\n\n".join(text), output)
    click.echo("\n\n".join(text))


def _comparison(opened: dict[str, tuple[float, float]]) -> str:
    (our_ms, our_kb), (their_ms, their_kb) = opened["runyard"], opened["upstream"]
    return "\n".join(
        [
            "| | runyard | upstream | times upstream |",
            "|---|---|---|---|",
            f"| page opened to first rows, no cache (ms) | {our_ms:,.0f} | {their_ms:,.0f} | {their_ms / our_ms:.1f} |",
            f"| sent until then, all of it (kB) | {our_kb:,.0f} | {their_kb:,.0f} | {their_kb / our_kb:.1f} |",
        ]
    )


def _open_peer(browser: Browser, kind: Kind, runs: int, repeats: int) -> tuple[float, float]:
    """Return the milliseconds from the address to the first rows, and the kilobytes sent until the page is at rest."""
    install(kind)
    with tempfile.TemporaryDirectory() as folder, running(kind, f"sqlite:///{folder}/tracking.db") as server:
        experiment_id = seed_runs(server.port, runs)
        server.settle()
        address = f"http://127.0.0.1:{server.port}/#/experiments/{experiment_id}{ROUTES[kind.name]}"
        times = [_open(browser, address, ROWS[kind.name]) for _ in range(repeats)]
        page = browser.new_page(viewport=VIEWPORT)
        sent = _count_bytes(page, lambda _url: True)
        page.goto(address)
        page.locator(ROWS[kind.name]).nth(FIRST_ROWS).wait_for(timeout=PEER_TIMEOUT_MS)
        page.wait_for_timeout(2000)
        page.close()
    return statistics.median(times), sum(sent) / 1000


def measure(browser: Browser, server: ServerProcess, experiment_id: str, repeats: int) -> dict[str, str]:
    address = f"{server.url}/#/experiments/{experiment_id}"
    found: dict[str, str] = {}
    cold = [_open(browser, address, ROWS["runyard"]) for _ in range(repeats)]
    found["page opened to first rows, empty cache"] = f"{statistics.median(cold):.0f} ms"
    page = browser.new_page(viewport=VIEWPORT)
    sent = _count_bytes(page, lambda url: "/api/" not in url)
    page.goto(address)
    _wait_for_rows(page)
    page.wait_for_load_state("networkidle")
    found["sent for the page, scripts and styles"] = f"{sum(sent) / 1000:.0f} kB"
    page.close()
    for column in SORTED:
        for how, pointed_ms in (("at once", 0), ("once it was pointed at", POINTED_MS)):
            times = [_sort(browser, address, column, pointed_ms) for _ in range(repeats)]
            found[f"from a click {how} to the rows sorted by {column}"] = f"{statistics.median(times):.0f} ms"

    names = _columns(server, experiment_id)
    page = browser.new_page(viewport=VIEWPORT)
    page.goto(f"{address}?columns={quote(json.dumps(names))}")
    _wait_for_rows(page)
    page.wait_for_timeout(2000)
    for what, down, right in (("down", 40, 0), ("right", 0, 40), ("both ways, three rows a frame", 96, 24)):
        times = sorted(page.evaluate(SCROLL, [down, right, FRAMES]))
        found[f"a frame, {len(names)} columns, scrolling {what}"] = (
            f"{statistics.median(times):.1f} ms, 95 % under {times[int(FRAMES * 0.95)]:.1f} ms"
        )
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    cells = page.locator(".runs-grid-cell").count()
    found["memory of the page afterwards"] = f"{heap / 1e6:.0f} MB, {cells} cells drawn"
    page.close()
    return found


def _open(browser: Browser, address: str, rows: str) -> float:
    page = browser.new_context(viewport=VIEWPORT).new_page()
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(rows).nth(FIRST_ROWS).wait_for(timeout=PEER_TIMEOUT_MS)
    elapsed = (time.perf_counter() - start) * 1e3
    page.context.close()
    return elapsed


def _wait_for_rows(page: Page) -> None:
    """Wait until the rows in view have their names: not only that there are rows."""
    page.locator(ROWS["runyard"]).nth(FIRST_ROWS).wait_for()


def _time(page: Page, act: Any) -> float:
    """Return the milliseconds from an act to other rows."""
    first = "document.querySelector('.runs-grid-line.body')?.id"
    before = page.evaluate(first)
    start = time.perf_counter()
    act()
    # The page's policy forbids the evaluation by which a browser would tell of it by itself.
    while page.evaluate(first) == before:
        if time.perf_counter() - start > TIMEOUT_S:
            raise TimeoutError(f"the table showed the same first row for {TIMEOUT_S} s")
        time.sleep(0.005)
    _wait_for_rows(page)
    return (time.perf_counter() - start) * 1e3


def _sort(browser: Browser, address: str, column: str, pointed_ms: int) -> float:
    """Return the milliseconds from a click on a column's head to other rows, in a page that has not sorted yet."""
    page = browser.new_context(viewport=VIEWPORT).new_page()
    page.goto(f"{address}?columns={quote(json.dumps(['attributes.run_name', *SORTED]))}")
    _wait_for_rows(page)
    # What the page reads behind the first rows is over.
    page.wait_for_timeout(2000)
    head = page.locator(f".runs-grid-sort[title='{column}']")
    if pointed_ms:
        head.hover()
        page.wait_for_timeout(pointed_ms)
    elapsed = _time(page, head.click)
    page.context.close()
    return elapsed


def _count_bytes(page: Page, is_counted: Callable[[str], bool]) -> list[int]:
    sent: list[int] = []

    def on_finished(request: Any) -> None:
        if is_counted(request.url):
            sizes = request.sizes()
            sent.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    page.on("requestfinished", on_finished)
    return sent


def _columns(server: ServerProcess, experiment_id: str) -> list[str]:
    from tests.server.http import send

    body = json.dumps({"experiment_ids": [experiment_id]}).encode()
    names = send(server.port, "POST", "/api/1.0/runyard/runs/columns", body, {"Content-Type": "application/json"}).json
    return [
        "attributes.run_name",
        *(f"{kind}.{name}" for kind in ("params", "tags", "metrics") for name in names[kind]),
    ]


if __name__ == "__main__":
    sys.exit(main())
