"""Plots of runs by their params and metrics, as the compare page shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, make_world
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

ACCURACY = "metrics.val/accuracy"
PLOTS: list[dict[str, Any]] = [
    {"id": "p1", "kind": "bar", "y": ACCURACY},
    {"id": "p2", "kind": "scatter", "x": "params.lr", "y": ACCURACY, "color": "params.optimizer"},
    {"id": "p3", "kind": "contour", "x": "params.lr", "y": "params.depth", "z": ACCURACY},
    {"id": "p4", "kind": "box", "y": ACCURACY, "by": "params.optimizer"},
    {"id": "p5", "kind": "parallel", "axes": ["params.lr", "params.optimizer", ACCURACY]},
    {"id": "p6", "kind": "importance", "y": ACCURACY},
]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=12, steps=6)


def address(world: World, plots: list[dict[str, Any]] | None = None) -> str:
    rest = "" if plots is None else f"&plots={quote(json.dumps(plots))}"
    return f"/#/compare-runs?runs={quote(json.dumps(world.run_ids))}&tab=plots{rest}"


def choose(page: Page, plot: Locator, action: str) -> None:
    button = plot.get_by_role("button", name=re.compile("^Actions for"))
    # A menu goes when the page is scrolled: what the click would scroll is scrolled before.
    button.scroll_into_view_if_needed()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    button.click()
    page.get_by_role("menuitem", name=action).click()


def download(page: Page, plot: Locator, action: str) -> Path:
    with page.expect_download() as waiting:
        choose(page, plot, action)
    return Path(waiting.value.path())


def test_every_kind_of_plot_draws_the_runs(world: World, open_page: OpenPage) -> None:
    # Texts that each must show, and how many marks at least: a bar, a point or a line for each run, axes and grids.
    expected = [
        (["train-adam-00", "train-sgd-10"], 12),
        (["lr", "val/accuracy", "adam", "sgd", "rmsprop", "0.01"], 12),
        (["lr", "depth", "val/accuracy"], 20),
        (["adam", "rmsprop", "sgd", "optimizer"], 15),
        (["lr", "optimizer", "adam", "val/accuracy"], 12),
        (["lr", "depth", "batch_size", "Variance explained"], 3),
    ]
    page = open_page(address(world, PLOTS))
    plots = page.get_by_role("article")
    for number, (texts, marks) in enumerate(expected):
        expect(plots.nth(number).locator("canvas").first).to_be_visible()
        svg = download(page, plots.nth(number), "Download as SVG").read_text(encoding="utf-8")
        for text in texts:
            assert f">{text}<" in svg, text
        assert len(re.findall(r"<path ", svg)) >= marks, number
    assert download(page, plots.first, "Download as PNG").read_bytes()[:4] == b"\x89PNG"


def test_a_plot_is_added_edited_moved_removed_and_brought_back(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world))
    plots = page.get_by_role("article")
    expect(plots).to_have_count(1)
    expect(plots.first).to_have_accessible_name("Parallel coordinates")
    page.get_by_role("button", name="Add a plot").click()
    page.get_by_role("menuitem", name="Scatter").click()
    dialog = page.get_by_role("dialog")
    across = dialog.get_by_role("combobox", name="Across (x)")
    across.fill("lr")
    across.press("Enter")
    dialog.get_by_role("combobox", name="Up (y)").fill("accur")
    dialog.get_by_role("option", name="val/accuracy").click()
    dialog.get_by_role("button", name="Add a plot").click()
    expect(plots).to_have_count(2)
    expect(plots.nth(1)).to_have_accessible_name("val/accuracy by lr")
    choose(page, plots.nth(1), "Edit the plot")
    dialog.get_by_label("Scale of lr").select_option("linear")
    dialog.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("linear"))
    plots.nth(1).get_by_role("button", name=re.compile("^Move val")).press("ArrowLeft")
    expect(plots.first).to_have_accessible_name("val/accuracy by lr")
    choose(page, plots.first, "Remove")
    expect(plots).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(plots.first).to_have_accessible_name("val/accuracy by lr")


def test_runs_are_brushed_along_an_axis_and_kept(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, [PLOTS[4]]))
    plot = page.get_by_role("article")
    canvas = plot.get_by_role("img")
    expect(canvas.locator("canvas").first).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    # The first axis is 48 pixels from the left; its upper half has the larger learning rates.
    page.mouse.move(box["x"] + 48, box["y"] + 42)
    page.mouse.down()
    page.mouse.move(box["x"] + 48, box["y"] + 120, steps=4)
    page.mouse.move(box["x"] + 48, box["y"] + 190, steps=4)
    page.mouse.up()
    selected = plot.get_by_text(re.compile(r"^\d+ of 12 runs selected$"))
    expect(selected).to_be_visible()
    by_pointer = int(selected.inner_text().split()[0])
    assert 0 < by_pointer < 12
    plot.get_by_role("button", name="Clear the selection").click()
    expect(selected).to_have_count(0)
    plot.get_by_text("Select by ranges").click()
    plot.get_by_role("checkbox", name="sgd").uncheck()
    expect(selected).to_have_text("8 of 12 runs selected")
    plot.get_by_role("checkbox", name="adam").uncheck()
    expect(selected).to_have_text("4 of 12 runs selected")
    plot.get_by_role("button", name="Keep only these 4 runs").click()
    expect(page.get_by_role("heading", name="Compare 4 runs")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Compare 12 runs")).to_be_visible()


def test_a_click_on_a_bar_opens_its_run(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, [{**PLOTS[0], "order": "runs"}]))
    canvas = page.get_by_role("article").get_by_role("img")
    expect(canvas.locator("canvas").first).to_be_visible()
    canvas.click(position={"x": 170, "y": 28})
    expect(page).to_have_url(re.compile(f"/runs/{world.run_ids[0]}"))


def test_a_click_on_a_point_of_a_scatter_plot_opens_its_run(world: World, open_page: OpenPage) -> None:
    scatter = {"id": "p1", "kind": "scatter", "x": "params.depth", "y": ACCURACY}
    page = open_page(f"/#/compare-runs?runs={quote(json.dumps(world.run_ids[:1]))}&tab=plots&plots={_json([scatter])}")
    _click_the_mark_near(page, share=(0.5, 0.5))
    expect(page).to_have_url(re.compile(f"/runs/{world.run_ids[0]}"))


def test_a_click_on_a_line_of_parallel_coordinates_opens_its_run(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, [{"id": "p1", "kind": "parallel", "axes": ["params.depth", ACCURACY]}]))
    _click_the_mark_near(page, share=(0.5, 0.5))
    expect(page).to_have_url(re.compile(f"/runs/({'|'.join(world.run_ids)})"))


def _json(value: object) -> str:
    return quote(json.dumps(value))


def _click_the_mark_near(page: Page, share: tuple[float, float]) -> None:
    """Click where the cursor shows that something can be clicked, nearest below or above a share of the plot."""
    plot = page.get_by_role("article").get_by_role("img")
    expect(plot.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(1500)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    shape = "(plot) => getComputedStyle(plot.firstElementChild).cursor"
    for row in range(0, int(box["height"] / 2) - 20, 4):
        for column in (0, -8, 8, -16, 16, -24, 24):
            for side in (1, -1):
                x, y = box["width"] * share[0] + column, box["height"] * share[1] + side * row
                page.mouse.move(box["x"] + x, box["y"] + y)
                if plot.evaluate(shape) == "pointer":
                    page.mouse.click(box["x"] + x, box["y"] + y)
                    return
    raise AssertionError("nothing in the plot can be clicked")


def test_runs_without_a_value_are_counted_and_the_data_can_be_read(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, [{"id": "p1", "kind": "scatter", "x": "metrics.train/loss", "y": ACCURACY}]))
    plot = page.get_by_role("article")
    expect(plot).to_contain_text("1 of 12 runs has no finite train/loss")
    choose(page, plot, "Show the data")
    expect(page.get_by_role("dialog").get_by_role("row").filter(has_text="train-rmsprop-02")).to_contain_text("NaN")
    page.keyboard.press("Escape")
    lines = download(page, plot, "Download the data as CSV").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "run_name,run_id,metrics.train/loss,metrics.val/accuracy"
    assert len(lines) == 13


def test_importance_tells_how_far_it_can_be_trusted(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, [PLOTS[5]]))
    plot = page.get_by_role("article")
    expect(plot).to_contain_text("With only 12 runs, much of this may be chance.")
    plot.get_by_label("Measure").select_option("spearman")
    expect(plot).to_contain_text("1 param that varies is left out")
    expect(page).to_have_url(re.compile("spearman"))


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wrong_for_those_who_use_assistive_tools(world: World, open_page: OpenPage, dark: bool) -> None:
    page = open_page(address(world, PLOTS), dark=dark)
    expect(page.get_by_role("article")).to_have_count(6)
    expect(page.locator("canvas").nth(5)).to_be_visible()
    assert complaints_of_axe(page) == []
    page.get_by_role("button", name="Add a plot").click()
    page.get_by_role("menuitem", name="Parallel coordinates").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert complaints_of_axe(page) == []
