"""A model that is not good enough is refused, with each metric that falls short."""

from __future__ import annotations

import math
from typing import Any

import pytest

from runyard.errors import InvalidParameter
from runyard.evaluation import EvaluationResult, ModelValidationFailedException
from runyard.models import MetricThreshold, validate_evaluation_results


def result(**metrics: float) -> EvaluationResult:
    return EvaluationResult(metrics, {}, "run")


def failed(thresholds: dict[str, MetricThreshold], candidate: Any, baseline: Any = None) -> str:
    with pytest.raises(ModelValidationFailedException) as caught:
        validate_evaluation_results(thresholds, candidate, baseline)
    return caught.value.message


def test_values_at_the_threshold_pass() -> None:
    thresholds = {
        "accuracy": MetricThreshold(threshold=0.8, greater_is_better=True),
        "loss": MetricThreshold(threshold=0.25, min_absolute_change=0.5, greater_is_better=False),
    }
    validate_evaluation_results(thresholds, result(accuracy=0.8, loss=0.25), result(loss=0.75))


def test_each_metric_that_falls_short_is_named() -> None:
    thresholds = {
        "accuracy": MetricThreshold(threshold=0.8, greater_is_better=True),
        "loss": MetricThreshold(threshold=0.2, greater_is_better=False),
        "f1": MetricThreshold(threshold=0.1, greater_is_better=True),
    }
    said = failed(thresholds, result(accuracy=0.7, loss=0.3))
    assert "accuracy must be >= 0.8, got 0.7" in said
    assert "loss must be <= 0.2, got 0.3" in said
    assert "f1 is missing from the candidate's result" in said


def test_nan_passes_nothing() -> None:
    for greater_is_better in (True, False):
        threshold = MetricThreshold(
            threshold=0.8, min_absolute_change=0.1, min_relative_change=0.1, greater_is_better=greater_is_better
        )
        said = failed({"m": threshold}, result(m=math.nan), result(m=0.5))
        assert said.count("metric m") == 3


@pytest.mark.parametrize(
    ("candidate", "baseline", "passes"), [(1.1, 1.0, True), (1.05, 1.0, False), (-0.9, -1.0, True), (0.1, 0.0, True)]
)
def test_a_share_is_of_the_baselines_magnitude(candidate: float, baseline: float, passes: bool) -> None:
    thresholds = {"r2": MetricThreshold(min_relative_change=0.09, greater_is_better=True)}
    if passes:
        validate_evaluation_results(thresholds, result(r2=candidate), result(r2=baseline))
    else:
        assert "by at least 9.00%" in failed(thresholds, result(r2=candidate), result(r2=baseline))


def test_a_change_needs_a_baseline() -> None:
    thresholds = {"m": MetricThreshold(min_absolute_change=0.1, greater_is_better=True)}
    assert "compared with a baseline" in failed(thresholds, result(m=1.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threshold": "0.8", "greater_is_better": True}, "threshold of a MetricThreshold must be a number, got '0.8'"),
        ({"min_absolute_change": 0, "greater_is_better": True}, "min_absolute_change must be > 0"),
        ({"min_relative_change": 2.0, "greater_is_better": True}, r"min_relative_change must be within \[0, 1\]"),
        ({"threshold": 1}, "greater_is_better of a MetricThreshold must be True or False, got None"),
        ({"greater_is_better": True}, "needs threshold"),
    ],
)
def test_a_threshold_that_will_not_do_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        MetricThreshold(**given)


def test_thresholds_are_a_dict() -> None:
    with pytest.raises(InvalidParameter, match="validation_thresholds must be a dict"):
        validate_evaluation_results({"m": 0.8}, result(m=1.0))
