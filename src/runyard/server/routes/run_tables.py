"""Runs as tables, by column: what the UI reads instead of whole runs. Not of the MLflow protocol."""

from __future__ import annotations

from runyard.server.endpoints import Routes
from runyard.server.services import Services
from runyard.store import experiment_summaries, metric_summaries, run_columns, run_groups, run_tables
from runyard.wire.base import Encoded
from runyard.wire.run_tables import (
    ColumnValues,
    ExperimentSummaries,
    FindRuns,
    FoundRuns,
    GetRunTable,
    GroupRuns,
    ListColumnValues,
    ListRunColumns,
    ListRunIds,
    MetricSummaries,
    RunColumns,
    RunGroups,
    RunIds,
    RunTable,
    SummarizeExperiments,
    SummarizeMetrics,
)

routes = Routes("run tables", api="runyard", version="1.0")


@routes.post("runs/table", reads=True)
def get_run_table(services: Services, request: GetRunTable) -> Encoded[RunTable]:
    """Read some columns of runs, a page of a search or of runs by id.

    Attributes are those of a filter, and `attributes.experiment_name`, `attributes.child_count` (runs whose parent it
    is), `attributes.datasets` (names and digests) and `attributes.models` (logged models and registered versions).
    """
    return Encoded(services.database.search(run_tables.get_run_table, request))


@routes.post("runs/ids", reads=True)
def list_run_ids(services: Services, request: ListRunIds) -> Encoded[RunIds]:
    """List the ids of the runs that a search finds, in its order."""
    return Encoded(services.database.search(run_tables.list_run_ids, request))


@routes.post("runs/groups", reads=True)
def group_runs(services: Services, request: GroupRuns) -> RunGroups:
    """Group the runs that a search finds by values of theirs, with aggregates of their metrics."""
    return services.database.search(run_groups.group_runs, request)


@routes.post("runs/columns", reads=True)
def list_run_columns(services: Services, request: ListRunColumns) -> RunColumns:
    """List the names of the metrics, params and tags of the runs of some experiments."""
    return services.database.search(run_columns.list_run_columns, request)


@routes.post("runs/values", reads=True)
def list_column_values(services: Services, request: ListColumnValues) -> ColumnValues:
    """List different values of a param, tag or attribute, those of the newest runs first."""
    return services.database.search(run_columns.list_column_values, request)


@routes.get("runs/find")
def find_runs(services: Services, request: FindRuns) -> FoundRuns:
    """Find runs of any experiment by a part of their name or the start of their id."""
    return services.database.search(run_tables.find_runs, request)


@routes.post("metrics/summaries", reads=True)
def summarize_metrics(services: Services, request: SummarizeMetrics) -> MetricSummaries:
    """Give the number of points, the extremes and the last value of metrics of a run."""
    return services.database.search(metric_summaries.summarize_metrics, request)


@routes.post("experiments/summaries", reads=True)
def summarize_experiments(services: Services, request: SummarizeExperiments) -> ExperimentSummaries:
    """Count the runs and models of experiments, and tell when something last happened there."""
    return services.database.search(experiment_summaries.summarize_experiments, request)
