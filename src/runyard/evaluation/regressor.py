"""Regressors: how far from the targets they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.errors import InvalidParameter
from runyard.evaluation import plots
from runyard.evaluation.metrics import EvaluationMetric
from runyard.evaluation.recording import CustomArtifact, Evaluation


def evaluate(
    evaluation: Evaluation, extra_metrics: Sequence[EvaluationMetric], custom_artifacts: Sequence[CustomArtifact]
) -> None:
    """Measure a regressor, and log what was found.

    Raises:
        InvalidParameter: it gives no number for each row, or the targets are no numbers.
    """
    import numpy as np

    truth = evaluation.dataset.labels_data
    assert truth is not None
    try:
        truth, predicted = truth.astype(float), np.asarray(evaluation.subject.outputs[0], dtype=float)
    except (TypeError, ValueError) as wrong:
        raise InvalidParameter(f"a regressor is measured on numbers, both targets and predictions: {wrong}") from None
    if predicted.size != truth.size:
        raise InvalidParameter(
            f"a regressor must give a number for each of the {len(truth)} rows, got values of shape {predicted.shape}"
        )
    predicted, weights = predicted.reshape(truth.shape), evaluation.weights
    with evaluation.attempt("the metric score"):
        score = evaluation.subject.score(truth, weights)
        evaluation.add({} if score is None else {"score": score})
    evaluation.add(_figures(truth, predicted, weights))
    evaluation.add_extra(extra_metrics, custom_artifacts)
    evaluation.log()
    evaluation.draw("residuals_plot", lambda axes: plots.residuals(axes, truth, predicted))


def _figures(truth: Any, predicted: Any, weights: Any) -> dict[str, Any]:
    import numpy as np
    from sklearn import metrics

    weighted = {"sample_weight": weights}
    total = truth.sum() if weights is None else (truth * np.asarray(weights)).sum()
    squared = metrics.mean_squared_error(truth, predicted, **weighted)
    return {
        "example_count": len(truth),
        "mean_absolute_error": metrics.mean_absolute_error(truth, predicted, **weighted),
        "mean_squared_error": squared,
        "root_mean_squared_error": squared**0.5,
        "sum_on_target": total,
        "mean_on_target": total / len(truth),
        "r2_score": metrics.r2_score(truth, predicted, **weighted),
        "max_error": metrics.max_error(truth, predicted),
        "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(truth, predicted, **weighted),
    }
