"""The trash: counting what is in it, and deleting it for good.

What is deleted goes in steps that the caller takes one transaction each, so that on SQLite other writers wait for none
of them long. After each step what is left is still in the trash, whole enough to be deleted by another try.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter, NotFound
from runyard.store.dialect import fetch, is_one_of
from runyard.store.experiments import lock_experiment, parse_experiment_id
from runyard.store.run_writes import run_not_found
from runyard.store.schema import (
    ACTIVE,
    DELETED,
    datasets,
    experiment_keys,
    experiment_tags,
    experiments,
    latest_metrics,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    metrics,
    params,
    run_dataset_tags,
    run_datasets,
    run_models,
    run_tags,
    runs,
)
from runyard.wire.trash import TrashSummary

# What one transaction may delete.
MAX_OWNERS: Final = 200
MAX_POINTS: Final = 100_000

_RUN_TABLES: Final = (metrics, latest_metrics, params, run_tags, run_datasets, run_dataset_tags, run_models)
_MODEL_TABLES: Final = (logged_model_tags, logged_model_params, logged_model_metrics)
_EXPERIMENT_TABLES: Final = (experiment_tags, experiment_keys, datasets)


class Owner(NamedTuple):
    """A run or a logged model, with where its artifacts are; ``name`` is its id on the wire."""

    row_id: int
    name: str
    artifact_uri: str


def summarize_trash(connection: Connection) -> TrashSummary:
    """Count the deleted experiments, and the deleted runs of those that are not."""
    experiment_count: int = connection.execute(
        sa.select(sa.func.count()).select_from(experiments).where(experiments.c.lifecycle_stage == DELETED)
    ).scalar_one()
    active = sa.select(experiments.c.id).where(experiments.c.lifecycle_stage == ACTIVE)
    run_count: int = connection.execute(
        sa.select(sa.func.count())
        .select_from(runs)
        .where(runs.c.experiment_id.in_(active), runs.c.lifecycle_stage == DELETED)
    ).scalar_one()
    return TrashSummary(experiment_count=experiment_count, run_count=run_count)


def get_deleted_experiments(connection: Connection, experiment_ids: Iterable[str]) -> list[int]:
    """Return the row ids of experiments, each once.

    Raises:
        NotFound: there is no such experiment.
        InvalidParameter: it is not in the trash.
    """
    numbers = list(dict.fromkeys(map(parse_experiment_id, experiment_ids)))
    statement = sa.select(experiments.c.id, experiments.c.lifecycle_stage)
    stages = {
        row.id: row.lifecycle_stage
        for row in connection.execute(statement.where(is_one_of(connection, experiments.c.id, numbers)))
    }
    for number in numbers:
        if number not in stages:
            raise NotFound(f"No Experiment with id={number} exists")
        if stages[number] != DELETED:
            raise InvalidParameter(f"The experiment {number} is not in the trash: delete it first")
    return numbers


def get_deleted_runs(connection: Connection, run_ids: Iterable[str]) -> list[Owner]:
    """Return runs, each once.

    Raises:
        NotFound: there is no such run.
        InvalidParameter: it is not in the trash.
    """
    names = list(dict.fromkeys(run_ids))
    found = {
        run_id: (Owner(row_id, run_id, artifact_uri), stage)
        for row_id, run_id, artifact_uri, stage in fetch(connection, _RUNS_BY_ID, names)
    }
    for name in names:
        if name not in found:
            raise run_not_found(name)
        if found[name][1] != DELETED:
            raise InvalidParameter(f"The run {name} is not in the trash: delete it first")
    return [found[name][0] for name in names]


_RUNS_BY_ID: Final = "SELECT id, run_id, artifact_uri, lifecycle_stage FROM runs WHERE run_id {texts}"


def next_runs(connection: Connection, experiment_id: int) -> list[Owner]:
    """Return the next runs of an experiment to delete, deleted or not; none where all are gone."""
    statement = sa.select(runs.c.id, runs.c.run_id, runs.c.artifact_uri).where(runs.c.experiment_id == experiment_id)
    return list(map(Owner._make, connection.execute(statement.order_by(runs.c.id).limit(MAX_OWNERS))))


def next_models(connection: Connection, experiment_id: int) -> list[Owner]:
    """Return the next logged models of an experiment to delete, deleted or not; none where all are gone."""
    statement = sa.select(logged_models.c.id, logged_models.c.model_id, logged_models.c.artifact_uri)
    statement = statement.where(logged_models.c.experiment_id == experiment_id)
    return list(map(Owner._make, connection.execute(statement.order_by(logged_models.c.id).limit(MAX_OWNERS))))


def count_points(connection: Connection, row_ids: Collection[int]) -> dict[int, int]:
    """Return how many points each run has, by row id; those that have none are left out."""
    return dict(fetch(connection, "SELECT run, count(*) FROM metrics WHERE run {ids} GROUP BY run", list(row_ids)))


def delete_points(
    connection: Connection, row_id: int, experiment_id: int | None, *, max_points: int = MAX_POINTS
) -> bool:
    """Delete the first points of a run where it has more than ``max_points``; return whether it had."""
    series = metrics.c.run == row_id
    if not _lock_runs(connection, [row_id], experiment_id):
        return False
    # A step along the table's own key: nothing but what is deleted is read.
    end = connection.execute(sa.select(*_POINT).where(series).order_by(*_POINT).offset(max_points).limit(1)).first()
    if end is None:
        return False
    values = [sa.literal(value, column.type) for value, column in zip(end, _POINT, strict=True)]
    connection.execute(sa.delete(metrics).where(series, sa.tuple_(*_POINT) < sa.tuple_(*values)))
    return True


_POINT: Final = (metrics.c.key, metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.is_nan)


def delete_runs(connection: Connection, row_ids: Collection[int], experiment_id: int | None) -> int:
    """Delete runs with all that was logged to them; return how many.

    Model versions made of them stay, and so do logged models of other experiments: the run's id there is a record.

    Args:
        experiment_id: where the runs are deleted with their experiment; else those that were restored meanwhile stay.
    """
    locked = _lock_runs(connection, row_ids, experiment_id)
    for table in _RUN_TABLES:
        connection.execute(sa.delete(table).where(is_one_of(connection, table.c.run, locked)))
    connection.execute(sa.delete(runs).where(is_one_of(connection, runs.c.id, locked)))
    return len(locked)


def delete_models(connection: Connection, row_ids: Collection[int], experiment_id: int) -> None:
    """Delete logged models of a deleted experiment with all that was logged to them."""
    _lock_experiment(connection, experiment_id)
    for table in _MODEL_TABLES:
        connection.execute(sa.delete(table).where(is_one_of(connection, table.c.model, row_ids)))
    connection.execute(sa.delete(logged_models).where(is_one_of(connection, logged_models.c.id, row_ids)))


def delete_experiment(connection: Connection, experiment_id: int) -> None:
    """Delete an experiment that has neither runs nor logged models any more."""
    _lock_experiment(connection, experiment_id)
    for table in _EXPERIMENT_TABLES:
        connection.execute(sa.delete(table).where(table.c.experiment_id == experiment_id))
    connection.execute(sa.delete(experiments).where(experiments.c.id == experiment_id))


def _lock_runs(connection: Connection, row_ids: Collection[int], experiment_id: int | None) -> list[int]:
    """Return those runs that are to be deleted; nobody writes to them until the transaction ends."""
    statement = sa.select(runs.c.id).where(is_one_of(connection, runs.c.id, row_ids))
    if experiment_id is None:
        statement = statement.where(runs.c.lifecycle_stage == DELETED)
    else:
        # Before its runs, as whoever restores it does.
        _lock_experiment(connection, experiment_id)
    # In the order of the ids, as the writer of runs locks them.
    return list(connection.execute(statement.order_by(runs.c.id).with_for_update()).scalars())


def _lock_experiment(connection: Connection, experiment_id: int) -> None:
    row: Any = lock_experiment(connection, str(experiment_id))
    if row.lifecycle_stage != DELETED:
        raise InvalidParameter(f"The experiment {experiment_id} was restored while it was being deleted for good")
