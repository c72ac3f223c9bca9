"""Random entities of each kind, as plain Python and as rows of the tables."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Select, Table
from sqlalchemy.engine import Connection

from runyard.search.vocabularies import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    PROMPT_TAG,
    REGISTERED_MODELS,
    RUNS,
    Vocabulary,
)
from runyard.store import schema

T = TypeVar("T")

SEEDS = (1, 2, 3)
SIZE = 40

KEYS = ("m", "acc/val", "a b", "x.y", PROMPT_TAG)
# Letters beyond ASCII have one case here: what PostgreSQL's ILIKE does with them is the database's own locale.
TEXTS = ("", "a", "A", "ab", "b", "x%y", "x_y", "a\\b", "it's", 'say "a"', "a!b", "ß", "日本", "😀", "true", "false")
REALS = (0.0, -0.0, 0.1, 1.0, -1.5, 1e22, 1e308, 5e-324, 2.0**53 + 2, math.inf, -math.inf, math.nan)
TIMES = (0, 1, 5, 1_700_000_000_000, 1_700_000_000_001, 2**53 + 1, 2**63 - 1)
DATASETS = (("train", "d1"), ("train", "d2"), ("test", "d1"))


@dataclass(frozen=True)
class MetricValue:
    value: float
    timestamp: int = 0
    step: int = 0
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass
class Entity:
    """What a filter can ask of one row; ``metrics`` holds one value a key, but for logged models."""

    id: int
    attributes: dict[str, int | str | None]
    metrics: dict[str, list[MetricValue]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[dict[str, str | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Population:
    """The entities of one seed, and the statement that selects them and no others."""

    vocabulary: Vocabulary
    entities: Sequence[Entity]
    base: Select[Any]


def load_all(connection: Connection) -> dict[tuple[str, int], Population]:
    """Fill empty tables; the populations are found by entity and seed."""
    key_ids = {name: number for number, name in enumerate(KEYS, 1)}
    insert(connection, schema.keys, [{"id": number, "name": name} for name, number in key_ids.items()])
    insert(connection, schema.experiments, [{"id": seed, "name": f"scope {seed}"} for seed in SEEDS])
    found: dict[tuple[str, int], Population] = {}
    for seed in SEEDS:
        for vocabulary, load in _LOADERS:
            first_id = seed * 1000
            entities, table = load(connection, random.Random(f"{vocabulary.entity} {seed}"), first_id, key_ids, seed)
            base = sa.select(table.c.id).where(table.c.id.between(first_id, first_id + SIZE - 1))
            if vocabulary is MODEL_VERSIONS:
                base = base.select_from(table.join(schema.registered_models))
            found[vocabulary.entity, seed] = Population(vocabulary, entities, base)
    return found


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, with something empty in each column that must hold something and was not given."""
    defaults = {
        column.name: "" if isinstance(column.type, sa.Text) else 0
        for column in table.columns
        if not column.nullable and column.autoincrement is not True
    }
    if rows:
        connection.execute(sa.insert(table), [defaults | dict(row) for row in rows])


