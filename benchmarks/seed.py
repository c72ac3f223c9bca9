"""Fills a database with very many runs: `python -m benchmarks.seed --database URI`.

The rows are what the server would have written, given to the database in bulk and not through requests, so that
100,000 runs take half a minute. The same options and --random-seed make the same runs, whenever and wherever.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.artifacts.uris import join_uri
from runyard.errors import RunyardError
from runyard.store import migrate
from runyard.store.dialect import driver_cursor, insert_or_ignore, is_sqlite
from runyard.store.engine import Database
from runyard.store.experiments import create_experiment, ensure_default_experiment
from runyard.store.keys import KeyNames
from runyard.store.points import json_literal
from runyard.store.schema import (
    ACTIVE,
    METRIC_KEY,
    PARAM_KEY,
    TAG_KEY,
    experiment_keys,
    experiments,
    latest_metrics,
    metrics,
    params,
    run_tags,
    runs,
)

ARTIFACT_ROOT = "mlflow-artifacts:/"
MANY_RUNS = "many runs"
LONG_RUNS = "long runs"
# The year that the runs are spread over ends here, 2026-01-01: a fixed date, so that the same runs come every time.
END_MS = 1_767_225_600_000
YEAR_MS = 365 * 24 * 3600 * 1000
PARENTS, CHILDREN = 20, 200
SERIES_METRICS, SERIES_POINTS = 2000, 200
# One transaction; what it takes to make is held in memory.
RUNS_PER_TRANSACTION = 4000

# Every run has these; the others are drawn from a pool, so that runs of different kinds share no more than these.
COMMON_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
COMMON_PARAMS: Mapping[str, Sequence[str]] = {
    "lr": ("0.1", "0.03", "0.01", "0.003", "0.001", "0.0003", "1e-4", "3e-05"),
    "optimizer": ("adam", "adamw", "sgd", "rmsprop", "lion"),
    "depth": ("2", "4", "6", "8", "12", "16", "24", "32"),
    "batch_size": ("16", "32", "64", "128", "256", "512"),
    "dropout": ("0.0", "0.1", "0.2", "0.5"),
}
METRIC_STEMS = ("f1", "precision", "recall", "auc", "grad_norm", "perplexity", "bleu", "mse", "latency_ms", "memory_mb")
PARAM_STEMS = ("hidden_size", "activation", "warmup", "weight_decay", "clip", "patience", "augment", "kernel", "heads")
OTHER_VALUES = ("1", "2", "4", "8", "0.5", "0.25", "relu", "gelu", "true", "false", "cosine", "none")
STATUSES = {"FINISHED": 82, "FAILED": 9, "RUNNING": 5, "KILLED": 3, "SCHEDULED": 1}
TEAMS = ("vision", "language", "speech", "ranking", "forecasting", "robotics")
USERS = ("ada", "alan", "barbara", "edsger", "grace", "john", "katherine", "tim")
SOURCES = ("train.py", "finetune.py", "sweep.py", "notebooks/explore.ipynb", "evaluate.py")
FIRST_WORDS = ("amber", "bold", "calm", "deep", "eager", "fair", "gentle", "happy", "keen", "lucid", "mellow", "quiet")
SECOND_WORDS = ("ant", "bear", "crane", "deer", "eel", "fox", "goose", "hare", "ibis", "jay", "koala", "lynx", "mole")
TAGS = ("team", "mlflow.user", "mlflow.source.name", "mlflow.runName", "mlflow.parentRunId")

Tell = Callable[[int], None]


@dataclass(frozen=True)
class Shape:
    """What is made: so many runs, each with so many ``metrics`` and ``params``.

    Args:
        columns: different names of metrics and params in all, once there are enough runs to hold them.
        steps: the last step of each metric; 0 is a single point.
        series: runs with 2,000 metrics of 200 points each, in an experiment of their own.
    """

    runs: int = 100_000
    metrics: int = 20
    params: int = 20
    columns: int = 1000
    steps: int = 0
    series: int = 0
    random_seed: int = 0

    def __post_init__(self) -> None:
        common = len(COMMON_METRICS)
        if min(self.metrics, self.params) <= common:
            raise ValueError(f"a run has more than {common} metrics and {common} params")
        if self.columns < self.metrics + self.params:
            raise ValueError(f"one run alone has {self.metrics + self.params} columns, got {self.columns} for all")


@click.command(help=__doc__)
@click.option("--database", required=True, help="Its URI: sqlite:///FILE or postgresql://USER@HOST:PORT/NAME.")
@click.option("--runs", default=Shape.runs, show_default=True, help="Runs in the experiment.")
@click.option("--metrics", default=Shape.metrics, show_default=True, help="Metrics of each run.")
@click.option("--params", default=Shape.params, show_default=True, help="Params of each run.")
@click.option("--columns", default=Shape.columns, show_default=True, help="Names of metrics and params in all.")
@click.option("--steps", default=Shape.steps, show_default=True, help="Last step of each metric; 0 is one point.")
@click.option("--series", default=Shape.series, show_default=True, help="Further runs, of 2,000 metrics x 200 points.")
@click.option("--random-seed", default=Shape.random_seed, show_default=True, help="Another one makes other runs.")
def main(database: str, **options: int) -> None:
    try:
        shape = Shape(**options)
        with click.progressbar(length=shape.runs + shape.series, label="runs", file=sys.stderr) as bar:
            experiment_id = seed(database, shape, bar.update)
    except (RunyardError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(experiment_id)


def seed(database_uri: str, shape: Shape = Shape(), tell: Tell = lambda _runs: None) -> str:
    """Make the experiment `many runs`, and `long runs` where there are series; return the id of the first.

    A database that holds as many runs in `many runs` already is left as it is.

    Args:
        tell: is called with the number of runs made since the last call.
    """
    database = Database(database_uri)
    try:
        migrate.upgrade(database)
        database.write(ensure_default_experiment, ARTIFACT_ROOT)
        found = database.read(_find_seeded, shape.runs)
        if found is not None:
            return found
        # By the whole shape: no two shapes make runs of one id and revision that hold different things.
        writer = _Writer(database, shape, random.Random(repr(shape)))
        experiment_id = writer.write_runs(tell)
        if shape.series:
            writer.write_series(tell)
        if not database.is_sqlite:
            # Else the planner knows nothing of the tables until PostgreSQL gets to it by itself, a minute later.
            database.write(lambda connection: connection.execute(sa.text("ANALYZE")))
        return experiment_id
    finally:
        database.close()


def _find_seeded(connection: Connection, count: int) -> str | None:
    statement = (
        sa.select(experiments.c.id)
        .join(runs)
        .where(experiments.c.name == MANY_RUNS, experiments.c.lifecycle_stage == ACTIVE)
        .group_by(experiments.c.id)
        .having(sa.func.count() == count)
    )
    found = connection.execute(statement).scalar()
    return None if found is None else str(found)


class _Writer:
    """Makes runs and writes them; all chance comes from one generator, in one order."""

    def __init__(self, database: Database, shape: Shape, chance: random.Random) -> None:
        self._database = database
        self._shape = shape
        self._chance = chance
        self._keys = KeyNames(database)
        self._tag_ids = self._keys.intern(TAGS)

    def write_runs(self, tell: Tell) -> str:
        shape = self._shape
        experiment_id = self._create_experiment(MANY_RUNS)
        count = shape.columns // 2
        metric_names = [*COMMON_METRICS, *_pool("eval", METRIC_STEMS, count - len(COMMON_METRICS))]
        param_names = [*COMMON_PARAMS, *_pool("model", PARAM_STEMS, shape.columns - count - len(COMMON_PARAMS))]
        kinds = [
            (self._by_id(metric_part), self._by_id(param_part))
            for metric_part, param_part in _kinds(
                _parts(metric_names, len(COMMON_METRICS), shape.metrics),
                _parts(param_names, len(COMMON_PARAMS), shape.params),
            )
        ]
        # The newest, so that a reader who opens the experiment finds them on the first page.
        first_parent = max(0, shape.runs - PARENTS - CHILDREN)
        parents: list[str] = []
        for start in range(0, shape.runs, RUNS_PER_TRANSACTION):
            made = []
            for number in range(start, min(start + RUNS_PER_TRANSACTION, shape.runs)):
                place = number - first_parent
                parent = parents[place % len(parents)] if place >= PARENTS else None
                made.append(self._make_run(experiment_id, number, parent))
                if 0 <= place < PARENTS:
                    parents.append(made[-1]["run_id"])
            self._write(made, kinds, start)
            tell(len(made))
        self._record_keys(experiment_id, metric_names, param_names)
        return str(experiment_id)

    def write_series(self, tell: Tell) -> None:
        experiment_id = self._create_experiment(LONG_RUNS)
        names = _pool("layer", METRIC_STEMS, SERIES_METRICS)
        metric_ids = self._by_id(names)
        for number in range(self._shape.series):
            self._write([self._make_run(experiment_id, number, None)], [(metric_ids, {})], 0, SERIES_POINTS - 1)
            tell(1)
        self._record_keys(experiment_id, names, ())

    def _create_experiment(self, name: str) -> int:
        made: int = self._database.write(
            create_experiment, name, artifact_location=None, artifact_root=ARTIFACT_ROOT, tags=()
        )
        return made

    def _by_id(self, names: Iterable[str]) -> dict[int, str]:
        """Return the names by their ids, in the order of the tables' keys."""
        listed = list(names)
        ids = self._keys.intern(listed)
        return dict(sorted((ids[name], name) for name in listed))

    def _record_keys(self, experiment_id: int, metric_names: Iterable[str], param_names: Iterable[str]) -> None:
        named = ((METRIC_KEY, metric_names), (PARAM_KEY, param_names), (TAG_KEY, TAGS))
        rows = [
            {"experiment_id": experiment_id, "kind": kind, "key": key}
            for kind, names in named
            for key in self._by_id(names)
        ]
        self._database.write(lambda connection: connection.execute(insert_or_ignore(connection, experiment_keys), rows))

    def _make_run(self, experiment_id: int, number: int, parent: str | None) -> dict[str, Any]:
        chance = self._chance
        run_id = f"{chance.getrandbits(128):032x}"
        gap = YEAR_MS / max(1, self._shape.runs)
        start = END_MS - YEAR_MS + int((number + chance.random()) * gap)
        [status] = chance.choices(list(STATUSES), list(STATUSES.values()))
        is_over = status in {"FINISHED", "FAILED", "KILLED"}
        name = f"{chance.choice(FIRST_WORDS)}-{chance.choice(SECOND_WORDS)}-{chance.randrange(1000)}"
        tags = {
            "team": chance.choice(TEAMS),
            "mlflow.user": chance.choice(USERS),
            "mlflow.source.name": chance.choice(SOURCES),
            "mlflow.runName": name,
        }
        if parent is not None:
            tags["mlflow.parentRunId"] = parent
        return {
            "run_id": run_id,
            "experiment_id": experiment_id,
            "run_name": name,
            "user_id": tags["mlflow.user"],
            "status": status,
            "start_time": start,
            # From seconds to a day, the short ones more often.
            "end_time": start + int(math.exp(chance.uniform(8, 18))) if is_over else None,
            "lifecycle_stage": ACTIVE,
            "artifact_uri": join_uri(f"{ARTIFACT_ROOT}{experiment_id}", run_id, "artifacts"),
            "revision": chance.getrandbits(63),
            "tags": tags,
        }

    def _write(
        self,
        made: Sequence[dict[str, Any]],
        kinds: Sequence[tuple[dict[int, str], dict[int, str]]],
        first: int,
        steps: int | None = None,
    ) -> None:
        last_step = self._shape.steps if steps is None else steps
        with self._database.transaction() as connection:
            row_ids = _insert_runs(connection, made)
            points, latest, param_rows, tag_rows = [], [], [], []
            for number, run in enumerate(made, start=first):
                row_id = row_ids[run["run_id"]]
                metric_ids, param_ids = kinds[number % len(kinds)]
                for key, name in metric_ids.items():
                    series = self._series(name, run, last_step)
                    points += [(row_id, key, *point) for point in series]
                    step, timestamp, value, is_nan = series[-1]
                    latest.append((row_id, key, step, timestamp, value, is_nan, json_literal(value, is_nan)))
                param_rows += [
                    (row_id, key, self._chance.choice(COMMON_PARAMS.get(name, OTHER_VALUES)))
                    for key, name in param_ids.items()
                ]
                tag_rows += sorted((row_id, self._tag_ids[key], value) for key, value in run["tags"].items())
            _insert(connection, metrics, ("run", "key", "step", "timestamp", "value", "is_nan"), points)
            columns = ("run", "key", "step", "timestamp", "value", "is_nan", "literal")
            _insert(connection, latest_metrics, columns, latest)
            _insert(connection, params, ("run", "key", "value"), param_rows)
            _insert(connection, run_tags, ("run", "key", "value"), tag_rows)

    def _series(self, name: str, run: Mapping[str, Any], last_step: int) -> list[tuple[int, int, float, bool]]:
        """Return a metric's points as step, timestamp, value and is_nan: it comes near its last value, with noise."""
        chance = self._chance
        if name == "loss" and run["status"] == "FAILED" and chance.random() < 0.2:
            return [(step, run["start_time"] + step * 1000, 0.0, True) for step in range(last_step + 1)]
        final = chance.random()
        if not last_step:
            return [(0, run["start_time"] + 1000, final, False)]
        distance = 2.0 if "loss" in name else -final
        return [
            (
                step,
                run["start_time"] + step * 1000,
                final + distance * math.exp(-5 * step / last_step) + chance.uniform(-0.02, 0.02),
                False,
            )
            for step in range(last_step + 1)
        ]


