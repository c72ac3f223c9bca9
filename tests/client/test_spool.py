"""The spool: what is logged outlives the server's outages and the program's end, and arrives once."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import runyard as mlflow
from runyard.cli import main
from runyard.client import connections
from runyard.client.spool import InUse, Spool
from runyard.client.spooling import SpooledTransport
from runyard.errors import ConfigurationError, InvalidParameter, NotFound, RunyardError, Unavailable
from tests.losing_proxy import LosingProxy
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment, start_runyard

ROOT = Path(__file__).parent.parent.parent

# Says each step that was logged.
TRAINING = """
import sys, time
import runyard as mlflow

mlflow.set_experiment("training")
with mlflow.start_run(run_name="long") as run:
    mlflow.log_params({"rate": 0.1})
    for step in range(int(sys.argv[1])):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        print(step, flush=True)
        time.sleep(0.002)
    # Its end waits for a server that answers, and not for one that is only about to.
    sys.stdin.read()
    mlflow.log_text("the end", "notes/end.txt")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], ServerProcess]]:
    """A function that starts the server, always the same one at the same address."""
    port = free_port()
    started: list[ServerProcess] = []

    def again() -> ServerProcess:
        started.append(start_runyard(f"sqlite:///{tmp_path}/server.db", tmp_path, port=port))
        return started[-1]

    again.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    yield again
    for server in started:
        if not server.was_ended:
            server.stop()