def _load_runs(
    connection: Connection, rnd: random.Random, first_id: int, key_ids: Mapping[str, int], seed: int
) -> tuple[list[Entity], Table]:
    entities = []
    dataset_ids = {pair: first_id + number for number, pair in enumerate(DATASETS)}
    insert(
        connection,
        schema.datasets,
        [{"id": dataset_ids[pair], "experiment_id": seed, "name": pair[0], "digest": pair[1]} for pair in DATASETS],
    )
    for row_id in range(first_id, first_id + SIZE):
        start, end = rnd.choice(TIMES), rnd.choice((None, *TIMES))
        entity = Entity(
            row_id,
            attributes={
                "run_id": f"{rnd.getrandbits(32):08x}{row_id}",
                "run_name": rnd.choice(TEXTS),
                "experiment_id": seed,
                "status": rnd.choice(schema.RUN_STATUSES),
                "user_id": rnd.choice(TEXTS),
                "artifact_uri": rnd.choice(TEXTS),
                "lifecycle_stage": rnd.choice((schema.ACTIVE, schema.DELETED)),
                "start_time": start,
                "end_time": end,
            },
            metrics={key: [MetricValue(rnd.choice(REALS))] for key in _some(rnd, KEYS)},
            params={key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)},
            tags={key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)},
            datasets=[
                {"name": name, "digest": digest, "context": rnd.choice((None, *TEXTS))}
                for name, digest in _some(rnd, DATASETS)
            ],
        )
        insert(connection, schema.runs, [{"id": row_id, **entity.attributes}])
        entity.attributes["duration"] = None if end is None else end - start
        insert(
            connection,
            schema.latest_metrics,
            [{"run": row_id, "key": key_ids[key], **_stored(values[0].value)} for key, values in entity.metrics.items()],
        )
        for table, values in ((schema.params, entity.params), (schema.run_tags, entity.tags)):
            insert(
                connection,
                table,
                [{"run": row_id, "key": key_ids[key], "value": value} for key, value in values.items()],
            )
        insert(
            connection,
            schema.run_datasets,
            [
                {"run": row_id, "dataset": dataset_ids[(str(d["name"]), str(d["digest"]))], "context": d["context"]}
                for d in entity.datasets
            ],
        )
        entities.append(entity)
    return entities, schema.runs


def _load_experiments(
    connection: Connection, rnd: random.Random, first_id: int, key_ids: Mapping[str, int], seed: int
) -> tuple[list[Entity], Table]:
    entities = []
    for row_id in range(first_id, first_id + SIZE):
        entity = Entity(
            row_id,
            attributes={
                "name": rnd.choice(TEXTS),
                "experiment_id": row_id,
                # Names of the deleted need not be unique.
                "lifecycle_stage": schema.DELETED,
                "artifact_location": rnd.choice(TEXTS),
                "creation_time": rnd.choice(TIMES),
                "last_update_time": rnd.choice(TIMES),
            },
            tags={key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)},
        )
        columns = {name: value for name, value in entity.attributes.items() if name != "experiment_id"}
        insert(connection, schema.experiments, [{"id": row_id, **columns}])
        insert(
            connection,
            schema.experiment_tags,
            [{"experiment_id": row_id, "key": key, "value": value} for key, value in entity.tags.items()],
        )
        entities.append(entity)
    return entities, schema.experiments


def _load_registered_models(
    connection: Connection, rnd: random.Random, first_id: int, key_ids: Mapping[str, int], seed: int
) -> tuple[list[Entity], Table]:
    entities = []
    for row_id in range(first_id, first_id + SIZE):
        entity = Entity(
            row_id,
            attributes={
                "name": f"{rnd.choice(TEXTS)}{row_id}",
                "description": rnd.choice(TEXTS),
                "creation_timestamp": rnd.choice(TIMES),
                "last_updated_timestamp": rnd.choice(TIMES),
            },
            tags=_registry_tags(rnd),
        )
        insert(connection, schema.registered_models, [{"id": row_id, **entity.attributes}])
        insert(
            connection,
            schema.registered_model_tags,
            [{"model": row_id, "key": key, "value": value} for key, value in entity.tags.items()],
        )
        entities.append(entity)
    return entities, schema.registered_models


def _load_model_versions(
    connection: Connection, rnd: random.Random, first_id: int, key_ids: Mapping[str, int], seed: int
) -> tuple[list[Entity], Table]:
    models = {first_id + 500 + number: f"{rnd.choice(TEXTS)} {first_id + number}" for number in range(4)}
    insert(connection, schema.registered_models, [{"id": row_id, "name": name} for row_id, name in models.items()])
    entities = []
    for row_id in range(first_id, first_id + SIZE):
        model = rnd.choice(list(models))
        entity = Entity(
            row_id,
            attributes={
                "version": row_id - first_id + 1,
                "run_id": rnd.choice(TEXTS),
                "source": rnd.choice(TEXTS),
                "current_stage": rnd.choice(("None", "Staging", "Production", "Archived")),
                "status": "READY",
                "user_id": rnd.choice(TEXTS),
                "description": rnd.choice(TEXTS),
                "creation_timestamp": rnd.choice(TIMES),
                "last_updated_timestamp": rnd.choice(TIMES),
            },
            tags=_registry_tags(rnd),
        )
        insert(connection, schema.model_versions, [{"id": row_id, "model": model, **entity.attributes}])
        entity.attributes["name"] = models[model]
        insert(
            connection,
            schema.model_version_tags,
            [{"version": row_id, "key": key, "value": value} for key, value in entity.tags.items()],
        )
        entities.append(entity)
    return entities, schema.model_versions


