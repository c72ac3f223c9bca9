"""Model versions in the database.

Every write to a model's versions, aliases or stages locks the model's row first, so that such writes of one model
come one after another and cannot wait for each other in a circle.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.artifacts.uris import check_artifact_location, check_artifact_path, join_uri, local_path, scheme_of
from runyard.errors import InvalidParameter, NotFound
from runyard.search.compile import Query
from runyard.search.vocabularies import MODEL_VERSIONS
from runyard.store import logged_models, trash
from runyard.store.clock import now_ms
from runyard.store.dialect import execute_many, is_one_of, upsert
from runyard.store.runs import get_artifact_uri
from runyard.store.schema import model_aliases, model_version_tags, model_versions, registered_models
from runyard.wire.base import Tag
from runyard.wire.model_versions import ModelVersion
from runyard.wire.names import shown

NO_STAGE, STAGING, PRODUCTION, ARCHIVED = STAGES = ("None", "Staging", "Production", "Archived")
READY: Final = "READY"
# What a server could be made to fetch from hosts of the caller's choosing.
_REFUSED_SCHEMES: Final = frozenset({"http", "https", "ftp", "sftp", "hdfs", "viewfs"})
_MAX_VERSION: Final = 2**31 - 1
_MODEL_URI: Final = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>[^/]+))?")


def create_model_version(
    connection: Connection,
    name: str,
    source: str,
    *,
    run_id: str,
    run_link: str,
    description: str,
    model_id: str | None,
    tags: Iterable[Tag],
) -> ModelVersion:
    """Return a new version of a model, with the next number that no version of it ever had."""
    trash.lock_sources(connection, {run_id, model_id or "", *source.split("/")})
    found = _resolve_source(connection, source, run_id)
    trash.lock_sources(connection, {found.run_id, found.model_id or "", *found.location.split("/")})
    now = now_ms()
    # The update locks the model and takes the number in one.
    model = connection.execute(
        sa.update(registered_models)
        .where(registered_models.c.name == name)
        .values(last_version=registered_models.c.last_version + 1, last_updated_timestamp=now)
        .returning(registered_models.c.id, registered_models.c.last_version)
    ).first()
    if model is None:
        raise model_not_found(name)
    values = {
        "model": model.id,
        "version": model.last_version,
        "description": description,
        "user_id": "",
        "current_stage": NO_STAGE,
        "source": source,
        "storage_location": found.location,
        "run_id": run_id or found.run_id,
        "run_link": run_link,
        "model_id": model_id or found.model_id,
        "status": READY,
        "status_message": "",
        "creation_timestamp": now,
        "last_updated_timestamp": now,
    }
    row_id = connection.execute(sa.insert(model_versions).values(values).returning(model_versions.c.id)).scalar_one()
    pairs = {tag.key: tag.value for tag in tags}
    execute_many(
        connection,
        sa.insert(model_version_tags),
        [{"version": row_id, "key": key, "value": value} for key, value in pairs.items()],
    )
    return get_model_version(connection, name, model.last_version)


def get_model_version(connection: Connection, name: str, version: str | int) -> ModelVersion:
    return _with_children(connection, [find_version(connection, name, version)])[0]


def get_download_uri(connection: Connection, name: str, version: str | int) -> str:
    """Return where the files of a version are."""
    location: str = find_version(connection, name, version).storage_location
    return location


def search_model_versions(
    connection: Connection,
    *,
    filter_text: str | None,
    order_by: Sequence[str],
    max_results: int,
    page_token: str | None,
) -> tuple[list[ModelVersion], str | None]:
    """Return a page of versions and the token of the next one."""
    page = Query(MODEL_VERSIONS, filter_text, tuple(order_by)).page(connection, _SELECT, max_results, page_token)
    return _with_children(connection, page.rows), page.next_page_token


def update_model_version(connection: Connection, name: str, version: str | int, description: str) -> ModelVersion:
    row = _lock_version(connection, name, version)
    _touch(connection, row.id, description=description)
    return get_model_version(connection, name, version)


def delete_model_version(connection: Connection, name: str, version: str | int) -> None:
    """Delete a version with its aliases; its number is not used again."""
    row = _lock_version(connection, name, version)
    connection.execute(sa.delete(model_versions).where(model_versions.c.id == row.id))
    touch_model(connection, row.model)


def transition_stage(
    connection: Connection, name: str, version: str | int, stage: str, *, archives_existing: bool
) -> ModelVersion:
    """Move a version to a stage; with ``archives_existing``, the others there move to Archived."""
    target = canonical_stage(stage)
    if archives_existing and target not in {STAGING, PRODUCTION}:
        raise InvalidParameter(
            f"Invalid value True for archive_existing_versions: it goes with the stages {STAGING} and {PRODUCTION}, "
            f"not with {target}"
        )
    row = _lock_version(connection, name, version)
    if archives_existing:
        connection.execute(
            sa.update(model_versions)
            .where(
                model_versions.c.model == row.model,
                model_versions.c.id != row.id,
                model_versions.c.current_stage == target,
            )
            .values(current_stage=ARCHIVED, last_updated_timestamp=now_ms())
        )
    _touch(connection, row.id, current_stage=target)
    touch_model(connection, row.model)
    return get_model_version(connection, name, version)


def set_tag(connection: Connection, name: str, version: str | int, key: str, value: str) -> None:
    row = _lock_version(connection, name, version)
    connection.execute(
        upsert(connection, model_version_tags, ("version", "key"), ("value",)),
        {"version": row.id, "key": key, "value": value},
    )
    _touch(connection, row.id)


def delete_tag(connection: Connection, name: str, version: str | int, key: str) -> None:
    """Delete a tag; one that is not there is no error."""
    row = _lock_version(connection, name, version)
    connection.execute(
        sa.delete(model_version_tags).where(model_version_tags.c.version == row.id, model_version_tags.c.key == key)
    )
    _touch(connection, row.id)


def latest_versions(connection: Connection, models: Collection[int]) -> dict[int, list[ModelVersion]]:
    """Return of each model, by its row id, the newest version of each stage, by number."""
    found: dict[int, list[ModelVersion]] = {model: [] for model in models}
    if found:
        newest = (
            sa.select(sa.func.max(model_versions.c.version).label("version"), model_versions.c.model)
            .where(is_one_of(connection, model_versions.c.model, found))
            .group_by(model_versions.c.model, model_versions.c.current_stage)
            .subquery()
        )
        statement = _SELECT.join(
            newest, sa.and_(newest.c.model == model_versions.c.model, newest.c.version == model_versions.c.version)
        ).order_by(model_versions.c.version)
        rows = connection.execute(statement).all()
        for row, version in zip(rows, _with_children(connection, rows), strict=True):
            found[row.model].append(version)
    return found


def canonical_stage(stage: str) -> str:
    """Return the stage as it is spelled, whatever the case it came in."""
    for known in STAGES:
        if stage.lower() == known.lower():
            return known
    raise InvalidParameter(f"Invalid Model Version stage: {shown(stage)}. Value must be one of {', '.join(STAGES)}.")


def model_not_found(name: str) -> NotFound:
    return NotFound(f"Registered Model with name={name} not found")


def lock_model(connection: Connection, name: str) -> int:
    """Return a model's row id, locked until the transaction ends."""
    found: int | None = connection.execute(
        sa.select(registered_models.c.id).where(registered_models.c.name == name).with_for_update()
    ).scalar()
    if found is None:
        raise model_not_found(name)
    return found


