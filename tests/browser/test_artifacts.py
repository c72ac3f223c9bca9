"""Artifacts: found in their tree, shown by their kind, downloaded, and kept from running in the UI's origin."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.axe import complaints_of_axe
from tests.browser.world import World, artifact_files, make_world, upload
from tests.servers import ServerProcess

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

CLIENT_PYTHON = Path(__file__).parents[2] / ".venvs" / "mlflow-3" / "bin" / "python"
WRITE_PARQUET = """
import datetime, sys
import pyarrow as pa
import pyarrow.parquet as pq
count = 250
columns = {
    "name": [f"row {n}" for n in range(count)],
    "score": [n / 7 for n in range(count)],
    "long": [2**53 + n + 1 for n in range(count)],
    "day": [datetime.datetime(2026, 1, 2)] * count,
    "parts": [[n, n + 1] for n in range(count)],
    "missing": [None if n % 2 else "there" for n in range(count)],
}
pq.write_table(pa.table(columns), sys.argv[1], compression=sys.argv[2], row_group_size=60)
"""
# The browser makes it: half a second of a square that moves.
RECORD_FILM = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.start();
  for (let step = 0; step < 10; step++) {
    context.fillStyle = `rgb(${step * 20}, 90, 90)`;
    context.fillRect(0, 0, 64, 48);
    await new Promise((done) => setTimeout(done, 50));
  }
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}"""


@pytest.fixture
def world(server: ServerProcess) -> World:
    return make_world(server.port, run_count=1, steps=2)


@pytest.fixture
def show(open_page: OpenPage, world: World) -> Callable[[str], Page]:
    return lambda path: open_page(address(world, path))


def address(world: World, path: str) -> str:
    return f"/#/experiments/{world.experiment_id}/runs/{world.artifacts_run_id}?tab=artifacts&path={quote(path)}"


def test_the_tree_is_walked_by_the_keyboard(show: Callable[[str], Page]) -> None:
    page = show("")
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem", name="notes.txt")).to_be_visible()
    tree.focus()
    page.keyboard.press("p")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name="train.py")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="train.py")).to_be_visible()
    expect(page).to_have_url(re.compile("train.py"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tree.get_by_role("treeitem", name="train.py")).to_have_count(0)


def test_files_are_filtered_by_their_names(show: Callable[[str], Page]) -> None:
    page = show("model/MLmodel")
    page.get_by_role("searchbox", name="Filter files").fill("pkl")
    expect(page.get_by_role("treeitem", name="model.pkl")).to_be_visible()
    expect(page.get_by_role("treeitem", name="notes.txt")).to_have_count(0)


def test_code_has_colours_and_line_numbers(show: Callable[[str], Page]) -> None:
    page = show("code/train.py")
    expect(page.locator(".hljs-keyword", has_text="import")).to_be_visible()
    expect(page.locator(".code-lines")).to_contain_text("6")


def test_json_is_a_tree_that_opens(show: Callable[[str], Page]) -> None:
    page = show("config.json")
    expect(page.get_by_text('"adam"')).to_be_visible()
    page.locator("summary", has_text="optimizer").click()
    expect(page.get_by_text('"adam"')).to_be_hidden()
    page.get_by_label("As text").check()
    expect(page.locator(".code")).to_contain_text('{"optimizer"')


def test_a_table_is_read_a_page_at_a_time(show: Callable[[str], Page]) -> None:
    page = show("tables/scores.csv")
    expect(page.get_by_role("cell", name="row 0", exact=True)).to_be_visible()
    expect(page.get_by_text("Rows 1 to 200 of 2,500")).to_be_visible()
    page.get_by_role("button", name="Next rows").click()
    expect(page.get_by_role("cell", name="row 200", exact=True)).to_be_visible()


def test_a_notebook_shows_its_cells_and_outputs(show: Callable[[str], Page]) -> None:
    page = show("analysis.ipynb")
    expect(page.get_by_role("heading", name="A notebook")).to_be_visible()
    expect(page.locator(".artifact-output", has_text="hello")).to_be_visible()


def test_markdown_is_text_with_its_links_outside(show: Callable[[str], Page]) -> None:
    page = show("report.md")
    expect(page.get_by_role("heading", name="Churn", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="the docs")).to_have_attribute("rel", re.compile("noopener"))


def test_a_page_of_html_runs_in_an_origin_of_its_own(show: Callable[[str], Page]) -> None:
    page = show("report.html")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("script ran in null")).to_be_visible()
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"


def test_an_image_is_an_image_and_the_script_of_an_svg_does_not_run(show: Callable[[str], Page]) -> None:
    page = show("plots/shape.svg")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    image = page.get_by_role("img", name="shape.svg")
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.complete && image.naturalWidth > 0")
    assert dialogs == []


def test_images_of_steps_are_side_by_side_and_the_slider_goes_through_them(show: Callable[[str], Page]) -> None:
    page = show("images")
    expect(page.get_by_role("img", name="sample, Step 20")).to_be_visible()
    expect(page.get_by_role("img", name="mask, Step 20")).to_be_visible()
    page.get_by_label("Step", exact=True).press("ArrowLeft")
    expect(page.get_by_role("img", name="sample, Step 10")).to_be_visible()


def test_sound_has_a_player_and_a_pdf_a_frame(show: Callable[[str], Page]) -> None:
    expect(show("sound.wav").locator("audio")).to_be_visible()
    expect(show("report.pdf").locator("iframe")).to_have_attribute("src", re.compile("^blob:"))


def test_sound_is_played_and_its_length_is_known(show: Callable[[str], Page]) -> None:
    sound = show("sound.wav").get_by_label("sound.wav")
    sound.evaluate("(sound) => { sound.muted = true; return sound.play() }")
    sound.page.wait_for_timeout(300)
    assert sound.evaluate("(sound) => sound.error === null && sound.currentTime > 0")
    assert sound.evaluate("(sound) => sound.duration") == 1


