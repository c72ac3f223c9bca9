"""Logged models in the database."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from runyard.artifacts.uris import join_uri
from runyard.errors import InvalidParameter, NotFound
from runyard.search.compile import DatasetFilter, Query
from runyard.search.order import OrderByField
from runyard.search.vocabularies import LOGGED_MODELS
from runyard.store.clock import now_ms
from runyard.store.dialect import execute_many, is_one_of, is_sqlite, upsert
from runyard.store.experiments import lock_experiment, parse_experiment_id
from runyard.store.run_names import random_run_name
from runyard.store.schema import (
    ACTIVE,
    DELETED,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_versions,
    registered_models,
)
from runyard.wire.base import Tag, json_float
from runyard.wire.logged_models import LoggedModel, LoggedModelData, LoggedModelInfo, Registration
from runyard.wire.names import shown
from runyard.wire.runs import Metric

STATUS_PREFIX: Final = "LOGGED_MODEL_"
PENDING: Final = "PENDING"
# The position is the number that the protocol's enumeration gives them.
STATUSES: Final = ("UNSPECIFIED", PENDING, "READY", "UPLOAD_FAILED")


class ModelPoint(NamedTuple):
    """A metric's point that was measured of a model, maybe on a dataset."""

    model_id: str
    key: str
    value: float
    timestamp: int
    step: int
    dataset_name: str | None = None
    dataset_digest: str | None = None


def create_logged_model(
    connection: Connection,
    experiment_id: str,
    *,
    name: str | None,
    model_type: str | None,
    source_run_id: str | None,
    params: Iterable[Tag],
    tags: Iterable[Tag],
) -> LoggedModel:
    """Return a new model, pending until its files are there; without a name it is given one."""
    experiment = lock_experiment(connection, experiment_id)
    if experiment.lifecycle_stage != ACTIVE:
        raise InvalidParameter(f"The experiment {experiment_id} must be in the 'active' state. It is deleted.")
    model_id = f"m-{uuid.uuid4().hex}"
    now = now_ms()
    values = {
        "model_id": model_id,
        "experiment_id": experiment.id,
        "name": name or random_run_name(),
        "model_type": model_type,
        "source_run_id": source_run_id,
        "artifact_uri": join_uri(experiment.artifact_location, "models", model_id, "artifacts"),
        "status": PENDING,
        "creation_timestamp": now,
        "last_updated_timestamp": now,
        "lifecycle_stage": ACTIVE,
    }
    row_id = connection.execute(sa.insert(logged_models).values(values).returning(logged_models.c.id)).scalar_one()
    _set_pairs(connection, logged_model_params, row_id, params)
    _set_pairs(connection, logged_model_tags, row_id, tags)
    return get_logged_model(connection, model_id)


def get_logged_model(connection: Connection, model_id: str) -> LoggedModel:
    row = connection.execute(_SELECT.where(*_is_active(model_id))).first()
    if row is None:
        raise _not_found(model_id)
    return _with_data(connection, [row])[0]


def get_artifact_uri(connection: Connection, model_id: str) -> str:
    """Return where the files of a model are."""
    found: str | None = connection.execute(
        sa.select(logged_models.c.artifact_uri).where(*_is_active(model_id))
    ).scalar()
    if found is None:
        raise _not_found(model_id)
    return found


def finalize_logged_model(connection: Connection, model_id: str, status: str | int) -> LoggedModel:
    """Say that a model's files are all there, or that they will never be."""
    row_id = _lock(connection, model_id)
    _update(connection, row_id, status=_parse_status(status))
    return get_logged_model(connection, model_id)


def delete_logged_model(connection: Connection, model_id: str) -> None:
    """Move a model to the trash, where no operation finds it."""
    _update(connection, _lock(connection, model_id), lifecycle_stage=DELETED, deleted_time=now_ms())


def log_params(connection: Connection, model_id: str, params: Sequence[Tag]) -> None:
    """Add params; one that is there already keeps its value, and another value for it is refused."""
    row_id = _lock(connection, model_id)
    statement = sa.select(logged_model_params.c.key, logged_model_params.c.value).where(
        logged_model_params.c.model == row_id, logged_model_params.c.key.in_({param.key for param in params})
    )
    stored = dict(connection.execute(statement).all())
    for param in params:
        if stored.setdefault(param.key, param.value) != param.value:
            raise InvalidParameter(
                f"Changing param values is not allowed. Param with key={param.key!r} was already logged with "
                f"value={shown(stored[param.key])} for model {model_id!r}."
            )
    _set_pairs(connection, logged_model_params, row_id, params)
    _update(connection, row_id)


