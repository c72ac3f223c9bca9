"""The settings, which a browser keeps, and what the page tells of the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import START_MS, make_run
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def theme_of(page: Page) -> str | None:
    return page.locator("html").get_attribute("data-theme")


def test_the_theme_is_chosen_and_kept(open_page: OpenPage) -> None:
    page = open_page("/#/settings", dark=True)
    expect(page.get_by_role("radio", name="As the system")).to_be_checked()
    assert theme_of(page) == "dark"
    page.get_by_role("radio", name="Light").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.get_by_role("radio", name="Light")).to_be_checked()
    assert theme_of(page) == "light"
    page.get_by_role("radio", name="As the system").check()
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_language_is_chosen_and_kept(open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    page.get_by_label("Language").select_option("Español")
    expect(page.get_by_role("heading", name="Ajustes")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.reload()
    expect(page.get_by_role("heading", name="Ajustes")).to_be_visible()
    expect(page.get_by_role("link", name="Experimentos")).to_be_visible()
    page.get_by_label("Idioma").select_option("English")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_times_are_shown_in_the_time_zone_that_is_chosen_and_kept(server: ServerProcess, open_page: OpenPage) -> None:
    run_id = make_run(server.port, "0", "timed", start_ms=START_MS)
    page = open_page("/#/settings")
    zones = page.get_by_role("group", name="Time zone")
    expect(zones.get_by_role("radio", name="Of this browser")).to_be_checked()
    zones.get_by_role("radio", name="Another").check()
    name = page.get_by_label("Name of the time zone")
    expect(name).to_be_focused()
    name.fill("Middle/Earth")
    expect(zones).to_contain_text("No time zone has this name.")
    name.fill("asia/tokyo")
    page.goto(f"{server.url}/#/experiments/0/runs/{run_id}")
    # Nine hours ahead.
    expect(page.get_by_text("2026-09-21 23:13:20")).to_be_visible()
    page.goto(f"{server.url}/#/settings")
    page.reload()
    expect(name).to_have_value("Asia/Tokyo")
    zones.get_by_role("radio", name="UTC", exact=True).check()
    expect(name).to_have_value("")
    page.goto(f"{server.url}/#/experiments/0/runs/{run_id}")
    expect(page.get_by_text("2026-09-21 14:13:20")).to_be_visible()


def test_the_page_tells_how_the_server_is(server: ServerProcess, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    about = page.locator("section").filter(has=page.get_by_role("heading", name="About"))
    expect(about).to_contain_text("3.17.2")
    expect(about.get_by_text("Answers")).to_have_count(2)
    page.route("**/readyz", lambda route: route.fulfill(status=503, json={"ready": False, "database": "it is gone"}))
    about.get_by_role("button", name="Check again").click()
    expect(about).to_contain_text("it is gone")
    expect(about).to_contain_text("Not served by this server")
    expect(about.get_by_role("link", name="OpenAPI document")).to_have_attribute("href", f"{server.url}/openapi.json")
    about.get_by_role("link", name="Operations of the API").click()
    expect(page.locator(".operation").first).to_be_visible()


def test_the_shortcuts_are_shown_anywhere_but_where_text_is_typed(open_page: OpenPage) -> None:
    page = open_page("/#/models")
    page.get_by_role("searchbox").fill("what")
    page.keyboard.press("?")
    expect(page.get_by_role("searchbox")).to_have_value("what?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("searchbox").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_settings_can_be_read_by_everyone(open_page: OpenPage, dark: bool, width: int) -> None:
    page = open_page("/#/settings", width=width, dark=dark)
    expect(page.get_by_text("Answers")).to_have_count(2)
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