def _pool(group: str, stems: Sequence[str], count: int) -> list[str]:
    return [f"{group}_{number // len(stems)}/{stems[number % len(stems)]}" for number in range(count)]


def _parts(names: Sequence[str], common: int, size: int) -> list[list[str]]:
    """Return lists of ``size`` names that each hold the ``common`` first ones, and together all."""
    rare = names[common:]
    share = min(size - common, len(rare))
    return [
        [*names[:common], *(rare[place % len(rare)] for place in range(start, start + share))]
        for start in range(0, len(rare), share)
    ]


def _kinds(metric_parts: list[list[str]], param_parts: list[list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    for number in range(max(len(metric_parts), len(param_parts))):
        yield metric_parts[number % len(metric_parts)], param_parts[number % len(param_parts)]


def _insert_runs(connection: Connection, made: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert runs; return their row ids by run id."""
    columns = [column.name for column in runs.columns if column.name in made[0]]
    newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(runs.c.id), 0))).scalar_one()
    _insert(connection, runs, columns, [tuple(run[column] for column in columns) for run in made])
    found = connection.execute(sa.select(runs.c.run_id, runs.c.id).where(runs.c.id > newest))
    return {row.run_id: row.id for row in found}


def _insert(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    cursor = driver_cursor(connection)
    if is_sqlite(connection):
        marks = ", ".join(itertools.repeat("?", len(columns)))
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
    else:
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


if __name__ == "__main__":
    main()
