"""The runs table: found, sorted, grouped, nested, selected, arranged, shared by its address, and growing by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import START_MS, World, finish, log, make_run, make_world
from tests.server.http import post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
RUN_COUNT = 24
# The sweep's four children are below their parent.
ROOT_COUNT = RUN_COUNT + 1


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=RUN_COUNT, steps=20)


@pytest.fixture
def table(open_page: OpenPage, world: World) -> Page:
    page = open_page(address(world))
    expect(rows(page).first).to_be_visible()
    return page


def address(world: World, **search: object) -> str:
    pairs = "&".join(f"{name}={quote(json.dumps(value))}" for name, value in search.items())
    return f"/#/experiments/{world.experiment_id}?{pairs}"


def rows(page: Page) -> Locator:
    return page.locator("[role=row][aria-rowindex]:not([aria-rowindex='1'])")


def names(page: Page) -> list[str]:
    return [name for name in rows(page).locator("a[href*='/runs/']").all_inner_texts() if name]


def header(page: Page, name: str) -> Locator:
    return page.get_by_role("columnheader", name=name)


def test_the_newest_runs_come_first_with_their_params_and_metrics(table: Page) -> None:
    expect(table.get_by_text(f"{ROOT_COUNT} runs")).to_be_visible()
    assert names(table)[:2] == ["sweep", "train-rmsprop-23"]
    row = rows(table).filter(has_text="train-rmsprop-23")
    expect(row).to_contain_text("rmsprop")
    expect(header(table, "val/accuracy")).to_be_visible()


def test_a_click_on_a_header_sorts_and_the_address_remembers(table: Page) -> None:
    table.get_by_role("button", name="val/accuracy", exact=True).click()
    expect(header(table, "val/accuracy")).to_have_attribute("aria-sort", "descending")
    table.get_by_role("button", name="val/accuracy", exact=True).click()
    expect(header(table, "val/accuracy")).to_have_attribute("aria-sort", "ascending")
    expect(table).to_have_url(re.compile("order="))
    ascending = names(table)
    table.reload()
    expect(header(table, "val/accuracy")).to_have_attribute("aria-sort", "ascending")
    expect(rows(table).first).to_contain_text(ascending[0])


def test_what_is_pointed_at_for_a_while_is_sorted_before_it_is_pressed(table: Page) -> None:
    head = table.get_by_role("button", name="val/accuracy", exact=True)
    with table.expect_request(
        lambda request: request.url.endswith("/runs/ids") and "accuracy" in (request.post_data or "")
    ):
        head.hover()
    expect(header(table, "val/accuracy")).to_have_attribute("aria-sort", "none")


def test_the_menu_of_a_column_opens_below_its_head(table: Page) -> None:
    head = header(table, "val/accuracy")
    head.hover()
    head.get_by_role("button", name="Column val/accuracy").click()
    menu, button = table.get_by_role("menu").bounding_box(), head.bounding_box()
    assert menu is not None
    assert button is not None
    assert abs(menu["y"] - (button["y"] + button["height"])) < 20
    assert menu["x"] < button["x"] + button["width"]
    assert menu["x"] + menu["width"] > button["x"]


@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/runs?searchFilter=params.optimizer%20%3D%20'sgd'", "train-sgd-01"),
        ("/runs/{run}/artifacts/code/train.py", "train.py"),
        ("/runs/{run}/model-metrics", "val/accuracy"),
        ("/models/{model}/artifacts", "Logged model"),
    ],
)
def test_addresses_of_upstreams_pages_lead_to_ours(open_page: OpenPage, world: World, path: str, shows: str) -> None:
    path = path.format(run=world.artifacts_run_id, model=world.model_id)
    page = open_page(f"/#/experiments/{world.experiment_id}{path}")
    expect(page.get_by_role("main").get_by_text(shows).first).to_be_visible()


def test_a_filter_of_the_servers_grammar_finds_runs_and_a_wrong_one_says_where(table: Page) -> None:
    box = table.get_by_role("textbox", name="Filter")
    box.fill("params.optimizer = 'adam' AND metrics.`val/accuracy` > 0")
    box.press("Escape")
    box.press("Enter")
    expect(table.get_by_text("8 runs")).to_be_visible()
    box.fill("metrics.loss < 'low'")
    box.press("Escape")
    box.press("Enter")
    expect(table.get_by_role("alert")).to_contain_text("number")


def test_children_are_below_their_parent(table: Page) -> None:
    assert "sweep-0" not in names(table)
    table.get_by_role("button", name="Open sweep").click()
    expect(table.get_by_role("link", name="sweep-0")).to_be_visible()
    table.get_by_role("button", name="Close sweep").click()
    expect(table.get_by_role("link", name="sweep-0")).to_be_hidden()
    table.get_by_role("button", name="Nest child runs").click()
    expect(table.get_by_text(f"{ROOT_COUNT + 4} runs")).to_be_visible()
    expect(table.get_by_role("link", name="sweep-0")).to_be_visible()


def test_groups_show_means_and_open_to_their_runs(open_page: OpenPage, world: World) -> None:
    page = open_page(address(world, group=["params.optimizer"], filter="params.optimizer IS NOT NULL"))
    expect(page.get_by_text("3 groups")).to_be_visible()
    group = rows(page).filter(has_text="adam")
    expect(group).to_contain_text("8 runs")
    expect(group).to_contain_text(re.compile(r"0\.\d+ ± 0\.\d+"))
    # The least and the greatest.
    expect(group.locator(".runs-grid-aggregate").first).to_contain_text(re.compile(r"0\.\d+ . 0\.\d+$"))
    # A group is no run: there is nothing to select until one is open.
    everything = page.get_by_role("checkbox", name="Select all")
    expect(everything).to_be_disabled()
    expect(everything).not_to_be_checked()
    group.get_by_role("button", name="Open adam").click()
    expect(page.get_by_role("link", name="train-adam-21")).to_be_visible()
    everything.check()
    expect(page.locator(".runs-status")).to_contain_text("8 selected")


def test_runs_are_selected_by_keyboard_and_by_a_range(table: Page) -> None:
    grid = table.get_by_role("grid")
    grid.focus()
    table.keyboard.press("ArrowDown")
    table.keyboard.press("Space")
    expect(table.get_by_text("1 selected").first).to_be_visible()
    table.keyboard.press("Shift+ArrowDown")
    table.keyboard.press("Shift+ArrowDown")
    expect(table.get_by_text("3 selected").first).to_be_visible()
    table.keyboard.press("Escape")
    expect(table.get_by_text("3 selected")).to_have_count(0)
    boxes = rows(table).get_by_role("checkbox")
    boxes.nth(0).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(table.get_by_text("5 selected").first).to_be_visible()
    table.get_by_role("button", name="Compare").click()
    expect(table).to_have_url(re.compile("compare-runs"))


def test_the_arrow_keys_and_enter_lead_to_a_run(table: Page, world: World) -> None:
    grid = table.get_by_role("grid")
    grid.focus()
    table.keyboard.press("ArrowDown")
    expect(grid).to_have_attribute("aria-activedescendant", re.compile(world.run_ids[-1]))
    table.keyboard.press("Enter")
    expect(table).to_have_url(re.compile(f"/runs/{world.run_ids[-1]}"))


def test_columns_are_pinned_hidden_and_moved_and_a_link_shows_them(table: Page, open_page: OpenPage) -> None:
    def choose(column: str, item: str) -> None:
        header(table, column).hover()
        table.get_by_role("button", name=f"Column {column}").click()
        table.get_by_role("menuitem", name=item).or_(table.get_by_role("menuitemcheckbox", name=item)).click()

    choose("train/loss", "Hide")
    expect(header(table, "train/loss")).to_have_count(0)
    choose("val/loss", "Pin to the left")
    choose("Started", "Wider")
    table.wait_for_url(re.compile("widths"))
    copy = open_page(table.url.partition("/#")[1] + table.url.partition("/#")[2])
    expect(header(copy, "val/loss")).to_be_visible()
    expect(header(copy, "train/loss")).to_have_count(0)
    assert copy.get_by_role("columnheader").all_inner_texts()[2] == "val/loss"


def test_a_run_that_is_logged_meanwhile_appears_without_a_jump(
    server: ServerProcess, table: Page, world: World
) -> None:
    table.evaluate("document.querySelector('.runs-grid').scrollTop = 160")
    before = table.evaluate("document.querySelector('.runs-grid').scrollTop")
    run_id = make_run(server.port, world.experiment_id, "brand-new", start_ms=START_MS * 2)
    expect(table.get_by_text(f"{ROOT_COUNT + 1} runs")).to_be_visible(timeout=20_000)
    assert table.evaluate("document.querySelector('.runs-grid').scrollTop") == before + 32
    log(server.port, run_id, metrics=[{"key": "val/loss", "value": 0.123, "timestamp": START_MS, "step": 1}])
    table.evaluate("document.querySelector('.runs-grid').scrollTop = 0")
    expect(rows(table).filter(has_text="brand-new")).to_contain_text("0.123", timeout=20_000)
    finish(server.port, run_id)


def test_runs_of_several_experiments_are_one_table(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    make_run(server.port, world.other_experiment_id, "other")
    page = open_page(f"/#/experiments/{world.experiment_id},{world.other_experiment_id}")
    expect(header(page, "Experiment")).to_be_visible()
    page.get_by_role("button", name="Started", exact=True).click()
    expect(page.get_by_text(f"{ROOT_COUNT + 1} runs")).to_be_visible()


def test_deleted_runs_are_seen_and_restored(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    assert post(server.port, "runs/delete", {"run_id": world.run_ids[5]}).status == 200
    page = open_page(address(world))
    expect(page.get_by_text(f"{ROOT_COUNT - 1} runs")).to_be_visible()
    page.get_by_label("Which runs").select_option("Deleted")
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    rows(page).get_by_role("checkbox").first.click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("No deleted runs")).to_be_visible()


def test_an_experiment_without_runs_says_how_to_log_one(open_page: OpenPage, world: World) -> None:
    page = open_page(f"/#/experiments/{world.other_experiment_id}")
    expect(page.get_by_text("No runs yet")).to_be_visible()
    expect(page.get_by_text('mlflow.set_experiment("image-quality")')).to_be_visible()


def test_an_experiment_that_does_not_exist_is_named(open_page: OpenPage) -> None:
    expect(open_page("/#/experiments/777").get_by_role("alert")).to_contain_text("777")


def test_text_from_a_run_is_shown_and_never_run(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    name = "<img src=x onerror=alert(1)>"
    make_run(server.port, world.other_experiment_id, name)
    page = open_page(f"/#/experiments/{world.other_experiment_id}")
    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert page.locator(".runs-grid img").count() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_table_is_accessible_and_fits(open_page: OpenPage, world: World, width: int, dark: bool) -> None:
    page = open_page(address(world), width=width, dark=dark)
    expect(rows(page).first).to_contain_text("sweep")
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
