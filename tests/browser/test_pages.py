"""The API's page, as people see it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.http import send
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_and_follows_the_readers_colours(open_page: OpenPage, dark: bool, width: int) -> None:
    page = open_page("/docs", width=width, dark=dark)
    expect(page.locator("main h2").first).to_be_visible()
    assert has_no_sideways_scroll(page)
    lightness = sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]))
    assert lightness < 200 if dark else lightness > 600


def test_the_api_is_searched_and_opened_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/docs")
    expect(page.locator("#count")).to_contain_text("operations")
    page.keyboard.press("/")
    page.keyboard.type("log batch")
    expect(page.locator("#count")).to_contain_text("1 of")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    opened = page.locator("#log_batch")
    expect(opened.get_by_text("Ask it")).to_be_visible()
    expect(opened.locator(".field", has_text="run_id").first).to_be_visible()
    expect(opened.locator("pre")).to_contain_text("curl")


def test_every_operation_of_the_document_is_on_the_api_page(server: ServerProcess, open_page: OpenPage) -> None:
    document = send(server.port, "GET", "/openapi.json").json
    names = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}
    page = open_page("/docs")
    expect(page.locator(".operation").first).to_be_visible()
    assert {element.get_attribute("id") for element in page.locator(".operation").all()} == names
