"""The trash: counting what is in it, and deleting it for good.

What goes is claimed first (`retention.claim`), so that nobody restores it or makes a model version of it any more; then
its artifacts are deleted, then its rows. Each step may be made again, and goes in transactions that are short, so that
on SQLite other writers wait for none of them long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter, NotFound
from runyard.store.clock import now_ms
from runyard.store.dialect import execute_many, fetch, is_one_of, is_sqlite
from runyard.store.experiments import lock_experiment, parse_experiment_id
from runyard.store.retention import MODEL, RUN, Kind, Owner
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
    purges,
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

_EXPERIMENT: Final = "experiment"
_RUN_TABLES: Final = (metrics, latest_metrics, params, run_tags, run_datasets, run_dataset_tags, run_models)
_MODEL_TABLES: Final = (logged_model_tags, logged_model_params, logged_model_metrics)
_OWNED_COLUMNS: Final = {
    RUN: tuple(table.c.run for table in _RUN_TABLES),
    MODEL: tuple(table.c.model for table in _MODEL_TABLES),
}
_EXPERIMENT_TABLES: Final = (experiment_tags, experiment_keys, datasets)


class Freed(NamedTuple):
    """Something whose artifacts are gone, and how much that was."""

    owner: Owner
    file_count: int
    size_bytes: int


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


def get_deleted(connection: Connection, kind: Kind, names: Iterable[str]) -> list[int]:
    """Return the row ids of runs or logged models by their ids on the wire, each once.

    Raises:
        NotFound: there is no such run or model.
        InvalidParameter: it is not in the trash.
    """
    wanted = list(dict.fromkeys(names))
    column = kind.id_column
    statement = f"SELECT {column}, id, lifecycle_stage FROM {kind.table.name} WHERE {column} {{texts}}"
    found = {name: (row_id, stage) for name, row_id, stage in fetch(connection, statement, wanted)}
    for name in wanted:
        if name not in found:
            raise run_not_found(name) if kind is RUN else NotFound(f"Logged model with ID {name!r} not found")
        if found[name][1] != DELETED:
            raise InvalidParameter(f"The {kind.label} {name} is not in the trash: delete it first")
    return [found[name][0] for name in wanted]


def count_points(connection: Connection, row_ids: Collection[int]) -> dict[int, int]:
    """Return how many points each run has, by row id; those that have none are left out."""
    return dict(fetch(connection, "SELECT run, count(*) FROM metrics WHERE run {ids} GROUP BY run", list(row_ids)))


def delete_points(connection: Connection, row_id: int, *, max_points: int = MAX_POINTS) -> bool:
    """Delete the first points of a claimed run where it has more than ``max_points``; return whether it had."""
    series = metrics.c.run == row_id
    if not _lock_claimed(connection, RUN, [row_id]):
        return False
    # A step along the table's own key: nothing but what is deleted is read.
    end = connection.execute(sa.select(*_POINT).where(series).order_by(*_POINT).offset(max_points).limit(1)).first()
    if end is None:
        return False
    values = [sa.literal(value, column.type) for value, column in zip(end, _POINT, strict=True)]
    connection.execute(sa.delete(metrics).where(series, sa.tuple_(*_POINT) < sa.tuple_(*values)))
    return True


_POINT: Final = (metrics.c.key, metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.is_nan)


def delete_owners(connection: Connection, kind: Kind, freed: Sequence[Freed], actor: str) -> list[Freed]:
    """Delete claimed runs or logged models with all that was logged to them; return those that were there still.

    Logged models that a run made stay, unless they are deleted too: the run's id there is a record.
    """
    locked = _lock_claimed(connection, kind, [each.owner.row_id for each in freed])
    for column in _OWNED_COLUMNS[kind]:
        connection.execute(sa.delete(column.table).where(is_one_of(connection, column, locked)))
    connection.execute(sa.delete(kind.table).where(is_one_of(connection, kind.table.c.id, locked)))
    ids = set(locked)
    gone = [each for each in freed if each.owner.row_id in ids]
    now = now_ms()
    record = [
        {
            "time": now,
            "kind": kind.label,
            "name": each.owner.name,
            "experiment_id": str(each.owner.experiment_id),
            "deleted_time": each.owner.deleted_time,
            "actor": actor,
            "file_count": each.file_count,
            "size_bytes": each.size_bytes,
        }
        for each in gone
    ]
    execute_many(connection, sa.insert(purges), record)
    return gone


def delete_experiment(connection: Connection, experiment_id: int, actor: str) -> bool:
    """Delete a claimed experiment and return True; where something is left in it, give it back to the trash."""
    row = lock_experiment(connection, str(experiment_id))
    if row.purge_time is None:
        return False
    for table in (runs, logged_models):
        if connection.execute(sa.select(table.c.id).where(table.c.experiment_id == row.id).limit(1)).first():
            connection.execute(sa.update(experiments).where(experiments.c.id == row.id).values(purge_time=None))
            return False
    for table in _EXPERIMENT_TABLES:
        connection.execute(sa.delete(table).where(table.c.experiment_id == row.id))
    connection.execute(sa.delete(experiments).where(experiments.c.id == row.id))
    number = str(row.id)
    record_purge(connection, _EXPERIMENT, number, number, actor, deleted_time=row.last_update_time)
    return True


def list_begun(connection: Connection, experiment_ids: Sequence[int]) -> list[int]:
    """Return those experiments that are being deleted for good."""
    statement = sa.select(experiments.c.id).where(
        is_one_of(connection, experiments.c.id, experiment_ids), experiments.c.purge_time.is_not(None)
    )
    return list(connection.execute(statement.order_by(experiments.c.id)).scalars())


def record_purge(
    connection: Connection,
    kind: str,
    name: str,
    experiment_id: str,
    actor: str,
    *,
    deleted_time: int | None = None,
    file_count: int = 0,
    size_bytes: int = 0,
) -> None:
    """Write down that something was deleted for good."""
    connection.execute(
        sa.insert(purges).values(
            time=now_ms(),
            kind=kind,
            name=name,
            experiment_id=experiment_id,
            deleted_time=deleted_time,
            actor=actor,
            file_count=file_count,
            size_bytes=size_bytes,
        )
    )


def lock_sources(connection: Connection, names: Iterable[str]) -> None:
    """Keep the runs and logged models among ``names`` until the transaction ends, for a model version comes from them.

    Raises:
        InvalidParameter: one of them is being deleted for good.
    """
    wanted = list(filter(None, names))
    lock = "" if is_sqlite(connection) else " FOR KEY SHARE"
    for kind in (RUN, MODEL):
        column = kind.id_column
        statement = f"SELECT {column}, purge_time FROM {kind.table.name} WHERE {column} {{texts}} ORDER BY id{lock}"
        for name, purge_time in fetch(connection, statement, wanted):
            if purge_time is not None:
                raise InvalidParameter(
                    f"The {kind.label} {name} is being deleted for good: no model version can have it"
                )


def _lock_claimed(connection: Connection, kind: Kind, row_ids: Collection[int]) -> list[int]:
    """Return those that are still there; nobody writes to them until the transaction ends."""
    table = kind.table
    statement = sa.select(table.c.id).where(is_one_of(connection, table.c.id, row_ids), table.c.purge_time.is_not(None))
    # In the order of the ids, as the writer of runs locks them.
    return list(connection.execute(statement.order_by(table.c.id).with_for_update()).scalars())
