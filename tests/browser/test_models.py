"""The model registry and the logged models, as people use them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.world import World, make_world, send_json
from tests.server.http import get, post
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=2, steps=2)


def versions_of(server: ServerProcess, name: str) -> dict[str, dict[str, Any]]:
    """Return the versions of a model by their number, as the API tells them."""
    found = post(server.port, "model-versions/search", {"filter": f"name = '{name}'", "max_results": 100}).json
    return {version["version"]: version for version in found.get("model_versions", [])}


def model_of(server: ServerProcess, name: str) -> dict[str, Any]:
    found: dict[str, Any] = get(server.port, "registered-models/get", name=name).json["registered_model"]
    return found


def row_of(page: Page, version: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=f"Version {version}", exact=True))


def open_details(page: Page, summary: str) -> None:
    page.get_by_text(summary, exact=True).click()


def test_models_are_found_by_words_and_by_filters_that_stay_in_the_address(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    page = open_page("/#/models")
    table = page.get_by_role("table")
    expect(table.get_by_role("link", name="image-quality-model")).to_be_visible()
    expect(table.get_by_role("link", name="Version 3")).to_be_visible()
    expect(table).to_contain_text("@champion 2")
    search = page.get_by_role("searchbox", name="Search models")
    search.fill("CHURN")
    expect(table.get_by_role("link", name="image-quality-model")).to_have_count(0)
    expect(table.get_by_role("link", name=world.model_name)).to_be_visible()
    expect(page).to_have_url(re.compile("query=CHURN"))
    search.fill("tags.owner = 'nobody'")
    search.press("Enter")
    expect(page.get_by_role("heading", name="No model matches")).to_be_visible()
    search.fill("tags.owner ==== 'growth'")
    search.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("=")
    search.fill("tags.owner = 'growth'")
    search.press("Enter")
    expect(table.get_by_role("link", name=world.model_name)).to_be_visible()
    again = open_page(page.url.removeprefix(server.url))
    expect(again.get_by_role("searchbox", name="Search models")).to_have_value("tags.owner = 'growth'")


def test_a_server_without_models_says_how_to_register_one(open_page: OpenPage) -> None:
    page = open_page("/#/models")
    expect(page.get_by_role("heading", name="No registered models yet")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("mlflow.register_model")


def test_a_model_is_created_and_one_that_is_there_is_said_in_the_servers_words(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = open_page("/#/models")
    name = "50 % of #1 & more? ñ"
    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill("a/b")
    expect(page.get_by_text("A name may not contain / or :.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_role("textbox", name="Tag key").fill("owner")
    page.get_by_role("textbox", name="Tag value").fill("ana")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="This model has no versions yet")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Models").click()
    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("already exists")


def test_a_model_is_described_tagged_renamed_and_deleted_by_typing_its_name(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    page = open_page(f"/#/models/{world.model_name}")
    page.get_by_role("button", name="Edit the description").click()
    page.get_by_role("textbox", name="Description").fill("**Weekly** churn")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Weekly", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_label("Key").fill("task")
    page.get_by_label("Value").fill("ranking")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("task ranking")).to_be_visible()
    page.get_by_role("button", name="Remove tag owner").click()
    expect(page.get_by_text("owner growth")).to_have_count(0)
    found = model_of(server, world.model_name)
    assert found["description"] == "**Weekly** churn"
    assert found["tags"] == [{"key": "task", "value": "ranking"}]
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Rename model").click()
    page.get_by_label("New name").fill("churn: eu")
    expect(page.get_by_role("button", name="Rename")).to_be_disabled()
    page.get_by_label("New name").fill("churn-eu")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="churn-eu", level=1)).to_be_visible()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete model").click()
    delete = page.get_by_role("button", name="Delete for good")
    expect(delete).to_be_disabled()
    page.get_by_label("Type churn-eu to confirm").fill("churn-eu")
    delete.click()
    expect(page.get_by_role("heading", name="Models", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="image-quality-model")).to_be_visible()
    assert get(server.port, "registered-models/get", name="churn-eu").status == 404


def test_a_stage_is_changed_with_the_old_versions_archived_and_taken_back(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    page = open_page(f"/#/models/{world.model_name}")
    row_of(page, "3").get_by_role("button", name="Stage of version 3").click()
    page.get_by_role("menuitem", name="Move to Production").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Archive existing versions in this stage")).to_be_checked()
    expect(dialog).to_contain_text("In Production now: version 1")
    dialog.get_by_role("button", name="Move").click()
    expect(row_of(page, "3").get_by_role("button", name="Stage of version 3: Production")).to_be_visible()
    expect(row_of(page, "1").get_by_role("button", name="Stage of version 1: Archived")).to_be_visible()
    stages = {number: version["current_stage"] for number, version in versions_of(server, world.model_name).items()}
    assert stages == {"1": "Archived", "2": "None", "3": "Production"}
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, "1").get_by_role("button", name="Stage of version 1: Production")).to_be_visible()
    stages = {number: version["current_stage"] for number, version in versions_of(server, world.model_name).items()}
    assert stages == {"1": "Production", "2": "None", "3": "None"}


def test_an_alias_is_set_moved_and_removed(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    page = open_page(f"/#/models/{world.model_name}")
    page.get_by_role("button", name="Add an alias to version 3").click()
    field = page.get_by_label("Alias", exact=True)
    field.fill("v7")
    expect(page.get_by_text("latest and v followed by a number are reserved.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    field.fill("champion")
    expect(page.get_by_text("champion moves here from version 2.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(row_of(page, "3").get_by_text("@champion")).to_be_visible()
    expect(row_of(page, "2").get_by_text("@champion")).to_have_count(0)
    assert versions_of(server, world.model_name)["3"]["aliases"] == ["champion"]
    row_of(page, "3").get_by_role("button", name="Remove the alias champion").click()
    expect(page.get_by_text("@champion")).to_have_count(0)
    assert "aliases" not in model_of(server, world.model_name)


def test_versions_are_compared_with_only_what_differs(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    source = f"runs:/{world.run_ids[1]}/model"
    body = {"name": world.model_name, "source": source, "run_id": world.run_ids[1]}
    assert post(server.port, "model-versions/create", body).status == 200
    page = open_page(f"/#/models/{world.model_name}")
    page.get_by_role("checkbox", name="Select version 3").check()
    page.get_by_role("checkbox", name="Select version 4").check()
    page.get_by_role("link", name="Compare versions").click()
    expect(page.get_by_role("heading", name="Compare 2 versions")).to_be_visible()
    optimizer = page.get_by_role("row", name=re.compile("^optimizer adam sgd ≠? ?differs"))
    expect(optimizer).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^tenure double"))).to_be_visible()
    stage = page.get_by_role("row", name=re.compile("^Stage None None"))
    expect(stage).to_be_visible()
    page.get_by_role("switch", name="Only differences").check()
    expect(stage).to_have_count(0)
    expect(optimizer).to_be_visible()
    page.get_by_role("combobox", name="Add a version").select_option("1")
    expect(page.get_by_role("heading", name="Compare 3 versions")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Stage"))).to_contain_text("Production")


def test_a_version_tells_where_it_came_from_and_how_to_load_it(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    page = open_page(f"/#/models/{world.model_name}/versions/2")
    lineage = page.get_by_role("list", name="Lineage of version 2").get_by_role("listitem")
    expect(lineage).to_have_count(4)
    for item, text in zip(lineage.all(), ("usage", "train-adam-00", "churn", f"{world.model_name} 2"), strict=True):
        expect(item).to_contain_text(text)
    expect(page.get_by_role("row", name="val/loss")).to_be_visible()
    page.get_by_role("combobox", name="Load it").select_option("champion")
    page.get_by_role("button", name="Copy code that loads it").click()
    assert f"models:/{world.model_name}@champion" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="Version 3, the one after").click()
    expect(page.get_by_role("heading", name=f"{world.model_name} version 3")).to_be_visible()
    page.get_by_role("button", name="Delete version").click()
    page.get_by_label(f"Type {world.model_name} 3 to confirm").fill(f"{world.model_name} 3")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name=world.model_name, level=1)).to_be_visible()
    expect(row_of(page, "2")).to_be_visible()
    expect(row_of(page, "3")).to_have_count(0)
    assert sorted(versions_of(server, world.model_name)) == ["1", "2"]


def test_a_logged_model_is_registered_under_a_new_name_and_as_the_next_version(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    point = {"key": "val/auc", "value": 0.91, "timestamp": 1, "step": 3, "model_id": world.model_id}
    point |= {"dataset_name": "usage", "dataset_digest": "d0a1b2c3"}
    assert post(server.port, "runs/log-batch", {"run_id": world.run_ids[0], "metrics": [point]}).status == 200
    params = {"params": [{"key": "C", "value": "1.5"}]}
    assert post(server.port, f"logged-models/{world.model_id}/params", params).status == 200
    page = open_page(f"/#/experiments/{world.experiment_id}/models/{world.model_id}")
    expect(page.get_by_role("row", name="val/auc 0.91 3 usage d0a1b2c3 train-adam-00")).to_be_visible()
    expect(page.get_by_role("row", name="C 1.5")).to_be_visible()
    page.get_by_role("button", name="Register Model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model name").fill("fresh")
    open_details(page, "Description, tag and alias of the version")
    dialog.get_by_label("Alias", exact=True).fill("first")
    dialog.get_by_role("button", name="Register Model").click()
    expect(page.get_by_text("Registered as version 1 of fresh")).to_be_visible()
    expect(page.get_by_role("link", name="fresh 1")).to_be_visible()
    made = versions_of(server, "fresh")["1"]
    assert (made["source"], made["model_id"]) == (f"models:/{world.model_id}", world.model_id)
    assert (made["run_id"], made["aliases"]) == (world.run_ids[0], ["first"])
    page.get_by_role("button", name="Register Model").click()
    dialog.get_by_label("The next version of a model").check()
    dialog.get_by_role("combobox", name="Model").fill("fre")
    dialog.get_by_role("option", name="fresh").click()
    dialog.get_by_role("button", name="Register Model").click()
    expect(page.get_by_text("Registered as version 2 of fresh")).to_be_visible()
    page.get_by_role("link", name="Open it").last.click()
    expect(page.get_by_role("heading", name="fresh version 2")).to_be_visible()


def test_a_logged_model_is_tagged_and_deleted(server: ServerProcess, world: World, open_page: OpenPage) -> None:
    page = open_page(f"/#/experiments/{world.experiment_id}/models/{world.model_id}")
    page.get_by_role("button", name="Remove tag task").click()
    expect(page.get_by_text("Tag task was removed")).to_be_visible()
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_label("Key").fill("kind")
    page.get_by_label("Value").fill("tree")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("kind tree")).to_be_visible()
    info = get(server.port, f"logged-models/{world.model_id}").json["model"]["info"]
    assert info["tags"] == [{"key": "kind", "value": "tree"}]
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_label("Type churn to confirm").fill("churn")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("churn was deleted")).to_be_visible()
    assert get(server.port, f"logged-models/{world.model_id}").status == 404


def test_an_experiments_logged_models_are_searched_and_sorted_by_a_metric(
    server: ServerProcess, world: World, open_page: OpenPage
) -> None:
    for name, value in (("small", 0.7), ("large", 0.9)):
        body = {"experiment_id": world.experiment_id, "name": name, "source_run_id": world.run_ids[1]}
        model_id = post(server.port, "logged-models", body).json["model"]["info"]["model_id"]
        send_json(server.port, "PATCH", f"logged-models/{model_id}", {"status": "LOGGED_MODEL_READY"})
        point = {"key": "val/auc", "value": value, "timestamp": 1, "step": 0, "model_id": model_id}
        assert post(server.port, "runs/log-batch", {"run_id": world.run_ids[1], "metrics": [point]}).status == 200
    page = open_page(f"/#/experiments/{world.experiment_id}?tab=models")
    table = page.get_by_role("table", name="Logged models")
    names = table.locator("tbody td:first-child")
    expect(names).to_have_count(3)
    table.get_by_role("button", name="val/auc").click()
    expect(names).to_have_text(["large", "small", "churn"])
    table.get_by_role("button", name="val/auc").click()
    expect(names.first).to_have_text("small")
    search = page.get_by_role("searchbox", name="Search logged models")
    search.fill("metrics.`val/auc` > 0.8")
    search.press("Enter")
    expect(names).to_have_text(["large"])
    page.get_by_role("button", name="Choose metrics").click()
    page.get_by_role("dialog").get_by_role("checkbox", name="val/auc").uncheck()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(table.get_by_role("button", name="val/auc")).to_have_count(0)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide-light", "narrow-dark"])
def test_the_models_pages_are_accessible_and_fit_their_window(
    server: ServerProcess, world: World, open_page: OpenPage, width: int, dark: bool
) -> None:
    versions = json.dumps(["1", "2"])
    paths = {
        "models": "Models",
        f"models/{world.model_name}": world.model_name,
        f"models/{world.model_name}/versions/2": f"{world.model_name} version 2",
        f"models/{world.model_name}/compare?versions={versions}": "Compare 2 versions",
        f"experiments/{world.experiment_id}/models/{world.model_id}": "churn",
    }
    page = open_page("/#/models", width=width, dark=dark)
    for path, heading in paths.items():
        page.evaluate("path => { location.hash = '#/' + path }", path)
        expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
        expect(page.get_by_role("status", name="Loading…")).to_have_count(0)
        fits = page.evaluate(
            "[document.documentElement, document.querySelector('main')]"
            ".every(element => element.scrollWidth <= element.clientWidth)"
        )
        assert fits, path
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document.querySelector('main'))")["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == [], path
