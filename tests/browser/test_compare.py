"""Runs side by side, as people compare them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import START_MS, World, make_world, png, upload
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=6, steps=3)


def address(run_ids: list[str], rest: str = "") -> str:
    return f"/#/compare-runs?runs={quote(json.dumps(run_ids))}{rest}"


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("table").get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def test_values_stand_side_by_side_and_what_differs_is_marked(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids[:3]))
    expect(page.get_by_role("heading", name="Compare 3 runs")).to_be_visible()
    strip = page.get_by_role("list", name="Runs that are compared")
    expect(strip.get_by_role("link", name="train-sgd-01")).to_be_visible()
    expect(strip.get_by_role("listitem").nth(1)).to_contain_text("Running")
    expect(row(page, "optimizer").get_by_role("cell")).to_have_text(
        [r"≠differs: adam", r"≠differs: sgd", "≠differs: rmsprop"]
    )
    expect(row(page, "Status").get_by_role("cell").nth(1)).to_contain_text("differs: Running")
    expect(row(page, "Status").get_by_role("cell").nth(0)).to_have_text("Finished")
    expect(row(page, "Experiment").get_by_role("cell").nth(0)).to_have_text("churn-prediction")
    commit = row(page, "Git commit").get_by_role("link").nth(2)
    expect(commit).to_have_attribute("href", f"https://github.com/example/churn/commit/{2:040x}")
    expect(row(page, "usage (training)").get_by_role("cell").nth(0)).to_contain_text("d0a1b2c3")


def test_only_differences_and_a_search_leave_rows_out(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids[:2]))
    expect(row(page, "Git repository")).to_be_visible()
    page.get_by_role("switch", name="Only differences").check()
    expect(row(page, "Git repository")).to_have_count(0)
    expect(row(page, "depth")).to_be_visible()
    expect(page).to_have_url(re.compile("differences=true"))
    page.get_by_role("searchbox", name="Find a row").fill("learning")
    expect(row(page, "depth")).to_have_count(0)
    expect(page.get_by_role("rowheader", name="Hide Params")).to_contain_text("No row has this name")


def test_a_baseline_shows_how_far_the_others_are_from_it(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids[:2]))
    accuracy = row(page, "val/accuracy the highest is best").get_by_role("cell")
    expect(accuracy).to_have_count(2)
    values = [float(cell.inner_text().split()[-1]) for cell in accuracy.all()]
    best = values.index(max(values))
    expect(accuracy.nth(best)).to_contain_text("best:")
    page.get_by_label("Baseline").select_option(label="train-adam-00")
    share = (values[1] - values[0]) / values[0] * 100
    expect(accuracy.nth(1)).to_contain_text("+" if share > 0 else "\u2212")
    expect(accuracy.nth(1)).to_contain_text(f"{abs(share):.0f}"[:2])
    expect(row(page, "optimizer").get_by_role("cell").nth(0)).to_have_text("adam")
    page.get_by_label("Best is").select_option("min")
    expect(row(page, "val/accuracy the lowest is best").get_by_role("cell").nth(1 - best)).to_contain_text("best:")


def test_metrics_are_shown_by_their_least_values_when_asked(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids[:2]))
    cell = row(page, "val/accuracy the highest is best").get_by_role("cell").first
    last = cell.inner_text()
    page.get_by_label("Metric values").select_option("min")
    # At step 0 it was 0.
    expect(cell).to_have_text("0")
    assert last != "0"


def test_runs_are_added_by_search_and_removed_and_unknown_ones_are_named(world: World, open_page: OpenPage) -> None:
    gone = "f" * 32
    page = open_page(address([world.run_ids[0], gone]))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"This run was not found: {gone}")
    expect(page.get_by_role("columnheader", name="train-adam-00")).to_be_visible()
    alert.get_by_role("button", name="Remove it").click()
    expect(alert).to_have_count(0)
    page.get_by_role("button", name="Add a run").click()
    page.get_by_label("Part of a run's name").fill("sgd-04")
    page.get_by_role("button", name="Add train-sgd-04").click()
    expect(page.get_by_role("dialog").get_by_text("Compared")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="train-sgd-04")).to_be_visible()
    page.get_by_role("button", name="Remove train-adam-00").click()
    expect(page.get_by_role("columnheader", name="train-adam-00")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("columnheader")).to_have_text(["train-adam-00", "train-sgd-04"])


def test_a_comparison_is_exported_as_csv_and_markdown(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids[:2], "&find=optimizer"))
    expect(row(page, "optimizer")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="Download as CSV").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert text.splitlines() == ["group,name,train-adam-00,train-sgd-01", "params,optimizer,adam,sgd"]
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Copy as Markdown").click()
    expect(page.get_by_text("The table is copied as Markdown.")).to_be_visible()
    assert "| optimizer | adam | sgd |" in page.evaluate("navigator.clipboard.readText()")


def test_images_of_all_runs_follow_one_step(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    for step in (0, 15):
        path = f"images/sample%step%{step}%timestamp%{START_MS + step}%{step:08d}-cccc-dddd.png"
        upload(server.port, world.experiment_id, world.run_ids[1], path, png(40, 30, (90, 30, 30)))
    page = open_page(address(world.run_ids[:3], "&tab=images"))
    page.get_by_role("combobox", name="Images").select_option("sample")
    slider = page.get_by_role("slider", name="Step")
    images = page.get_by_role("figure")
    expect(images).to_have_count(3)
    expect(slider).to_have_attribute("aria-valuetext", "20")
    expect(images.nth(0).get_by_role("img")).to_have_attribute("alt", "sample of train-adam-00, step 20")
    expect(images.nth(1)).to_contain_text("step 15, the last before")
    expect(images.nth(2)).to_contain_text("No image up to this step")
    page.get_by_role("button", name="Previous step").click()
    expect(images.nth(0)).to_contain_text("step 10, the last before")
    expect(images.nth(1).get_by_role("img")).to_have_attribute("alt", "sample of train-sgd-01, step 15")
    assert images.nth(1).get_by_role("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    expect(page).to_have_url(re.compile("step=15"))


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wrong_for_those_who_use_assistive_tools(world: World, open_page: OpenPage, dark: bool) -> None:
    for tab in ("values", "images"):
        page = open_page(address(world.run_ids, f"&tab={tab}"), dark=dark)
        expect(page.get_by_role("figure" if tab == "images" else "table").first).to_be_visible()
        assert complaints_of_axe(page) == []


def test_many_runs_scroll_beside_their_names_on_a_phone(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world.run_ids), width=390)
    header = page.get_by_role("rowheader", name="optimizer", exact=True)
    expect(header).to_be_visible()
    left = header.bounding_box()
    row(page, "optimizer").get_by_role("cell").last.scroll_into_view_if_needed()
    after = header.bounding_box()
    assert left is not None
    assert after is not None
    assert left["x"] == after["x"]
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
