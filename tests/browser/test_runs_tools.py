"""The tools around the runs table: the filter box, export, what is done to a selection, saved views, the columns."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, make_world
from tests.server.http import get, post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
RUN_COUNT = 12
# With the sweep and its four children, which the table shows below it.
ALL_COUNT = RUN_COUNT + 5


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=RUN_COUNT, steps=5)


@pytest.fixture
def page(open_page: OpenPage, world: World) -> Page:
    page = open_page(f"/#/experiments/{world.experiment_id}")
    expect(page.get_by_role("link", name="train-sgd-10")).to_be_visible()
    return page


def filter_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Filter", exact=True)


def select(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).check()


def tags_of(server: ServerProcess, run_id: str) -> dict[str, str]:
    tags = get(server.port, "runs/get", run_id=run_id).json["run"]["data"]["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def test_a_filter_is_written_by_keyboard_with_what_the_box_offers(page: Page) -> None:
    page.keyboard.press("/")
    expect(filter_box(page)).to_be_focused()
    page.keyboard.type("optim")
    expect(page.get_by_role("option", name="params.optimizer")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    offered = page.get_by_role("listbox").get_by_role("option")
    expect(offered).to_have_count(3)
    page.keyboard.type("sg")
    expect(offered).to_have_count(1)
    page.keyboard.press("Enter")
    expect(filter_box(page)).to_have_value("params.optimizer = 'sgd' ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(page.get_by_role("link", name="train-adam-09")).to_have_count(0)
    expect(page.get_by_role("link", name="train-sgd-10")).to_be_visible()
    assert "params.optimizer" in page.url


def test_plain_words_find_runs_by_a_part_of_their_name(page: Page) -> None:
    filter_box(page).click()
    page.keyboard.type("adam 0")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("name contains 'adam 0'")
    filter_box(page).fill("adam-0")
    page.keyboard.press("Enter")
    expect(filter_box(page)).to_have_value("attributes.run_name ILIKE '%adam-0%'")
    expect(page.get_by_role("link", name="train-adam-03")).to_be_visible()
    expect(page.get_by_role("link", name="train-sgd-10")).to_have_count(0)


def test_the_drawn_filter_breaks_its_lines_where_the_text_box_does(page: Page) -> None:
    clauses = [f"metrics.`val/loss` < {number}.25 OR tags.team = 'team number {number}'" for number in range(9)]
    filter_box(page).fill(" OR ".join(clauses))
    sizes = page.evaluate(
        "[...document.querySelectorAll('.filter-box-drawn, .filter-box textarea')]"
        ".map(each => [each.scrollHeight, each.clientHeight, each.clientWidth, each.scrollTop])"
    )
    assert sizes[0] == sizes[1]
    assert sizes[0][0] > sizes[0][1]


def test_what_is_wrong_in_a_filter_is_shown_at_its_place(page: Page) -> None:
    filter_box(page).fill("params.lr < 5 AND status = 'FINISHED'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("at character 11")
    expect(page.locator(".filter-box-drawn .filter-piece-wrong")).to_have_text("<")
    expect(filter_box(page)).to_have_attribute("aria-invalid", "true")
    assert complaints_of_axe(page) == []
    filter_box(page).fill("lr = '0.1'")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Write params.lr").click()
    expect(filter_box(page)).to_have_value("params.lr = '0.1'")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_servers_words_about_a_filter_in_an_address_are_shown_at_their_place(
    open_page: OpenPage, world: World
) -> None:
    page = open_page(f"/#/experiments/{world.experiment_id}?filter={quote(json.dumps('metrics.loss LIKE 5'))}")
    alert = page.locator(".filter-box").get_by_role("alert")
    expect(alert).to_contain_text("Invalid comparator 'LIKE'")
    expect(page.locator(".filter-box-drawn .filter-piece-wrong")).to_have_text("LIKE")


def test_all_runs_that_match_are_exported_as_csv(page: Page, world: World) -> None:
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"{ALL_COUNT} runs match")).to_be_visible()
    assert complaints_of_axe(page) == []
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "churn-prediction-runs.csv"
    with download.value.path().open(newline="", encoding="utf-8") as file:
        rows = {row["run_name"]: row for row in csv.DictReader(file)}
    assert len(rows) == ALL_COUNT
    row = rows["train-sgd-10"]
    assert row["run_id"] == world.run_ids[10]
    assert row["params.optimizer"] == "sgd"
    assert 0 < float(row["metrics.val/loss"]) < 2
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["start_time"])
    assert rows["sweep"]["params.optimizer"] == ""


def test_all_columns_of_the_runs_that_match_are_exported_as_parquet(page: Page) -> None:
    filter_box(page).fill("params.optimizer = 'adam'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="train-sgd-10")).to_have_count(0)
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Parquet").check()
    dialog.get_by_label(re.compile(r"^All \(\d+\)")).check()
    expect(dialog.get_by_text("4 runs match")).to_be_visible()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "churn-prediction-runs.parquet"
    content = download.value.path().read_bytes()
    assert content[:4] == content[-4:] == b"PAR1"
    for column in (b"metrics.system/cpu_utilization_percentage", b"tags.mlflow.source.git.commit", b"start_time"):
        assert column in content


def test_selected_runs_are_tagged_and_the_tag_is_taken_back(page: Page, server: ServerProcess, world: World) -> None:
    select(page, "train-sgd-10", "train-adam-09")
    page.get_by_role("button", name="Tag…", exact=True).click()
    page.get_by_label("Key", exact=True).fill("team")
    page.get_by_label("Value", exact=True).fill("research")
    assert complaints_of_axe(page) == []
    page.get_by_role("button", name="Set the tag").click()
    expect(page.get_by_text("2 runs tagged")).to_be_visible()
    assert {tags_of(server, world.run_ids[number])["team"] for number in (9, 10)} == {"research"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    select(page, "train-sgd-10", "train-adam-09")
    page.get_by_role("button", name="Remove tag…").click()
    expect(page.get_by_role("dialog").get_by_role("option")).to_have_text(["team (2 of 2)"])
    assert tags_of(server, world.run_ids[9])["team"] == "growth"
    page.get_by_role("button", name="Remove the tag").click()
    expect(page.get_by_text("Tag removed from 2 runs")).to_be_visible()
    assert "team" not in tags_of(server, world.run_ids[9])


def test_deleted_runs_come_back_by_undo_and_from_the_deleted_ones(page: Page) -> None:
    select(page, "train-sgd-10", "train-adam-09")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("2 runs deleted")).to_be_visible()
    expect(page.get_by_role("link", name="train-sgd-10")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="train-sgd-10")).to_be_visible()
    select(page, "train-sgd-10")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 run deleted")).to_be_visible()
    page.get_by_label("Which runs").select_option("DELETED_ONLY")
    select(page, "train-sgd-10")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("1 run restored")).to_be_visible()
    page.get_by_label("Which runs").select_option("ACTIVE_ONLY")
    expect(page.get_by_role("link", name="train-sgd-10")).to_be_visible()


def test_runs_are_deleted_for_good_once_their_number_is_typed(
    open_page: OpenPage, server: ServerProcess, world: World
) -> None:
    gone = world.run_ids[10]
    post(server.port, "runs/delete", {"run_id": gone})
    page = open_page(f"/#/experiments/{world.experiment_id}?trash=true")
    select(page, "train-sgd-10")
    page.get_by_role("button", name="Delete for good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete for good")).to_be_disabled()
    dialog.get_by_label("Type 1 to confirm").fill("1")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("1 run deleted for good")).to_be_visible()
    assert get(server.port, "runs/get", run_id=gone).status == 404


def test_a_view_is_saved_for_all_and_opened_again(page: Page, open_page: OpenPage, world: World) -> None:
    filter_box(page).fill("params.optimizer = 'adam'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="train-sgd-10")).to_have_count(0)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this view…").click()
    page.get_by_label("Name", exact=True).fill("only adam")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="only adam", exact=True)).to_be_visible()
    page.get_by_role("button", name="Clear the filter").first.click()
    expect(page.get_by_role("button", name="only adam changed")).to_be_visible()
    other = open_page(f"/#/experiments/{world.experiment_id}")
    other.get_by_role("button", name="Views").click()
    other.get_by_role("menuitemcheckbox", name="only adam").click()
    expect(filter_box(other)).to_have_value("params.optimizer = 'adam'")
    expect(other.get_by_role("link", name="train-sgd-10")).to_have_count(0)
    other.get_by_role("button", name="only adam", exact=True).click()
    other.get_by_role("menuitem", name="Rename or delete views…").click()
    other.get_by_role("button", name="Delete view only adam").click()
    expect(other.get_by_role("dialog")).to_contain_text("No saved views yet")
    assert complaints_of_axe(other) == []
    other.get_by_role("button", name="Undo").click()
    expect(other.get_by_role("button", name="Delete view only adam")).to_be_visible()


def test_columns_are_chosen_pinned_and_put_in_order(page: Page) -> None:
    headers = page.get_by_role("columnheader")
    page.get_by_role("button", name="Columns", exact=True).click()
    dialog = page.get_by_role("dialog")
    assert complaints_of_axe(page) == []
    dialog.get_by_role("button", name="Hide all").click()
    dialog.get_by_label("Find columns").fill("val")
    dialog.get_by_label("All 2 found").check()
    dialog.get_by_label("Find columns").fill("team")
    dialog.get_by_label("tags.team").check()
    shown = dialog.locator(".shown-column")
    expect(shown).to_have_count(4)
    shown.filter(has_text="team").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(shown.nth(1)).to_contain_text("team")
    expect(shown.nth(1)).to_be_focused()
    dialog.get_by_role("button", name="Pin val/loss to the left").click()
    expect(shown.nth(1)).to_contain_text("val/loss")
    shown.filter(has_text="val/accuracy").drag_to(shown.filter(has_text="team"))
    expect(shown.nth(2)).to_contain_text("val/accuracy")
    dialog.get_by_role("button", name="Done").click()
    expect(headers).to_have_text(["", "Run", "val/loss", "val/accuracy", "team"])