def touch_model(connection: Connection, row_id: int, **values: object) -> None:
    """Change a model, and with it the time at which it was changed last."""
    values["last_updated_timestamp"] = now_ms()
    connection.execute(sa.update(registered_models).where(registered_models.c.id == row_id).values(**values))


def find_version(connection: Connection, name: str, version: str | int) -> Any:
    """Return the row of a version; raise NotFound where there is none."""
    statement = _SELECT.where(registered_models.c.name == name, model_versions.c.version == _parse_version(version))
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found")
    return row


_SELECT: Final = sa.select(model_versions, registered_models.c.name).select_from(model_versions.join(registered_models))


def _lock_version(connection: Connection, name: str, version: str | int) -> Any:
    lock_model(connection, name)
    return find_version(connection, name, version)


def _touch(connection: Connection, row_id: int, **values: object) -> None:
    values["last_updated_timestamp"] = now_ms()
    connection.execute(sa.update(model_versions).where(model_versions.c.id == row_id).values(**values))


def _parse_version(version: str | int) -> int:
    text = str(version)
    if not (text.isascii() and text.isdigit()) or int(text) > _MAX_VERSION:
        raise InvalidParameter(f"Invalid value {shown(version)} for version: a model version is a whole number")
    return int(text)


class _Source(NamedTuple):
    """Where the files of a version's source are, with the logged model and the run that it comes from, if known."""

    location: str
    model_id: str | None = None
    run_id: str = ""


