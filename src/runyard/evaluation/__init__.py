"""Measuring models on data: metrics, curves and tables in a run, and whether a model is good enough."""

from runyard.evaluation.artifacts import EvaluationArtifact
from runyard.evaluation.call import evaluate
from runyard.evaluation.evaluators import ModelEvaluator, list_evaluators
from runyard.evaluation.metrics import EvaluationMetric, MetricValue, make_metric
from runyard.evaluation.result import EvaluationResult
from runyard.evaluation.validation import (
    MetricThreshold,
    ModelValidationFailedException,
    validate_evaluation_results,
)

__all__ = [
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "MetricValue",
    "ModelEvaluator",
    "ModelValidationFailedException",
    "evaluate",
    "list_evaluators",
    "make_metric",
    "validate_evaluation_results",
]
