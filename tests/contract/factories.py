"""Small makers of what tests need, and readers of what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import event

from runyard.store import logged_models, model_versions, registered_models, runs
from runyard.store.engine import Database
from runyard.store.experiments import create_experiment
from runyard.store.ingest import Ingest
from runyard.store.run_json import RunCache
from runyard.store.run_writes import LogBatch, NamedPoint
from runyard.wire.base import Tag
from runyard.wire.logged_models import LoggedModel
from runyard.wire.model_versions import ModelVersion
from runyard.wire.registered_models import RegisteredModel

# One for all, as in a server: what a test reads may be what was remembered.
RUN_CACHE = RunCache()


def make_experiment(
    database: Database, name: str = "experiment", *, artifact_location: str | None = None, **tags: str
) -> str:
    """Return the id of a new experiment."""
    return str(
        database.write(
            create_experiment,
            name,
            artifact_location=artifact_location,
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
    run: dict[str, Any] = json.loads(database.read(runs.get_run, run_id, cache=RUN_CACHE))
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
        "cache": RUN_CACHE,
        **options,
    }
    found, token = database.read(runs.search_runs, **arguments)
    return [json.loads(run) for run in found], token


def make_model(database: Database, name: str, *, description: str = "", **tags: str) -> RegisteredModel:
    model: RegisteredModel = database.write(
        registered_models.create_registered_model, name, description=description, tags=_tags(tags)
    )
    return model


def make_version(
    database: Database,
    name: str,
    source: str = "s3://bucket/model",
    *,
    run_id: str = "",
    run_link: str = "",
    description: str = "",
    **tags: str,
) -> ModelVersion:
    version: ModelVersion = database.write(
        model_versions.create_model_version,
        name,
        source,
        run_id=run_id,
        run_link=run_link,
        description=description,
        model_id=None,
        tags=_tags(tags),
    )
    return version


def make_logged_model(
    database: Database,
    experiment_id: str = "0",
    *,
    name: str | None = "model",
    model_type: str | None = None,
    source_run_id: str | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> LoggedModel:
    model: LoggedModel = database.write(
        logged_models.create_logged_model,
        experiment_id,
        name=name,
        model_type=model_type,
        source_run_id=source_run_id,
        params=_tags(params or {}),
        tags=_tags(tags or {}),
    )
    return model


def tags_of(entity: RegisteredModel | ModelVersion) -> dict[str, str]:
    return {tag.key: tag.value for tag in entity.tags}


def search_models(database: Database, **options: Any) -> list[str]:
    """Return the names of the first page of registered models of a search."""
    return search_models_page(database, **options)[0]


def search_models_page(database: Database, **options: Any) -> tuple[list[str], str | None]:
    found, token = database.read(registered_models.search_registered_models, **{**_SEARCH, **options})
    return [model.name for model in found], token


def search_versions(database: Database, **options: Any) -> list[ModelVersion]:
    """Return the first page of model versions of a search."""
    return search_versions_page(database, **options)[0]


def search_versions_page(database: Database, **options: Any) -> tuple[list[ModelVersion], str | None]:
    found, token = database.read(model_versions.search_model_versions, **{**_SEARCH, **options})
    return found, token


def search_logged_models(database: Database, **options: Any) -> list[str]:
    """Return the names of the first page of logged models of a search."""
    return search_logged_models_page(database, **options)[0]


def search_logged_models_page(database: Database, **options: Any) -> tuple[list[str], str | None]:
    arguments = {"experiment_ids": ["0"], "datasets": (), **_SEARCH, **options}
    found, token = database.read(logged_models.search_logged_models, **arguments)
    return [model.info.name for model in found], token


def statements_of(database: Database, action: Callable[[], object]) -> int:
    """Return how many statements ``action`` sends to the database."""
    statements: list[str] = []

    def record(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", record)
    try:
        action()
    finally:
        event.remove(database.engine, "before_cursor_execute", record)
    return len(statements)


_SEARCH: Mapping[str, Any] = {"filter_text": None, "order_by": (), "max_results": 100, "page_token": None}


def _tags(pairs: Mapping[str, str]) -> list[Tag]:
    return [Tag(key, value) for key, value in pairs.items()]
