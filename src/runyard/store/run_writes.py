"""What is written to runs, and how a group of such writes becomes one transaction.

A write either changes one run by a function (`RunChange`) or logs to one (`LogBatch`); the batches of a group are
merged, so a group costs a few statements however many requests it answers. Every check of a write comes before its
first statement that writes, so that its error leaves the others of the group untouched.
"""

from __future__ import annotations

import json
import operator
import random
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter, NotFound, RunyardError
from runyard.store import logged_models
from runyard.store.dialect import array_literal, driver_cursor, execute, is_sqlite
from runyard.store.experiment_keys import NamedKey, NamesByKind, RecordedKeys, record
from runyard.store.points import Point, write_points
from runyard.store.schema import ACTIVE, METRIC_KEY, PARAM_KEY, TAG_KEY
from runyard.wire.names import shown

T = TypeVar("T")

RUN_NAME_TAG: Final = "mlflow.runName"
IMMUTABLE_TAGS: Final = frozenset({"mlflow.user", "mlflow.artifactLocation"})


class RunRow(NamedTuple):
    """A run as a write finds it, locked until the transaction ends."""

    id: int
    run_id: str
    experiment_id: int
    lifecycle_stage: str


@dataclass(slots=True)
class Failure:
    """A write's error, where others of its group went through."""

    error: RunyardError


# A metric's point before its name is a number: key, step, timestamp, value, is_nan; NaN is value 0 and is_nan.
NamedPoint = tuple[str, int, int, float, bool]


@dataclass(slots=True)
class LogBatch:
    """Points, params and tags for one run: all or nothing."""

    run_id: str
    metrics: Sequence[NamedPoint] = ()
    params: Sequence[tuple[str, str]] = ()
    tags: Sequence[tuple[str, str]] = ()
    model_metrics: Sequence[Any] = ()

    @property
    def size(self) -> int:
        return len(self.metrics) + len(self.params) + len(self.tags)

    @property
    def is_metrics_only(self) -> bool:
        """Whether writing this takes none but the driver's own cursor; see `Database.pipeline`."""
        return not (self.params or self.tags or self.model_metrics)


@dataclass(slots=True)
class RunChange(Generic[T]):
    """Any other write to a run; ``run_id`` is None for a run that is only being made."""

    run_id: str | None
    apply: Callable[[Connection, RunRow | None, Mapping[str, int]], T]
    # The tags that ``apply`` needs the numbers of; those it sets are among them.
    names: Sequence[str] = ()
    # Where a run is being made.
    experiment_id: int | None = None
    size: int = field(default=1, init=False)
    is_metrics_only: bool = field(default=False, init=False)


def names_in(writes: Iterable[LogBatch | RunChange[Any]]) -> set[str]:
    """Return the names of metrics, params and tags that ``writes`` speak of."""
    names: set[str] = set()
    for write in writes:
        if isinstance(write, LogBatch):
            names.update([point[0] for point in write.metrics])
            names.update([param[0] for param in write.params])
            names.update([tag[0] for tag in write.tags])
        else:
            names.update(write.names)
    return names


def apply_writes(
    connection: Connection,
    writes: Sequence[LogBatch | RunChange[Any]],
    key_ids: Mapping[str, int],
    recorded: RecordedKeys,
) -> tuple[list[Any], list[NamedKey]]:
    """Execute ``writes``; return for each its result or its `Failure`, and what is recorded once this is committed."""
    rows = _lock_runs(connection, {write.run_id for write in writes if write.run_id is not None})
    outcomes: list[Any] = [None] * len(writes)
    batches: list[tuple[int, LogBatch, RunRow]] = []
    logged: NamesByKind = defaultdict(set)
    for index, write in enumerate(writes):
        row = None
        if write.run_id is not None:
            row = rows.get(write.run_id)
            if row is None:
                outcomes[index] = Failure(run_not_found(write.run_id))
                continue
        if isinstance(write, RunChange):
            try:
                outcomes[index] = write.apply(connection, row, key_ids)
            except RunyardError as error:
                outcomes[index] = Failure(error)
                continue
            experiment_id = row.experiment_id if row is not None else write.experiment_id
            if write.names and experiment_id is not None:
                logged[experiment_id, TAG_KEY].update(write.names)
        elif row is not None and row.lifecycle_stage != ACTIVE:
            outcomes[index] = Failure(run_not_active(row))
        elif row is not None:
            batches.append((index, write, row))
    if batches:
        _log(connection, batches, key_ids, outcomes)
        for index, batch, row in batches:
            if outcomes[index] is None:
                _add_names(logged, row.experiment_id, batch)
    new_keys = recorded.unknown(logged)
    if new_keys:
        record(connection, new_keys, key_ids)
    return outcomes, new_keys


