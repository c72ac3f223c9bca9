"""Metrics of a program's own: what they are, what they give, and how their arguments are found."""

from __future__ import annotations

import copy
import inspect
import logging
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter, RunyardError

if TYPE_CHECKING:
    import pandas as pd

_log: Final = logging.getLogger(__name__)

# Names of arguments that are not looked for among columns and metrics.
_RESERVED: Final = ("predictions", "targets", "metrics")


def standard_aggregations(scores: Sequence[float]) -> dict[str, float]:
    """Return what is told of the scores of all rows, where a metric tells nothing else."""
    import numpy as np

    found = {"mean": np.mean(scores), "variance": np.var(scores), "p90": np.percentile(scores, 90)}
    return {name: float(figure) for name, figure in found.items()}


@dataclass
class MetricValue:
    """What a metric gives: a score for each row, reasons for them, and figures for all rows together, or some of these.

    Where every score is a number and no figure is given, they are the mean, the variance and the 90th percentile.
    """

    scores: list[Any] | None = None
    justifications: list[Any] | None = None
    aggregate_results: dict[str, float] | None = None

    def __post_init__(self) -> None:
        if self.aggregate_results is None and self.scores and all(_is_number(score) for score in self.scores):
            self.aggregate_results = standard_aggregations(self.scores)


class EvaluationMetric:
    """A function that measures predictions, with its name and what its value means."""

    def __init__(
        self,
        eval_fn: Callable[..., Any],
        name: str,
        greater_is_better: bool,
        long_name: str | None = None,
        version: str | None = None,
        metric_details: str | None = None,
        metric_metadata: dict[str, Any] | None = None,
        genai_metric_args: dict[str, Any] | None = None,
    ) -> None:
        self.eval_fn = eval_fn
        self.name = name
        self.greater_is_better = greater_is_better
        self.long_name = long_name or name
        self.version = version
        self.metric_details = metric_details
        self.metric_metadata = metric_metadata
        self.genai_metric_args = genai_metric_args

    def __call__(self, **arguments: Any) -> Any:
        """Return what the function gives for these arguments."""
        return self.eval_fn(**arguments)

    def __str__(self) -> str:
        told = {name: value for name, value in vars(self).items() if name not in {"eval_fn", "genai_metric_args"}}
        return f"EvaluationMetric({', '.join(f'{name}={value}' for name, value in told.items() if value is not None)})"

    @property
    def key(self) -> str:
        """The name that its value is logged under."""
        return f"{self.name}/{self.version}" if self.version else self.name


def make_metric(
    *,
    eval_fn: Callable[..., Any],
    greater_is_better: bool,
    name: str | None = None,
    long_name: str | None = None,
    version: str | None = None,
    metric_details: str | None = None,
    metric_metadata: dict[str, Any] | None = None,
    genai_metric_args: dict[str, Any] | None = None,
) -> EvaluationMetric:
    """Return a metric for ``extra_metrics`` of `evaluate`.

    Args:
        eval_fn: returns a number or a `MetricValue`. Its arguments are given by their names: ``predictions`` and
            ``targets``, ``metrics`` with the values so far, columns of the data or of what the model gave, entries of
            ``evaluator_config``, other metrics. One of two arguments of other names gets a table with the columns
            ``prediction`` and ``target``, and a dict of the metrics so far.
        name: what its value is logged under; the function's name by default.
    Raises:
        InvalidParameter: the function has no name and none is given, or the name has a slash.
    """
    if name is None:
        name = getattr(eval_fn, "__name__", None)
        if name is None or name == "<lambda>":
            raise InvalidParameter("name must be given where eval_fn is a lambda or has no name of its own")
    if "/" in name:
        raise InvalidParameter(f"name of a metric must have no slash, got {name!r}")
    if not name.isidentifier() or name in _RESERVED:
        _log.warning("no other metric can take the metric %r as an argument: its name cannot be an argument's", name)
    return EvaluationMetric(
        eval_fn,
        name,
        greater_is_better,
        long_name,
        version,
        metric_details,
        metric_metadata,
        genai_metric_args,
    )


@dataclass
class Sample:
    """What metrics take their arguments from."""

    predictions: Any
    targets: Any
    # The columns that the model was given, and those that it gave beside the predictions.
    inputs: pd.DataFrame
    outputs: pd.DataFrame | None = None
    # The columns that hold the predictions and the targets, by their names in the data.
    predictions_names: Sequence[str] = ()
    targets_names: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    # The columns of ``outputs`` that a metric took.
    used_outputs: set[str] = field(default_factory=set)

    def table(self) -> pd.DataFrame:
        """Return the predictions, and the targets where there are some, as columns of those names."""
        import pandas as pd

        frame = pd.DataFrame({"prediction": copy.deepcopy(self.predictions)})
        if self.targets is not None:
            frame["target"] = self.targets
        return frame