def set_tags(connection: Connection, model_id: str, tags: Sequence[Tag]) -> LoggedModel:
    row_id = _lock(connection, model_id)
    _set_pairs(connection, logged_model_tags, row_id, tags)
    _update(connection, row_id)
    return get_logged_model(connection, model_id)


def delete_tag(connection: Connection, model_id: str, key: str) -> None:
    row_id = _lock(connection, model_id)
    deleted = connection.execute(
        sa.delete(logged_model_tags).where(logged_model_tags.c.model == row_id, logged_model_tags.c.key == key)
    )
    if deleted.rowcount == 0:
        raise NotFound(f"No tag with key {shown(key)} for model with ID {model_id!r}")
    _update(connection, row_id)


def log_metrics(connection: Connection, run_id: str, points: Sequence[ModelPoint]) -> None:
    """Keep of each metric, run and dataset the point with the greatest (step, timestamp, value).

    Raises:
        NotFound: a model is not there; nothing is written then.
    """
    wanted = {point.model_id for point in points}
    statement = sa.select(logged_models.c.model_id, logged_models.c.id).where(
        logged_models.c.model_id.in_(wanted), logged_models.c.lifecycle_stage == ACTIVE
    )
    row_ids = dict(connection.execute(statement).all())
    if wanted - set(row_ids):
        raise _not_found(min(wanted - set(row_ids)))
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for point in points:
        is_nan = point.value != point.value
        value = 0.0 if is_nan else point.value
        place = (row_ids[point.model_id], point.key, run_id, point.dataset_name or "", point.dataset_digest or "")
        row = {
            **dict(zip(_METRIC_KEY, place, strict=True)),
            "step": point.step,
            "timestamp": point.timestamp,
            "value": value,
            "is_nan": is_nan,
        }
        if place not in latest or _age(row) > _age(latest[place]):
            latest[place] = row
    table = logged_model_metrics
    insert: Any = (sqlite if is_sqlite(connection) else postgresql).insert(table)
    new = insert.excluded
    is_later = sa.tuple_(new.step, new.timestamp, new.value) > sa.tuple_(table.c.step, table.c.timestamp, table.c.value)
    changed = {name: new[name] for name in ("step", "timestamp", "value", "is_nan")}
    execute_many(
        connection,
        insert.on_conflict_do_update(index_elements=list(_METRIC_KEY), set_=changed, where=is_later),
        [latest[place] for place in sorted(latest)],
    )


def search_logged_models(
    connection: Connection,
    *,
    experiment_ids: Collection[str],
    filter_text: str | None,
    datasets: Sequence[DatasetFilter],
    order_by: Sequence[OrderByField],
    max_results: int,
    page_token: str | None,
) -> tuple[list[LoggedModel], str | None]:
    """Return a page of models and the token of the next one."""
    numbers = sorted({parse_experiment_id(experiment_id) for experiment_id in experiment_ids})
    query = Query(LOGGED_MODELS, filter_text, tuple(order_by), numbers, tuple(datasets))
    base = _SELECT.where(logged_models.c.experiment_id.in_(numbers), logged_models.c.lifecycle_stage == ACTIVE)
    page = query.page(connection, base, max_results, page_token)
    return _with_data(connection, page.rows), page.next_page_token


_METRIC_KEY: Final = ("model", "key", "run_id", "dataset_name", "dataset_digest")
_SELECT: Final = sa.select(
    logged_models.c.id,
    logged_models.c.model_id,
    logged_models.c.experiment_id,
    logged_models.c.name,
    logged_models.c.model_type,
    logged_models.c.source_run_id,
    logged_models.c.artifact_uri,
    logged_models.c.status,
    logged_models.c.status_message,
    logged_models.c.creation_timestamp,
    logged_models.c.last_updated_timestamp,
)