def _load_logged_models(
    connection: Connection, rnd: random.Random, first_id: int, key_ids: Mapping[str, int], seed: int
) -> tuple[list[Entity], Table]:
    entities = []
    for row_id in range(first_id, first_id + SIZE):
        entity = Entity(
            row_id,
            attributes={
                "model_id": f"m-{rnd.getrandbits(32):08x}{row_id}",
                "name": rnd.choice(TEXTS),
                "experiment_id": seed,
                "model_type": rnd.choice((None, *TEXTS)),
                "source_run_id": rnd.choice((None, *TEXTS)),
                "status": rnd.choice(("PENDING", "READY")),
                "artifact_uri": rnd.choice(TEXTS),
                "lifecycle_stage": schema.ACTIVE,
                "creation_timestamp": rnd.choice(TIMES),
                "last_updated_timestamp": rnd.choice(TIMES),
            },
            metrics={key: _measurements(rnd) for key in _some(rnd, KEYS)},
            params={key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)},
            tags={key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)},
        )
        insert(connection, schema.logged_models, [{"id": row_id, **entity.attributes}])
        insert(
            connection,
            schema.logged_model_metrics,
            [
                {
                    "model": row_id,
                    "key": key,
                    "run_id": value.run_id,
                    "dataset_name": value.dataset_name,
                    "dataset_digest": value.dataset_digest,
                    "timestamp": value.timestamp,
                    "step": value.step,
                    **_stored(value.value),
                }
                for key, values in entity.metrics.items()
                for value in values
            ],
        )
        for table, texts in (
            (schema.logged_model_params, entity.params),
            (schema.logged_model_tags, entity.tags),
        ):
            insert(
                connection, table, [{"model": row_id, "key": key, "value": value} for key, value in texts.items()]
            )
        entities.append(entity)
    return entities, schema.logged_models


def _measurements(rnd: random.Random) -> list[MetricValue]:
    places = [(run_id, *dataset) for run_id in ("r1", "r2") for dataset in (("", ""), *DATASETS)]
    return [
        MetricValue(rnd.choice(REALS), rnd.choice((1, 2)), rnd.choice((0, 1)), run_id, name, digest)
        for run_id, name, digest in rnd.sample(places, rnd.randint(1, 3))
    ]


def _registry_tags(rnd: random.Random) -> dict[str, str]:
    tags = {key: rnd.choice(TEXTS) for key in _some(rnd, KEYS) if key != PROMPT_TAG}
    prompt = rnd.choice((None, None, "true", "false", "other"))
    return tags if prompt is None else tags | {PROMPT_TAG: prompt}


def _stored(value: float) -> dict[str, Any]:
    is_nan = math.isnan(value)
    return {"value": 0.0 if is_nan else value, "is_nan": is_nan}


def _some(rnd: random.Random, choices: Sequence[T]) -> list[T]:
    return [choice for choice in choices if rnd.random() < 0.6]


_Loader = Callable[
    [Connection, random.Random, int, Mapping[str, int], int],
    tuple[list[Entity], Table],
]
_LOADERS: tuple[tuple[Vocabulary, _Loader], ...] = (
    (RUNS, _load_runs),
    (EXPERIMENTS, _load_experiments),
    (REGISTERED_MODELS, _load_registered_models),
    (MODEL_VERSIONS, _load_model_versions),
    (LOGGED_MODELS, _load_logged_models),
)
