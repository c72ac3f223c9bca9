"""The trash, as people use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import make_run
from tests.server.http import get, post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def trashed(server: ServerProcess) -> dict[str, str]:
    """Two deleted experiments, one with a run, and two deleted runs of one that is not; ids by name."""
    ids: dict[str, str] = {}
    for name in ("old", "older"):
        ids[name] = post(server.port, "experiments/create", {"name": name}).json["experiment_id"]
    ids["its run"] = make_run(server.port, ids["old"], "its run")
    for name in ("old", "older"):
        post(server.port, "experiments/delete", {"experiment_id": ids[name]})
    for name in ("bad", "worse"):
        ids[name] = make_run(server.port, "0", name)
        post(server.port, "runs/delete", {"run_id": ids[name]})
    return ids


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def run_status(server: ServerProcess, run_id: str) -> int:
    return get(server.port, "runs/get", run_id=run_id).status


def confirm(page: Page, text: str) -> None:
    dialog = page.get_by_role("dialog", name="Delete for good")
    expect(dialog).to_contain_text(text)
    button = dialog.get_by_role("button", name="Delete for good")
    expect(button).to_be_disabled()
    dialog.get_by_label("Type delete to confirm").fill("delete")
    button.click()
    expect(dialog).to_have_count(0)


def test_an_empty_trash_says_so(open_page: OpenPage) -> None:
    page = open_page("/#/trash")
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    expect(page.get_by_role("button", name="Empty the trash")).to_have_count(0)


def test_what_is_in_the_trash_is_restored(server: ServerProcess, trashed: dict[str, str], open_page: OpenPage) -> None:
    page = open_page("/#/trash")
    # The run of a deleted experiment comes and goes with it.
    expect(row_of(page, "old")).to_contain_text("1")
    expect(row_of(page, "its run")).to_have_count(0)
    expect(row_of(page, "bad")).to_contain_text("Default")
    page.get_by_role("button", name="Restore bad").click()
    expect(row_of(page, "bad")).to_have_count(0)
    for name in ("old", "worse"):
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.locator(".experiments-selection").get_by_role("button", name="Restore").click()
    expect(row_of(page, "old")).to_have_count(0)
    expect(row_of(page, "older")).to_be_visible()
    stages = [
        get(server.port, "runs/get", run_id=trashed[name]).json["run"]["info"]["lifecycle_stage"]
        for name in ("bad", "worse", "its run")
    ]
    assert stages == ["active"] * 3


def test_one_or_some_are_deleted_for_good(server: ServerProcess, trashed: dict[str, str], open_page: OpenPage) -> None:
    page = open_page("/#/trash")
    page.get_by_role("button", name="Delete for good: bad").click()
    confirm(page, "This deletes bad with everything")
    expect(row_of(page, "bad")).to_have_count(0)
    assert run_status(server, trashed["bad"]) == 404
    page.get_by_role("checkbox", name="Select all: Experiments").check()
    page.locator(".experiments-selection").get_by_role("button", name="Delete for good").click()
    confirm(page, "2 experiments with all their runs")
    expect(page.get_by_text("Deleted for good: 2 experiments, 1 run")).to_be_visible()
    assert run_status(server, trashed["its run"]) == 404
    assert run_status(server, trashed["worse"]) == 200


def test_what_is_to_be_kept_is_kept_and_told(
    server: ServerProcess, trashed: dict[str, str], open_page: OpenPage
) -> None:
    kept = make_run(server.port, "0", "kept")
    post(server.port, "runs/set-tag", {"run_id": kept, "key": "keep", "value": "true"})
    post(server.port, "runs/delete", {"run_id": kept})
    page = open_page("/#/trash")
    expect(row_of(page, "kept")).to_contain_text("now")
    page.get_by_role("button", name="Empty the trash").click()
    confirm(page, "2 experiments with all their runs and 3 more runs")
    expect(page.get_by_text("1 item kept in the trash")).to_be_visible()
    expect(row_of(page, "kept")).to_be_visible()
    expect(row_of(page, "worse")).to_have_count(0)
    post(server.port, "runs/restore", {"run_id": kept})


def test_the_whole_trash_is_emptied(server: ServerProcess, trashed: dict[str, str], open_page: OpenPage) -> None:
    page = open_page("/#/trash")
    page.get_by_role("button", name="Empty the trash").click()
    confirm(page, "2 experiments with all their runs and 2 more runs")
    expect(page.get_by_text("Deleted for good: 2 experiments, 3 runs")).to_be_visible()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert run_status(server, trashed["worse"]) == 404


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_trash_can_be_read_by_everyone(
    trashed: dict[str, str], open_page: OpenPage, dark: bool, width: int
) -> None:
    page = open_page("/#/trash", width=width, dark=dark)
    page.get_by_role("checkbox", name="Select bad").check()
    expect(row_of(page, "old")).to_be_visible()
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
