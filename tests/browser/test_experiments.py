"""The list of experiments, as people use it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, make_run, make_world
from tests.server.http import get, post, send
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=2, steps=2)


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def open_menu(page: Page, name: str, item: str) -> None:
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name=item).click()


def stage_of(server: ServerProcess, experiment_id: str) -> str:
    found: str = get(server.port, "experiments/get", experiment_id=experiment_id).json["experiment"]["lifecycle_stage"]
    return found


def test_a_new_server_says_how_to_log_a_first_run_and_shows_it_by_itself(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = open_page("/")
    snippet = page.locator(".snippet")
    expect(snippet).to_contain_text(f'mlflow.set_tracking_uri("{server.url}")')
    snippet.get_by_role("button").click()
    expect(snippet.get_by_role("button", name="Copied")).to_be_visible()
    assert "mlflow.start_run()" in page.evaluate("navigator.clipboard.readText()")
    make_run(server.port, "0", "first-run")
    # The page asks again every few seconds.
    expect(row_of(page, "Default")).to_contain_text("1 running", timeout=20_000)
    expect(snippet).to_have_count(0)


def test_experiments_tell_what_happens_in_them(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    row = row_of(page, "churn-prediction")
    # Two runs and a sweep of five, one of which goes on.
    expect(row).to_contain_text(re.compile(r"7\s*1 running"))
    expect(row).to_contain_text("Churn")
    expect(row).to_contain_text("team growth")
    row.get_by_role("link", name="churn-prediction").click()
    expect(page).to_have_url(re.compile(f"#/experiments/{world.experiment_id}$"))


def test_experiments_are_found_by_words_and_by_filters_that_stay_in_the_address(
    world: World, open_page: OpenPage
) -> None:
    page = open_page("/#/experiments")
    expect(row_of(page, "image-quality")).to_be_visible()
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search experiments")
    expect(search).to_be_focused()
    search.fill("CHURN")
    expect(row_of(page, "image-quality")).to_have_count(0)
    expect(row_of(page, "churn-prediction")).to_be_visible()
    expect(page).to_have_url(re.compile("query=CHURN"))
    search.fill("tags.team = 'vision'")
    expect(row_of(page, "image-quality")).to_be_visible()
    expect(row_of(page, "churn-prediction")).to_have_count(0)
    page.reload()
    expect(search).to_have_value("tags.team = 'vision'")
    expect(row_of(page, "churn-prediction")).to_have_count(0)
    search.fill("tags.team =")
    expect(page.get_by_role("alert")).to_be_visible()
    search.fill("no such thing")
    expect(page.get_by_role("heading", name="No experiment matches")).to_be_visible()
    page.get_by_role("button", name="Clear the search").click()
    expect(row_of(page, "churn-prediction")).to_be_visible()


def test_experiments_are_sorted(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    links = page.locator(".experiments-name a")
    expect(links).to_have_text(["image-quality", "churn-prediction", "Default"])
    page.get_by_label("Sort by").select_option("Name")
    expect(links).to_have_text(["Default", "churn-prediction", "image-quality"])
    expect(page).to_have_url(re.compile("sort=name"))


def test_an_experiment_is_made_and_renamed(server: ServerProcess, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_label("Name", exact=True).fill("Default")
    page.keyboard.press("Enter")
    # What the server says of a name that is taken is said in the dialog.
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Default")
    page.get_by_label("Name", exact=True).fill("ranking")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#/experiments/\d+$"))
    page.goto(f"{server.url}/#/experiments")
    open_menu(page, "ranking", "Rename")
    page.get_by_label("New name").fill("ranking-2")
    page.keyboard.press("Enter")
    expect(row_of(page, "ranking-2")).to_be_visible()
    expect(row_of(page, "ranking")).to_have_count(0)


def test_description_and_tags_are_edited_where_they_are_listed(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    open_menu(page, "image-quality", "Description and tags")
    dialog = page.get_by_role("dialog", name="image-quality")
    dialog.get_by_role("button", name="Edit the description").click()
    dialog.get_by_role("textbox", name="Description").fill("Sharpness of photos")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("button", name="Edit the description")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(row_of(page, "image-quality")).to_contain_text("Sharpness of photos")


def test_a_deleted_experiment_comes_back_by_undo(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    open_menu(page, "image-quality", "Delete")
    expect(row_of(page, "image-quality")).to_have_count(0)
    assert stage_of(server, world.other_experiment_id) == "deleted"
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, "image-quality")).to_be_visible()
    assert stage_of(server, world.other_experiment_id) == "active"


def test_several_are_opened_together_or_deleted(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    page.get_by_role("checkbox", name="Select churn-prediction").check()
    page.get_by_role("checkbox", name="Select image-quality").check()
    page.get_by_role("button", name="Open together").click()
    both = {world.experiment_id, world.other_experiment_id}
    expect(page).to_have_url(re.compile(r"#/experiments/\d+(,|%2C)\d+"))
    assert set(re.split(",|%2C", page.url.rpartition("/")[2])) == both
    page.go_back()
    page.get_by_role("checkbox", name="Select churn-prediction").check()
    page.get_by_role("checkbox", name="Select image-quality").check()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("2 experiments are in the trash")).to_be_visible()
    assert {stage_of(server, experiment_id) for experiment_id in both} == {"deleted"}


def test_the_keyboard_moves_selects_and_opens(world: World, open_page: OpenPage) -> None:
    page = open_page("/#/experiments")
    expect(row_of(page, "image-quality")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="image-quality")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name="Select churn-prediction")).to_be_checked()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="image-quality")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"#/experiments/{world.experiment_id}$"))


def test_a_long_list_is_loaded_as_it_is_read(server: ServerProcess, open_page: OpenPage) -> None:
    for number in range(120):
        assert post(server.port, "experiments/create", {"name": f"try-{number:03d}"}).status == 200
    page = open_page("/#/experiments?sort=name")
    expect(row_of(page, "try-000")).to_be_visible()
    page.locator("main").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    expect(row_of(page, "try-119")).to_be_visible()


def test_an_experiment_that_does_not_exist_is_said_not_to(open_page: OpenPage) -> None:
    page = open_page("/#/experiments/77")
    expect(page.get_by_role("alert")).to_contain_text("77")


def test_the_page_works_behind_a_prefix(running_server: Callable[..., ServerProcess], browser) -> None:
    server = running_server(None, "--static-prefix", "/mlflow")
    make = b'{"experiment_id": "0", "run_name": "behind"}'
    send(server.port, "POST", "/mlflow/api/2.0/mlflow/runs/create", make, {"Content-Type": "application/json"})
    page = browser.new_page()
    page.goto(f"{server.url}/mlflow/")
    expect(row_of(page, "Default")).to_contain_text("1 running")
    page.goto(f"{server.url}/mlflow/#/settings")
    page.get_by_role("link", name="Operations of the API").click()
    expect(page.locator(".operation").first).to_be_visible()
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_list_can_be_read_by_everyone(world: World, open_page: OpenPage, dark: bool, width: int) -> None:
    page = open_page("/#/experiments", width=width, dark=dark)
    page.get_by_role("checkbox", name="Select churn-prediction").check()
    expect(row_of(page, "churn-prediction")).to_contain_text("1 running")
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