_first: Final = operator.itemgetter(0)


def _add_names(logged: NamesByKind, experiment_id: int, batch: LogBatch) -> None:
    if batch.metrics:
        logged[experiment_id, METRIC_KEY].update(map(_first, batch.metrics))
    if batch.params:
        logged[experiment_id, PARAM_KEY].update(map(_first, batch.params))
    if batch.tags:
        logged[experiment_id, TAG_KEY].update(map(_first, batch.tags))


def run_not_found(run_id: str) -> NotFound:
    return NotFound(f"Run with id={run_id} not found")


def run_not_active(row: RunRow) -> InvalidParameter:
    return InvalidParameter(
        f"The run {row.run_id} must be in the 'active' state. Current state is {row.lifecycle_stage}."
    )


def _lock_runs(connection: Connection, run_ids: set[str]) -> dict[str, RunRow]:
    if not run_ids:
        return {}
    # Never one that a run had before, not even in a transaction that was undone.
    revision = random.getrandbits(63)
    if is_sqlite(connection):
        found = execute(connection, _SQLITE_RUNS, (revision, json.dumps(list(run_ids))))
    elif len(run_ids) == 1:
        found = execute(connection, _POSTGRESQL_RUN, (revision, *run_ids))
    else:
        found = execute(connection, _POSTGRESQL_RUNS, (revision, list(run_ids)))
    return {row[1]: RunRow._make(row) for row in found.fetchall()}


_RETURNING: Final = "RETURNING runs.id, run_id, experiment_id, lifecycle_stage"
_SQLITE_RUNS: Final = f"UPDATE runs SET revision = ? WHERE run_id IN (SELECT value FROM json_each(?)) {_RETURNING}"
_POSTGRESQL_RUN: Final = f"UPDATE runs SET revision = ? WHERE run_id = ? {_RETURNING}"
# Locked in one order everywhere, so two groups that share runs wait for each other and never in a circle.
_POSTGRESQL_RUNS: Final = (
    "UPDATE runs SET revision = ? "
    "FROM (SELECT id FROM runs WHERE run_id = ANY(?) ORDER BY id FOR NO KEY UPDATE) AS locked "
    f"WHERE runs.id = locked.id {_RETURNING}"
)


def _log(
    connection: Connection,
    batches: Sequence[tuple[int, LogBatch, RunRow]],
    key_ids: Mapping[str, int],
    outcomes: list[Any],
) -> None:
    stored_params = _stored_params(connection, batches, key_ids)
    new_params: dict[tuple[int, int], str] = {}
    new_tags: dict[tuple[int, int], str] = {}
    renamed: dict[int, str] = {}
    points: list[Point] = []
    for index, batch, row in batches:
        try:
            own_params = _new_params(batch, row, key_ids, ChainMap(new_params, stored_params))
            _check_immutable_tags(connection, batch, row, key_ids)
            if batch.model_metrics:
                logged_models.log_metrics(connection, batch.run_id, batch.model_metrics)
        except RunyardError as error:
            outcomes[index] = Failure(error)
            continue
        new_params.update(own_params)
        for key, value in batch.tags:
            new_tags[row.id, key_ids[key]] = value
            if key == RUN_NAME_TAG:
                renamed[row.id] = value
        run = row.id
        points += [
            (run, key_ids[key], step, timestamp, value, is_nan) for key, step, timestamp, value, is_nan in batch.metrics
        ]
    if points:
        write_points(connection, points)
    _set_values(connection, "params", new_params)
    set_tags(connection, new_tags)
    for run, name in sorted(renamed.items()):
        execute(connection, "UPDATE runs SET run_name = ? WHERE id = ?", (name, run))


