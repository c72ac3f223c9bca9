"""Classifiers: how often they are right, for two classes and for many, and the curves of their probabilities."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.evaluation import plots
from runyard.evaluation.metrics import EvaluationMetric
from runyard.evaluation.recording import CustomArtifact, Evaluation

_log: Final = logging.getLogger(__name__)

_MAX_CURVES: Final = 10


@dataclass(frozen=True)
class _Outcome:
    """Labels and predictions, and the probabilities of the classes, a column for each of ``labels`` as sorted."""

    truth: Any
    predicted: Any
    chances: Any
    # Of two, the positive one is the last; of more, sorted.
    labels: Any
    positive: Any
    weights: Any

    @property
    def is_binary(self) -> bool:
        return len(self.labels) == 2

    def chance_of(self, label: Any) -> Any:
        return self.chances[:, sorted(self.labels.tolist()).index(label)]


def evaluate(
    evaluation: Evaluation, extra_metrics: Sequence[EvaluationMetric], custom_artifacts: Sequence[CustomArtifact]
) -> None:
    """Measure a classifier, and log what was found.

    Raises:
        InvalidParameter: the data hold fewer than two classes, or the configuration names classes that do not fit.
    """
    outcome = _outcome(evaluation)
    with evaluation.attempt("the metric score"):
        score = evaluation.subject.score(outcome.truth, outcome.weights)
        evaluation.add({} if score is None else {"score": score})
    curves = {}
    if outcome.is_binary:
        evaluation.add(_binary(outcome))
        curves = _curves(outcome, [outcome.labels[-1]])
        for name, key in (("roc", "roc_auc"), ("precision_recall", "precision_recall_auc")):
            if name in curves:
                evaluation.add({key: curves[name][0].area})
    else:
        average = evaluation.config.get("average", "weighted")
        evaluation.add(_common(outcome, average=average, pos_label=None))
        if outcome.chances is not None and average in ("macro", "weighted"):
            with evaluation.attempt("the metric roc_auc"):
                evaluation.add({"roc_auc": _multiclass_area(outcome, average)})
    evaluation.add_extra(extra_metrics, custom_artifacts)
    evaluation.log()
    if not outcome.is_binary:
        curves = _per_class(evaluation, outcome)
    _draw(evaluation, outcome, curves)


def _outcome(evaluation: Evaluation) -> _Outcome:
    import numpy as np

    config, subject = evaluation.config, evaluation.subject
    truth = evaluation.dataset.labels_data
    assert truth is not None
    predicted = np.asarray(subject.outputs[0])
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted.reshape(-1)
    if predicted.shape != truth.shape:
        raise InvalidParameter(
            f"a classifier must give a class for each of the {len(truth)} rows, got values of shape {predicted.shape}"
        )
    _warn_of_decimals(truth)
    chances, positive = subject.probabilities, config.get("pos_label")
    if config.get("label_list") is not None:
        labels = np.array(config["label_list"])
        if positive is not None and positive not in labels:
            raise InvalidParameter(f"pos_label must be one of label_list {labels.tolist()}, got {positive!r}")
    else:
        labels = np.unique(np.concatenate([truth, predicted]))
        known = subject.classes
        if chances is not None and known is not None and set(labels) < set(known):
            # Classes that happen to be absent from the data still have their columns.
            labels = np.array(known)
    if len(labels) < 2:
        raise InvalidParameter(
            f"a classifier is evaluated on two classes at least, got {labels.tolist()}: name all in "
            "evaluator_config={'label_list': […]}"
        )
    labels = np.sort(labels)
    if len(labels) == 2:
        positive = labels[-1] if positive is None else positive
        if positive not in labels:
            raise InvalidParameter(f"pos_label must be one of the classes {labels.tolist()}, got {positive!r}")
        labels = np.array([*labels[labels != positive], positive])
    if chances is not None and chances.shape[1:] != (len(labels),):
        _log.warning(
            "the model's probabilities are left out: they have the shape %s, and the classes are %s",
            *(chances.shape, labels.tolist()),
        )
        chances = None
    return _Outcome(truth, predicted, chances, labels, positive, config.get("sample_weights"))


def _warn_of_decimals(truth: Any) -> None:
    import numpy as np

    if truth.dtype.kind == "f" and not np.array_equal(truth, np.round(truth), equal_nan=True):
        _log.warning("the labels are decimals: is model_type 'regressor' meant?")


def _common(outcome: _Outcome, *, average: Any, pos_label: Any) -> dict[str, Any]:
    from sklearn import metrics

    weights = {"sample_weight": outcome.weights}
    # A class that is never said has no precision; it counts as 0, as scikit-learn has it where it warns of it.
    of_class = {"average": average, "pos_label": pos_label, "zero_division": 0, **weights}
    found = {
        "example_count": len(outcome.truth),
        "accuracy_score": metrics.accuracy_score(outcome.truth, outcome.predicted, **weights),
        "recall_score": metrics.recall_score(outcome.truth, outcome.predicted, **of_class),
        "precision_score": metrics.precision_score(outcome.truth, outcome.predicted, **of_class),
        "f1_score": metrics.f1_score(outcome.truth, outcome.predicted, **of_class),
    }
    if outcome.chances is not None:
        found["log_loss"] = metrics.log_loss(outcome.truth, outcome.chances, labels=outcome.labels, **weights)
    return found


def _binary(outcome: _Outcome) -> dict[str, Any]:
    from sklearn import metrics

    counts = metrics.confusion_matrix(outcome.truth, outcome.predicted, labels=outcome.labels).ravel()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return {**dict(zip(names, counts, strict=True)), **_common(outcome, average="binary", pos_label=outcome.labels[-1])}


def _multiclass_area(outcome: _Outcome, average: str) -> float:
    from sklearn import metrics

    if absent := [label for label in outcome.labels.tolist() if label not in outcome.truth]:
        raise ValueError(f"no row is of the classes {absent}")
    return float(
        metrics.roc_auc_score(
            outcome.truth,
            outcome.chances,
            sample_weight=outcome.weights,
            average=average,
            multi_class="ovr",
            labels=outcome.labels,
        )
    )


def _curves(outcome: _Outcome, labels: Sequence[Any]) -> dict[str, list[plots.Curve]]:
    """Return the ROC and the precision-recall curve of each class against the rest; none without probabilities."""
    from sklearn import metrics

    if outcome.chances is None:
        return {}
    weights = {"sample_weight": outcome.weights}
    found: dict[str, list[plots.Curve]] = {"roc": [], "precision_recall": []}
    for label in labels:
        is_it, chance = outcome.truth == label, outcome.chance_of(label)
        if is_it.all() or not is_it.any():
            _log.warning("the curves of class %s are left out: the data have it in every row or in none", label)
            continue
        shown = "" if outcome.is_binary else f"label={label},"
        false, true, _ = metrics.roc_curve(is_it, chance, **weights)
        area = float(metrics.roc_auc_score(is_it, chance, **weights))
        found["roc"].append(plots.Curve(label, f"{shown}AUC={area:.3f}", false, true, area))
        precision, recall, _ = metrics.precision_recall_curve(is_it, chance, **weights)
        area = float(metrics.average_precision_score(is_it, chance, **weights))
        found["precision_recall"].append(plots.Curve(label, f"{shown}AP={area:.3f}", recall, precision, area))
    return {name: curves for name, curves in found.items() if curves}


def _per_class(evaluation: Evaluation, outcome: _Outcome) -> dict[str, list[plots.Curve]]:
    """Log what is measured of each class against the rest; return the curves."""
    import numpy as np
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for label in outcome.labels:
        of_one = _Outcome(
            (outcome.truth == label).astype(int),
            (outcome.predicted == label).astype(int),
            None,
            np.array([0, 1]),
            1,
            outcome.weights,
        )
        rows.append({"positive_class": label, **_binary(of_one)})
    frame = pd.DataFrame(rows)
    curves = {}
    most = evaluation.config.get("max_classes_for_multiclass_roc_pr", _MAX_CURVES)
    if len(outcome.labels) <= most:
        curves = _curves(outcome, outcome.labels.tolist())
        for name, key in (("roc", "roc_auc"), ("precision_recall", "precision_recall_auc")):
            if name in curves:
                areas = {curve.of: curve.area for curve in curves[name]}
                frame[key] = [areas.get(label, np.nan) for label in outcome.labels.tolist()]
    elif outcome.chances is not None:
        _log.warning(
            "curves of %d classes are left out: evaluator_config={'max_classes_for_multiclass_roc_pr': %d} draws them",
            *(len(outcome.labels), len(outcome.labels)),
        )
    evaluation.log_frame("per_class_metrics", frame)
    return curves


def _draw(evaluation: Evaluation, outcome: _Outcome, curves: Mapping[str, list[plots.Curve]]) -> None:
    positive = outcome.positive if outcome.is_binary else None
    if "roc" in curves:
        evaluation.draw("roc_curve_plot", lambda axes: plots.roc(axes, curves["roc"], positive))
    if "precision_recall" in curves:
        drawn = curves["precision_recall"]
        evaluation.draw("precision_recall_curve_plot", lambda axes: plots.precision_recall(axes, drawn, positive))
    if outcome.chances is not None:
        if outcome.is_binary:
            chances = {label: outcome.chance_of(label) for label in sorted(outcome.labels.tolist())}
            evaluation.draw("lift_curve_plot", lambda axes: plots.lift(axes, outcome.truth, chances, positive))
        labels = [positive] if outcome.is_binary else outcome.labels.tolist()
        bins, name = _calibration(evaluation.config)
        evaluation.draw(
            "calibration_curve_plot",
            lambda axes: plots.calibration(
                axes, outcome.truth, {label: outcome.chance_of(label) for label in labels}, bins, name
            ),
        )
    evaluation.draw(
        "confusion_matrix",
        lambda axes: plots.confusion(axes, outcome.truth, outcome.predicted, outcome.labels, outcome.weights),
    )


def _calibration(config: Mapping[str, Any]) -> tuple[int, str]:
    bins, name = config.get("calibration_n_bins", 10), config.get("calibration_classifier_name", "Classifier")
    if not isinstance(bins, int) or bins < 1:
        raise InvalidParameter(f"calibration_n_bins must be a positive whole number, got {bins!r}")
    if not isinstance(name, str):
        raise InvalidParameter(f"calibration_classifier_name must be a text, got {name!r}")
    return bins, name
