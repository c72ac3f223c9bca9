"""Clean-up by servers at work: in the background, by one process at a time, and finished by another when that dies."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runyard.artifacts.local import UPLOADS_FOLDER
from runyard.errors import ConfigurationError
from runyard.settings import load_settings
from runyard.store import leases, migrate
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment
from runyard.store.schema import leases as leases_table, purges
from tests.contract.worlds import World
from tests.server.http import get, send
from tests.servers import ServerProcess

SOON = ("--cleanup-enabled", "--cleanup-interval", "1")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runyard.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def world(uri: str, tmp_path: Path) -> Iterator[World]:
    database = Database(uri)
    migrate.upgrade(database)
    database.write(ensure_default_experiment, "mlflow-artifacts:/")
    world = World(database, tmp_path)
    yield world
    world.ingest.close()
    database.close()


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


def in_trash(world: World, count: int) -> list[str]:
    run_ids = [world.run() for _ in range(count)]
    for run_id in run_ids:
        world.delete_run(run_id, days_ago=91)
    return run_ids


def actors(world: World) -> list[str]:
    statement = sa.select(purges.c.actor).distinct()
    return sorted(world.database.read(lambda connection: list(connection.execute(statement).scalars())))


def audit_lines(server: ServerProcess) -> list[Any]:
    lines = [line.partition(" runyard.audit: ")[2] for line in server.log().splitlines()]
    return [json.loads(line) for line in lines if line]


def test_a_server_cleans_up_in_the_background_and_leaves_an_audit_line(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    gone = in_trash(world, 3)
    kept, young = world.run(keep="true"), world.run()
    world.delete_run(kept, days_ago=91)
    world.delete_run(young, days_ago=89)
    server = running_server(uri, *SOON, "--artifacts-destination", str(world.artifacts))
    wait_until(lambda: world.left() == {kept, young}, "the runs are gone")
    wait_until(lambda: len(audit_lines(server)) > 0, "the audit line")
    [line, *_] = audit_lines(server)
    assert (line["run_count"], line["file_count"], line["size_bytes"], line["kept_count"]) == (3, 3, 30, 1)
    assert line["actor"].startswith("cleanup ")
    assert sorted(row.name for row in world.record()) == sorted(gone)
    assert get(server.port, "runs/get", run_id=gone[0]).status == 404
    told = send(server.port, "GET", "/metrics").body.decode()
    assert 'runyard_cleanup_deleted_total{kind="runs"} 3.0' in told
    assert "runyard_cleanup_freed_bytes_total 30.0" in told
    assert time.time() - float(told.partition("\nrunyard_cleanup_last_pass_timestamp_seconds ")[2].split()[0]) < 60
    # It goes on: what comes later goes later.
    [later] = in_trash(world, 1)
    wait_until(lambda: later not in world.left(), "the next pass")


def test_a_server_that_is_not_told_to_deletes_nothing(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    run_ids = in_trash(world, 2)
    server = running_server(uri, "--cleanup-interval", "1")
    time.sleep(2.5)
    assert world.left() == set(run_ids)
    assert world.database.read(leases.holder_of, "cleanup") is None
    assert audit_lines(server) == []


def test_a_dry_run_says_what_it_would_delete(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    [run_id] = in_trash(world, 1)
    server = running_server(uri, *SOON, "--cleanup-dry-run")
    wait_until(lambda: f"(dry run) would take run {run_id}" in server.log(), "the line")
    assert world.left() == {run_id}
    assert world.record() == []


def test_of_many_processes_one_cleans_up_at_a_time(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    run_ids = in_trash(world, 40)
    options = (*SOON, "--cleanup-max-per-second", "20", "--artifacts-destination", str(world.artifacts))
    for _ in range(2):
        running_server(uri, *options, workers=2)
    wait_until(lambda: world.left() == set(), "the runs are gone")
    assert len(actors(world)) == 1
    assert sorted(row.name for row in world.record()) == sorted(run_ids)


def test_when_the_one_dies_another_finishes(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    run_ids = in_trash(world, 60)
    options = (*SOON, "--cleanup-max-per-second", "20", "--artifacts-destination", str(world.artifacts))
    first = running_server(uri, *options)
    wait_until(lambda: len(world.left()) < 60, "the first batch is gone")
    first.kill()
    left = world.left()
    assert left
    running_server(uri, *options)
    time.sleep(2)
    # As long as the lease of the dead holds, nobody else begins.
    assert world.left() == left
    world.database.write(lambda connection: connection.execute(sa.update(leases_table).values(expires_time=0)))
    wait_until(lambda: world.left() == set(), "the rest is gone")
    assert len(actors(world)) == 2
    assert sorted(row.name for row in world.record()) == sorted(run_ids)
    assert world.with_artifacts() == set()


def test_a_server_that_is_stopped_lets_go_at_once(
    world: World, uri: str, running_server: Callable[..., ServerProcess]
) -> None:
    in_trash(world, 60)
    options = (*SOON, "--cleanup-max-per-second", "20", "--artifacts-destination", str(world.artifacts))
    first = running_server(uri, *options)
    wait_until(lambda: len(world.left()) < 60, "the first batch is gone")
    started = time.monotonic()
    first.stop()
    assert time.monotonic() - started < 10
    assert world.left()
    assert world.left() == world.with_artifacts()
    assert world.database.read(leases.holder_of, "cleanup") is None
    running_server(uri, *options)
    wait_until(lambda: world.left() == set(), "the rest is gone")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup_deleted_days", 0),
        ("cleanup_finished_days", -1),
        ("cleanup_orphan_days", -1),
        ("cleanup_interval_s", 0),
        ("cleanup_max_per_second", -1),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be between"):
        load_settings({}, **{name: value})


def test_what_broken_uploads_left_goes_without_being_asked(
    running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    uploads = tmp_path / "artifacts" / UPLOADS_FOLDER
    uploads.mkdir(parents=True)
    for name, age_s in (("left-behind", 90_000), ("under-way", 60)):
        (uploads / name).write_bytes(b"x")
        os.utime(uploads / name, (time.time() - age_s,) * 2)
    server = running_server()
    wait_until(lambda: not (uploads / "left-behind").exists(), "the old upload is gone")
    assert (uploads / "under-way").exists()
    wait_until(lambda: "removed what was left of 1 broken uploads" in server.log(), "it is told")
