"""The counters of all workers, as Prometheus reads them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric as Family,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from runyard import __version__
from runyard.server.observability.counters import Counters, Snapshot
from runyard.server.observability.monitoring import METRICS, Metric

_REQUESTS = "mlflow_http_request_duration_seconds"


def expose(counters: Counters, accept: str, metrics: Mapping[str, Metric] = METRICS) -> tuple[bytes, str]:
    """Return the metrics and their media type, in the format that ``accept`` (a header) prefers."""
    registry = CollectorRegistry()
    registry.register(_Workers(counters.read(), metrics))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Workers(Collector):
    def __init__(self, snapshots: Sequence[Snapshot], metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        self._snapshots = [snapshot for snapshot in snapshots if snapshot.pid]
        self._living = [snapshot for snapshot in self._snapshots if _is_alive(snapshot.pid)]

    def describe(self) -> Iterable[Family]:
        return ()

    def collect(self) -> Iterator[Family]:
        yield InfoMetricFamily("mlflow_exporter", "The server that answers.", {"version": __version__})
        for name, metric in self._metrics.items():
            series = self._added_up(name, metric)
            yield _family(name, metric, series)
            if name == _REQUESTS:
                yield from _request_counts(metric, series)
        yield from self._processes()

    def _added_up(self, name: str, metric: Metric) -> dict[tuple[str, ...], list[float]]:
        combine: Callable[[float, float], float] = max if metric.kind in {"maximum", "latest"} else float.__add__
        added: dict[tuple[str, ...], list[float]] = {}
        for snapshot in self._living if metric.kind == "gauge" else self._snapshots:
            for (found, *labels), values in snapshot.series.items():
                if found == name:
                    sums = added.get(tuple(labels))
                    added[tuple(labels)] = values if sums is None else list(map(combine, sums, values))
        return added

    def _processes(self) -> Iterator[Family]:
        families: dict[str, Family] = {}
        for snapshot in self._living:
            for part in ProcessCollector(pid=lambda pid=snapshot.pid: pid, registry=None).collect():  # type: ignore[misc]
                family = families.setdefault(part.name, part)
                samples = [s._replace(labels={"worker": str(snapshot.worker)}) for s in part.samples]
                family.samples = samples if family is part else [*family.samples, *samples]
        yield from families.values()


def _family(name: str, metric: Metric, series: dict[tuple[str, ...], list[float]]) -> Family:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, metric.help, labels=metric.labels)
        bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
        for labels, (*counts, total) in sorted(series.items()):
            histogram.add_metric(labels, list(zip(bounds, itertools.accumulate(counts), strict=True)), total)
        return histogram
    kind = GaugeMetricFamily if metric.kind in {"gauge", "latest"} else CounterMetricFamily
    family = kind(name, metric.help, labels=metric.labels)
    for labels, (value,) in sorted(series.items()):
        family.add_metric(labels, value)
    return family


def _request_counts(metric: Metric, series: dict[tuple[str, ...], list[float]]) -> Iterator[Family]:
    """Give the counters of requests: what the histogram's buckets add up to."""
    requests = CounterMetricFamily("mlflow_http_requests", "Requests answered.", labels=metric.labels)
    by_method: dict[tuple[str, str], float] = {}
    for (method, route, status), values in sorted(series.items()):
        count = sum(values[:-1])
        requests.add_metric((method, route, status), count)
        by_method[method, status] = by_method.get((method, status), 0.0) + count
    yield requests
    upstream = CounterMetricFamily(
        "mlflow_http_request",
        "Requests answered, as upstream's exporter names them.",
        labels=("method", "status"),
    )
    for pair, count in by_method.items():
        upstream.add_metric(pair, count)
    yield upstream


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
