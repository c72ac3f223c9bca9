"""Pictures of an evaluation, each drawn on axes of matplotlib that it is given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_CHANCE_LINE: Final = {"color": "gray", "alpha": 0.5, "linestyle": "dashed"}


@dataclass(frozen=True)
class Curve:
    """One line, the class that it is of, and the area under it."""

    of: Any
    label: str
    x: Any
    y: Any
    area: float


def roc(axes: Any, curves: Sequence[Curve], positive: Any) -> None:
    _lines(axes, curves)
    axes.plot([0, 1], [0, 1], **_CHANCE_LINE)
    _name(axes, "ROC curve", _of("False Positive Rate", positive), _of("True Positive Rate", positive))


def precision_recall(axes: Any, curves: Sequence[Curve], positive: Any) -> None:
    _lines(axes, curves)
    axes.plot([0, 1], [1, 0], **_CHANCE_LINE)
    _name(axes, "Precision recall curve", _of("Recall", positive), _of("Precision", positive))


def lift(axes: Any, truth: Any, chances: Mapping[Any, Any], positive: Any) -> None:
    """Draw how many times more often a class is among the rows with its highest chances than among all.

    Raises:
        ValueError: one of the classes is absent.
    """
    import numpy as np

    for label, chance in chances.items():
        is_it = (truth == label)[np.argsort(chance)[::-1]]
        if not is_it.any():
            raise ValueError(f"no row is of the class {label}")
        share = np.arange(1, len(is_it) + 1) / len(is_it)
        shown = f"Class {label} (positive)" if label == positive else f"Class {label}"
        axes.plot(share, np.cumsum(is_it) / is_it.sum() / share, linewidth=2, label=shown)
    axes.plot([0, 1], [1, 1], "k--", linewidth=1, label="Baseline")
    axes.grid(visible=True)
    axes.legend(loc="best")
    _name(axes, "Lift Curve", "Percentage of sample", "Lift")


def calibration(axes: Any, truth: Any, chances: Mapping[Any, Any], bins: int, name: str) -> None:
    """Draw how often rows are of a class, for each bin of the chance that they are."""
    from sklearn.calibration import calibration_curve

    for label, chance in chances.items():
        share, mean = calibration_curve(truth == label, chance, n_bins=bins)
        axes.plot(mean, share, marker="o", markersize=3, label=f"Class {label}")
    axes.plot([0, 1], [0, 1], color="black", linestyle="dotted", label="Perfect calibration")
    axes.legend(loc="best")
    _name(axes, f"{name} Calibration", "Mean predicted probability", "Fraction of positives")


def confusion(axes: Any, truth: Any, predicted: Any, labels: Any, weights: Any) -> None:
    """Draw which share of each class was taken for which."""
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    shares = confusion_matrix(truth, predicted, labels=labels, normalize="true", sample_weight=weights)
    size = max(min(8, math.ceil(50.0 / len(labels))), 1)
    ConfusionMatrixDisplay(shares, display_labels=labels).plot(cmap="Blues", ax=axes, text_kw={"fontsize": size})
    axes.tick_params(labelsize=size)
    axes.set_title("Normalized confusion matrix")


def residuals(axes: Any, truth: Any, predicted: Any) -> None:
    """Draw by how much each prediction is off."""
    axes.scatter(predicted, truth - predicted, s=8, alpha=0.6)
    axes.axhline(0, **_CHANCE_LINE)
    _name(axes, "Residuals", "Predicted", "Target - predicted")


def _lines(axes: Any, curves: Sequence[Curve]) -> None:
    for curve in curves:
        axes.plot(curve.x, curve.y, label=curve.label, drawstyle="steps-post", linewidth=1)
    axes.legend(loc="best") if len(curves) == 1 else axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def _of(what: str, positive: Any) -> str:
    return what if positive is None else f"{what} (Positive label: {positive})"


def _name(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
