"""The start page and the API's page, as people see them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.http import make_run, post, send
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def make_named_run(port: int, name: str, experiment_id: str = "0") -> str:
    body = {"experiment_id": experiment_id, "run_name": name, "start_time": 1_700_000_000_000}
    run_id: str = post(port, "runs/create", body).json["run"]["info"]["run_id"]
    return run_id


def has_no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_new_server_says_how_to_log_a_first_run_and_shows_it_by_itself(
    server: ServerProcess, open_page: OpenPage
) -> None:
    page = open_page("/")
    expect(page.get_by_text("No runs yet")).to_be_visible()
    snippet = page.locator("#snippet")
    expect(snippet).to_contain_text(f'mlflow.set_tracking_uri("{server.url}")')
    snippet.get_by_role("button").click()
    assert "mlflow.start_run()" in page.evaluate("navigator.clipboard.readText()")
    make_named_run(server.port, "first-run")
    # The page asks again every five seconds.
    expect(page.get_by_role("link", name="first-run")).to_be_visible(timeout=20_000)


def test_a_run_is_opened_from_the_list_and_by_the_address_that_clients_print(
    server: ServerProcess, open_page: OpenPage
) -> None:
    run_id = make_named_run(server.port, "the-run")
    metrics = [
        {"key": "loss", "value": 0.25, "timestamp": 1, "step": 7},
        {"key": "nan", "value": "NaN", "timestamp": 1},
    ]
    params = [{"key": "learning_rate", "value": "0.1"}]
    post(server.port, "runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})
    body = b"hello"
    stored = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/notes.txt"
    assert send(server.port, "PUT", stored, body, {"Content-Type": "text/plain"}).status == 200
    page = open_page("/")
    page.get_by_role("link", name="the-run").click()
    expect(page.get_by_role("heading", name="the-run")).to_be_visible()
    assert page.url.endswith(f"#/experiments/0/runs/{run_id}")
    for row in (r"loss\s*0\.25\s*7", r"nan\s*NaN", r"learning_rate\s*0\.1", r"notes\.txt\s*5 B"):
        expect(page.locator("tr", has_text=re.compile(row))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="notes.txt").click()
    assert download.value.path().read_bytes() == body
    expect(open_page(f"/#/experiments/0/runs/{run_id}").get_by_role("heading", name="the-run")).to_be_visible()


def test_what_is_not_there_is_said_on_the_page(open_page: OpenPage) -> None:
    page = open_page("/")
    page.evaluate("location.hash = '#/experiments/77'")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("77")


def test_text_from_a_run_is_shown_and_never_run(server: ServerProcess, open_page: OpenPage) -> None:
    name = "<img src=x onerror=alert(1)>"
    run_id = make_named_run(server.port, name)
    tag = {"run_id": run_id, "key": "note", "value": "<script>document.title = 'taken'</script>"}
    assert post(server.port, "runs/set-tag", tag).status == 200
    page = open_page(f"/#/experiments/0/runs/{run_id}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(tag["value"])).to_be_visible()
    assert "taken" not in page.title()
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_their_window_and_follow_the_readers_colours(
    server: ServerProcess, open_page: OpenPage, path: str, dark: bool, width: int
) -> None:
    make_run(server.port)
    page = open_page(path, width=width, dark=dark)
    expect(page.locator("main h2").first).to_be_visible()
    assert has_no_sideways_scroll(page)
    lightness = sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]))
    assert lightness < 200 if dark else lightness > 600


def test_the_api_is_searched_and_opened_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/docs")
    expect(page.locator("#count")).to_contain_text("operations")
    page.keyboard.press("/")
    page.keyboard.type("log batch")
    expect(page.locator("#count")).to_contain_text("1 of")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    opened = page.locator("#log_batch")
    expect(opened.get_by_text("Ask it")).to_be_visible()
    expect(opened.locator(".field", has_text="run_id").first).to_be_visible()
    expect(opened.locator("pre")).to_contain_text("curl")


def test_every_operation_of_the_document_is_on_the_api_page(server: ServerProcess, open_page: OpenPage) -> None:
    document = send(server.port, "GET", "/openapi.json").json
    names = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}
    page = open_page("/docs")
    expect(page.locator(".operation").first).to_be_visible()
    assert {element.get_attribute("id") for element in page.locator(".operation").all()} == names


def test_pages_work_behind_a_prefix(running_server: Callable[..., ServerProcess], browser) -> None:
    server = running_server(None, "--static-prefix", "/mlflow")
    make = b'{"experiment_id": "0", "run_name": "behind"}'
    send(server.port, "POST", "/mlflow/api/2.0/mlflow/runs/create", make, {"Content-Type": "application/json"})
    page = browser.new_page()
    page.goto(f"{server.url}/mlflow/")
    expect(page.get_by_role("link", name="behind")).to_be_visible()
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.locator(".operation").first).to_be_visible()
    page.close()
