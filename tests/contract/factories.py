"""Small makers of what tests need, and readers of what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runyard.store import runs
from runyard.store.engine import Database
from runyard.store.experiments import create_experiment
from runyard.store.ingest import Ingest
from runyard.store.run_writes import LogBatch, NamedPoint
from runyard.wire.base import Tag


def make_experiment(database: Database, name: str = "experiment", **tags: str) -> str:
    """Return the id of a new experiment."""
    return str(
        database.write(
            create_experiment,
            name,
            artifact_location=None,
            artifact_root="mlflow-artifacts:/",
            tags=[Tag(key, value) for key, value in tags.items()],
        )
    )


def make_run(
    ingest: Ingest,
    experiment_id: str = "0",
    *,
    name: str | None = None,
    start_time: int = 0,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Return the id of a new run with what is given logged to it."""
    creation = runs.creation(experiment_id, user_id="", run_name=name, start_time=start_time, tags={})
    run_id: str = json.loads(ingest.submit(creation).result(10))["info"]["run_id"]
    log(
        ingest,
        run_id,
        metrics=[point(key, value) for key, value in (metrics or {}).items()],
        params=list((params or {}).items()),
        tags=list((tags or {}).items()),
    )
    return run_id


def point(key: str, value: float, *, step: int = 0, timestamp: int = 0) -> NamedPoint:
    is_nan = value != value
    return (key, step, timestamp, 0.0 if is_nan else value, is_nan)


def log(
    ingest: Ingest,
    run_id: str,
    *,
    metrics: Sequence[NamedPoint] = (),
    params: Sequence[tuple[str, str]] = (),
    tags: Sequence[tuple[str, str]] = (),
) -> None:
    """Log to a run and wait for the commit."""
    ingest.submit(LogBatch(run_id, metrics=metrics, params=params, tags=tags)).result(10)


def get(database: Database, run_id: str) -> dict[str, Any]:
    """Return a run as a client would read it."""
    run: dict[str, Any] = json.loads(database.read(runs.get_run, run_id))
    return run


def pairs(items: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}


def search(database: Database, *experiment_ids: str, **options: Any) -> list[dict[str, Any]]:
    """Return the first page of runs of a search."""
    return search_page(database, *experiment_ids, **options)[0]


def search_page(database: Database, *experiment_ids: str, **options: Any) -> tuple[list[dict[str, Any]], str | None]:
    arguments: dict[str, Any] = {
        "experiment_ids": experiment_ids or ("0",),
        "filter_text": None,
        "view_type": None,
        "order_by": (),
        "max_results": 1000,
        "page_token": None,
        **options,
    }
    found, token = database.read(runs.search_runs, **arguments)
    return [json.loads(run) for run in found], token
