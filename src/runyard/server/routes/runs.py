"""Runs: their life, what is logged to them, and searching them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.services import Services
from runyard.store import run_inputs, runs
from runyard.store.keys import KeyNames
from runyard.store.logged_models import ModelPoint
from runyard.store.run_writes import LogBatch, NamedPoint
from runyard.wire.base import EMPTY, Empty, Encoded, TagInput
from runyard.wire.names import (
    MAX_PARAM_VALUE_LENGTH,
    MAX_RUN_TAG_VALUE_LENGTH,
    check_present,
    shown,
)
from runyard.wire.runs import (
    MAX_ITEMS_PER_BATCH,
    CreateRun,
    DeleteRun,
    DeleteRunTag,
    GetRun,
    LogBatch as LogBatchRequest,
    LogInputs,
    LogMetric,
    LogModel,
    LogOutputs,
    LogParam,
    MetricPoint,
    RestoreRun,
    RunRequest,
    RunResponse,
    SearchRuns,
    SearchRunsResponse,
    SetRunTag,
    UpdateRun,
    UpdateRunResponse,
)

routes = Routes("runs")


@routes.post("runs/create")
async def create_run(services: Services, request: CreateRun) -> Encoded[RunResponse]:
    """Start a run in an experiment."""
    check_present("experiment_id", request.experiment_id)
    tags = dict(tags_of(services.ingest.keys, request.tags or ()))
    creation = runs.creation(
        request.experiment_id,
        user_id=request.user_id or "",
        run_name=request.run_name,
        start_time=request.start_time or 0,
        tags=tags,
        run_id=request.run_id,
    )
    return Encoded(b'{"run":%b}' % await services.ingest.change(creation))


@routes.get("runs/get")
def get_run(services: Services, request: GetRun) -> Encoded[RunResponse]:
    """Get a run with its params, tags, inputs and the latest value of each metric."""
    return Encoded(b'{"run":%b}' % services.database.read(runs.get_run, run_id_of(request), cache=services.run_cache))


@routes.post("runs/update")
async def update_run(services: Services, request: UpdateRun) -> UpdateRunResponse:
    """Change a run's status, end time or name."""
    change = runs.update(
        run_id_of(request), status=request.status, end_time=request.end_time, run_name=request.run_name
    )
    return UpdateRunResponse(run_info=await services.ingest.change(change))


@routes.post("runs/delete")
async def delete_run(services: Services, request: DeleteRun) -> Empty:
    """Move a run to the trash."""
    await services.ingest.change(runs.deletion(run_id_of(request)))
    return EMPTY


@routes.post("runs/restore")
async def restore_run(services: Services, request: RestoreRun) -> Empty:
    """Take a run out of the trash."""
    await services.ingest.change(runs.restoration(run_id_of(request)))
    return EMPTY


@routes.post("runs/log-metric")
async def log_metric(services: Services, request: LogMetric) -> Empty:
    """Log one point of a metric; the same point again changes nothing."""
    await services.ingest.log(
        LogBatch(
            run_id_of(request),
            metrics=_points(services.ingest.keys, (request,)),
            model_metrics=_model_points((request,)),
        )
    )
    return EMPTY


@routes.post("runs/log-parameter")
async def log_param(services: Services, request: LogParam) -> Empty:
    """Log a param; its value cannot be changed afterwards."""
    await services.ingest.log(
        LogBatch(run_id_of(request), params=_params(services.ingest.keys, (TagInput(request.key, request.value),)))
    )
    return EMPTY


@routes.post("runs/set-tag")
async def set_tag(services: Services, request: SetRunTag) -> Empty:
    """Set a tag of a run; the last write wins."""
    await services.ingest.log(
        LogBatch(run_id_of(request), tags=tags_of(services.ingest.keys, (TagInput(request.key, request.value),)))
    )
    return EMPTY


@routes.post("runs/delete-tag")
async def delete_tag(services: Services, request: DeleteRunTag) -> Empty:
    """Delete a tag of a run."""
    services.ingest.keys.check("key", request.key)
    await services.ingest.change(runs.tag_deletion(run_id_of(request), request.key))
    return EMPTY


