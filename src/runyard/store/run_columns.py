"""The columns that runs have: what a column's name means, the names there are, and the values of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter
from runyard.search.tokens import check_text
from runyard.search.vocabularies import Family, Field
from runyard.store.dialect import fetch, is_one_of
from runyard.store.experiments import parse_experiment_id
from runyard.store.schema import (
    ACTIVE,
    METRIC_KEY,
    PARAM_KEY,
    TAG_KEY,
    experiment_keys,
    experiments,
    keys,
    params,
    run_tags,
    runs,
)
from runyard.wire.names import shown
from runyard.wire.run_tables import MAX_VALUE_RUNS, ColumnValues, ListColumnValues, ListRunColumns, RunColumns

# Attributes that are text, and so can be listed and grouped by.
TEXT_ATTRIBUTES: Final = (
    "run_id",
    "run_name",
    "status",
    "user_id",
    "experiment_id",
    "experiment_name",
    "lifecycle_stage",
    "artifact_uri",
)
VALUE_TABLES: Final = {Family.PARAM: params, Family.TAG: run_tags}

_FAMILIES: Final = {family.value: family for family in (Family.METRIC, Family.PARAM, Family.TAG, Family.ATTRIBUTE)}
_KINDS: Final = {Family.METRIC: METRIC_KEY, Family.PARAM: PARAM_KEY, Family.TAG: TAG_KEY}


def parse_column(
    parameter: str, column: str, attributes: Collection[str], families: Iterable[Family] = tuple(Family)
) -> Field:
    """Return what a column's name means: all after the first dot is the attribute or the key.

    Raises:
        InvalidParameter: it is of none of ``families``, or of an attribute that is none of ``attributes``.
    """
    check_text(parameter, column)
    prefix, _, name = column.partition(".")
    family = _FAMILIES.get(prefix)
    if family is None or family not in families or not name:
        forms = [
            f"{prefix}.{'NAME' if family is Family.ATTRIBUTE else 'KEY'}"
            for prefix, family in _FAMILIES.items()
            if family in families
        ]
        raise InvalidParameter(f"Invalid value {shown(column)} for {parameter}: expected one of {', '.join(forms)}")
    if family is Family.ATTRIBUTE and name not in attributes:
        raise InvalidParameter(
            f"Invalid value {shown(column)} for {parameter}: expected an attribute of {', '.join(attributes)}"
        )
    return Field(family, name)


def text_attribute(name: str) -> sa.ColumnElement[Any]:
    """Return one of `TEXT_ATTRIBUTES` as text of a run."""
    if name == "experiment_name":
        found = sa.select(experiments.c.name).where(experiments.c.id == runs.c.experiment_id)
        return found.correlate(runs).scalar_subquery()
    return sa.cast(runs.c.experiment_id, sa.Text) if name == "experiment_id" else runs.c[name]


def list_run_columns(connection: Connection, request: ListRunColumns) -> RunColumns:
    """Return the names that were ever logged to runs of the experiments, in the trash or not."""
    numbers = [parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids]
    statement = (
        "SELECT DISTINCT e.kind, k.name FROM experiment_keys e JOIN keys k ON k.id = e.key "
        "WHERE e.experiment_id {ids} ORDER BY k.name"
    )
    names: dict[int, list[str]] = {METRIC_KEY: [], PARAM_KEY: [], TAG_KEY: []}
    for kind, name in fetch(connection, statement, numbers):
        names[kind].append(name)
    return RunColumns(metrics=names[METRIC_KEY], params=names[PARAM_KEY], tags=names[TAG_KEY])


def list_column_values(connection: Connection, request: ListColumnValues) -> ColumnValues:
    """Return different values of a column, those of the newest active runs first."""
    families = (Family.PARAM, Family.TAG, Family.ATTRIBUTE)
    field = parse_column("column", request.column, TEXT_ATTRIBUTES, families)
    numbers = [parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids]
    newest = (
        sa.select()
        .where(runs.c.lifecycle_stage == ACTIVE)
        .order_by(runs.c.start_time.desc(), runs.c.run_id)
        .limit(MAX_VALUE_RUNS)
    )
    if field.family is Family.ATTRIBUTE:
        statement = newest.add_columns(text_attribute(field.name))
    else:
        key = connection.scalar(sa.select(keys.c.id).where(keys.c.name == field.name))
        if key is None:
            return ColumnValues(values=[])
        # To look for what no run has would be to look at all runs.
        numbers = list(
            connection.scalars(
                sa.select(experiment_keys.c.experiment_id).where(
                    is_one_of(connection, experiment_keys.c.experiment_id, numbers),
                    experiment_keys.c.kind == _KINDS[field.family],
                    experiment_keys.c.key == key,
                )
            )
        )
        table = VALUE_TABLES[field.family]
        statement = newest.add_columns(table.c.value).join_from(
            runs, table, sa.and_(table.c.run == runs.c.id, table.c.key == key)
        )
    if not numbers:
        return ColumnValues(values=[])
    # One experiment as itself: the index then gives its runs in their order.
    of_experiments = (
        runs.c.experiment_id == numbers[0]
        if len(numbers) == 1
        else is_one_of(connection, runs.c.experiment_id, numbers)
    )
    sought = request.contains.lower()
    values: dict[str, None] = {}
    for value in connection.scalars(statement.where(of_experiments)):
        if value not in values and sought in value.lower():
            values[value] = None
            if len(values) == request.max_results:
                break
    return ColumnValues(values=list(values))
