"""Metrics for ``extra_metrics`` of `evaluate`: those of scikit-learn that it logs anyway, and the tools for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runyard.errors import InvalidParameter
from runyard.evaluation.metrics import EvaluationMetric, MetricValue, make_metric

__all__ = [
    "EvaluationMetric",
    "MetricValue",
    "exact_match",
    "f1_score",
    "mae",
    "make_metric",
    "mape",
    "max_error",
    "mse",
    "ndcg_at_k",
    "precision_at_k",
    "precision_score",
    "r2_score",
    "recall_at_k",
    "recall_score",
    "rmse",
]


def mae() -> EvaluationMetric:
    """Return the mean absolute error."""
    return _of_errors("mean_absolute_error")


def mse() -> EvaluationMetric:
    """Return the mean squared error."""
    return _of_errors("mean_squared_error")


def rmse() -> EvaluationMetric:
    """Return the root of the mean squared error."""
    return _of_errors("root_mean_squared_error")


def mape() -> EvaluationMetric:
    """Return the mean absolute error as a share of the target."""
    return _of_errors("mean_absolute_percentage_error")


def r2_score() -> EvaluationMetric:
    """Return the share of the variance that is explained."""
    return _of_errors("r2_score", greater_is_better=True)


def max_error() -> EvaluationMetric:
    """Return the largest error."""

    def measure(predictions: Any, targets: Any = None, metrics: Any = None) -> MetricValue | None:
        return _measured("max_error", predictions, targets)

    return make_metric(eval_fn=measure, greater_is_better=False, name="max_error")


def recall_score() -> EvaluationMetric:
    """Return the share of the positive class that was found."""
    return _of_classes("recall_score")


def precision_score() -> EvaluationMetric:
    """Return the share of what was said to be positive that is."""
    return _of_classes("precision_score")


def f1_score() -> EvaluationMetric:
    """Return the harmonic mean of precision and recall."""
    return _of_classes("f1_score")


def exact_match() -> EvaluationMetric:
    """Return the share of the texts that are the expected ones."""

    def measure(predictions: Any, targets: Any = None, metrics: Any = None) -> MetricValue | None:
        if targets is None or len(targets) == 0:
            return None
        same = [said == expected for said, expected in zip(predictions, targets, strict=True)]
        return MetricValue(aggregate_results={"exact_match": sum(same) / len(same)})

    return make_metric(eval_fn=measure, greater_is_better=True, name="exact_match", version="v1")


def precision_at_k(k: int) -> EvaluationMetric:
    """Return the share of the first ``k`` that were retrieved that are relevant; targets are the relevant ones."""

    def score(retrieved: list[Any], relevant: set[Any]) -> float:
        return sum(each in relevant for each in retrieved) / len(retrieved) if retrieved else 0.0

    return _of_ranks("precision_at", k, score)


def recall_at_k(k: int) -> EvaluationMetric:
    """Return the share of the relevant ones that are among the first ``k`` retrieved."""

    def score(retrieved: list[Any], relevant: set[Any]) -> float:
        if not relevant:
            return 0.0 if retrieved else 1.0
        return len(relevant & set(retrieved)) / len(relevant)

    return _of_ranks("recall_at", k, score)


def ndcg_at_k(k: int) -> EvaluationMetric:
    """Return how near the first ``k`` retrieved are to having the relevant ones first.

    One that is retrieved again counts as another, which is relevant if the first is.
    Source: normalized discounted cumulative gain, Järvelin and Kekäläinen (2002), doi:10.1145/582415.582418.
    """
    from math import log2

    def score(retrieved: list[Any], relevant: set[Any]) -> float:
        if not retrieved or not relevant:
            return float(not retrieved and not relevant)
        gains = [each in relevant for each in retrieved]
        # The repeated ones are more that could have come first.
        total = len(relevant) + sum(gains) - len(relevant & set(retrieved))
        best = sum(1 / log2(place + 2) for place in range(min(total, len(retrieved))))
        return sum(1 / log2(place + 2) for place, gain in enumerate(gains) if gain) / best

    return _of_ranks("ndcg_at", k, score)


def _of_errors(name: str, *, greater_is_better: bool = False) -> EvaluationMetric:
    def measure(
        predictions: Any, targets: Any = None, metrics: Any = None, sample_weight: Any = None
    ) -> MetricValue | None:
        return _measured(name, predictions, targets, sample_weight=sample_weight)

    return make_metric(eval_fn=measure, greater_is_better=greater_is_better, name=name)


def _of_classes(name: str) -> EvaluationMetric:
    def measure(
        predictions: Any,
        targets: Any = None,
        metrics: Any = None,
        pos_label: Any = 1,
        average: str = "binary",
        sample_weight: Any = None,
    ) -> MetricValue | None:
        return _measured(name, predictions, targets, pos_label=pos_label, average=average, sample_weight=sample_weight)

    return make_metric(eval_fn=measure, greater_is_better=True, name=name)


def _measured(name: str, predictions: Any, targets: Any, **options: Any) -> MetricValue | None:
    if targets is None or len(targets) == 0:
        return None
    import sklearn.metrics

    return MetricValue(aggregate_results={name: getattr(sklearn.metrics, name)(targets, predictions, **options)})


def _of_ranks(name: str, k: Any, score: Callable[[list[Any], set[Any]], float]) -> EvaluationMetric:
    if not isinstance(k, int) or k <= 0:
        raise InvalidParameter(f"k must be a positive whole number, got {k!r}")

    def measure(predictions: Any, targets: Any) -> MetricValue:
        scores = [
            score(list(retrieved)[:k], set(relevant)) for retrieved, relevant in zip(predictions, targets, strict=True)
        ]
        return MetricValue(scores)

    return make_metric(eval_fn=measure, greater_is_better=True, name=f"{name}_{k}")
