"""Experiments in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NoReturn, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.artifacts.uris import join_uri
from runyard.errors import AlreadyExists, InvalidParameter, NotFound
from runyard.search.compile import Query
from runyard.search.vocabularies import EXPERIMENTS
from runyard.store.clock import now_ms
from runyard.store.dialect import execute_many, is_one_of, is_sqlite, upsert
from runyard.store.schema import (
    ACTIVE,
    DELETED,
    INT64_RANGE,
    datasets,
    experiment_tags,
    experiments,
    run_datasets,
    runs,
)
from runyard.wire.base import Tag
from runyard.wire.experiments import DatasetSummary, Experiment
from runyard.wire.names import shown

DEFAULT_EXPERIMENT_ID: Final = 0
DEFAULT_EXPERIMENT_NAME: Final = "Default"
MAX_DATASET_SUMMARIES: Final = 1000
_STAGES: Final = {"ACTIVE_ONLY": (ACTIVE,), "DELETED_ONLY": (DELETED,), "ALL": (ACTIVE, DELETED)}
_VIEW_NUMBERS: Final = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}

# id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, purge_time
# SQLAlchemy 2.0 and 2.1 type rows differently, and both are supported.
ExperimentRow: TypeAlias = Any


def parse_experiment_id(experiment_id: str) -> int:
    """Return the number that ``experiment_id`` is; raise InvalidParameter where it is none."""
    try:
        number = int(experiment_id)
    except ValueError:
        number = -1
    if not 0 <= number < INT64_RANGE.stop or not experiment_id.strip().isascii():
        raise InvalidParameter(f"Invalid experiment ID: {shown(experiment_id)}. An experiment ID is a whole number.")
    return number


def stages_of(field: str, view_type: str | int | None) -> tuple[str, ...]:
    """Return the lifecycle stages that a view shows; without a view, the active."""
    name = _VIEW_NUMBERS.get(view_type) if isinstance(view_type, int) else view_type
    if view_type is None:
        name = "ACTIVE_ONLY"
    if name not in _STAGES:
        raise InvalidParameter(f"Invalid value {shown(view_type)} for {field}: expected one of {', '.join(_STAGES)}")
    return _STAGES[name]


def ensure_default_experiment(connection: Connection, artifact_root: str) -> None:
    """Make experiment 0, `Default`, in a new database."""
    if connection.execute(sa.select(experiments.c.id).limit(1)).first() is None:
        _insert(connection, DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, join_uri(artifact_root, "0"))


def create_experiment(
    connection: Connection,
    name: str,
    *,
    artifact_location: str | None,
    artifact_root: str,
    tags: Iterable[Tag],
) -> int:
    """Return the id of a new experiment; without a location of its own it gets one under ``artifact_root``."""
    _check_name_is_free(connection, name)
    experiment_id = _insert(connection, None, name, artifact_location or "")
    if not artifact_location:
        location = join_uri(artifact_root, str(experiment_id))
        connection.execute(
            sa.update(experiments).where(experiments.c.id == experiment_id).values(artifact_location=location)
        )
    execute_many(
        connection,
        upsert(connection, experiment_tags, ("experiment_id", "key"), ("value",)),
        [{"experiment_id": experiment_id, "key": tag.key, "value": tag.value} for tag in tags],
    )
    return experiment_id


def get_experiment(connection: Connection, experiment_id: str) -> Experiment:
    row = connection.execute(_SELECT.where(experiments.c.id == parse_experiment_id(experiment_id))).first()
    if row is None:
        _raise_not_found(experiment_id)
    return _with_tags(connection, [row])[0]


def get_experiment_by_name(connection: Connection, name: str) -> Experiment:
    """Return the active experiment of that name, else the one deleted last."""
    row = connection.execute(
        _SELECT.where(experiments.c.name == name)
        .order_by(experiments.c.lifecycle_stage, experiments.c.last_update_time.desc(), experiments.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound(f"Could not find experiment with name {shown(name)}")
    return _with_tags(connection, [row])[0]


def search_experiments(
    connection: Connection,
    *,
    view_type: str | int | None,
    filter_text: str | None,
    order_by: Sequence[str],
    max_results: int,
    page_token: str | None,
) -> tuple[list[Experiment], str | None]:
    """Return a page of experiments and the token of the next one."""
    stages = stages_of("view_type", view_type)
    query = Query(EXPERIMENTS, filter_text, tuple(order_by), list(stages))
    page = query.page(connection, _SELECT.where(experiments.c.lifecycle_stage.in_(stages)), max_results, page_token)
    return _with_tags(connection, page.rows), page.next_page_token


def rename_experiment(connection: Connection, experiment_id: str, new_name: str) -> None:
    row = lock_experiment(connection, experiment_id)
    _check_active(row, "rename")
    if row.name != new_name:
        _check_name_is_free(connection, new_name)
    _update(connection, row.id, name=new_name)


def delete_experiment(connection: Connection, experiment_id: str) -> None:
    """Delete an experiment and its runs, both so that they can be restored."""
    row = lock_experiment(connection, experiment_id)
    if row.lifecycle_stage != ACTIVE:
        raise NotFound(f"No active experiment with id={experiment_id} exists: it is deleted already")
    deleted_time = now_ms()
    _update(connection, row.id, lifecycle_stage=DELETED, last_update_time=deleted_time)
    _move_runs(connection, row.id, from_stage=ACTIVE, to_stage=DELETED, deleted_time=deleted_time)


def restore_experiment(connection: Connection, experiment_id: str) -> None:
    """Restore a deleted experiment with the runs that were deleted with it."""
    row = lock_experiment(connection, experiment_id)
    if row.lifecycle_stage != DELETED:
        raise NotFound(f"No deleted experiment with id={experiment_id} exists: it is active")
    if row.purge_time is not None:
        raise InvalidParameter(
            f"The experiment {experiment_id} is being deleted for good: it cannot be restored any more"
        )
    _check_name_is_free(connection, row.name)
    _update(connection, row.id, lifecycle_stage=ACTIVE, last_update_time=now_ms())
    _move_runs(connection, row.id, from_stage=DELETED, to_stage=ACTIVE, deleted_time=row.last_update_time)


def set_experiment_tag(connection: Connection, experiment_id: str, key: str, value: str) -> None:
    row = lock_experiment(connection, experiment_id)
    _check_active(row, "tag")
    connection.execute(
        upsert(connection, experiment_tags, ("experiment_id", "key"), ("value",)),
        {"experiment_id": row.id, "key": key, "value": value},
    )
    _update(connection, row.id)


def delete_experiment_tag(connection: Connection, experiment_id: str, key: str) -> None:
    row = lock_experiment(connection, experiment_id)
    _check_active(row, "delete a tag of")
    deleted = connection.execute(
        sa.delete(experiment_tags).where(experiment_tags.c.experiment_id == row.id, experiment_tags.c.key == key)
    )
    if deleted.rowcount == 0:
        raise NotFound(f"No tag with key {shown(key)} in experiment with id {experiment_id}")
    _update(connection, row.id)


def search_dataset_summaries(connection: Connection, experiment_ids: Collection[str]) -> list[DatasetSummary]:
    """Return which datasets the active runs of the experiments used, and as what."""
    numbers = [parse_experiment_id(experiment_id) for experiment_id in experiment_ids]
    statement = (
        sa.select(runs.c.experiment_id, datasets.c.name, datasets.c.digest, run_datasets.c.context)
        .distinct()
        .select_from(runs.join(run_datasets, run_datasets.c.run == runs.c.id).join(datasets))
        .where(is_one_of(connection, runs.c.experiment_id, numbers), runs.c.lifecycle_stage == ACTIVE)
        .order_by(runs.c.experiment_id, datasets.c.name, datasets.c.digest, run_datasets.c.context)
        .limit(MAX_DATASET_SUMMARIES)
    )
    return [
        DatasetSummary(experiment_id=str(row.experiment_id), name=row.name, digest=row.digest, context=row.context)
        for row in connection.execute(statement)
    ]


_SELECT: Final = sa.select(
    experiments.c.id,
    experiments.c.name,
    experiments.c.artifact_location,
    experiments.c.lifecycle_stage,
    experiments.c.creation_time,
    experiments.c.last_update_time,
    experiments.c.purge_time,
)


def lock_experiment(connection: Connection, experiment_id: str) -> ExperimentRow:
    """Return the experiment's row, locked until the transaction ends; raise NotFound where there is none."""
    statement = _SELECT.where(experiments.c.id == parse_experiment_id(experiment_id)).with_for_update()
    row = connection.execute(statement).first()
    if row is None:
        _raise_not_found(experiment_id)
    return row


