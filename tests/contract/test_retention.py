"""What a pass of clean-up takes, and what it never does: by examples, and by any world that can be made up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from runyard.artifacts.local import LocalStore
from runyard.artifacts.objects import ObjectStore
from runyard.errors import InvalidParameter, NotFound
from runyard.server.retention import TOTALS, Cleaner
from runyard.server.routes.artifacts import folder_of
from runyard.store import leases, logged_models, retention, runs
from runyard.store.clock import now_ms
from runyard.store.engine import Database
from runyard.store.experiments import (
    ensure_default_experiment,
    set_experiment_tag,
)
from runyard.store.leases import LEASE_MS, Lease, LeaseLost
from runyard.store.retention import DAY_MS, DELETED_DAYS_TAG, FINISHED_DAYS_TAG, Policy
from runyard.store.schema import SCHEMA_METADATA, leases as leases_table
from tests.contract.factories import make_experiment, make_model, make_version
from tests.contract.worlds import World
from tests.object_stores import SeaweedFS

DAYS_90 = Policy(deleted_ms=90 * DAY_MS)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    world = World(database, tmp_path)
    yield world
    world.ingest.close()


def test_what_was_in_the_trash_for_long_enough_goes_with_its_artifacts(world: World) -> None:
    old, young, active = world.run(), world.run(), world.run()
    model, young_model = world.model(), world.model()
    world.delete_run(old, days_ago=91)
    world.delete_run(young, days_ago=89)
    world.delete_model(model, days_ago=91)
    world.delete_model(young_model, days_ago=89)
    report = world.clean()
    assert (report.run_count, report.model_count, report.file_count, report.size_bytes) == (1, 1, 2, 20)
    assert report.is_complete
    assert world.left() == world.with_artifacts() == {young, active, young_model}
    assert [(row.kind, row.name, row.actor, row.size_bytes) for row in world.record()] == [
        ("run", old, "test", 10),
        ("logged model", model, "test", 10),
    ]


def test_an_experiment_goes_with_all_that_is_in_it(world: World) -> None:
    gone, kept = make_experiment(world.database, "gone"), make_experiment(world.database, "kept")
    earlier = world.run(gone)
    world.delete_run(earlier, days_ago=100)
    for experiment_id in (gone, kept):
        world.run(experiment_id)
        world.model(experiment_id)
    world.delete_experiment(gone, days_ago=91)
    world.delete_experiment(kept, days_ago=89)
    before = world.left()
    report = world.clean()
    assert (report.experiment_count, report.run_count, report.model_count) == (1, 2, 1)
    assert len(before - world.left()) == 4
    assert kept in world.left()


def test_nothing_goes_by_a_dry_run_which_tells_what_would(world: World) -> None:
    experiment_id = make_experiment(world.database)
    for place in ("0", experiment_id):
        world.run(place)
    world.delete_experiment(experiment_id, days_ago=91)
    old, ended = world.run(), world.run()
    world.delete_run(old, days_ago=91)
    world.end_run(ended, days_ago=31)
    orphan = world.write(f"7/{'a' * 32}/artifacts/x.bin")
    before = world.left()
    policy = Policy(deleted_ms=90 * DAY_MS, finished_ms=30 * DAY_MS)
    told: list[str] = []
    planned = world.clean(policy, is_dry_run=True, orphan_ms=0, on_item=lambda _kind, name, _words: told.append(name))
    assert world.left() == before
    assert orphan.exists()
    assert world.record() == []
    assert {old, ended, experiment_id, f"7/{'a' * 32}"} <= set(told)
    assert planned.counts() == world.clean(policy, orphan_ms=0).counts()
    assert (planned.experiment_count, planned.run_count, planned.moved_run_count, planned.orphan_count) == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("experiment_days", "run_days", "goes"),
    [
        (None, None, True),
        ("95", None, False),
        ("never", None, False),
        ("ninety", None, False),
        ("-1", None, False),
        (" 30 ", None, True),
        ("95", "30", True),
        ("30", "95", False),
        ("30", "never", False),
        ("never", "0", True),
    ],
)
def test_the_nearest_tag_says_how_long(
    world: World, experiment_days: str | None, run_days: str | None, goes: bool
) -> None:
    experiment_id = make_experiment(world.database)
    if experiment_days is not None:
        world.database.write(set_experiment_tag, experiment_id, DELETED_DAYS_TAG, experiment_days)
    run_id = world.run(experiment_id, **({DELETED_DAYS_TAG: run_days} if run_days is not None else {}))
    world.delete_run(run_id, days_ago=92)
    world.clean()
    assert (run_id not in world.left()) == goes


def test_a_tag_shorter_than_the_policy_counts_for_runs_models_and_experiments(world: World) -> None:
    experiment_id = make_experiment(world.database, **{DELETED_DAYS_TAG: "2"})
    run_id = world.run(**{DELETED_DAYS_TAG: "2"})
    model_id = world.model(**{DELETED_DAYS_TAG: "2"})
    other, other_model = world.run(), world.model()
    for each in (run_id, other):
        world.delete_run(each, days_ago=3)
    for each in (model_id, other_model):
        world.delete_model(each, days_ago=3)
    world.run(experiment_id)
    world.delete_experiment(experiment_id, days_ago=3)
    world.clean(Policy(deleted_ms=None))
    assert world.left() == {other, other_model}


@pytest.mark.parametrize(("value", "goes"), [("true", False), ("", False), ("yes", False), ("false", True)])
def test_what_carries_the_tag_keep_stays(world: World, value: str, goes: bool) -> None:
    experiment_id = make_experiment(world.database, keep=value)
    run_id, model_id = world.run(keep=value), world.model(keep=value)
    by_experiment, model_of_run = world.run(experiment_id), world.model(run_id=run_id)
    for each in (run_id, by_experiment):
        world.delete_run(each, days_ago=1000)
    for each in (model_id, model_of_run):
        world.delete_model(each, days_ago=1000)
    world.delete_experiment(experiment_id, days_ago=1000)
    things = {experiment_id, run_id, model_id, by_experiment, model_of_run}
    for policy in (DAYS_90, Policy(deleted_ms=0), retention.BY_HAND):
        report = world.clean(policy)
    assert world.left() == (set() if goes else things)
    assert report.kept_count == (0 if goes else 4)


def test_runs_that_ended_long_ago_move_to_the_trash_with_the_models_they_made(world: World) -> None:
    policy = Policy(deleted_ms=90 * DAY_MS, finished_ms=30 * DAY_MS)
    experiment_id = make_experiment(world.database, **{FINISHED_DAYS_TAG: "never"})
    old, broken, young, going = (world.run() for _ in range(4))
    kept, elsewhere, source = world.run(keep="true"), world.run(experiment_id), world.run()
    make_model(world.database, "model")
    make_version(world.database, "model", f"runs:/{source}/model")
    model_id, kept_model = world.model(run_id=old), world.model(run_id=old, keep="true")
    for run_id in (old, kept, elsewhere, source):
        world.end_run(run_id, days_ago=31)
    world.end_run(broken, days_ago=31, status="FAILED")
    world.end_run(young, days_ago=29)
    report = world.clean(policy)
    assert (report.moved_run_count, report.moved_model_count, report.run_count) == (2, 1, 0)
    stages = {run_id: world.stage(run_id) for run_id in (old, broken, young, going, kept, elsewhere, source)}
    assert {run_id for run_id, stage in stages.items() if stage == "deleted"} == {old, broken}
    with pytest.raises(NotFound):
        world.database.read(logged_models.get_logged_model, model_id)
    world.database.read(logged_models.get_logged_model, kept_model)
    world.ingest.submit(runs.restoration(old)).result(10)
    world.database.read(logged_models.get_logged_model, model_id)
    assert world.with_artifacts() >= {old, broken, model_id}


def test_a_run_tag_says_when_it_moves_to_the_trash_where_the_policy_says_nothing(world: World) -> None:
    soon, other = world.run(**{FINISHED_DAYS_TAG: "7"}), world.run()
    for run_id in (soon, other):
        world.end_run(run_id, days_ago=8)
    assert world.clean().moved_run_count == 1
    assert (world.stage(soon), world.stage(other)) == ("deleted", "active")


def test_a_model_that_was_deleted_by_itself_stays_in_the_trash_when_its_run_is_restored(world: World) -> None:
    run_id = world.run()
    model_id = world.model(run_id=run_id)
    world.delete_model(model_id, days_ago=1)
    world.delete_run(run_id, days_ago=0.5)
    world.ingest.submit(runs.restoration(run_id)).result(10)
    with pytest.raises(NotFound):
        world.database.read(logged_models.get_logged_model, model_id)


def test_folders_that_belong_to_nothing_go_when_they_were_left_alone_for_long_enough(world: World) -> None:
    run_id, model_id = world.run(), world.model()
    make_model(world.database, "model")
    gone = "c" * 32
    make_version(world.database, "model", f"mlflow-artifacts:/0/{gone}/artifacts/model")
    orphans = [f"0/{'a' * 32}", f"12/models/m-{'b' * 32}"]
    for folder in (*orphans, f"0/{gone}"):
        world.write(f"{folder}/artifacts/deep/er/file.bin")
    others = [world.write(path) for path in (f"other/{'a' * 32}/x.bin", "0/notes.txt", f"0/{'a' * 31}/x.bin", "x.bin")]
    assert world.clean(orphan_ms=DAY_MS).orphan_count == 0
    assert world.clean().orphan_count == 0
    report = world.clean(orphan_ms=0)
    assert (report.orphan_count, report.file_count, report.size_bytes) == (2, 2, 20)
    assert [row.name for row in world.record()] == orphans
    assert all(path.exists() for path in others)
    assert {run_id, model_id, gone} <= {path.name for path in (world.folder / "artifacts").rglob("*")}
    assert not any((world.folder / "artifacts" / folder).exists() for folder in orphans)


def test_a_file_that_is_locked_keeps_its_run_and_no_other(world: World) -> None:
    locked, *others = [world.run() for _ in range(5)]
    for run_id in (locked, *others):
        world.delete_run(run_id, days_ago=91)

    class Store(LocalStore):
        async def delete(self, path: str) -> None:
            if locked in path:
                raise PermissionError(1, "Operation not permitted", path)
            await super().delete(path)

    kind = Store(world.folder / "artifacts")
    world.services = dataclasses.replace(world.services, artifacts=kind)
    for batch in (0, 1):
        # One at a time, the first has a batch of its own.
        report = world.clean(max_per_second=batch * 1000)
        assert report.is_complete
        assert (report.failure_count, locked in report.failures[0]) == (1, True)
    assert world.left() == world.with_artifacts() == {locked}
    world.services = dataclasses.replace(world.services, artifacts=world.store)
    assert world.clean().run_count == 1
    assert world.left() == set()


def test_a_store_that_does_not_answer_ends_the_pass_and_nothing_is_lost(world: World) -> None:
    run_ids = [world.run() for _ in range(5)]
    for run_id in run_ids:
        world.delete_run(run_id, days_ago=91)

    class Away(LocalStore):
        async def usage(self, path: str) -> Any:
            raise ConnectionError(111, "Connection refused", path)

        async def ping(self) -> None:
            raise ConnectionError(111, "Connection refused")

    away = Away(world.folder / "artifacts")
    world.services = dataclasses.replace(world.services, artifacts=away)
    report = world.clean(max_per_second=2)
    assert (report.is_complete, report.failure_count, report.run_count) == (False, 2, 0)
    assert world.left() == world.with_artifacts() == set(run_ids)


def test_artifacts_that_are_gone_already_are_no_hindrance(world: World) -> None:
    run_id = world.run()
    world.delete_run(run_id, days_ago=91)
    (world.folder / "artifacts" / "0" / run_id / "artifacts" / "weights.bin").unlink()
    assert world.clean().run_count == 1
    assert world.left() == set()


def test_a_pass_takes_its_time(world: World) -> None:
    for _ in range(6):
        world.delete_run(world.run(), days_ago=91)
    batches: list[int] = []
    started = now_ms()
    report = world.clean(max_per_second=3, on_progress=lambda done, _total: batches.append(done))
    assert report.run_count == 6
    assert batches == [3, 6]
    assert now_ms() - started >= 2000


def test_one_lease_is_held_by_one_and_taken_over_when_it_expires(world: World) -> None:
    database = world.database

    def acquire(holder: str, **options: Any) -> Lease | None:
        return database.write(leases.acquire, "cleanup", holder, **options)

    def expire() -> None:
        database.write(lambda connection: connection.execute(sa.update(leases_table).values(expires_time=0)))

    first = acquire("one")
    assert first is not None
    assert acquire("two") is None
    assert database.read(leases.holder_of, "cleanup") == "one"
    expire()
    assert database.read(leases.holder_of, "cleanup") is None
    second = acquire("two")
    assert second is not None
    with pytest.raises(LeaseLost):
        database.write(leases.renew, first)
    database.write(leases.renew, second)
    database.write(leases.release, first, is_done=True)
    assert acquire("three") is None
    database.write(leases.release, second, is_done=True)
    assert acquire("three", ready_after_ms=LEASE_MS) is None
    assert acquire("three", ready_after_ms=0) is not None


def test_who_lost_the_lease_deletes_nothing_more(world: World) -> None:
    run_ids = {world.run() for _ in range(3)}
    for run_id in run_ids:
        world.delete_run(run_id, days_ago=91)
    lease = world.database.write(leases.acquire, "cleanup", "one")
    assert lease is not None
    world.database.write(lambda connection: connection.execute(sa.update(leases_table).values(expires_time=0)))
    assert world.database.write(leases.acquire, "cleanup", "two") is not None
    with pytest.raises(LeaseLost):
        world.clean(lease=lease)
    assert world.left() == world.with_artifacts() == run_ids


def test_of_those_who_restore_register_and_purge_at_once_nobody_gets_half_of_a_run(world: World) -> None:
    run_ids = [world.run() for _ in range(60)]
    make_model(world.database, "model")
    for run_id in run_ids:
        world.delete_run(run_id, days_ago=91)
    restored: set[str] = set()
    registered: set[str] = set()

    def restore(run_id: str) -> None:
        world.ingest.submit(runs.restoration(run_id)).result(10)
        restored.add(run_id)

    def register(run_id: str) -> None:
        make_version(world.database, "model", f"runs:/{run_id}/model")
        registered.add(run_id)

    def save(some: list[str], action: Callable[[str], None]) -> None:
        for run_id in some:
            # Gone, or being deleted for good.
            with contextlib.suppress(NotFound, InvalidParameter):
                action(run_id)

    with ThreadPoolExecutor(4) as threads:
        work: list[Future[Any]] = [
            threads.submit(world.clean, max_per_second=200),
            threads.submit(world.clean, max_per_second=300),
            threads.submit(save, run_ids[::-3], restore),
            threads.submit(save, run_ids[1::3], register),
        ]
        for each in work:
            each.result(60)
    world.clean()
    assert world.left() == world.with_artifacts() == restored | registered
    assert sorted(row.name for row in world.record()) == sorted(set(run_ids) - restored - registered)


@pytest.mark.cloud
def test_an_object_store_is_cleaned_as_a_folder_is(world: World, s3: SeaweedFS) -> None:
    store = ObjectStore(s3.new_root())

    def write(path: str) -> None:
        async def content() -> AsyncIterator[bytes]:
            yield b"0123456789"

        asyncio.run(store.write(path, content()))

    gone, kept, orphan = world.run(), world.run(), "d" * 32
    for path in (f"0/{gone}/artifacts/a/b", f"0/{gone}/artifacts/c", f"0/{kept}/artifacts/a", f"0/{orphan}/a/b", "0/x"):
        write(path)
    world.delete_run(gone, days_ago=91)
    world.services = dataclasses.replace(world.services, artifacts=store)
    assert world.clean(is_dry_run=True, orphan_ms=0).size_bytes == 30
    report = world.clean(orphan_ms=0)
    assert (report.run_count, report.orphan_count, report.file_count, report.size_bytes) == (1, 1, 3, 30)
    assert [asyncio.run(store.usage(f"0/{name}")).file_count for name in (kept, gone, orphan)] == [1, 0, 0]
    assert asyncio.run(store.head("0/x")).size_bytes == 10


@pytest.mark.parametrize(
    "root",
    [
        "s3://bucket/p",
        "s3a://bucket/p",
        "gs://bucket/p",
        "abfss://container@account.dfs.core.windows.net/p",
        "wasb://container@account.blob.core.windows.net/p",
        "wasbs://container@account.blob.core.windows.net/p",
    ],
)
def test_a_folder_is_found_wherever_an_experiment_keeps_it(world: World, root: str) -> None:
    run_id = "d" * 32
    found = folder_of(world.services, run_id, f"{root}/0/{run_id}/artifacts")
    assert found is not None
    assert found[1] == run_id
    # Others may have theirs in it.
    assert folder_of(world.services, run_id, f"{root}/shared/artifacts") is None


def test_this_process_counts_what_it_deleted(world: World) -> None:
    before = dataclasses.replace(TOTALS)
    for _ in range(3):
        world.delete_run(world.run(), days_ago=91)
    world.clean(is_dry_run=True)
    world.clean()
    assert (TOTALS.run_count - before.run_count, TOTALS.size_bytes - before.size_bytes) == (3, 30)


# --- any world ---

AGES = st.sampled_from([0.5, 5.0, 50.0, 500.0])
DAYS = st.sampled_from(["0", "1", "10", "100", "never", "soon"])


@dataclass(frozen=True)
class Thing:
    """A run or a logged model as a world has it; ages in days, None where that did not happen."""

    is_model: bool
    experiment: int
    deleted: float | None
    ended: float | None
    keep: str | None
    days: str | None
    is_source: bool


@dataclass(frozen=True)
class Place:
    deleted: float | None
    keep: str | None
    days: str | None


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


PLACES = st.builds(Place, maybe(AGES), maybe(st.sampled_from(["true", "false"])), maybe(DAYS))
THINGS = st.builds(
    Thing,
    st.booleans(),
    st.integers(0, 2),
    maybe(AGES),
    maybe(AGES),
    st.sampled_from([None, None, None, "true", "false"]),
    maybe(DAYS),
    st.sampled_from([False, False, False, True]),
)
WORLDS = st.tuples(st.lists(PLACES, min_size=3, max_size=3), st.lists(THINGS, min_size=1, max_size=8))


def limit_of(default: int | None, *tags: str | None) -> float | None:
    """Return the days that the nearest tag says, else the policy, straight from the documentation."""
    for tag in tags:
        if tag is not None:
            return int(tag) if tag.isdigit() else None
    return default


def is_kept(tag: str | None) -> bool:
    return tag is not None and tag != "false"


def goes(thing: Thing, place: Place, deleted_days: int | None) -> bool:
    """Say whether a policy names a thing, by rules written down again and apart from the code."""
    age = thing.deleted if thing.deleted is not None else place.deleted
    limit = limit_of(deleted_days, thing.days, place.days)
    is_safe = is_kept(thing.keep) or is_kept(place.keep) or thing.is_source
    return age is not None and limit is not None and age >= limit and not is_safe


@contextlib.contextmanager
def empty_world(database: Database, folder: Path) -> Iterator[World]:
    def clear(connection: sa.Connection) -> None:
        for table in reversed(SCHEMA_METADATA.sorted_tables):
            if table.name != "keys":
                connection.execute(sa.delete(table))

    database.write(clear)
    database.write(ensure_default_experiment, "mlflow-artifacts:/")
    world = World(database, folder)
    try:
        yield world
    finally:
        world.ingest.close()


def build(world: World, places: list[Place], things: list[Thing]) -> tuple[list[str], list[str]]:
    """Return the ids of the experiments and of the things."""
    names = []
    for number, place in enumerate(places):
        tags = {"keep": place.keep, DELETED_DAYS_TAG: place.days}
        given_tags = {key: value for key, value in tags.items() if value is not None}
        names.append(make_experiment(world.database, f"e{number}", **given_tags))
    ids = []
    if any(thing.is_source for thing in things):
        make_model(world.database, "model")
    for thing in things:
        tags = {"keep": thing.keep, DELETED_DAYS_TAG: thing.days}
        given_tags = {key: value for key, value in tags.items() if value is not None}
        make = world.model if thing.is_model else world.run
        name = make(names[thing.experiment], **given_tags)
        ids.append(name)
        if thing.is_source:
            make_version(world.database, "model", f"models:/{name}" if thing.is_model else f"runs:/{name}/m")
        if thing.ended is not None and not thing.is_model:
            world.end_run(name, days_ago=thing.ended)
        if thing.deleted is not None:
            (world.delete_model if thing.is_model else world.delete_run)(name, days_ago=thing.deleted)
    for name, place in zip(names, places, strict=True):
        if place.deleted is not None:
            world.delete_experiment(name, days_ago=place.deleted)
    return names, ids


def expected_left(
    places: list[Place], things: list[Thing], names: list[str], ids: list[str], deleted_days: int | None
) -> set[str]:
    left = {
        name for name, thing in zip(ids, things, strict=True) if not goes(thing, places[thing.experiment], deleted_days)
    }
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        limit = limit_of(deleted_days, place.days)
        is_due = place.deleted is not None and limit is not None and place.deleted >= limit and not is_kept(place.keep)
        has_things = any(own in left for own, thing in zip(ids, things, strict=True) if thing.experiment == number)
        if not is_due or has_things:
            left.add(name)
    return left


ANY_WORLD = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ANY_WORLD
@given(world=WORLDS, finished_days=st.sampled_from([0, 1, 20, 90]))
def test_in_any_world_exactly_the_runs_that_ended_long_ago_move_to_the_trash(
    database: Database, tmp_path_factory: pytest.TempPathFactory, world: Any, finished_days: int
) -> None:
    places, things = world
    policy = Policy(deleted_ms=None, finished_ms=finished_days * DAY_MS, heeds_tags=False)
    with empty_world(database, tmp_path_factory.mktemp("world")) as made:
        names, ids = build(made, places, things)
        expected = {
            name
            for name, thing in zip(ids, things, strict=True)
            if not thing.is_model
            and thing.deleted is None
            and places[thing.experiment].deleted is None
            and thing.ended is not None
            and thing.ended >= finished_days
            and not (is_kept(thing.keep) or is_kept(places[thing.experiment].keep) or thing.is_source)
        }
        before = {name: made.stage(name) for name, thing in zip(ids, things, strict=True) if not thing.is_model}
        report = made.clean(policy)
        moved = {name for name, stage in before.items() if stage != made.stage(name)}
        assert moved == expected
        assert report.moved_run_count == len(expected)
        assert made.left() == {*names, *ids}
        assert made.with_artifacts() == set(ids)


@ANY_WORLD
@given(world=WORLDS, deleted_days=st.sampled_from([None, 1, 20, 90]))
def test_in_any_world_exactly_what_the_policies_name_goes(
    database: Database, tmp_path_factory: pytest.TempPathFactory, world: Any, deleted_days: int | None
) -> None:
    places, things = world
    policy = Policy(deleted_ms=None if deleted_days is None else deleted_days * DAY_MS)
    with empty_world(database, tmp_path_factory.mktemp("world")) as made:
        names, ids = build(made, places, things)
        planned = made.clean(policy, is_dry_run=True)
        assert made.left() == {*names, *ids}
        report = made.clean(policy)
        left = expected_left(places, things, names, ids, deleted_days)
        assert made.left() == left
        assert made.with_artifacts() == left & set(ids)
        assert {row.name for row in made.record()} == {*names, *ids} - left
        assert report.counts() == planned.counts()
        again = made.clean(policy)
        assert (again.run_count, again.model_count, again.experiment_count) == (0, 0, 0)


class Killed(BaseException):
    """As if the power went."""


class DyingDatabase:
    """A database whose n-th write never happens, nor any after it."""

    def __init__(self, database: Database, writes: int) -> None:
        self._database = database
        self._left = writes

    def write(self, *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return self._database.write(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class DyingStore(LocalStore):
    """A store whose n-th deletion is stopped when it has begun."""

    left = 0

    async def delete(self, path: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed
        await super().delete(path)


@ANY_WORLD
@given(world=WORLDS, writes=st.integers(0, 8), deletions=st.integers(0, 6), restores=st.booleans())
def test_a_pass_that_is_killed_in_the_middle_is_finished_by_the_next(
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    world: Any,
    writes: int,
    deletions: int,
    restores: bool,
) -> None:
    places, things = world
    policy = Policy(deleted_ms=20 * DAY_MS)
    folder = tmp_path_factory.mktemp("world")
    with empty_world(database, folder) as made:
        names, ids = build(made, places, things)
        dying = DyingStore(folder / "artifacts")
        dying.left = deletions
        broken: Any = DyingDatabase(database, writes)
        services = dataclasses.replace(made.services, database=broken, artifacts=dying)
        with contextlib.suppress(Killed):
            asyncio.run(Cleaner(services, policy, "test", max_per_second=2_000).clean())
        left = expected_left(places, things, names, ids, 20)
        # Whatever is not named is whole.
        assert made.left() >= left
        assert made.with_artifacts() >= left & set(ids)
        if restores:
            check_what_can_be_restored_is_whole(made, ids)
        else:
            made.clean(policy)
            assert made.left() == left
            assert made.with_artifacts() == left & set(ids)
            assert {row.name for row in made.record()} == {*names, *ids} - left
            assert len(made.record()) == len({*names, *ids} - left)


def check_what_can_be_restored_is_whole(world: World, ids: list[str]) -> None:
    for name in world.left() & set(ids):
        if not name.startswith("m-"):
            try:
                world.ingest.submit(runs.restoration(name)).result(10)
            except InvalidParameter as error:
                assert "is being deleted for good" in error.message  # noqa: PT017 - most are restored
            else:
                assert name in world.with_artifacts()
                assert world.stage(name) == "active"
