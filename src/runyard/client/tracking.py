"""Typed calls of the tracking API over a transport; what is found in pages is given as one series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from runyard.client.transport import Transport
from runyard.wire.base import Empty, TagInput
from runyard.wire.experiments import (
    CreateExperiment,
    CreateExperimentResponse,
    Experiment,
    ExperimentId,
    GetExperiment,
    GetExperimentByName,
    GetExperimentResponse,
    SearchExperiments,
    SearchExperimentsResponse,
    UpdateExperiment,
)
from runyard.wire.runs import (
    CreateRun,
    DeleteRun,
    GetRun,
    RestoreRun,
    Run,
    RunResponse,
    SearchRuns,
    SearchRunsResponse,
    UpdateRun,
    UpdateRunResponse,
)

ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]

PAGE: Final = 1000


def create_experiment(transport: Transport, name: str, artifact_location: str | None = None) -> str:
    """Return the id of the new experiment."""
    request = CreateExperiment(name=name, artifact_location=artifact_location)
    return transport.request("POST", "experiments/create", request, CreateExperimentResponse).experiment_id


def get_experiment(transport: Transport, experiment_id: str) -> Experiment:
    request = GetExperiment(experiment_id=experiment_id)
    return transport.request("GET", "experiments/get", request, GetExperimentResponse).experiment


def get_experiment_by_name(transport: Transport, name: str) -> Experiment:
    request = GetExperimentByName(experiment_name=name)
    return transport.request("GET", "experiments/get-by-name", request, GetExperimentResponse).experiment


def search_experiments(
    transport: Transport,
    *,
    view_type: ViewType = "ACTIVE_ONLY",
    filter_text: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int | None = None,
) -> Iterator[Experiment]:
    """Give the experiments that match, page by page as they are asked for; ``max_results`` None gives all."""
    page_token: str | None = None
    left = max_results
    while left is None or left > 0:
        request = SearchExperiments(
            max_results=PAGE if left is None else min(left, PAGE),
            page_token=page_token,
            filter=filter_text,
            order_by=list(order_by),
            view_type=view_type,
        )
        answer = transport.request("POST", "experiments/search", request, SearchExperimentsResponse, is_idempotent=True)
        yield from answer.experiments
        page_token = answer.next_page_token
        if page_token is None:
            return
        left = None if left is None else left - len(answer.experiments)


def rename_experiment(transport: Transport, experiment_id: str, new_name: str) -> None:
    request = UpdateExperiment(experiment_id=experiment_id, new_name=new_name)
    transport.request("POST", "experiments/update", request, Empty, is_idempotent=True)


def delete_experiment(transport: Transport, experiment_id: str) -> None:
    transport.request("POST", "experiments/delete", ExperimentId(experiment_id=experiment_id), Empty)


def restore_experiment(transport: Transport, experiment_id: str) -> None:
    transport.request("POST", "experiments/restore", ExperimentId(experiment_id=experiment_id), Empty)


def create_run(
    transport: Transport,
    experiment_id: str,
    *,
    start_time: int,
    user_id: str | None = None,
    run_name: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Run:
    request = CreateRun(
        experiment_id=experiment_id,
        user_id=user_id,
        run_name=run_name,
        start_time=start_time,
        tags=[TagInput(key, value) for key, value in (tags or {}).items()],
    )
    return transport.request("POST", "runs/create", request, RunResponse).run


def update_run(transport: Transport, run_id: str, *, status: str, end_time: int | None = None) -> None:
    request = UpdateRun(run_id=run_id, status=status, end_time=end_time)
    transport.request("POST", "runs/update", request, UpdateRunResponse, is_idempotent=True)


def get_run(transport: Transport, run_id: str) -> Run:
    return transport.request("GET", "runs/get", GetRun(run_id=run_id), RunResponse).run


def search_runs(
    transport: Transport,
    experiment_ids: Sequence[str],
    *,
    view_type: ViewType = "ACTIVE_ONLY",
    filter_text: str | None = None,
    order_by: Sequence[str] = (),
    max_results: int | None = None,
) -> Iterator[Run]:
    """Give the runs that match, page by page as they are asked for; ``max_results`` None gives all."""
    page_token: str | None = None
    left = max_results
    while left is None or left > 0:
        request = SearchRuns(
            experiment_ids=list(experiment_ids),
            filter=filter_text,
            run_view_type=view_type,
            max_results=PAGE if left is None else min(left, PAGE),
            order_by=list(order_by),
            page_token=page_token,
        )
        answer = transport.request("POST", "runs/search", request, SearchRunsResponse, is_idempotent=True)
        yield from answer.runs
        page_token = answer.next_page_token
        if page_token is None:
            return
        left = None if left is None else left - len(answer.runs)


def delete_run(transport: Transport, run_id: str) -> None:
    transport.request("POST", "runs/delete", DeleteRun(run_id=run_id), Empty, is_idempotent=True)


def restore_run(transport: Transport, run_id: str) -> None:
    transport.request("POST", "runs/restore", RestoreRun(run_id=run_id), Empty, is_idempotent=True)
