"""Emptying the trash from a shell: what goes, what stays, and that it may be stopped anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from runyard.cli import main
from runyard.store import leases, migrate
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment, set_experiment_tag
from runyard.store.retention import DELETED_DAYS_TAG, FINISHED_DAYS_TAG
from runyard.store.schema import leases as leases_table
from tests.cli.conftest import Shell
from tests.contract.factories import make_experiment
from tests.contract.worlds import World
from tests.servers import ServerProcess


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """The database and the artifacts that `runyard server` would have in this folder."""
    database = Database("sqlite:///runyard.db")
    migrate.upgrade(database)
    database.write(ensure_default_experiment, "mlflow-artifacts:/")
    world = World(database, folder, artifacts="mlartifacts")
    yield world
    world.ingest.close()
    database.close()


def test_everything_in_the_trash_goes_and_nothing_else(command: Shell, world: World) -> None:
    experiment_id = make_experiment(world.database)
    active, deleted, model = world.run(), world.run(), world.model()
    for _ in range(2):
        world.run(experiment_id)
    world.delete_run(deleted, days_ago=0)
    world.delete_model(model, days_ago=0)
    world.delete_experiment(experiment_id, days_ago=0)
    said = command("gc").stdout
    assert said == "Deleted 3 runs, 1 logged model, 1 experiment: 4 files, 40 B.\n"
    assert world.left() == world.with_artifacts() == {active}
    assert command("gc").stdout == "Nothing to delete.\n"
    assert {row.actor.partition(" ")[0] for row in world.record()} == {"gc"}


@pytest.mark.parametrize(
    ("age", "goes"),
    [("30d", True), ("31d1h", False), ("743h", True), ("30d 23h 59m", True), ("44640.5m", False), ("2.7e6s", None)],
)
def test_only_what_is_older_goes(command: Shell, world: World, age: str, goes: bool | None) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=31)
    if goes is None:
        assert "is no age" in command.refused("gc", "--older-than", age, status=2)
    else:
        command("gc", "--older-than", age)
        assert (run_id not in world.left()) == goes


@pytest.mark.parametrize("age", ["", "1", "d", "1w", "-1d", "1d1d", "1h1d", "1..5d", "40000d", "soon"])
def test_what_is_no_age_is_told_in_a_line(command: Shell, world: World, age: str) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=31)
    assert "--older-than" in command.refused("gc", "--older-than", age, status=2)
    assert world.left() == {run_id}


def test_what_is_named_goes_and_nothing_else(command: Shell, world: World) -> None:
    numbers = [make_experiment(world.database, name) for name in ("a", "b")]
    runs, models = [world.run() for _ in range(3)], [world.model() for _ in range(2)]
    for number in numbers:
        world.run(number)
        world.delete_experiment(number, days_ago=1)
    for run_id in runs:
        world.delete_run(run_id, days_ago=1)
    for model_id in models:
        world.delete_model(model_id, days_ago=1)
    before = world.left()
    assert "Deleted 2 runs:" in command("gc", "--run-ids", ",".join(runs[:2])).stdout
    assert "Deleted 1 logged model:" in command("gc", "--logged-model-ids", models[0]).stdout
    assert before - world.left() == {*runs[:2], models[0]}
    assert "Deleted 1 run, 1 experiment:" in command("gc", "--experiment-ids", numbers[0]).stdout
    assert {runs[2], models[1], numbers[1]} <= world.left()


def test_one_that_may_not_go_keeps_all_that_were_named_with_it(command: Shell, world: World) -> None:
    deleted, active, kept, young = world.run(), world.run(), world.run(keep="true"), world.run()
    for run_id in (deleted, kept):
        world.delete_run(run_id, days_ago=31)
    world.delete_run(young, days_ago=29)
    experiment_id = make_experiment(world.database, **{DELETED_DAYS_TAG: "never"})
    world.delete_experiment(experiment_id, days_ago=31)
    before = world.left()
    for other, words in (
        (active, "is not in the trash: delete it first"),
        ("nope", "not found"),
        (kept, "stays: it carries the tag 'keep'"),
        (young, "is not in the trash for long enough"),
    ):
        error = command.refused("gc", "--older-than", "30d", "--run-ids", f"{deleted},{other}")
        assert other in error
        assert words in error
    assert experiment_id in command.refused("gc", "--run-ids", deleted, "--experiment-ids", experiment_id)
    assert "names nothing" in command.refused("gc", "--run-ids", ",", status=2)
    assert world.left() == before


def test_what_stays_is_told_with_the_reason(command: Shell, world: World) -> None:
    kept, deleted = world.run(keep="true"), world.run()
    for run_id in (kept, deleted):
        world.delete_run(run_id, days_ago=31)
    result = command("gc")
    assert "Deleted 1 run:" in result.stdout
    assert f"{kept}: it carries the tag 'keep'" in result.stderr
    assert world.left() == {kept}


def test_tags_count_before_the_option_and_nothing_moves_to_the_trash(command: Shell, world: World) -> None:
    experiment_id = make_experiment(world.database)
    run_id, ended = world.run(experiment_id), world.run(experiment_id)
    world.end_run(ended, days_ago=31)
    world.delete_run(run_id, days_ago=31)
    world.database.write(set_experiment_tag, experiment_id, DELETED_DAYS_TAG, "60")
    world.database.write(set_experiment_tag, experiment_id, FINISHED_DAYS_TAG, "1")
    assert command("gc").stdout == "Nothing to delete.\n"
    assert world.stage(ended) == "active"


def test_a_dry_run_lists_what_would_go_and_deletes_nothing(command: Shell, world: World) -> None:
    experiment_id = make_experiment(world.database)
    deleted, inside = world.run(), world.run(experiment_id)
    world.delete_run(deleted, days_ago=31)
    world.delete_experiment(experiment_id, days_ago=31)
    world.write(f"5/{'a' * 32}/artifacts/x.bin")
    said = command("gc", "--dry-run", "--orphans-older-than", "0s").stdout
    for words in (deleted, inside, f"5/{'a' * 32}", "Would delete 2 runs, 1 experiment, 1 orphaned folder: 3 files"):
        assert words in said
    assert world.left() == {deleted, inside, experiment_id}
    said = command("gc", "--orphans-older-than", "0s").stdout
    assert "Deleted 2 runs, 1 experiment, 1 orphaned folder: 3 files" in said


def test_a_database_that_is_not_there_is_not_made(command: Shell, folder: Path) -> None:
    assert "there is no database" in command.refused("gc", status=2)
    assert list(folder.iterdir()) == []
    (folder / "empty.db").touch()
    (folder / "mlartifacts").mkdir()
    assert "runyard db upgrade" in command.refused("gc", "--backend-store-uri", "sqlite:///empty.db", status=2)


def test_artifacts_that_would_be_left_behind_keep_everything(command: Shell, world: World, folder: Path) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=31)
    (folder / "mlartifacts").rename(folder / "elsewhere")
    uri = f"sqlite:///{folder / 'runyard.db'}"
    assert "--artifacts-destination" in command.refused("gc", "--backend-store-uri", uri, status=2)
    assert world.left() == {run_id}
    said = command("gc", "--backend-store-uri", uri, "--artifacts-destination", "elsewhere").stdout
    assert "Deleted 1 run: 1 file, 10 B." in said


def test_artifacts_go_through_the_server_that_is_named(
    command: Shell, running_server: Callable[..., ServerProcess], world: World, folder: Path
) -> None:
    (folder / "server").mkdir()
    server = running_server(f"sqlite:///{folder / 'runyard.db'}", folder=folder / "server")
    kept, gone = world.run(), world.run()
    world.delete_run(gone, days_ago=31)
    (folder / "mlartifacts").rename(folder / "server" / "artifacts")
    # As upstream's users say it, who have to name the server.
    said = command("gc", "--tracking-uri", server.url, "--artifacts-destination", "nowhere").stdout
    assert "Deleted 1 run: 1 file, 10 B." in said
    assert [path.name for path in (folder / "server" / "artifacts" / "0").iterdir()] == [kept]
    assert "--orphans" in command("gc", "--tracking-uri", server.url, "--orphans-older-than", "1d", status=2).stderr


def test_a_server_that_is_not_there_keeps_everything(command: Shell, world: World) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=31)
    environment = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        assert "there is no server" in command("gc", status=1).stderr
    assert world.left() == world.with_artifacts() == {run_id}


def test_it_waits_for_another_clean_up_to_end(world: World, folder: Path) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=31)
    lease = world.database.write(leases.acquire, "cleanup", "somebody")
    assert lease is not None
    with start_gc(folder) as process:
        assert process.stderr is not None
        assert "somebody" in process.stderr.readline()
        assert world.left() == {run_id}
        world.database.write(leases.release, lease, is_done=True)
        assert process.wait(30) == 0
    assert world.left() == set()


def start_gc(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "RUNYARD_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "runyard", "gc", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_or_killed_in_the_middle_it_goes_on_the_next_time(
    command: Shell, world: World, folder: Path, number: signal.Signals
) -> None:
    run_ids = [world.run() for _ in range(60)]
    for run_id in run_ids:
        world.delete_run(run_id, days_ago=31)
    process = start_gc(folder, "--max-per-second", "20")
    deadline = time.monotonic() + 30
    while len(world.left()) == 60 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    left = world.left()
    assert 0 < len(left) < 60
    # What is left has its artifacts, but for a batch that was claimed when the power went.
    assert len(left - world.with_artifacts()) <= 20
    if number is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        world.database.write(lambda connection: connection.execute(sa.update(leases_table).values(expires_time=0)))
    else:
        assert process.returncode == 1
        assert "the next gc goes on" in stderr
        assert world.left() == world.with_artifacts()
    assert f"Deleted {len(left)} runs" in command("gc").stdout
    assert world.left() == world.with_artifacts() == set()
    assert sorted(row.name for row in world.record()) == sorted(run_ids)


@pytest.mark.postgres
def test_a_postgresql_database_is_emptied(command: Shell, postgres_url: str, folder: Path) -> None:
    database = Database(postgres_url)
    migrate.upgrade(database)
    database.write(ensure_default_experiment, "mlflow-artifacts:/")
    world = World(database, folder, artifacts="artifacts")
    kept, gone = world.run(), world.run()
    world.delete_run(gone, days_ago=1)
    command("gc", "--backend-store-uri", postgres_url, "--artifacts-destination", str(folder / "artifacts"))
    assert world.left() == world.with_artifacts() == {kept}
    world.ingest.close()
    database.close()


def test_upstreams_options_are_there() -> None:
    there = {name for parameter in main.commands["gc"].params for name in parameter.opts}
    assert {
        "--older-than",
        "--backend-store-uri",
        "--artifacts-destination",
        "--run-ids",
        "--experiment-ids",
        "--logged-model-ids",
        "--tracking-uri",
    } <= there