def _resolve_source(connection: Connection, source: str, run_id: str) -> _Source:
    scheme = scheme_of(source)
    check_artifact_location(source)
    if scheme == "models":
        return _resolve_model(connection, source)
    if scheme == "runs":
        run, _, path = source.partition(":")[2].lstrip("/").partition("/")
        root = get_artifact_uri(connection, run)
        return _Source(join_uri(root, check_artifact_path(path, "source")).rstrip("/"), run_id=run)
    if scheme in _REFUSED_SCHEMES or scheme.partition("+")[0] in _REFUSED_SCHEMES:
        raise InvalidParameter(
            f"Invalid model version source {shown(source)}: the server does not fetch from {scheme} addresses"
        )
    folder = local_path(source)
    if folder is not None:
        if urlsplit(source).netloc:
            raise InvalidParameter(f"Invalid model version source {shown(source)}: a file: URI may not name a host")
        root_folder = local_path(get_artifact_uri(connection, run_id)) if run_id else None
        if root_folder is None or not folder.is_relative_to(root_folder):
            raise InvalidParameter(
                f"Invalid model version source {shown(source)}: a local source must be inside the artifact directory "
                "of the run that run_id names"
            )
    return _Source(source)


def _resolve_model(connection: Connection, source: str) -> _Source:
    found = _MODEL_URI.fullmatch(source)
    if found is None:
        raise InvalidParameter(
            f"Invalid model version source {shown(source)}: expected models:/<model id> or models:/<name>/<version>"
        )
    name, version = found["name"], found["version"]
    if version is None:
        info = logged_models.get_logged_model(connection, name).info
        return _Source(info.artifact_uri, name, info.source_run_id)
    row = find_version(connection, name, version)
    return _Source(row.storage_location, row.model_id, row.run_id)


def _with_children(connection: Connection, rows: Sequence[Any]) -> list[ModelVersion]:
    tags: dict[int, list[Tag]] = {row.id: [] for row in rows}
    aliases: dict[int, list[str]] = {row.id: [] for row in rows}
    if rows:
        table = model_version_tags
        statement = sa.select(table).where(is_one_of(connection, table.c.version, tags)).order_by(table.c.key)
        for row_id, key, value in connection.execute(statement):
            tags[row_id].append(Tag(key, value))
        alias_statement = (
            sa.select(model_aliases.c.version, model_aliases.c.alias)
            .where(is_one_of(connection, model_aliases.c.version, aliases))
            .order_by(model_aliases.c.alias)
        )
        for row_id, alias in connection.execute(alias_statement):
            aliases[row_id].append(alias)
    return [
        ModelVersion(
            name=row.name,
            version=str(row.version),
            creation_timestamp=row.creation_timestamp,
            last_updated_timestamp=row.last_updated_timestamp,
            user_id=row.user_id,
            current_stage=row.current_stage,
            description=row.description,
            source=row.source,
            run_id=row.run_id,
            status=row.status,
            run_link=row.run_link,
            model_id=row.model_id,
            tags=tags[row.id],
            aliases=aliases[row.id],
        )
        for row in rows
    ]
