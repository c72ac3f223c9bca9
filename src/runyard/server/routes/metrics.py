"""Histories of metrics."""

from __future__ import annotations

from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.routes.runs import run_id_of
from runyard.server.services import Services
from runyard.store import metric_history
from runyard.wire.metrics import (
    GetMetricHistory,
    GetMetricHistoryBulk,
    GetMetricHistoryBulkInterval,
    GetMetricHistoryResponse,
    MetricHistoryBulkResponse,
)
from runyard.wire.names import check_present

MAX_BULK_RESULTS = 25_000
DEFAULT_POINTS_PER_RUN = 320

routes = Routes("metrics")


@routes.get("metrics/get-history")
def get_metric_history(services: Services, request: GetMetricHistory) -> GetMetricHistoryResponse:
    """Get all points of a metric of a run, in order of time; with max_results, a page at a time."""
    check_present("metric_key", request.metric_key)
    points, next_page_token = services.database.read(
        metric_history.get_history,
        run_id_of(request),
        request.metric_key,
        max_results=request.max_results,
        page_token=request.page_token,
    )
    return GetMetricHistoryResponse(metrics=points, next_page_token=next_page_token)


@routes.get("metrics/get-history-bulk", surfaces=("/ajax-api",))
def get_metric_history_bulk(services: Services, request: GetMetricHistoryBulk) -> MetricHistoryBulkResponse:
    """Get the points of a metric of several runs."""
    check_present("metric_key", request.metric_key)
    max_results = MAX_BULK_RESULTS if request.max_results is None else request.max_results
    if not 1 <= max_results <= MAX_BULK_RESULTS:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: between 1 and {MAX_BULK_RESULTS}")
    return MetricHistoryBulkResponse(
        metrics=services.database.search(
            metric_history.get_history_bulk, request.run_id, request.metric_key, max_results=max_results
        )
    )


@routes.get("metrics/get-history-bulk-interval")
def get_metric_history_bulk_interval(
    services: Services, request: GetMetricHistoryBulkInterval
) -> MetricHistoryBulkResponse:
    """Get a metric of several runs between two steps, cut so that no spike is lost."""
    check_present("metric_key", request.metric_key)
    return MetricHistoryBulkResponse(
        metrics=services.database.search(
            metric_history.get_history_bulk_interval,
            request.run_ids,
            request.metric_key,
            start_step=request.start_step,
            end_step=request.end_step,
            max_results=DEFAULT_POINTS_PER_RUN if request.max_results is None else request.max_results,
        )
    )