@routes.post("runs/log-batch", max_body_bytes=1_000_000)
async def log_batch(services: Services, request: LogBatchRequest) -> Empty:
    """Log metrics, params and tags to a run, all or nothing."""
    metrics, params, tags = request.metrics or (), request.params or (), request.tags or ()
    total = len(metrics) + len(params) + len(tags)
    if total > MAX_ITEMS_PER_BATCH:
        raise InvalidParameter(
            f"A batch logging request can contain at most {MAX_ITEMS_PER_BATCH} metrics, params and tags in total. "
            f"Got {total}: {len(metrics)} metrics, {len(params)} params and {len(tags)} tags."
        )
    names = services.ingest.keys
    await services.ingest.log(
        LogBatch(
            run_id_of(request),
            metrics=_points(names, metrics),
            params=_params(names, params),
            tags=tags_of(names, tags),
            model_metrics=_model_points(metrics),
        )
    )
    return EMPTY


@routes.post("runs/log-inputs")
async def log_inputs(services: Services, request: LogInputs) -> Empty:
    """Record datasets and models that a run reads."""
    models = [model.model_id for model in request.models or ()]
    await services.ingest.change(run_inputs.log_inputs(run_id_of(request), request.datasets or (), models))
    return EMPTY


@routes.post("runs/outputs")
async def log_outputs(services: Services, request: LogOutputs) -> Empty:
    """Record models that a run makes."""
    await services.ingest.change(run_inputs.log_outputs(run_id_of(request), request.models or ()))
    return EMPTY


@routes.post("runs/log-model")
async def log_model(services: Services, request: LogModel) -> Empty:
    """Record a model on its run the way older clients do, by its MLmodel as JSON."""
    check_present("model_json", request.model_json)
    try:
        model = json.loads(request.model_json or "")
    except ValueError:
        raise InvalidParameter(f"Malformed model info: model_json is not JSON: {shown(request.model_json)}") from None
    missing = {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model if isinstance(model, dict) else ())
    if missing:
        raise InvalidParameter(f"Model json is missing mandatory fields: {', '.join(sorted(missing))}")
    await services.ingest.change(runs.model_history(run_id_of(request), model))
    return EMPTY


@routes.post("runs/search", reads=True)
def search_runs(services: Services, request: SearchRuns) -> Encoded[SearchRunsResponse]:
    """Search the runs of some experiments by a filter, a page at a time."""
    found, next_page_token = services.database.search(
        runs.search_runs,
        cache=services.run_cache,
        experiment_ids=request.experiment_ids or (),
        filter_text=request.filter,
        view_type=request.run_view_type,
        order_by=request.order_by or (),
        max_results=runs.DEFAULT_PAGE if request.max_results is None else request.max_results,
        page_token=request.page_token,
    )
    members = []
    if found:
        members.append(b'"runs":[%b]' % b",".join(found))
    if next_page_token:
        members.append(b'"next_page_token":%b' % json.dumps(next_page_token).encode())
    return Encoded(b"{%b}" % b",".join(members))


def run_id_of(request: RunRequest) -> str:
    """Return the run that ``request`` names, by either spelling."""
    run_id = request.run_id or request.run_uuid
    check_present("run_id", run_id)
    assert run_id is not None
    return run_id


def _points(names: KeyNames, points: Sequence[MetricPoint | LogMetric]) -> list[NamedPoint]:
    for name in {point.key for point in points}:
        names.check("metric name", name)
    found: list[NamedPoint] = []
    for point in points:
        value = float(point.value)
        # NaN alone is not itself.
        is_nan = value != value
        found.append((point.key, point.step or 0, point.timestamp, 0.0 if is_nan else value, is_nan))
    return found


def _model_points(points: Iterable[MetricPoint | LogMetric]) -> Sequence[ModelPoint]:
    return [
        ModelPoint(
            model_id=point.model_id,
            key=point.key,
            value=float(point.value),
            timestamp=point.timestamp,
            step=point.step or 0,
            dataset_name=point.dataset_name,
            dataset_digest=point.dataset_digest,
        )
        for point in points
        if point.model_id
    ]


def _params(names: KeyNames, params: Iterable[TagInput]) -> list[tuple[str, str]]:
    # Longer values are cut, as upstream's server does unless told otherwise.
    found = [(param.key, (param.value or "")[:MAX_PARAM_VALUE_LENGTH]) for param in params]
    for key, _ in found:
        names.check("param name", key)
    return found


def tags_of(names: KeyNames, tags: Iterable[TagInput]) -> list[tuple[str, str]]:
    """Return keys and values as they are stored: those too long cut, the keys checked."""
    found = [(tag.key, (tag.value or "")[:MAX_RUN_TAG_VALUE_LENGTH]) for tag in tags]
    for key, _ in found:
        names.check("tag name", key)
    return found