@pytest.fixture
def spooled(place: Path, folder: Path, start: Callable[[], ServerProcess], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server, which was not started yet; this process logs to it through a spool."""
    monkeypatch.setenv("RUNYARD_SPOOL", str(folder))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    url: str = start.url  # type: ignore[attr-defined]
    mlflow.set_tracking_uri(url)
    return url


def transport() -> SpooledTransport:
    found = connections.connect(mlflow.get_tracking_uri())
    assert isinstance(found, SpooledTransport)
    return found


def client_of(url: str) -> mlflow.MlflowClient:
    """A client whose tracking URI is another text, so that it has no spool's transport."""
    return mlflow.MlflowClient(url)


def sync(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["sync", "--spool", str(folder), *options])


@contextlib.contextmanager
def without_a_spool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what is open, as a program's end does, and read what the server has."""
    connections.close_all()
    with monkeypatch.context() as patched:
        patched.delenv("RUNYARD_SPOOL", raising=False)
        yield
        connections.close_all()


def training(steps: int, url: str, folder: Path, tmp_path: Path) -> subprocess.Popen[str]:
    environment = {
        "MLFLOW_TRACKING_URI": url,
        "RUNYARD_SPOOL": str(folder),
        "PYTHONPATH": str(ROOT / "src"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(steps)],
        cwd=tmp_path,
        env=clean_environment(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_outage_in_mid_training_loses_nothing_and_stops_nobody(
    start: Callable[[], ServerProcess], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Path
):
    server = start()
    with training(1000, server.url, folder, tmp_path) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line == "200\n":
                server.kill()
            if line == "600\n":
                server = start()
            if line == "999\n":
                break
        _, errors = program.communicate(timeout=60)

    assert program.returncode == 0, errors
    assert "waits in" in errors
    assert list(folder.iterdir()) == []
    client = client_of(server.url)
    [run] = mlflow.MlflowClient(server.url).search_runs([client.get_experiment_by_name("training").experiment_id])  # type: ignore[union-attr]
    assert (run.info.run_name, run.info.status, run.data.params) == ("long", "FINISHED", {"rate": "0.1"})
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(step, 1 / (step + 1)) for step in range(1000)]
    assert [file.path for file in client.list_artifacts(run.info.run_id, "notes")] == ["notes/end.txt"]


def test_what_a_killed_program_had_logged_is_sent_later(
    start: Callable[[], ServerProcess], folder: Path, tmp_path: Path, place: Path
):
    server = start()
    with training(100_000, server.url, folder, tmp_path) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line == "100\n":
                server.kill()
            if line == "300\n":
                break
        program.send_signal(signal.SIGKILL)
        logged = 300 + len(program.stdout.read().split())
        program.wait(30)
    server = start()

    done = sync(folder)

    assert done.exit_code == 0, done.output
    assert "all sent" in done.output
    client = client_of(server.url)
    [run] = client.search_runs([client.get_experiment_by_name("training").experiment_id])  # type: ignore[union-attr]
    steps = [point.step for point in client.get_metric_history(run.info.run_id, "loss")]
    # The one that it was logging when it was killed may be there, or not.
    assert steps in (list(range(logged + 1)), list(range(logged + 2)))
    assert run.info.status == "RUNNING"
    assert sync(folder).output == f"nothing waits in {folder}\n"


def test_without_a_network_everything_waits_for_sync(
    spooled: str,
    start: Callable[[], ServerProcess],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    (tmp_path / "notes.txt").write_text("written down", encoding="utf-8")
    assert mlflow.set_experiment("offline").name == "offline"
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_metrics({"loss": math.nan, "gain": math.inf}, step=3)
        mlflow.log_artifact(str(tmp_path / "notes.txt"), "notes")
        (tmp_path / "notes.txt").unlink()
        with mlflow.start_run(nested=True, tags={"kind": "inner"}) as child:
            mlflow.set_tag("more", "yes")
    with mlflow.start_run(run_id=None) as failed, contextlib.suppress(ZeroDivisionError):
        mlflow.log_param("rate", 1)
    with pytest.raises(Unavailable, match="there is no server"):
        mlflow.get_run(parent.info.run_id)
    connections.close_all()
    [file] = folder.glob("*.spool")

    listed = sync(folder, "--list")
    assert listed.exit_code == 1
    assert f"{file.name}: 10 writes wait" in listed.output, listed.output
    away = sync(folder)
    assert (away.exit_code, "there is no server" in away.output) == (1, True), away.output
    server = start()
    done = sync(folder)

    assert (done.exit_code, list(folder.iterdir())) == (0, []), done.output
    with without_a_spool(monkeypatch):
        runs = {run.info.run_id: run for run in mlflow.search_runs(experiment_names=["offline"], output_format="list")}
        assert set(runs) == {parent.info.run_id, child.info.run_id, failed.info.run_id}
        found = runs[parent.info.run_id]
        assert math.isnan(found.data.metrics["loss"])
        assert found.data.metrics["gain"] == math.inf
        assert found.info.status == "FINISHED"
        assert runs[child.info.run_id].data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert runs[child.info.run_id].data.tags["more"] == "yes"
        assert mlflow.artifacts.load_text(f"runs:/{parent.info.run_id}/notes/notes.txt") == "written down"
    assert server.url == spooled


def test_while_the_server_answers_reads_see_what_was_written(
    spooled: str, start: Callable[[], ServerProcess], folder: Path
):
    start()
    with mlflow.start_run() as run:
        assert run.info.run_name
        for step in range(50):
            mlflow.log_metric("loss", step, step=step)
        assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 49}
        mlflow.log_text("text", "a.txt")
        assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/a.txt") == "text"
        mlflow.log_table({"x": [1]}, "table.json")
        mlflow.log_table({"x": [2]}, "table.json")
        assert list(mlflow.load_table("table.json", run_ids=[run.info.run_id])["x"]) == [1, 2]
        transport().flush()
        [file] = folder.glob("*.spool")
        with pytest.raises(InUse):
            Spool(file)
        assert "its program still runs" in sync(folder).output
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"


def test_a_run_whose_making_was_not_answered_is_made_once(
    spooled: str, start: Callable[[], ServerProcess], monkeypatch: pytest.MonkeyPatch
):
    server = start()
    with contextlib.closing(LosingProxy(server.port)) as proxy:
        mlflow.set_tracking_uri(proxy.url)
        with mlflow.start_run(run_name="once") as run:
            mlflow.log_metric("loss", 1.0)
        # The pause after the first try is a part of a second.
        deadline = time.monotonic() + 20
        while transport()._is_away and time.monotonic() < deadline:
            time.sleep(0.05)
        transport().flush()
        connections.close_all()
        assert proxy.lost == 1

    mlflow.set_tracking_uri(spooled)
    with without_a_spool(monkeypatch):
        [found] = mlflow.search_runs(output_format="list", experiment_ids=["0"])
        assert (found.info.run_id, found.info.status) == (run.info.run_id, "FINISHED")
        assert found.data.metrics == {"loss": 1.0}


def test_what_the_server_refuses_is_set_aside_and_told(
    spooled: str, start: Callable[[], ServerProcess], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    start()
    with mlflow.start_run() as run:
        mlflow.log_param("rate", 1)
        transport().flush()
        mlflow.log_param("rate", 2)
        mlflow.log_metric("loss", 1.0)
        mlflow.log_metric("not a name\n", 1.0)
    connections.close_all()

    told = sync(folder)
    assert (told.exit_code, "2 were refused" in told.output) == (1, True), told.output
    assert "rate" in told.output
    assert run.info.run_id in told.output
    assert "2 were refused" in sync(folder, "--retry-refused").output
    assert sync(folder, "--drop-refused").exit_code == 0
    with without_a_spool(monkeypatch):
        found = mlflow.get_run(run.info.run_id)
        assert (found.data.params, found.data.metrics, found.info.status) == ({"rate": "1"}, {"loss": 1.0}, "FINISHED")


def test_a_run_in_an_experiment_that_is_not_there_is_refused_at_once(
    spooled: str, start: Callable[[], ServerProcess], folder: Path
):
    start()
    with pytest.raises(RunyardError, match="No Experiment with id=77"):
        mlflow.start_run(experiment_id="77")
    connections.close_all()
    assert list(folder.iterdir()) == []


def test_a_forked_child_has_a_spool_of_its_own(
    spooled: str, start: Callable[[], ServerProcess], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    with mlflow.start_run() as run:
        mlflow.log_metric("parent", 1.0)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                mlflow.MlflowClient().log_metric(run.info.run_id, "child", 2.0)
                connections.close_all()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        mlflow.log_metric("parent", 3.0, step=1)
    connections.close_all()
    assert len(list(folder.glob("*.spool"))) == 2
    start()

    assert sync(folder).exit_code == 0
    with without_a_spool(monkeypatch):
        assert mlflow.get_run(run.info.run_id).data.metrics == {"parent": 3.0, "child": 2.0}


def test_a_run_is_started_before_the_server_has_its_parent(spooled: str, start: Callable[[], ServerProcess]):
    """As a worker's is, of a training whose main process has not reached the server yet."""
    start()
    with mlflow.start_run(parent_run_id="f" * 32) as child:
        pass
    assert mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == "f" * 32


def test_what_is_logged_to_a_run_of_another_process_waits_for_it(
    spooled: str, start: Callable[[], ServerProcess], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A worker of a training whose main process has not reached the server yet, or never does."""
    start()
    mlflow.MlflowClient().log_metric("f" * 32, "loss", 1.0)
    transport().flush(5)
    assert transport()._spool.count() == (1, 0)
    connections.close_all()

    told = sync(folder)

    assert (told.exit_code, f"Run with id={'f' * 32} not found" in told.output) == (1, True), told.output


def test_a_full_disk_is_told_where_it_happens(spooled: str):
    with mlflow.start_run() as run:
        spool = transport()._spool
        [(pages,)] = spool._connection.execute("PRAGMA page_count").fetchall()
        spool._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RunyardError, match=r"cannot be written .*full.*: nothing was recorded"):
            mlflow.set_tag("long", "x" * 8000)
        spool._connection.execute("PRAGMA max_page_count = 1000000")
        mlflow.set_tag("long", "x" * 5000)
        with pytest.raises(InvalidParameter, match=r"missing\.txt"):
            transport().keep_file(run.info.run_id, Path("missing.txt"), "missing.txt")
    assert not any("missing" in str(entry.body) for entry in spool.waiting(100))


def test_a_folder_that_cannot_be_used_is_told_at_once(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("RUNYARD_SPOOL", str(tmp_path / "file" / "spool"))
    mlflow.set_tracking_uri("http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="the folder of the spool"):
        mlflow.start_run()
    (tmp_path / "damaged.spool").write_bytes(b"no database" * 100)
    with pytest.raises(ConfigurationError, match="is no spool, or is damaged"):
        Spool(tmp_path / "damaged.spool")


def test_sync_says_what_it_needs():
    done = CliRunner(env={"RUNYARD_SPOOL": None}).invoke(main, ["sync"])
    assert (done.exit_code, "RUNYARD_SPOOL" in done.output) == (2, True)


def test_registry_and_reads_of_others_need_the_server(spooled: str, start: Callable[[], ServerProcess]):
    with pytest.raises(Unavailable):
        mlflow.search_registered_models()
    start()
    assert mlflow.search_registered_models() == []
    with pytest.raises(NotFound):
        mlflow.get_run("0" * 32)
