"""A real browser, looking at a real server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright

from tests.servers import ServerProcess

# What a browser on a machine of its own would say to its maker, and what a root user in a container cannot have.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A machine that runs other tests beside these is slow now and then; what is right is right later, too.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; without one the test fails.

    Not for longer than a module: meanwhile an event loop runs in this thread, and other tests run loops of their own.
    """
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("there is no chromium: `make environments` installs it", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(running_server: Callable[..., ServerProcess]) -> ServerProcess:
    return running_server()


@pytest.fixture
def open_page(browser: Browser, server: ServerProcess) -> Iterator[Callable[..., Page]]:
    """A function that opens a path of the server; whatever a page complains of or asks of others fails the test."""
    complaints: list[str] = []
    pages: list[Page] = []

    def on_console(message: ConsoleMessage) -> None:
        # That an answer was 4xx the browser says by itself; what the page makes of it is what a test looks at.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            complaints.append(f"console: {message.text}")

    def on_error(error: Error) -> None:
        complaints.append(f"error: {error}")

    def on_request(request: Request) -> None:
        # The last two are the browser's own viewer of PDF files.
        if not request.url.startswith((server.url, "data:", f"blob:{server.url}", "chrome-extension:", "chrome:")):
            complaints.append(f"asked of another: {request.url}")

    def open_path(path: str, *, width: int = 1280, dark: bool = False) -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        pages.append(page)
        page.set_default_timeout(20_000)
        page.on("console", on_console)
        page.on("pageerror", on_error)
        page.on("request", on_request)
        page.goto(server.url + path)
        return page

    yield open_path
    for page in pages:
        page.close()
    assert complaints == []