def _raise_not_found(experiment_id: str) -> NoReturn:
    raise NotFound(f"No Experiment with id={experiment_id} exists")


def _check_active(row: ExperimentRow, action: str) -> None:
    if row.lifecycle_stage != ACTIVE:
        raise InvalidParameter(f"Cannot {action} experiment {row.id}: it is deleted; restore it first")


def _check_name_is_free(connection: Connection, name: str) -> None:
    taken = connection.execute(
        sa.select(experiments.c.id).where(experiments.c.name == name, experiments.c.lifecycle_stage == ACTIVE)
    ).scalar()
    if taken is not None:
        raise AlreadyExists(f"Experiment {shown(name)} already exists, with id={taken}")


def _insert(connection: Connection, experiment_id: int | None, name: str, artifact_location: str) -> int:
    now = now_ms()
    values: dict[str, object] = {
        "name": name,
        "artifact_location": artifact_location,
        "lifecycle_stage": ACTIVE,
        "creation_time": now,
        "last_update_time": now,
    }
    if experiment_id is not None:
        values["id"] = experiment_id
    made: int = connection.execute(sa.insert(experiments).values(values).returning(experiments.c.id)).scalar_one()
    return made


def _update(connection: Connection, experiment_id: int, **values: object) -> None:
    values.setdefault("last_update_time", now_ms())
    connection.execute(sa.update(experiments).where(experiments.c.id == experiment_id).values(**values))