def set_tags(connection: Connection, values: Mapping[tuple[int, int], str]) -> None:
    """Set tags of runs, by run and key."""
    _set_values(connection, "run_tags", values)


def _stored_params(
    connection: Connection, batches: Sequence[tuple[int, LogBatch, RunRow]], key_ids: Mapping[str, int]
) -> dict[tuple[int, int], str]:
    """Return of the params that are to be logged those that are there already."""
    places = {(row.id, key_ids[key]) for _, batch, row in batches for key, _ in batch.params}
    if not places:
        return {}
    rows = {run for run, _ in places}
    # A few ids more than those asked for, when batches of a group differ in their keys, are no harm.
    statement = "SELECT run, key, value FROM params WHERE run {0} AND key {0}"
    keys = {key for _, key in places}
    if is_sqlite(connection):
        listed = statement.format("IN (SELECT value FROM json_each(?))")
        found = execute(connection, listed, (json.dumps(list(rows)), json.dumps(list(keys))))
    else:
        found = execute(connection, statement.format("= ANY(?::bigint[])"), (array_literal(rows), array_literal(keys)))
    return {(run, key): value for run, key, value in found.fetchall()}


def _new_params(
    batch: LogBatch, row: RunRow, key_ids: Mapping[str, int], stored: Mapping[tuple[int, int], str]
) -> dict[tuple[int, int], str]:
    new: dict[tuple[int, int], str] = {}
    for key, value in batch.params:
        place = (row.id, key_ids[key])
        if place in new:
            raise InvalidParameter(f"Duplicate parameter keys have been submitted: {key!r}")
        old = stored.get(place)
        if old is None:
            new[place] = value
        elif old != value:
            raise InvalidParameter(
                f"Changing param values is not allowed. Param with key={key!r} was already logged with "
                f"value={shown(old)} for run ID={row.run_id!r}. Attempted logging new value {shown(value)}."
            )
    return new


def _check_immutable_tags(connection: Connection, batch: LogBatch, row: RunRow, key_ids: Mapping[str, int]) -> None:
    for key, value in batch.tags:
        if key in IMMUTABLE_TAGS:
            place = (row.id, key_ids[key])
            found = execute(connection, "SELECT value FROM run_tags WHERE run = ? AND key = ?", place).fetchone()
            old = found[0] if found is not None else None
            if old is not None and old != value:
                raise InvalidParameter(f"Tag {key!r} may not be changed once set; it is {shown(old)}")


def _set_values(connection: Connection, table: str, values: Mapping[tuple[int, int], str]) -> None:
    if not values:
        return
    rows = [(run, key, value) for (run, key), value in sorted(values.items())]
    if is_sqlite(connection):
        driver_cursor(connection).executemany(_SQLITE_VALUES.format(table), rows)
    else:
        runs, keys, texts = zip(*rows, strict=True)
        arrays = (array_literal(runs), array_literal(keys), list(texts))
        execute(connection, _POSTGRESQL_VALUES.format(table), arrays)


_ON_CONFLICT: Final = "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value"
_SQLITE_VALUES: Final = f"INSERT INTO {{}} (run, key, value) VALUES (?, ?, ?) {_ON_CONFLICT}"
_POSTGRESQL_VALUES: Final = (
    "INSERT INTO {} (run, key, value) SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::text[]) " + _ON_CONFLICT
)
