"""Metric histories on the wire."""

from __future__ import annotations

from runyard.wire.base import Int64, Request, Response
from runyard.wire.runs import Metric, RunRequest


class GetMetricHistory(RunRequest, kw_only=True):
    metric_key: str
    page_token: str | None = None
    max_results: Int64 | None = None


class GetMetricHistoryResponse(Response):
    metrics: list[Metric] = []
    next_page_token: str | None = None


class GetMetricHistoryBulk(Request):
    """The ajax form repeats run_id in the query string."""

    run_id: list[str]
    metric_key: str
    max_results: Int64 | None = None


class GetMetricHistoryBulkInterval(Request):
    run_ids: list[str]
    metric_key: str
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 | None = None


class MetricHistoryBulkResponse(Response):
    metrics: list[Metric] = []
