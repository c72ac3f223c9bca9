"""Experiments on the wire."""

from __future__ import annotations

from runyard.wire.base import Int64, Request, Response, Tag, TagInput


class Experiment(Response):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    last_update_time: int
    creation_time: int
    tags: list[Tag] = []


class CreateExperiment(Request):
    name: str
    artifact_location: str | None = None
    tags: list[TagInput] | None = None


class CreateExperimentResponse(Response):
    experiment_id: str


class GetExperiment(Request):
    experiment_id: str


class GetExperimentByName(Request):
    experiment_name: str


class GetExperimentResponse(Response):
    experiment: Experiment


class SearchExperiments(Request):
    max_results: Int64 | None = None
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] | None = None
    view_type: str | int | None = None


class SearchExperimentsResponse(Response):
    experiments: list[Experiment] = []
    next_page_token: str | None = None


class UpdateExperiment(Request):
    experiment_id: str
    new_name: str | None = None


class ExperimentId(Request):
    """The body of experiments/delete and experiments/restore."""

    experiment_id: str


class SetExperimentTag(Request):
    experiment_id: str
    key: str
    value: str


class DeleteExperimentTag(Request):
    experiment_id: str
    key: str


class SearchDatasets(Request):
    experiment_ids: list[str]


class DatasetSummary(Response):
    experiment_id: str
    name: str
    digest: str
    context: str | None = None


class SearchDatasetsResponse(Response):
    dataset_summaries: list[DatasetSummary] = []
