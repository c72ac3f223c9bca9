"""Charts of metrics: drawn, zoomed, smoothed, arranged, exported, and growing while a run goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import START_MS, World, finish, log, make_run, make_world
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=4, steps=120)


@pytest.fixture
def charts(open_page: OpenPage, world: World) -> Page:
    page = open_page(address(world))
    card(page, "val/loss").scroll_into_view_if_needed()
    expect(card(page, "val/loss").locator("canvas")).to_be_visible()
    return page


def address(world: World, **layout: object) -> str:
    arranged = f"&charts={quote(json.dumps({'version': 1, **layout}))}" if layout else ""
    return f"/#/experiments/{world.experiment_id}?tab=charts{arranged}"


def card(page: Page, name: str) -> Locator:
    return page.locator("figure").filter(has=page.locator(f".metric-card-name[title='{name}']"))


def menu(page: Page, name: str, item: str) -> None:
    entry = page.get_by_role("menuitem", name=item).or_(page.get_by_role("menuitemcheckbox", name=item))
    button = page.get_by_role("button", name=f"Chart {name}", exact=True)
    button.click()
    # A menu closes when the page scrolls, which the click itself may have begun.
    page.wait_for_timeout(100)
    if not entry.is_visible():
        button.click()
    entry.click()


def has_drawn(chart: Locator) -> bool:
    """Whether a canvas shows more than nothing."""
    return bool(
        chart.locator("canvas").evaluate(
            "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
        )
    )


def test_each_metric_has_a_chart_in_the_section_of_its_prefix(charts: Page) -> None:
    for name in ("train/loss", "val/loss", "val/accuracy", "system/cpu_utilization_percentage"):
        chart = card(charts, name)
        chart.scroll_into_view_if_needed()
        expect(chart.locator("canvas")).to_be_visible()
        assert has_drawn(chart)
    expect(charts.get_by_role("region", name="val, 2 charts")).to_be_visible()
    expect(card(charts, "val/loss").get_by_role("img")).to_have_attribute("aria-label", re.compile("train-"))


def test_a_search_finds_charts_and_the_address_remembers_it(charts: Page) -> None:
    charts.get_by_role("searchbox", name="Search metrics").fill("/loss$/")
    expect(card(charts, "val/accuracy")).to_have_count(0)
    expect(card(charts, "train/loss")).to_have_count(1)
    charts.reload()
    expect(card(charts, "train/loss")).to_have_count(1)
    expect(card(charts, "val/accuracy")).to_have_count(0)


def test_a_part_that_is_dragged_over_is_read_again_with_all_its_detail(charts: Page) -> None:
    asked: list[str] = []

    def remember(request: Request) -> None:
        if "start_step" in request.url:
            asked.append(request.url)

    charts.on("request", remember)
    chart = card(charts, "val/loss").locator(".u-over")
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    charts.mouse.move(box["x"] + box["width"] * 0.25, middle)
    charts.mouse.down()
    charts.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=5)
    charts.mouse.up()
    expect(card(charts, "val/loss").get_by_role("button", name="Show all")).to_be_visible()
    assert re.search(r"start_step=(2\d|3\d)&end_step=(5\d|6\d)", asked[-1])
    chart.dblclick()
    expect(card(charts, "val/loss").get_by_role("button", name="Show all")).to_have_count(0)


def test_the_cursor_names_the_runs_and_their_values(charts: Page) -> None:
    card(charts, "val/loss").locator(".u-over").hover()
    legend = card(charts, "val/loss").locator(".line-chart-legend")
    expect(legend).to_contain_text("train-adam-00")
    # The others point at the same place.
    expect(card(charts, "val/accuracy").locator(".line-chart-legend")).to_be_visible()


def test_smoothing_axes_and_scales_change_what_is_drawn_and_survive_a_reload(charts: Page) -> None:
    def picture() -> str:
        return str(card(charts, "val/loss").locator("canvas").evaluate("(canvas) => canvas.toDataURL()"))

    pictures = [picture()]
    charts.get_by_label("Smoothing").fill("0.9")
    expect(charts).to_have_url(re.compile("smoothing"))
    charts.wait_for_timeout(300)
    pictures.append(picture())
    charts.get_by_label("X axis").select_option("Time since the start")
    charts.wait_for_timeout(300)
    pictures.append(picture())
    menu(charts, "val/loss", "Log y")
    charts.wait_for_timeout(300)
    pictures.append(picture())
    assert len(set(pictures)) == 4
    charts.reload()
    expect(charts.get_by_label("Smoothing")).to_have_value("0.9")
    expect(charts.get_by_label("X axis")).to_have_value("relative")


def test_charts_are_pinned_hidden_and_moved_by_the_keyboard(charts: Page) -> None:
    menu(charts, "val/loss", "Pin to the top")
    expect(charts.get_by_role("region", name="Pinned, 1 chart")).to_be_visible()
    menu(charts, "train/loss", "Hide")
    expect(card(charts, "train/loss")).to_have_count(0)
    charts.get_by_role("button", name="Show them").click()
    expect(card(charts, "train/loss")).to_have_count(1)
    section = charts.get_by_role("region", name="system, 2 charts")
    section.scroll_into_view_if_needed()
    names = section.locator(".metric-card-name")
    first = names.first.inner_text()
    section.get_by_role("button", name=f"Move {first}: drag it").press("Alt+ArrowRight")
    expect(names.last).to_have_text(first)
    charts.reload()
    expect(charts.get_by_role("region", name="Pinned, 1 chart")).to_be_visible()
    expect(names.last).to_have_text(first)


def test_a_chart_is_saved_as_png_svg_and_csv(charts: Page) -> None:
    def saved(item: str) -> tuple[str, bytes]:
        with charts.expect_download() as download:
            menu(charts, "val/loss", item)
        return download.value.suggested_filename, download.value.path().read_bytes()

    name, png = saved("Save as PNG")
    assert name.endswith(".png")
    assert png.startswith(b"\x89PNG")
    assert len(png) > 1000
    _, svg = saved("Save as SVG")
    assert svg.count(b"<polyline") == 4
    assert b"train-adam-00" in svg
    _, table = saved("Save every point as CSV")
    lines = table.decode().splitlines()
    assert lines[0] == "run_id,run_name,step,timestamp,value"
    # Four runs of 120 points; the sweep's runs are below their parent, and not among the first of the table.
    assert len(lines) == 1 + 4 * 120


def test_what_is_not_a_number_is_marked_and_what_a_logarithm_lacks_is_counted(
    open_page: OpenPage, server: ServerProcess, world: World
) -> None:
    run_id = make_run(server.port, world.other_experiment_id, "odd")
    values = [1, 2, "NaN", "Infinity", -3, 4]
    log(
        server.port,
        run_id,
        metrics=[{"key": "odd", "value": v, "timestamp": START_MS + n, "step": n} for n, v in enumerate(values)],
    )
    finish(server.port, run_id)
    page = open_page(f"/#/experiments/{world.other_experiment_id}?tab=charts")
    menu(page, "odd", "Log y")
    expect(card(page, "odd").get_by_text("1 not shown")).to_be_visible()


def test_a_metric_with_one_value_a_run_is_bars(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    for number in (1, 2):
        run_id = make_run(server.port, world.other_experiment_id, f"scored-{number}")
        log(server.port, run_id, metrics=[{"key": "score", "value": number, "timestamp": START_MS, "step": 0}])
    page = open_page(f"/#/experiments/{world.other_experiment_id}?tab=charts")
    expect(card(page, "score").get_by_text("scored-2")).to_be_visible()
    expect(card(page, "score").locator("canvas")).to_have_count(0)


def test_a_chart_grows_while_its_run_is_logged_to(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    run_id = make_run(server.port, world.other_experiment_id, "live")

    def log_point(step: int, value: float) -> None:
        log(server.port, run_id, metrics=[{"key": "loss", "value": value, "timestamp": START_MS + step, "step": step}])

    log_point(0, 9)
    log_point(1, 8)
    page = open_page(f"/#/experiments/{world.other_experiment_id}/runs/{run_id}?tab=metrics")
    chart = card(page, "loss").get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile("live 8"))
    log_point(2, 0.125)
    expect(chart).to_have_attribute("aria-label", re.compile("live 0.125"), timeout=20_000)
    finish(server.port, run_id)


def test_a_click_on_a_line_opens_its_run(open_page: OpenPage, server: ServerProcess, world: World) -> None:
    for name, value in (("upper", 9), ("lower", 1)):
        run_id = make_run(server.port, world.other_experiment_id, name)
        points = [{"key": "flat", "value": value, "timestamp": START_MS + n, "step": n} for n in range(10)]
        log(server.port, run_id, metrics=points)
        finish(server.port, run_id)
    page = open_page(f"/#/experiments/{world.other_experiment_id}?tab=charts")
    over = card(page, "flat").locator(".u-over")
    expect(over).to_be_visible()
    box = over.bounding_box()
    assert box is not None
    # Between the two lines there is nothing to open.
    over.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.wait_for_timeout(600)
    expect(page).not_to_have_url(re.compile("/runs/"))
    # The range of y has a twentieth of its width beyond both lines.
    over.click(position={"x": box["width"] / 2, "y": box["height"] * 0.955})
    expect(page).to_have_url(re.compile("/runs/"))
    expect(page.get_by_role("heading", name="lower")).to_be_visible()


def test_the_names_of_the_runs_lead_to_their_pages_by_the_keyboard_too(charts: Page) -> None:
    link = charts.get_by_role("list", name="Runs in the charts").get_by_role("link", name="train-adam-00")
    link.focus()
    charts.keyboard.press("Enter")
    expect(charts.get_by_role("heading", name="train-adam-00")).to_be_visible()


def test_runs_are_put_out_of_the_charts_and_back(charts: Page) -> None:
    legend = charts.get_by_role("list", name="Runs in the charts")
    chart = card(charts, "val/loss").get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile("train-adam-00.*"))
    eye = legend.get_by_role("button", name="Draw train-adam-00")
    eye.click()
    expect(eye).to_have_attribute("aria-pressed", "false")
    expect(chart).not_to_have_attribute("aria-label", re.compile("train-adam-00"))
    charts.reload()
    expect(eye).to_have_attribute("aria-pressed", "false")
    # With Shift, it is alone; by the keyboard, too.
    eye.focus()
    charts.keyboard.press("Shift+Enter")
    card(charts, "val/loss").scroll_into_view_if_needed()
    expect(chart).to_have_attribute("aria-label", re.compile("train-adam-00"))
    expect(chart).not_to_have_attribute("aria-label", re.compile("train-sgd-01"))
    eye.click()
    expect(charts.get_by_text("No run is drawn")).to_be_visible()
    legend.get_by_role("button", name="Draw all").click()
    expect(chart).to_have_attribute("aria-label", re.compile("train-sgd-01"))


def test_grouped_runs_have_a_line_a_group_with_its_mean_and_band(open_page: OpenPage, world: World) -> None:
    page = open_page(f"{address(world)}&group={quote(json.dumps(['params.optimizer']))}")
    legend = page.get_by_role("list", name="Runs in the charts")
    expect(legend.get_by_text("optimizer: adam")).to_be_visible()
    chart = card(page, "val/loss")
    chart.scroll_into_view_if_needed()
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile("optimizer: adam .*optimizer: sgd"))
    chart.locator(".u-over").hover()
    expect(chart.locator(".line-chart-legend")).to_contain_text("2 runs")
    assert has_drawn(chart)
    page.get_by_label("Groups").select_option("Mean ± deviation")
    expect(page).to_have_url(re.compile("deviation"))
    assert complaints_of_axe(page) == []
    legend.get_by_text("optimizer: adam").click()
    expect(legend.get_by_role("link", name="train-adam-03")).to_be_visible()
    page.get_by_label("Groups").select_option("A line for each run")
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile("train-adam-00"))


def test_grouped_runs_with_one_value_each_have_a_bar_a_group(
    open_page: OpenPage, server: ServerProcess, world: World
) -> None:
    for number, kind in ((1, "a"), (3, "a"), (8, "b")):
        run_id = make_run(server.port, world.other_experiment_id, f"scored-{number}", {"kind": kind})
        log(server.port, run_id, metrics=[{"key": "score", "value": number, "timestamp": START_MS, "step": 0}])
        finish(server.port, run_id)
    page = open_page(f"/#/experiments/{world.other_experiment_id}?tab=charts&group={quote(json.dumps(['tags.kind']))}")
    bar = card(page, "score").locator(".bar-list-row", has_text="kind: a")
    expect(bar).to_contain_text(re.compile(r"1 . 3, 2 runs"))
    expect(bar.locator("b")).to_have_text("2")


def test_charts_are_dragged_to_their_places_and_a_saved_view_keeps_them(
    charts: Page, open_page: OpenPage, world: World
) -> None:
    section = charts.get_by_role("region", name="val, 2 charts")
    section.scroll_into_view_if_needed()
    names = section.locator(".metric-card-name")
    first = names.first.inner_text()
    section.get_by_role("button", name=f"Move {first}: drag it").drag_to(section.locator("figure").last)
    expect(names.last).to_have_text(first)
    charts.get_by_role("button", name="Views").click()
    charts.get_by_role("menuitem", name="Save this view…").click()
    charts.get_by_label("Name", exact=True).fill("mine")
    charts.keyboard.press("Enter")
    expect(charts.get_by_role("button", name="mine", exact=True)).to_be_visible()
    other = open_page(address(world))
    names = other.get_by_role("region", name="val, 2 charts").locator(".metric-card-name")
    expect(names.first).to_have_text(first)
    other.get_by_role("button", name="Views").click()
    other.get_by_role("menuitemcheckbox", name="mine").click()
    expect(names.last).to_have_text(first)


def test_of_very_many_charts_only_those_in_view_are_drawn(
    open_page: OpenPage, server: ServerProcess, world: World
) -> None:
    for number in range(3):
        run_id = make_run(server.port, world.other_experiment_id, f"wide-{number}")
        for start in range(0, 2000, 500):
            points = [
                {"key": f"layer{n % 20}/m{n:04}", "value": n + step, "timestamp": START_MS + step, "step": step}
                for n in range(start, start + 500)
                for step in (0, 1)
            ]
            log(server.port, run_id, metrics=points)
        finish(server.port, run_id)
    page = open_page(f"/#/experiments/{world.other_experiment_id}?tab=charts")
    expect(page.locator("figure")).to_have_count(2000)
    expect(page.locator("canvas").first).to_be_visible()
    assert page.locator("canvas").count() < 60
    page.locator("figure").last.scroll_into_view_if_needed()
    expect(page.locator("figure").last.locator("canvas")).to_be_visible(timeout=40_000)
    assert page.locator("canvas").count() < 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_charts_are_accessible_and_fit(open_page: OpenPage, world: World, width: int, dark: bool) -> None:
    page = open_page(address(world), width=width, dark=dark)
    page.locator("figure").first.scroll_into_view_if_needed()
    expect(page.locator("canvas").first).to_be_visible()
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
