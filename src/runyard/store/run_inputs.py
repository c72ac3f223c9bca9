"""What a run read and made: its datasets, and the models that went in and came out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import NotFound
from runyard.store.dialect import insert_or_ignore, is_one_of, upsert
from runyard.store.run_writes import RunChange, RunRow, run_not_active
from runyard.store.schema import (
    ACTIVE,
    MODEL_INPUT,
    MODEL_OUTPUT,
    datasets,
    logged_models,
    run_dataset_tags,
    run_datasets,
    run_models,
)
from runyard.wire.base import Tag
from runyard.wire.runs import (
    Dataset,
    DatasetInput,
    DatasetInputSpec,
    ModelInput,
    ModelOutput,
    ModelOutputSpec,
    RunInputs,
    RunOutputs,
)

CONTEXT_TAG: Final = "mlflow.data.context"
_encode = msgspec.json.Encoder().encode


def log_inputs(run_id: str, dataset_inputs: Sequence[DatasetInputSpec], model_ids: Sequence[str]) -> RunChange[None]:
    """Return the write that records datasets and models as a run's inputs; what is recorded already stays as it is."""

    def apply(connection: Connection, row: RunRow | None, _key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage != ACTIVE:
            raise run_not_active(row)
        _check_models_exist(connection, model_ids)
        # In one order, so that two runs that log the same datasets wait for each other and never in a circle.
        for spec in sorted(dataset_inputs, key=lambda spec: (spec.dataset.name, spec.dataset.digest)):
            _link_dataset(connection, row, _ensure_dataset(connection, row.experiment_id, spec), spec)
        for model_id in model_ids:
            _link_model(connection, row.id, MODEL_INPUT, model_id, 0)

    return RunChange(run_id, apply)


def log_outputs(run_id: str, models: Sequence[ModelOutputSpec]) -> RunChange[None]:
    """Return the write that records models as a run's outputs."""

    def apply(connection: Connection, row: RunRow | None, _key_ids: Mapping[str, int]) -> None:
        assert row is not None
        if row.lifecycle_stage != ACTIVE:
            raise run_not_active(row)
        _check_models_exist(connection, [model.model_id for model in models])
        for model in models:
            _link_model(connection, row.id, MODEL_OUTPUT, model.model_id, model.step)

    return RunChange(run_id, apply)


def inputs_and_outputs(connection: Connection, row_ids: Collection[int]) -> dict[int, bytes]:
    """Return of each run that has any the members `"inputs":…` and `"outputs":…` as JSON."""
    inputs: dict[int, RunInputs] = {}
    outputs: dict[int, RunOutputs] = {}
    tags_of: dict[tuple[int, int], list[Tag]] = {}
    for row in connection.execute(_LINKED_DATASETS.where(is_one_of(connection, run_datasets.c.run, row_ids))):
        tags = tags_of[row.run, row.dataset] = []
        dataset = Dataset(
            name=row.name,
            digest=row.digest,
            source_type=row.source_type,
            source=row.source,
            schema=row.schema,
            profile=row.profile,
        )
        linked = inputs.setdefault(row.run, RunInputs()).dataset_inputs
        linked.append(DatasetInput(dataset=dataset, tags=tags))
    if tags_of:
        tag_rows = sa.select(run_dataset_tags).where(is_one_of(connection, run_dataset_tags.c.run, row_ids))
        for run, dataset_id, key, value in connection.execute(tag_rows):
            tags_of[run, dataset_id].append(Tag(key, value))
    statement = (
        sa.select(run_models.c.run, run_models.c.direction, run_models.c.model_id, run_models.c.step)
        .where(is_one_of(connection, run_models.c.run, row_ids))
        .order_by(run_models.c.run, run_models.c.step, run_models.c.model_id)
    )
    for run, direction, model_id, step in connection.execute(statement):
        if direction == MODEL_INPUT:
            inputs.setdefault(run, RunInputs()).model_inputs.append(ModelInput(model_id=model_id))
        else:
            output = ModelOutput(model_id=model_id, step=step)
            outputs.setdefault(run, RunOutputs()).model_outputs.append(output)
    return {run: _members(inputs.get(run), outputs.get(run)) for run in {*inputs, *outputs}}


_LINKED_DATASETS: Final = (
    sa.select(
        run_datasets.c.run,
        run_datasets.c.dataset,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.source_type,
        datasets.c.source,
        datasets.c.schema,
        datasets.c.profile,
    )
    .select_from(run_datasets.join(datasets))
    .order_by(run_datasets.c.run, run_datasets.c.dataset)
)


def _members(inputs: RunInputs | None, outputs: RunOutputs | None) -> bytes:
    members = b'"inputs":' + _encode(inputs if inputs is not None else RunInputs())
    return members if outputs is None else members + b',"outputs":' + _encode(outputs)


def _check_models_exist(connection: Connection, model_ids: Sequence[str]) -> None:
    wanted = set(model_ids)
    found = set(
        connection.scalars(
            sa.select(logged_models.c.model_id).where(
                logged_models.c.model_id.in_(wanted), logged_models.c.lifecycle_stage == ACTIVE
            )
        )
    )
    if wanted - found:
        raise NotFound(f"Logged model with ID {min(wanted - found)!r} not found")


def _ensure_dataset(connection: Connection, experiment_id: int, spec: DatasetInputSpec) -> int:
    dataset = spec.dataset
    values: dict[str, Any] = {
        "experiment_id": experiment_id,
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
    }
    connection.execute(insert_or_ignore(connection, datasets), values)
    found: int = connection.execute(
        sa.select(datasets.c.id).where(
            datasets.c.experiment_id == experiment_id,
            datasets.c.name == dataset.name,
            datasets.c.digest == dataset.digest,
        )
    ).scalar_one()
    return found


def _link_dataset(connection: Connection, row: RunRow, dataset_id: int, spec: DatasetInputSpec) -> None:
    tags = {tag.key: tag.value for tag in spec.tags or ()}
    place = {"run": row.id, "dataset": dataset_id}
    connection.execute(
        upsert(connection, run_datasets, ("run", "dataset"), ("context",)), {**place, "context": tags.get(CONTEXT_TAG)}
    )
    for key, value in tags.items():
        connection.execute(
            upsert(connection, run_dataset_tags, ("run", "dataset", "key"), ("value",)),
            {**place, "key": key, "value": value},
        )


def _link_model(connection: Connection, run: int, direction: int, model_id: str, step: int) -> None:
    connection.execute(
        insert_or_ignore(connection, run_models),
        {"run": run, "direction": direction, "model_id": model_id, "step": step},
    )
