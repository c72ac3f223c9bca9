"""Whether a model is good enough: its metrics held to thresholds, and to those of the model it is to replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runyard.errors import BadRequest, InvalidParameter
from runyard.evaluation.result import EvaluationResult

# By how much a metric must be better where a share of the baseline's is nothing.
_LEAST_CHANGE = 1e-10


class ModelValidationFailedException(BadRequest):
    """A model is not good enough; the message says by which metrics."""


class MetricThresholdClassException(InvalidParameter):
    """A threshold is not what it must be."""


@dataclass(frozen=True)
class MetricThreshold:
    """What a metric must be.

    Args:
        threshold: the least value, or the greatest where less is better.
        min_absolute_change: by how much it must be better than the baseline's.
        min_relative_change: the same as a share of the baseline's, from 0 to 1.
        greater_is_better: must be given.
    """

    threshold: float | None = None
    min_absolute_change: float | None = None
    min_relative_change: float | None = None
    greater_is_better: bool | None = None

    def __post_init__(self) -> None:
        for name in ("threshold", "min_absolute_change", "min_relative_change"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise MetricThresholdClassException(f"{name} of a MetricThreshold must be a number, got {value!r}")
        if self.min_absolute_change is not None and self.min_absolute_change <= 0:
            raise MetricThresholdClassException(f"min_absolute_change must be > 0, got {self.min_absolute_change!r}")
        if self.min_relative_change is not None and not 0 <= self.min_relative_change <= 1:
            raise MetricThresholdClassException(
                f"min_relative_change must be within [0, 1], got {self.min_relative_change!r}"
            )
        if not isinstance(self.greater_is_better, bool):
            raise MetricThresholdClassException(
                f"greater_is_better of a MetricThreshold must be True or False, got {self.greater_is_better!r}"
            )
        if (self.threshold, self.min_absolute_change, self.min_relative_change) == (None, None, None):
            raise MetricThresholdClassException(
                "a MetricThreshold needs threshold, min_absolute_change or min_relative_change"
            )

    def failures(self, name: str, candidate: float, baseline: float | None) -> list[str]:
        """Return what a value falls short of, in words; without a baseline's, changes are a failure of their own."""
        sign = 1 if self.greater_is_better else -1
        wanted = ">=" if self.greater_is_better else "<="
        found = []
        # Each asks what must be so, because NaN is neither less nor greater: it passes nothing.
        if self.threshold is not None and not sign * candidate >= sign * self.threshold:
            found.append(f"metric {name} must be {wanted} {self.threshold}, got {candidate}")
        if self.min_absolute_change is None and self.min_relative_change is None:
            return found
        if baseline is None:
            return [*found, f"metric {name} is to be compared with a baseline, whose result lacks it"]
        change = self.min_absolute_change
        if change is not None and not sign * candidate >= sign * (baseline + sign * change):
            found.append(
                f"metric {name} must be better than the baseline's {baseline} by at least {change}, got {candidate}"
            )
        if self.min_relative_change is not None:
            # Of its magnitude: a share of a negative baseline would turn the comparison around.
            least = self.min_relative_change if baseline else _LEAST_CHANGE
            if not sign * (candidate - baseline) / (abs(baseline) or 1) >= least:
                found.append(
                    f"metric {name} must be better than the baseline's {baseline} by at least "
                    f"{self.min_relative_change:.2%}, got {candidate}"
                )
        return found


def validate_evaluation_results(
    validation_thresholds: Mapping[str, MetricThreshold] | Any,
    candidate_result: EvaluationResult,
    baseline_result: EvaluationResult | None = None,
) -> None:
    """Raise unless a model's metrics are what they must be.

    Args:
        validation_thresholds: what each metric must be, by its name in the result.
        candidate_result: of the model that is looked at.
        baseline_result: of the model that it is compared with.
    Raises:
        ModelValidationFailedException: they are not; each that is not is named.
        InvalidParameter: a threshold is no MetricThreshold.
    """
    if not isinstance(validation_thresholds, Mapping) or not all(
        isinstance(name, str) and isinstance(each, MetricThreshold) for name, each in validation_thresholds.items()
    ):
        raise InvalidParameter("validation_thresholds must be a dict of MetricThreshold by the names of metrics")
    baseline: Mapping[str, Any] = baseline_result.metrics if baseline_result else {}
    failures: list[str] = []
    for name, threshold in validation_thresholds.items():
        if name in candidate_result.metrics:
            failures += threshold.failures(name, candidate_result.metrics[name], baseline.get(name))
        else:
            failures.append(f"metric {name} is missing from the candidate's result")
    if failures:
        raise ModelValidationFailedException("the model is not good enough: " + "; ".join(failures))