def _move_runs(
    connection: Connection, experiment_id: int, *, from_stage: str, to_stage: str, deleted_time: int
) -> None:
    # A restored experiment takes back the runs that were deleted with it, told by the time, not those deleted before.
    concerned = [runs.c.experiment_id == experiment_id, runs.c.lifecycle_stage == from_stage]
    if from_stage == DELETED:
        concerned += [runs.c.deleted_time == deleted_time, runs.c.purge_time.is_(None)]
    if not is_sqlite(connection):
        # Runs are locked in the order of their ids, as the writer of runs does.
        connection.execute(sa.select(runs.c.id).where(*concerned).order_by(runs.c.id).with_for_update(key_share=True))
    connection.execute(
        sa.update(runs)
        .where(*concerned)
        .values(lifecycle_stage=to_stage, deleted_time=deleted_time if to_stage == DELETED else None)
    )


def _with_tags(connection: Connection, rows: Sequence[ExperimentRow]) -> list[Experiment]:
    tags: dict[int, list[Tag]] = {row.id: [] for row in rows}
    if rows:
        statement = (
            sa.select(experiment_tags)
            .where(is_one_of(connection, experiment_tags.c.experiment_id, tags))
            .order_by(experiment_tags.c.key)
        )
        for experiment_id, key, value in connection.execute(statement):
            tags[experiment_id].append(Tag(key, value))
    return [
        Experiment(
            experiment_id=str(row.id),
            name=row.name,
            artifact_location=row.artifact_location,
            lifecycle_stage=row.lifecycle_stage,
            creation_time=row.creation_time,
            last_update_time=row.last_update_time,
            tags=tags[row.id],
        )
        for row in rows
    ]
