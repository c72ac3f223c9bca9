"""A run's page, as people use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, make_run, make_world
from tests.server.http import get, post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=3, steps=20)


def address(world: World, run_id: str, search: str = "") -> str:
    return f"/#/experiments/{world.experiment_id}/runs/{run_id}{search}"


def run_of(server: ServerProcess, run_id: str) -> dict[str, Any]:
    """Return a run, its tags by key, as the API tells it."""
    run: dict[str, Any] = get(server.port, "runs/get", run_id=run_id).json["run"]
    return {**run, "tags": {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}}


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_run_tells_what_it_is_and_where_it_came_from(world: World, open_page: OpenPage) -> None:
    run_id = world.run_ids[0]
    page = open_page(address(world, run_id))
    expect(page.get_by_role("heading", name="train-adam-00")).to_be_visible()
    expect(page.get_by_role("link", name="churn-prediction")).to_be_visible()
    facts = page.locator("section").filter(has=page.get_by_role("heading", name="Details"))
    for text in ("Finished", "20.0 s", "ana", "train.py", run_id):
        expect(facts).to_contain_text(text)
    commit = facts.get_by_role("link", name="0" * 10)
    expect(commit).to_have_attribute("href", f"https://github.com/example/churn/commit/{'0' * 40}")
    loss = page.get_by_role("row").filter(has=page.get_by_role("button", name="train/loss"))
    # The last value, the least and the greatest, each with its step, and how many points there are.
    expect(loss).to_have_text(re.compile(r"at step 19.*at step \d+.*at step \d+.*20$"))
    expect(page.get_by_role("region", name="Params")).to_contain_text(re.compile(r"batch_size\s*16.*optimizer\s*adam"))
    models = page.locator("section").filter(has=page.get_by_role("heading", name="Models"))
    expect(models.get_by_role("link", name="churn", exact=True)).to_be_visible()
    expect(models.get_by_role("link", name="churn-model v1")).to_be_visible()
    page.get_by_text("d0a1b2c3").click()
    expect(page.get_by_text("s3://data/usage.parquet")).to_be_visible()


def test_params_and_metrics_are_searched_and_params_copied(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, world.run_ids[0]))
    page.get_by_role("searchbox", name="Search params").fill("OPTIM")
    rows = page.get_by_role("region", name="Params").get_by_role("row")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Copy params as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert '"batch_size": "16"' in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("searchbox", name="Search metrics").fill("nothing like it")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_text_of_a_run_is_shown_and_never_run(server: ServerProcess, open_page: OpenPage) -> None:
    name = "<img src=x onerror=alert(1)>"
    run_id = make_run(server.port, "0", name)
    value = "<script>document.title = 'taken'</script>"
    for key in ("note", "mlflow.note.content"):
        assert post(server.port, "runs/set-tag", {"run_id": run_id, "key": key, "value": value}).status == 200
    page = open_page(f"/#/experiments/0/runs/{run_id}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(value)).to_have_count(2)
    assert "taken" not in page.title()
    assert page.locator("main img, main script").count() == 0


def test_what_a_number_cannot_say_is_said(server: ServerProcess, open_page: OpenPage) -> None:
    run_id = make_run(server.port, "0", "odd")
    metrics = [
        {"key": key, "value": value, "timestamp": 1, "step": 0}
        for key, value in (("nan", "NaN"), ("inf", "Infinity"), ("minus", "-Infinity"))
    ]
    post(server.port, "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    page = open_page(f"/#/experiments/0/runs/{run_id}")
    for key, shown in (("nan", "NaN"), ("inf", "∞"), ("minus", "\u2212∞")):
        row = page.get_by_role("row").filter(has=page.get_by_role("button", name=key, exact=True))
        expect(row).to_contain_text(shown)


def test_the_description_and_the_tags_are_edited_in_place(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    run_id = world.run_ids[1]
    page = open_page(address(world, run_id))
    page.get_by_role("button", name="Edit the description").click()
    page.get_by_role("textbox", name="Description").fill("It *works*.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("em", has_text="works")).to_be_visible()
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_label("Key").fill("stage")
    page.get_by_label("Value").fill("review")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="stage review")).to_be_visible()
    tags = run_of(server, run_id)["tags"]
    assert (tags["mlflow.note.content"], tags["stage"]) == ("It *works*.", "review")
    page.get_by_role("button", name="Remove tag stage").click()
    expect(page.get_by_role("button", name="stage review")).to_have_count(0)
    assert "stage" not in run_of(server, run_id)["tags"]


def test_a_run_is_renamed_deleted_and_restored(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    run_id = world.run_ids[0]
    page = open_page(address(world, run_id))
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Rename run").click()
    page.get_by_label("New name").fill("the best one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="the best one")).to_be_visible()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("This run is in the trash.")).to_be_visible()
    assert run_of(server, run_id)["info"]["lifecycle_stage"] == "deleted"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("This run is in the trash.")).to_have_count(0)
    assert run_of(server, run_id)["info"]["lifecycle_stage"] == "active"
    post(server.port, "runs/delete", {"run_id": run_id})
    page.reload()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("This run is in the trash.")).to_have_count(0)


def test_a_run_that_goes_on_is_followed_and_stopped(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    run_id = world.run_ids[1]
    page = open_page(address(world, run_id))
    expect(page.locator(".page-header .run-status")).to_have_text("Running")
    metrics = [{"key": "late", "value": 0.125, "timestamp": 1, "step": 3}]
    post(server.port, "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    expect(page.get_by_role("row").filter(has_text="late")).to_contain_text("0.125")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".page-header .run-status")).to_have_text("Stopped")
    info = run_of(server, run_id)["info"]
    assert info["status"] == "KILLED"
    assert info["end_time"] > info["start_time"]


def test_parents_and_children_lead_to_each_other(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, world.parent_run_id))
    children = page.get_by_role("region", name="Child runs")
    expect(children.get_by_role("link")).to_have_count(4)
    page.get_by_role("link", name="Open as a table").click()
    expect(page.get_by_role("grid").get_by_role("link", name=re.compile("^sweep-"))).to_have_count(4)
    page.go_back()
    children.get_by_role("link", name="sweep-2").click()
    expect(page.get_by_role("heading", name="sweep-2")).to_be_visible()
    page.get_by_role("link", name="sweep", exact=True).click()
    expect(page.get_by_role("heading", name="sweep", exact=True)).to_be_visible()


def test_tabs_are_in_the_address(world: World, open_page: OpenPage) -> None:
    page = open_page(address(world, world.run_ids[0]))
    page.get_by_role("button", name="train/loss").click()
    expect(page.get_by_role("tab", name="Model metrics")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("tab=metrics"))
    expect(page.get_by_role("searchbox").last).to_have_value("train/loss")
    page.get_by_role("tab", name="Artifacts").click()
    expect(page).to_have_url(re.compile("tab=artifacts"))
    page.go_back()
    expect(page.get_by_role("tab", name="Model metrics")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Model metrics").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="System metrics")).to_be_focused()
    expect(page).to_have_url(re.compile("tab=system"))


def test_the_tab_that_is_shown_is_in_view_on_a_phone(world: World, open_page: OpenPage) -> None:
    page = open_page(f"/#/experiments/{world.experiment_id}/runs/{world.run_ids[0]}?tab=artifacts", width=390)
    expect(page.get_by_role("tab", name="Artifacts")).to_be_in_viewport(ratio=1)


def test_a_run_is_found_under_the_address_of_another_experiment(world: World, open_page: OpenPage) -> None:
    run_id = world.run_ids[0]
    page = open_page(f"/#/experiments/{world.other_experiment_id}/runs/{run_id}")
    expect(page.get_by_role("heading", name="train-adam-00")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/experiments/{world.experiment_id}/runs/{run_id}"))


def test_a_run_that_does_not_exist_is_said_not_to(open_page: OpenPage) -> None:
    page = open_page(f"/#/experiments/0/runs/{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("0" * 32)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_can_be_read_by_everyone(world: World, open_page: OpenPage, dark: bool, width: int) -> None:
    page = open_page(address(world, world.run_ids[0]), width=width, dark=dark)
    expect(page.get_by_role("link", name="churn-model v1")).to_be_visible()
    expect(page.get_by_role("region", name="Metrics").get_by_text("at step").first).to_be_visible()
    assert complaints_of_axe(page) == []
    assert has_no_sideways_scroll(page)