def measure(metrics: Sequence[EvaluationMetric], sample: Sample, values: dict[str, MetricValue]) -> None:
    """Add the values of metrics, those that others need before them.

    Raises:
        InvalidParameter: an argument of one cannot be found, or metrics need each other in a circle.
        RunyardError: one raised an error, which is the cause.
    """
    waiting = list(metrics)
    while waiting:
        missing: dict[str, list[str]] = {}
        for metric in waiting:
            arguments, absent = _arguments(metric, sample, values, {each.name for each in waiting} - {metric.name})
            if absent:
                missing[metric.name] = absent
                continue
            value = _measured(metric, arguments)
            if value is not None:
                values[metric.key] = value
        left = [metric for metric in waiting if metric.name in missing]
        if len(left) == len(waiting):
            raise _cannot(missing, sample)
        waiting = left


def aggregates(values: Mapping[str, MetricValue]) -> dict[str, float]:
    """Return the figures of metrics by the names that they are logged under."""
    found = {}
    for key, value in values.items():
        for name, figure in (value.aggregate_results or {}).items():
            if figure is not None:
                found[key if name == key.split("/")[0] else f"{key}/{name}"] = figure
    return found


def of_figures(figures: Mapping[str, Any]) -> dict[str, MetricValue]:
    """Return figures for all rows together as values of metrics."""
    return {name: MetricValue(aggregate_results={name: figure}) for name, figure in figures.items()}


def _arguments(
    metric: EvaluationMetric, sample: Sample, values: Mapping[str, MetricValue], to_come: set[str]
) -> tuple[list[Any], list[str]]:
    """Return the arguments of a metric's function, in their order, and the names of those that are not there."""
    parameters = inspect.signature(metric.eval_fn).parameters
    table = sample.table()
    names = list(parameters)
    if len(names) == 2 and names[0] != "predictions" and names[1] != "targets":
        return [table, dict(aggregates(values))], []
    mapping = sample.config.get("col_mapping") or {}
    found: list[Any] = []
    absent: list[str] = []
    for name, parameter in parameters.items():
        column = mapping.get(name, name)
        by_name = {key.split("/")[0]: value for key, value in values.items()}
        if not isinstance(column, str):
            found.append(column)
        elif column == "predictions" or column in sample.predictions_names:
            found.append(table["prediction"])
        elif (column == "targets" or column in sample.targets_names) and "target" in table:
            found.append(table["target"])
        elif column == "metrics":
            found.append(copy.deepcopy(dict(values)))
        elif column in sample.inputs.columns:
            found.append(sample.inputs[column])
        elif sample.outputs is not None and column in sample.outputs.columns:
            sample.used_outputs.add(column)
            found.append(sample.outputs[column])
        elif column in sample.config:
            found.append(sample.config[column])
        elif column in by_name:
            found.append(by_name[column])
        elif parameter.default is inspect.Parameter.empty or column in to_come:
            absent.append(name)
        else:
            found.append(parameter.default)
    return found, absent


def _measured(metric: EvaluationMetric, arguments: list[Any]) -> MetricValue | None:
    try:
        value = metric.eval_fn(*arguments)
    except Exception as error:
        raise RunyardError(
            f"metric {metric.name!r} raised {type(error).__name__}: {error}", "INVALID_PARAMETER_VALUE"
        ) from error
    if _is_number(value):
        return MetricValue(aggregate_results={metric.name: value})
    wrong = _what_is_wrong(value)
    if wrong is not None:
        _log.warning("metric %r is left out: %s", metric.name, wrong)
        return None
    assert isinstance(value, MetricValue)
    return value


def _what_is_wrong(value: Any) -> str | None:
    if value is None:
        return "it gave None"
    if not isinstance(value, MetricValue):
        return f"it must give a number or a MetricValue, got {type(value).__name__}"
    if value.scores is not None and not _is_list_of(value.scores, (numbers.Number, str)):
        return "its scores must be a list of numbers or texts"
    if value.justifications is not None and not _is_list_of(value.justifications, (str,)):
        return "its justifications must be a list of texts"
    figures: Any = value.aggregate_results
    if figures is not None and not (
        isinstance(figures, dict) and all(figure is None or _is_number(figure) for figure in figures.values())
    ):
        return "its aggregate_results must be a dict of numbers by name"
    return None


def _is_list_of(values: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(values, list) and all(value is None or isinstance(value, kinds) for value in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real)


def _cannot(missing: Mapping[str, list[str]], sample: Sample) -> InvalidParameter:
    lines = [f"metric {name!r} needs {', '.join(map(repr, absent))}" for name, absent in missing.items()]
    columns = [*sample.inputs.columns, *(() if sample.outputs is None else sample.outputs.columns)]
    return InvalidParameter(
        f"extra_metrics: {'; '.join(lines)}: neither a column of {columns}, nor an entry of evaluator_config, nor "
        "another metric that does not need this one in turn. Give targets or predictions where those are missing, or "
        "name the column in evaluator_config={'col_mapping': {ARGUMENT: COLUMN}}"
    )
