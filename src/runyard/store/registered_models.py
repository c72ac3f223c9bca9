"""Registered models in the database: names under which versions are kept, with tags and aliases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import AlreadyExists, InvalidParameter
from runyard.search.compile import Query
from runyard.search.vocabularies import REGISTERED_MODELS
from runyard.store import model_versions as versions
from runyard.store.clock import now_ms
from runyard.store.dialect import execute_many, is_one_of, upsert
from runyard.store.schema import model_aliases, model_versions, registered_model_tags, registered_models
from runyard.wire.base import Tag
from runyard.wire.model_versions import ModelVersion
from runyard.wire.registered_models import Alias, RegisteredModel


def create_registered_model(
    connection: Connection, name: str, *, description: str, tags: Iterable[Tag]
) -> RegisteredModel:
    _check_name_is_free(connection, name)
    now = now_ms()
    values = {
        "name": name,
        "description": description,
        "creation_timestamp": now,
        "last_updated_timestamp": now,
        "last_version": 0,
    }
    row_id = connection.execute(
        sa.insert(registered_models).values(values).returning(registered_models.c.id)
    ).scalar_one()
    pairs = {tag.key: tag.value for tag in tags}
    execute_many(
        connection,
        sa.insert(registered_model_tags),
        [{"model": row_id, "key": key, "value": value} for key, value in pairs.items()],
    )
    return get_registered_model(connection, name)


def get_registered_model(connection: Connection, name: str) -> RegisteredModel:
    row = connection.execute(_SELECT.where(registered_models.c.name == name)).first()
    if row is None:
        raise versions.model_not_found(name)
    return _with_children(connection, [row])[0]


def search_registered_models(
    connection: Connection,
    *,
    filter_text: str | None,
    order_by: Sequence[str],
    max_results: int,
    page_token: str | None,
) -> tuple[list[RegisteredModel], str | None]:
    """Return a page of models and the token of the next one."""
    page = Query(REGISTERED_MODELS, filter_text, tuple(order_by)).page(connection, _SELECT, max_results, page_token)
    return _with_children(connection, page.rows), page.next_page_token


def rename_registered_model(connection: Connection, name: str, new_name: str) -> RegisteredModel:
    row_id = versions.lock_model(connection, name)
    if new_name != name:
        _check_name_is_free(connection, new_name)
    versions.touch_model(connection, row_id, name=new_name)
    # A version tells when anything of it changed, and its name did.
    connection.execute(
        sa.update(model_versions).where(model_versions.c.model == row_id).values(last_updated_timestamp=now_ms())
    )
    return get_registered_model(connection, new_name)


def update_registered_model(connection: Connection, name: str, description: str) -> RegisteredModel:
    versions.touch_model(connection, versions.lock_model(connection, name), description=description)
    return get_registered_model(connection, name)


def delete_registered_model(connection: Connection, name: str) -> None:
    """Delete a model with all its versions, whatever their stages."""
    row_id = versions.lock_model(connection, name)
    # Versions, tags and aliases go with it.
    connection.execute(sa.delete(registered_models).where(registered_models.c.id == row_id))


def set_tag(connection: Connection, name: str, key: str, value: str) -> None:
    row_id = versions.lock_model(connection, name)
    connection.execute(
        upsert(connection, registered_model_tags, ("model", "key"), ("value",)),
        {"model": row_id, "key": key, "value": value},
    )
    versions.touch_model(connection, row_id)


def delete_tag(connection: Connection, name: str, key: str) -> None:
    """Delete a tag; one that is not there is no error."""
    row_id = versions.lock_model(connection, name)
    connection.execute(
        sa.delete(registered_model_tags).where(
            registered_model_tags.c.model == row_id, registered_model_tags.c.key == key
        )
    )
    versions.touch_model(connection, row_id)


def set_alias(connection: Connection, name: str, alias: str, version: str | int) -> None:
    """Give a version an alias, which moves there from wherever it was."""
    model = versions.lock_model(connection, name)
    row_id = versions.find_version(connection, name, version).id
    connection.execute(
        upsert(connection, model_aliases, ("model", "alias"), ("version",)),
        {"model": model, "alias": alias, "version": row_id},
    )
    versions.touch_model(connection, model)


def delete_alias(connection: Connection, name: str, alias: str) -> None:
    """Delete an alias; one that is not there is no error."""
    model = versions.lock_model(connection, name)
    connection.execute(sa.delete(model_aliases).where(model_aliases.c.model == model, model_aliases.c.alias == alias))
    versions.touch_model(connection, model)


def get_version_by_alias(connection: Connection, name: str, alias: str) -> ModelVersion:
    """Return the version that has an alias.

    Raises:
        NotFound: there is no such model.
        InvalidParameter: the model has no such alias; clients of this protocol expect that code.
    """
    model: int | None = connection.execute(
        sa.select(registered_models.c.id).where(registered_models.c.name == name)
    ).scalar()
    if model is None:
        raise versions.model_not_found(name)
    version: int | None = connection.execute(
        sa.select(model_versions.c.version)
        .select_from(model_aliases.join(model_versions, model_versions.c.id == model_aliases.c.version))
        .where(model_aliases.c.model == model, model_aliases.c.alias == alias)
    ).scalar()
    if version is None:
        raise InvalidParameter(f"Registered model alias {alias} not found.")
    return versions.get_model_version(connection, name, version)


def get_latest_versions(connection: Connection, name: str, stages: Sequence[str]) -> list[ModelVersion]:
    """Return the newest version of each stage; without stages, of all four."""
    wanted = [versions.canonical_stage(stage) for stage in stages] or list(versions.STAGES)
    row_id: int | None = connection.execute(
        sa.select(registered_models.c.id).where(registered_models.c.name == name)
    ).scalar()
    if row_id is None:
        raise versions.model_not_found(name)
    found = versions.latest_versions(connection, [row_id])[row_id]
    return [version for version in found if version.current_stage in wanted]


_SELECT: Final = sa.select(
    registered_models.c.id,
    registered_models.c.name,
    registered_models.c.description,
    registered_models.c.creation_timestamp,
    registered_models.c.last_updated_timestamp,
)


def _check_name_is_free(connection: Connection, name: str) -> None:
    taken = connection.execute(sa.select(registered_models.c.id).where(registered_models.c.name == name)).scalar()
    if taken is not None:
        raise AlreadyExists(f"Registered Model (name={name}) already exists.")


def _with_children(connection: Connection, rows: Sequence[Any]) -> list[RegisteredModel]:
    tags: dict[int, list[Tag]] = {row.id: [] for row in rows}
    aliases: dict[int, list[Alias]] = {row.id: [] for row in rows}
    if rows:
        table = registered_model_tags
        statement = sa.select(table).where(is_one_of(connection, table.c.model, tags)).order_by(table.c.key)
        for row_id, key, value in connection.execute(statement):
            tags[row_id].append(Tag(key, value))
        alias_statement = (
            sa.select(model_aliases.c.model, model_aliases.c.alias, model_versions.c.version)
            .select_from(model_aliases.join(model_versions, model_versions.c.id == model_aliases.c.version))
            .where(is_one_of(connection, model_aliases.c.model, aliases))
            .order_by(model_aliases.c.alias)
        )
        for row_id, alias, version in connection.execute(alias_statement):
            aliases[row_id].append(Alias(alias=alias, version=str(version)))
    latest = versions.latest_versions(connection, [row.id for row in rows])
    return [
        RegisteredModel(
            name=row.name,
            creation_timestamp=row.creation_timestamp,
            last_updated_timestamp=row.last_updated_timestamp,
            description=row.description,
            latest_versions=latest[row.id],
            tags=tags[row.id],
            aliases=aliases[row.id],
        )
        for row in rows
    ]
