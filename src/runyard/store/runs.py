"""Runs in the database: their life, their tags, and reading them back, one or a page."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.artifacts.uris import join_uri
from runyard.errors import AlreadyExists, InvalidParameter, NotFound
from runyard.search.compile import Query
from runyard.search.vocabularies import RUNS
from runyard.store.clock import now_ms
from runyard.store.dialect import execute, is_sqlite, upsert
from runyard.store.experiments import parse_experiment_id, stages_of
from runyard.store.run_json import INFO_COLUMNS, RunCache, StoredRun, new_run, read_runs
from runyard.store.run_names import random_run_name
from runyard.store.run_writes import (
    RUN_NAME_TAG,
    RunChange,
    RunRow,
    run_not_active,
    run_not_found,
    set_tags,
)
from runyard.store.schema import ACTIVE, DELETED, RUN_STATUSES, run_tags, runs
from runyard.wire.names import shown
from runyard.wire.runs import RunInfo

DEFAULT_PAGE: Final = 1000
MAX_PAGE: Final = 50_000
MODEL_HISTORY_TAG: Final = "mlflow.log-model.history"

_EXPERIMENT: Final = "SELECT artifact_location, lifecycle_stage FROM experiments WHERE id = ?"
_NEW_RUN: Final = (
    "INSERT INTO runs (run_id, experiment_id, run_name, user_id, status, start_time, lifecycle_stage, artifact_uri) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING RETURNING id"
)
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_encode = msgspec.json.Encoder().encode


def creation(
    experiment_id: str,
    *,
    user_id: str,
    run_name: str | None,
    start_time: int,
    tags: Mapping[str, str],
    run_id: str | None = None,
) -> RunChange[bytes]:
    """Return the write that makes a run; it gives the run as JSON.

    The name is the argument or the tag `mlflow.runName`, which must not disagree, or else is made up. A ``run_id``
    that the client made lets it say the same again: the run that it made before is given then.
    """
    number = parse_experiment_id(experiment_id)
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise InvalidParameter(f"Invalid value {shown(run_id)} for run_id: expected 32 hexadecimal digits, lower case")
    tagged = tags.get(RUN_NAME_TAG)
    if run_name and tagged and run_name != tagged:
        raise InvalidParameter(
            f"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"({shown(run_name)} and {shown(tagged)})"
        )
    name = run_name or tagged or random_run_name()
    all_tags = {**tags, RUN_NAME_TAG: name}

    def apply(connection: Connection, _row: RunRow | None, key_ids: Mapping[str, int]) -> bytes:
        # Locked until the commit: who deletes the experiment meanwhile waits, and takes this run along.
        lock = "" if is_sqlite(connection) else " FOR KEY SHARE"
        experiment = execute(connection, _EXPERIMENT + lock, (number,)).fetchone()
        if experiment is None:
            raise NotFound(f"No Experiment with id={experiment_id} exists")
        artifact_location, stage = experiment
        if stage != ACTIVE:
            raise InvalidParameter(
                f"The experiment {experiment_id} must be in the 'active' state. Current state is {stage}."
            )
        new_id = run_id or uuid.uuid4().hex
        artifact_uri = join_uri(artifact_location, new_id, "artifacts")
        info = RunInfo(
            new_id, new_id, name, str(number), user_id, "RUNNING", start_time, artifact_uri, lifecycle_stage=ACTIVE
        )
        values = (new_id, number, name, user_id, info.status, start_time, ACTIVE, artifact_uri)
        made = execute(connection, _NEW_RUN, values).fetchone()
        if made is None:
            return _made_before(connection, info)
        [row_id] = made
        set_tags(connection, {(row_id, key_ids[key]): value for key, value in all_tags.items()})
        return new_run(info, all_tags)

    return RunChange(None, apply, tuple(all_tags), experiment_id=number)


def _made_before(connection: Connection, info: RunInfo) -> bytes:
    found = connection.execute(
        sa.select(runs.c.id, runs.c.experiment_id, runs.c.start_time, runs.c.user_id).where(
            runs.c.run_id == info.run_id
        )
    ).one()
    if (str(found.experiment_id), found.start_time, found.user_id) != (
        info.experiment_id,
        info.start_time,
        info.user_id,
    ):
        raise AlreadyExists(f"Run {info.run_id} exists, and is another: its experiment, start_time or user_id differ")
    # Not the server's cache: what this transaction sees may still be rolled back.
    return read_runs(connection, RunCache(), [found.id])[0]


def update(run_id: str, *, status: str | None, end_time: int | None, run_name: str | None) -> RunChange[RunInfo]:
    """Return the write that changes what is given of a run; an empty name changes nothing."""
    if status is not None and status not in RUN_STATUSES:
        raise InvalidParameter(f"Invalid value {shown(status)} for status: expected one of {', '.join(RUN_STATUSES)}")

    def apply(connection: Connection, row: RunRow | None, key_ids: Mapping[str, int]) -> RunInfo:
        assert row is not None
        if row.lifecycle_stage != ACTIVE:
            raise run_not_active(row)
        values: dict[str, Any] = {}
        if status is not None:
            values["status"] = status
        # A run that goes on has no end yet; clients that resume one send no time.
        if status is not None or end_time is not None:
            values["end_time"] = end_time
        if run_name:
            values["run_name"] = run_name
            set_tags(connection, {(row.id, key_ids[RUN_NAME_TAG]): run_name})
        if values:
            assignments = ", ".join(f"{column} = ?" for column in values)
            statement = f"UPDATE runs SET {assignments} WHERE id = ? RETURNING {INFO_COLUMNS}"
        else:
            statement = f"SELECT {INFO_COLUMNS} FROM runs WHERE id = ?"
        return StoredRun._make(execute(connection, statement, (*values.values(), row.id)).fetchone()).info()

    return RunChange(run_id, apply, (RUN_NAME_TAG,) if run_name else ())


def deletion(run_id: str) -> RunChange[None]:
    """Return the write that moves a run to the trash; one that is there already stays."""

    def apply(connection: Connection, row: RunRow | None, _key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage == ACTIVE:
            _set_stage(connection, row, DELETED, now_ms())

    return RunChange(run_id, apply)


def restoration(run_id: str) -> RunChange[None]:
    """Return the write that takes a run out of the trash, with the logged models that went there at the same time."""

    def apply(connection: Connection, row: RunRow | None, _key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage == ACTIVE:
            return
        deleted_time, *purge_times = execute(connection, _TRASHED, (row.id,)).fetchone()
        if any(purge_time is not None for purge_time in purge_times):
            raise InvalidParameter(f"The run {run_id} is being deleted for good: it cannot be restored any more")
        _set_stage(connection, row, ACTIVE, None)
        statement = (
            "UPDATE logged_models SET lifecycle_stage = 'active', deleted_time = NULL "
            "WHERE source_run_id = ? AND deleted_time = ? AND purge_time IS NULL"
        )
        execute(connection, statement, (run_id, deleted_time))

    return RunChange(run_id, apply)


_TRASHED: Final = (
    "SELECT r.deleted_time, r.purge_time, e.purge_time FROM runs r JOIN experiments e ON e.id = r.experiment_id "
    "WHERE r.id = ?"
)


def _set_stage(connection: Connection, row: RunRow, stage: str, deleted_time: int | None) -> None:
    values = {"lifecycle_stage": stage, "deleted_time": deleted_time}
    connection.execute(sa.update(runs).where(runs.c.id == row.id).values(values))


def tag_deletion(run_id: str, key: str, *, must_exist: bool = True) -> RunChange[None]:
    """Return the write that removes a tag; where it must exist, one that is not there is NotFound."""

    def apply(connection: Connection, row: RunRow | None, key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage != ACTIVE:
            raise run_not_active(row)
        deleted = connection.execute(
            sa.delete(run_tags).where(run_tags.c.run == row.id, run_tags.c.key == key_ids[key])
        )
        if must_exist and deleted.rowcount == 0:
            raise NotFound(f"No tag with name: {key} in run with id {run_id}")

    return RunChange(run_id, apply, (key,))


def model_history(run_id: str, model: Mapping[str, Any]) -> RunChange[None]:
    """Return the write that adds ``model`` to the tag by which older clients list a run's models."""

    def apply(connection: Connection, row: RunRow | None, key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage != ACTIVE:
            raise run_not_active(row)
        place = {"run": row.id, "key": key_ids[MODEL_HISTORY_TAG]}
        stored = connection.execute(
            sa.select(run_tags.c.value).where(run_tags.c.run == row.id, run_tags.c.key == place["key"])
        ).scalar()
        history = [*(msgspec.json.decode(stored) if stored else ()), model]
        value = _encode(history).decode()
        connection.execute(upsert(connection, run_tags, ("run", "key"), ("value",)), {**place, "value": value})

    return RunChange(run_id, apply, (MODEL_HISTORY_TAG,))


def get_run(connection: Connection, run_id: str, *, cache: RunCache) -> bytes:
    """Return the run with all that is logged to it, its metrics by their latest value, as JSON of wire.runs.Run."""
    row_id = connection.execute(sa.select(runs.c.id).where(runs.c.run_id == run_id)).scalar()
    if row_id is None:
        raise run_not_found(run_id)
    return read_runs(connection, cache, [row_id])[0]


def get_artifact_uri(connection: Connection, run_id: str) -> str:
    uri: str | None = connection.execute(sa.select(runs.c.artifact_uri).where(runs.c.run_id == run_id)).scalar()
    if uri is None:
        raise run_not_found(run_id)
    return uri


def search_runs(
    connection: Connection,
    *,
    experiment_ids: Collection[str],
    filter_text: str | None,
    view_type: str | int | None,
    order_by: Sequence[str],
    max_results: int,
    page_token: str | None,
    cache: RunCache,
) -> tuple[list[bytes], str | None]:
    """Return a page of runs, each as JSON of wire.runs.Run, and the token of the next page."""
    if not 0 <= max_results <= MAX_PAGE:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: it must be between 0 and {MAX_PAGE}")
    stages = stages_of("run_view_type", view_type)
    numbers = sorted({parse_experiment_id(experiment_id) for experiment_id in experiment_ids})
    query = Query(RUNS, filter_text, tuple(order_by), [numbers, list(stages)])
    base = sa.select(runs.c.id).where(runs.c.experiment_id.in_(numbers), runs.c.lifecycle_stage.in_(stages))
    page = query.page(connection, base, max_results, page_token)
    return read_runs(connection, cache, [row.id for row in page.rows]), page.next_page_token
