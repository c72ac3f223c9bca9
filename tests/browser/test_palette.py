"""The command palette, as people use it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, make_world
from tests.server.http import post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=3, steps=2)


def open_palette(page: Page) -> Locator:
    """Return the field of the palette, where the focus is."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search experiments, runs and models")
    expect(field).to_be_focused()
    return field


def test_everything_is_found_by_a_part_of_its_name(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    field = open_palette(page)
    field.fill("CHURN")
    experiments = page.get_by_role("group", name="Experiments")
    expect(experiments.get_by_role("option", name="churn-prediction")).to_be_visible()
    expect(experiments.locator("mark")).to_have_text("churn")
    expect(page.get_by_role("group", name="Models").get_by_role("option", name="churn-model")).to_be_visible()
    field.fill("train sgd")
    expect(page.get_by_role("group", name="Experiments")).to_have_count(0)
    field.fill("train-sgd")
    run = page.get_by_role("group", name="Runs").get_by_role("option")
    expect(run).to_have_count(1)
    expect(run).to_contain_text("churn-prediction")
    # At once, whether the answer is there or not.
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="train-sgd-01")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_arrows_move_and_a_new_tab_is_a_key_away(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    field = open_palette(page)
    field.fill("train-")
    options = page.get_by_role("group", name="Runs").get_by_role("option")
    expect(options).to_have_count(3)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id") or "")
    with page.context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    expect(opened.value.get_by_role("heading", name="train-sgd-01")).to_be_visible()
    opened.value.close()
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)


def test_the_id_of_a_run_leads_straight_to_it_even_in_the_trash(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    post(server.port, "runs/delete", {"run_id": world.run_ids[2]})
    page = open_page("/#/settings")
    open_palette(page).fill(world.run_ids[2])
    expect(page.get_by_role("heading", name="train-rmsprop-02")).to_be_visible()
    open_palette(page).fill(world.run_ids[0][:9])
    expect(page.get_by_role("group", name="Runs").get_by_role("option", name="train-adam-00")).to_be_visible()
    open_palette(page).fill(f"http://elsewhere/#/experiments/9/runs/{world.run_ids[0]}")
    expect(page.get_by_role("heading", name="train-adam-00")).to_be_visible()


def test_what_was_opened_is_offered_again(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    open_palette(page).fill("image-quality-m")
    expect(page.get_by_role("option", name="image-quality-model")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="image-quality-model")).to_be_visible()
    page.goto(f"{server.url}/#/settings")
    page.reload()
    open_palette(page)
    expect(page.get_by_role("group", name="Recent").get_by_role("option", name="image-quality-model")).to_be_visible()


def test_actions_are_done_from_anywhere(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    field = open_palette(page)
    field.fill("go to tr")
    page.get_by_role("option", name="Go to Trash").click()
    expect(page).to_have_url(re.compile("#/trash$"))
    open_palette(page).fill("dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    open_palette(page).fill("new exp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="New experiment")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("made from the palette")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#/experiments/\d+$"))


def test_nothing_found_is_said(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/settings")
    open_palette(page).fill("no such thing anywhere")
    expect(page.get_by_text("Nothing found.")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_palette_can_be_used_by_everyone(world: World, open_page: OpenPage, dark: bool, width: int) -> None:
    page = open_page("/#/experiments", width=width, dark=dark)
    open_palette(page).fill("churn")
    expect(page.get_by_role("option", name="churn-model")).to_be_visible()
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