def _is_active(model_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (logged_models.c.model_id == model_id, logged_models.c.lifecycle_stage == ACTIVE)


def _not_found(model_id: str) -> NotFound:
    return NotFound(f"Logged model with ID {model_id!r} not found.")


def _age(row: dict[str, Any]) -> tuple[int, int, float]:
    return (row["step"], row["timestamp"], row["value"])


def _lock(connection: Connection, model_id: str) -> int:
    found: int | None = connection.execute(
        sa.select(logged_models.c.id).where(*_is_active(model_id)).with_for_update()
    ).scalar()
    if found is None:
        raise _not_found(model_id)
    return found


def _update(connection: Connection, row_id: int, **values: object) -> None:
    values["last_updated_timestamp"] = now_ms()
    connection.execute(sa.update(logged_models).where(logged_models.c.id == row_id).values(**values))


def _set_pairs(connection: Connection, table: sa.Table, row_id: int, pairs: Iterable[Tag]) -> None:
    values = {pair.key: pair.value for pair in pairs}
    execute_many(
        connection,
        upsert(connection, table, ("model", "key"), ("value",)),
        [{"model": row_id, "key": key, "value": value} for key, value in values.items()],
    )


def _parse_status(status: str | int) -> str:
    if isinstance(status, int) and 0 <= status < len(STATUSES):
        return STATUSES[status]
    name = str(status).removeprefix(STATUS_PREFIX).removeprefix("STATUS_")
    if name not in STATUSES:
        names = ", ".join(STATUS_PREFIX + known for known in STATUSES[1:])
        raise InvalidParameter(f"Invalid value {shown(status)} for status: expected one of {names}")
    return name


def _with_data(connection: Connection, rows: Sequence[Any]) -> list[LoggedModel]:
    params = _pairs_of(connection, logged_model_params, rows)
    tags = _pairs_of(connection, logged_model_tags, rows)
    metrics: dict[int, list[Metric]] = {row.id: [] for row in rows}
    registrations: dict[str, list[Registration]] = {row.model_id: [] for row in rows}
    model_ids = {row.id: row.model_id for row in rows}
    if rows:
        points = sa.select(logged_model_metrics).where(is_one_of(connection, logged_model_metrics.c.model, metrics))
        for point in connection.execute(points.order_by(*(logged_model_metrics.c[name] for name in _METRIC_KEY))):
            metrics[point.model].append(
                Metric(
                    key=point.key,
                    value="NaN" if point.is_nan else json_float(point.value),
                    timestamp=point.timestamp,
                    step=point.step,
                    model_id=model_ids[point.model],
                    dataset_name=point.dataset_name or None,
                    dataset_digest=point.dataset_digest or None,
                    run_id=point.run_id,
                )
            )
        versions = (
            sa.select(model_versions.c.model_id, registered_models.c.name, model_versions.c.version)
            .select_from(model_versions.join(registered_models))
            .where(model_versions.c.model_id.in_(registrations))
            .order_by(registered_models.c.name, model_versions.c.version)
        )
        for model_id, name, version in connection.execute(versions):
            registrations[model_id].append(Registration(name=name, version=str(version)))
    return [
        LoggedModel(
            info=LoggedModelInfo(
                model_id=row.model_id,
                experiment_id=str(row.experiment_id),
                name=row.name,
                creation_timestamp_ms=row.creation_timestamp,
                last_updated_timestamp_ms=row.last_updated_timestamp,
                artifact_uri=row.artifact_uri,
                status=STATUS_PREFIX + row.status,
                status_message=row.status_message,
                model_type=row.model_type or "",
                source_run_id=row.source_run_id or "",
                tags=tags[row.id],
                registrations=registrations[row.model_id],
            ),
            data=LoggedModelData(params=params[row.id], metrics=metrics[row.id]),
        )
        for row in rows
    ]


def _pairs_of(connection: Connection, table: sa.Table, rows: Sequence[Any]) -> dict[int, list[Tag]]:
    found: dict[int, list[Tag]] = {row.id: [] for row in rows}
    if rows:
        statement = sa.select(table).where(is_one_of(connection, table.c.model, found)).order_by(table.c.key)
        for row_id, key, value in connection.execute(statement):
            found[row_id].append(Tag(key, value))
    return found
