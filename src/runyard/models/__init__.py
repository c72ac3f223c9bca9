"""Saved models: the MLmodel format, signatures, environments, and the flavors that write and read them.

To users it offers what the client knows of models where they are kept, too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from runyard.models.model import Model
from runyard.models.python_model import ModelConfig, set_model
from runyard.models.signature import ModelSignature, infer_signature

if TYPE_CHECKING:
    from runyard.client.models import (
        convert_input_example_to_serving_input,
        get_model_info,
        infer_pip_requirements,
        set_signature,
        update_model_requirements,
        validate_schema,
    )
    from runyard.evaluation import (
        EvaluationArtifact,
        EvaluationMetric,
        EvaluationResult,
        MetricThreshold,
        ModelEvaluator,
        evaluate,
        list_evaluators,
        make_metric,
        validate_evaluation_results,
    )
    from runyard.serving.offered import build_docker, predict, validate_serving_input

__all__ = [
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "Model",
    "ModelConfig",
    "ModelEvaluator",
    "ModelInputExample",
    "ModelSignature",
    "build_docker",
    "convert_input_example_to_serving_input",
    "evaluate",
    "get_model_info",
    "infer_pip_requirements",
    "infer_signature",
    "list_evaluators",
    "make_metric",
    "predict",
    "set_model",
    "set_signature",
    "update_model_requirements",
    "validate_evaluation_results",
    "validate_schema",
    "validate_serving_input",
]

# Frames, arrays, dicts, lists and scalars; or one of them with params.
ModelInputExample: TypeAlias = Any

# These are above this package, and only who asks for one loads them.
_ABOVE: Final = {
    **dict.fromkeys(
        (
            "convert_input_example_to_serving_input",
            "get_model_info",
            "infer_pip_requirements",
            "set_signature",
            "update_model_requirements",
            "validate_schema",
        ),
        "runyard.client.models",
    ),
    **dict.fromkeys(
        (
            "EvaluationArtifact",
            "EvaluationMetric",
            "EvaluationResult",
            "MetricThreshold",
            "ModelEvaluator",
            "evaluate",
            "list_evaluators",
            "make_metric",
            "validate_evaluation_results",
        ),
        "runyard.evaluation",
    ),
    **dict.fromkeys(("build_docker", "predict", "validate_serving_input"), "runyard.serving.offered"),
}


def __getattr__(name: str) -> Any:
    if name not in _ABOVE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ABOVE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ABOVE])
