"""What XGBoost and LightGBM share: rounds of metrics, and how much each feature counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from runyard.autologging.core import Training


def log_importance(training: Training, kind: str, importance: Mapping[str, float]) -> None:
    """Log how much each feature counts, as JSON and, where matplotlib is, as a picture."""
    with training.attempt("log the importance of features"):
        training.log_text(json.dumps(dict(importance)), f"feature_importance_{kind}.json")
    with training.attempt("draw the importance of features"):
        try:
            from matplotlib.figure import Figure
        except ImportError:
            return
        names = sorted(importance, key=lambda name: importance[name])
        figure = Figure(figsize=(6.4, max(4.8, 0.2 * len(names))), layout="tight")
        axes = figure.subplots()
        axes.barh(names, [importance[name] for name in names])
        axes.set(xlabel="Importance", title=f"Feature Importance ({kind})")
        training.log_figure(figure, f"feature_importance_{kind}.png")


def log_best(training: Training, rounds: list[dict[str, float]], best_iteration: int | None, early: bool) -> None:
    """Log where the training stopped, and once more the metrics of its best round, after the last."""
    if not early or best_iteration is None or not rounds:
        return
    with training.attempt("log the best iteration"):
        training.log_metrics({"stopped_iteration": len(rounds) - 1, "best_iteration": best_iteration})
        if best_iteration < len(rounds):
            training.log_metrics(rounds[best_iteration], step=len(rounds))


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by their names, defaults included."""
    import inspect

    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)