def test_film_is_played(show: Callable[[str], Page], server: ServerProcess, world: World) -> None:
    page = show("")
    expect(page.get_by_role("treeitem", name="notes.txt")).to_be_visible()
    film = base64.b64decode(page.evaluate(RECORD_FILM))
    upload(server.port, world.experiment_id, world.artifacts_run_id, "film.webm", film)
    video = show("film.webm").locator("video")
    video.evaluate("(video) => { video.muted = true; return video.play() }")
    assert video.evaluate("(video) => [video.error, video.videoWidth, video.videoHeight]") == [None, 64, 48]


@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_a_parquet_file_is_read_a_page_at_a_time(
    show: Callable[[str], Page], server: ServerProcess, world: World, tmp_path: Path, compression: str
) -> None:
    file = tmp_path / "scores.parquet"
    # The client's environment has the library that users write these files with.
    subprocess.run([CLIENT_PYTHON, "-c", WRITE_PARQUET, file, compression], check=True, timeout=120)
    upload(server.port, world.experiment_id, world.artifacts_run_id, "tables/scores.parquet", file.read_bytes())
    page = show("tables/scores.parquet")
    expect(page.get_by_role("columnheader", name="score")).to_be_visible()
    expect(page.get_by_role("cell", name="row 0", exact=True)).to_be_visible()
    expect(page.get_by_text("Rows 1 to 100 of 250")).to_be_visible()
    page.get_by_role("button", name="Next rows").click()
    expect(page.get_by_role("cell", name="row 100", exact=True)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="row 101")).to_contain_text("2026-01-02")
    expect(page.get_by_role("row").filter(has_text="row 101")).to_contain_text("9007199254741094")


def test_a_model_shows_its_signature_and_how_to_use_it(show: Callable[[str], Page], world: World) -> None:
    page = show("model/MLmodel")
    expect(page.get_by_role("row", name="tenure double yes")).to_be_visible()
    expect(page.get_by_text(f'load_model("runs:/{world.artifacts_run_id}/model")')).to_be_visible()
    page.get_by_role("tab", name="curl").click()
    expect(page.get_by_text("dataframe_split")).to_be_visible()
    page.get_by_role("button", name="Register Model").last.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_folder_of_a_model_shows_what_it_is(show: Callable[[str], Page]) -> None:
    page = show("model")
    expect(page.get_by_role("row", name="tenure double yes")).to_be_visible()
    expect(page.get_by_role("button", name="model.pkl")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button", name="Register Model")).not_to_have_count(0)


def test_of_a_large_file_only_the_beginning_is_read(show: Callable[[str], Page]) -> None:
    page = show("")
    read: list[int] = []

    def remember(response: Response) -> None:
        if "big.log" in response.url and response.status == 206:
            read.append(int(response.headers["content-length"]))

    page.on("response", remember)
    page.get_by_role("treeitem", name="logs").click()
    page.get_by_role("treeitem", name="big.log").click()
    expect(page.get_by_text("The first 512.0 KiB of 2.5 MiB.")).to_be_visible()
    assert read == [512 * 1024]


def test_a_file_of_an_unknown_kind_shows_its_first_bytes(show: Callable[[str], Page]) -> None:
    page = show("weights.bin")
    expect(page.get_by_text("00000010  10 11 12")).to_be_visible()


def test_files_and_folders_are_downloaded(show: Callable[[str], Page]) -> None:
    page = show("code/train.py")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == artifact_files()["code/train.py"]
    page.get_by_role("treeitem", name="plots").click()
    with page.expect_download() as archive:
        page.get_by_role("link", name="Download as zip").click()
    with zipfile.ZipFile(io.BytesIO(archive.value.path().read_bytes())) as files:
        assert sorted(files.namelist()) == ["roc.png", "shape.svg"]


def test_a_file_that_is_not_there_is_said_so(show: Callable[[str], Page]) -> None:
    expect(show("nothing.txt").get_by_role("alert")).to_contain_text("nothing.txt")


def test_a_run_without_artifacts_says_how_to_log_one(open_page: OpenPage, world: World) -> None:
    page = open_page(f"/#/experiments/{world.experiment_id}/runs/{world.parent_run_id}?tab=artifacts")
    expect(page.get_by_text("No artifacts")).to_be_visible()
    expect(page.get_by_text("mlflow.log_text")).to_be_visible()


def test_versions_and_logged_models_show_their_files(open_page: OpenPage, world: World) -> None:
    page = open_page(f"/#/models/{world.model_name}/versions/2")
    expect(page.get_by_role("treeitem", name="MLmodel")).to_be_visible()
    # What it takes is seen at once, without opening its MLmodel.
    expect(page.get_by_role("row", name="tenure double yes")).to_be_visible()
    page.get_by_role("treeitem", name="MLmodel").click()
    expect(page.get_by_text(f'load_model("models:/{world.model_name}/2")').last).to_be_visible()
    page = open_page(f"/#/experiments/{world.experiment_id}/models/{world.model_id}")
    expect(page.get_by_role("treeitem", name="MLmodel")).to_be_visible()


@pytest.mark.parametrize("path", ["", "code/train.py", "model/MLmodel"])
@pytest.mark.parametrize("width, dark", [(390, True), (1280, False)])
def test_artifacts_are_accessible_and_fit(open_page: OpenPage, world: World, path: str, width: int, dark: bool) -> None:
    page = open_page(address(world, path), width=width, dark=dark)
    expect(page.locator("main h2").first).to_be_visible()
    page.wait_for_timeout(500)
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
