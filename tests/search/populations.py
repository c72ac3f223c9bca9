"""Random entities of each kind, as plain Python and as rows of the tables."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
Rows = defaultdict[Table, list[dict[str, Any]]]

SEEDS = (1, 2, 3)
SIZE = 40

KEYS = ("m", "acc/val", "a b", "x.y", PROMPT_TAG)
KEY_IDS = {name: number for number, name in enumerate(KEYS, 1)}
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

    entities: Sequence[Entity]
    base: Select[Any]


def load(connection: Connection, vocabulary: Vocabulary) -> dict[int, Population]:
    """Put a population for each seed into empty tables."""
    insert(connection, schema.keys, [{"id": number, "name": name} for name, number in KEY_IDS.items()])
    insert(connection, schema.experiments, [{"id": seed, "name": f"scope {seed}"} for seed in SEEDS])
    make, table = _MAKERS[vocabulary.entity]
    found: dict[int, Population] = {}
    for seed in SEEDS:
        first_id = seed * 1000
        rows: Rows = defaultdict(list)
        entities = make(random.Random(f"{vocabulary.entity} {seed}"), range(first_id, first_id + SIZE), seed, rows)
        for filled in schema.SCHEMA_METADATA.sorted_tables:
            insert(connection, filled, rows[filled])
        base = sa.select(table.c.id).where(table.c.id.between(first_id, first_id + SIZE - 1))
        if vocabulary is MODEL_VERSIONS:
            base = base.select_from(table.join(schema.registered_models))
        found[seed] = Population(entities, base)
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


def _make_runs(rnd: random.Random, ids: range, seed: int, rows: Rows) -> list[Entity]:
    dataset_ids = {pair: ids[number] for number, pair in enumerate(DATASETS)}
    for (name, digest), dataset_id in dataset_ids.items():
        rows[schema.datasets].append({"id": dataset_id, "experiment_id": seed, "name": name, "digest": digest})
    entities = []
    for row_id in ids:
        start, end = rnd.choice(TIMES), rnd.choice((None, *TIMES))
        columns: dict[str, int | str | None] = {
            "run_id": f"{rnd.getrandbits(32):08x}{row_id}",
            "run_name": rnd.choice(TEXTS),
            "experiment_id": seed,
            "status": rnd.choice(schema.RUN_STATUSES),
            "user_id": rnd.choice(TEXTS),
            "artifact_uri": rnd.choice(TEXTS),
            "lifecycle_stage": rnd.choice((schema.ACTIVE, schema.DELETED)),
            "start_time": start,
            "end_time": end,
        }
        entity = Entity(
            row_id,
            columns | {"duration": None if end is None else end - start},
            metrics={key: [MetricValue(rnd.choice(REALS))] for key in _some(rnd, KEYS)},
            params=_texts(rnd),
            tags=_texts(rnd),
        )
        rows[schema.runs].append({"id": row_id, **columns})
        for key, values in entity.metrics.items():
            rows[schema.latest_metrics].append({"run": row_id, "key": KEY_IDS[key], **_stored(values[0].value)})
        for table, texts in ((schema.params, entity.params), (schema.run_tags, entity.tags)):
            rows[table] += [{"run": row_id, "key": KEY_IDS[key], "value": value} for key, value in texts.items()]
        for pair in _some(rnd, DATASETS):
            context = rnd.choice((None, *TEXTS))
            entity.datasets.append({"name": pair[0], "digest": pair[1], "context": context})
            rows[schema.run_datasets].append({"run": row_id, "dataset": dataset_ids[pair], "context": context})
        entities.append(entity)
    return entities


def _make_experiments(rnd: random.Random, ids: range, seed: int, rows: Rows) -> list[Entity]:
    entities = []
    for row_id in ids:
        columns: dict[str, int | str | None] = {
            "name": rnd.choice(TEXTS),
            # Names of the deleted need not be unique.
            "lifecycle_stage": schema.DELETED,
            "artifact_location": rnd.choice(TEXTS),
            "creation_time": rnd.choice(TIMES),
            "last_update_time": rnd.choice(TIMES),
        }
        entity = Entity(row_id, columns | {"experiment_id": row_id}, tags=_texts(rnd))
        rows[schema.experiments].append({"id": row_id, **columns})
        _add_tags(rows[schema.experiment_tags], "experiment_id", entity)
        entities.append(entity)
    return entities


def _make_registered_models(rnd: random.Random, ids: range, seed: int, rows: Rows) -> list[Entity]:
    entities = []
    for row_id in ids:
        columns: dict[str, int | str | None] = {
            "name": f"{rnd.choice(TEXTS)}{row_id}",
            "description": rnd.choice(TEXTS),
            "creation_timestamp": rnd.choice(TIMES),
            "last_updated_timestamp": rnd.choice(TIMES),
        }
        entity = Entity(row_id, columns, tags=_registry_tags(rnd))
        rows[schema.registered_models].append({"id": row_id, **columns})
        _add_tags(rows[schema.registered_model_tags], "model", entity)
        entities.append(entity)
    return entities


def _make_model_versions(rnd: random.Random, ids: range, seed: int, rows: Rows) -> list[Entity]:
    models = {model_id: f"{rnd.choice(TEXTS)} {model_id}" for model_id in ids[:4]}
    rows[schema.registered_models] += [{"id": model_id, "name": name} for model_id, name in models.items()]
    entities = []
    for number, row_id in enumerate(ids, 1):
        model = rnd.choice(list(models))
        columns: dict[str, int | str | None] = {
            "version": number,
            "run_id": rnd.choice(TEXTS),
            "source": rnd.choice(TEXTS),
            "current_stage": rnd.choice(("None", "Staging", "Production", "Archived")),
            "status": "READY",
            "user_id": rnd.choice(TEXTS),
            "description": rnd.choice(TEXTS),
            "creation_timestamp": rnd.choice(TIMES),
            "last_updated_timestamp": rnd.choice(TIMES),
        }
        entity = Entity(row_id, columns | {"name": models[model]}, tags=_registry_tags(rnd))
        rows[schema.model_versions].append({"id": row_id, "model": model, **columns})
        _add_tags(rows[schema.model_version_tags], "version", entity)
        entities.append(entity)
    return entities


def _make_logged_models(rnd: random.Random, ids: range, seed: int, rows: Rows) -> list[Entity]:
    entities = []
    for row_id in ids:
        columns: dict[str, int | str | None] = {
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
        }
        metrics = {key: _measurements(rnd) for key in _some(rnd, KEYS)}
        entity = Entity(row_id, columns, metrics, params=_texts(rnd), tags=_texts(rnd))
        rows[schema.logged_models].append({"id": row_id, **columns})
        for key, values in metrics.items():
            rows[schema.logged_model_metrics] += [
                {"model": row_id, "key": key, **asdict(value), **_stored(value.value)} for value in values
            ]
        rows[schema.logged_model_params] += [
            {"model": row_id, "key": key, "value": value} for key, value in entity.params.items()
        ]
        _add_tags(rows[schema.logged_model_tags], "model", entity)
        entities.append(entity)
    return entities


def _measurements(rnd: random.Random) -> list[MetricValue]:
    places = [(run_id, *dataset) for run_id in ("r1", "r2") for dataset in (("", ""), *DATASETS)]
    return [
        MetricValue(rnd.choice(REALS), rnd.choice((1, 2)), rnd.choice((0, 1)), run_id, name, digest)
        for run_id, name, digest in rnd.sample(places, rnd.randint(1, 3))
    ]


def _texts(rnd: random.Random) -> dict[str, str]:
    return {key: rnd.choice(TEXTS) for key in _some(rnd, KEYS)}


def _registry_tags(rnd: random.Random) -> dict[str, str]:
    tags = {key: value for key, value in _texts(rnd).items() if key != PROMPT_TAG}
    prompt = rnd.choice((None, None, "true", "false", "other"))
    return tags if prompt is None else tags | {PROMPT_TAG: prompt}


def _add_tags(rows: list[dict[str, Any]], owner: str, entity: Entity) -> None:
    rows += [{owner: entity.id, "key": key, "value": value} for key, value in entity.tags.items()]


def _stored(value: float) -> dict[str, Any]:
    is_nan = math.isnan(value)
    return {"value": 0.0 if is_nan else value, "is_nan": is_nan}


def _some(rnd: random.Random, choices: Sequence[T]) -> list[T]:
    return [choice for choice in choices if rnd.random() < 0.6]


_Maker = Callable[[random.Random, range, int, Rows], list[Entity]]
_MAKERS: dict[str, tuple[_Maker, Table]] = {
    RUNS.entity: (_make_runs, schema.runs),
    EXPERIMENTS.entity: (_make_experiments, schema.experiments),
    REGISTERED_MODELS.entity: (_make_registered_models, schema.registered_models),
    MODEL_VERSIONS.entity: (_make_model_versions, schema.model_versions),
    LOGGED_MODELS.entity: (_make_logged_models, schema.logged_models),
}
