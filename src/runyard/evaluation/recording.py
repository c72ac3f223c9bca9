"""One evaluation as it goes on: what was measured so far, and what of it is in the run."""

from __future__ import annotations

import contextlib
import copy
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.artifacts.uris import join_uri
from runyard.client.client import MlflowClient
from runyard.data.evaluation_dataset import EvaluationDataset
from runyard.entities import Metric
from runyard.evaluation.artifacts import (
    CsvEvaluationArtifact,
    EvaluationArtifact,
    ImageEvaluationArtifact,
    JsonEvaluationArtifact,
    write,
)
from runyard.evaluation.metrics import EvaluationMetric, MetricValue, Sample, aggregates, measure, of_figures
from runyard.evaluation.result import EvaluationResult
from runyard.evaluation.subject import Subject

if TYPE_CHECKING:
    import pandas as pd

_log: Final = logging.getLogger(__name__)

TABLE_FILE: Final = "eval_results_table.json"
# Metrics whose scores are columns of their own names.
_PLAIN_SCORES: Final = ("token_count", "latency")

CustomArtifact = Callable[["pd.DataFrame", dict[str, MetricValue], str], "Mapping[str, Any] | None"]


class Evaluation:
    """The subject, the data and the configuration of one evaluator, and what it has found."""

    def __init__(
        self,
        subject: Subject,
        dataset: EvaluationDataset,
        config: Mapping[str, Any],
        run_id: str,
        model_id: str | None,
    ) -> None:
        self.subject = subject
        self.dataset = dataset
        self.config = config
        self.values: dict[str, MetricValue] = {}
        self.artifacts: dict[str, EvaluationArtifact] = {}
        self.prefix = str(config.get("metric_prefix") or "")
        self._run_id = run_id
        self._model_id = model_id
        self._client = MlflowClient()
        self._sample: Sample | None = None

    @property
    def weights(self) -> Any:
        return self.config.get("sample_weights")

    def add(self, figures: Mapping[str, Any]) -> None:
        """Take figures for all rows together as metrics."""
        self.values.update(of_figures(figures))

    def add_extra(self, metrics: Sequence[EvaluationMetric], custom_artifacts: Sequence[CustomArtifact]) -> None:
        """Measure the program's own metrics, and have its own functions make artifacts."""
        predictions, others, name = self.subject.outputs
        dataset = self.dataset
        self._sample = Sample(
            predictions=predictions,
            targets=dataset.labels_data,
            inputs=dataset.frame(),
            outputs=others,
            predictions_names=[each for each in (name, dataset.predictions_name) if each],
            targets_names=[dataset.targets_name] if dataset.targets_name else [],
            config=self.config,
        )
        measure(metrics, self._sample, self.values)
        for index, function in enumerate(custom_artifacts):
            self._make(index, function, self._sample.table())

    def log(self) -> None:
        """Send the metrics to the run, and a row for each row of the data where a metric has scores for them."""
        self.values = {f"{self.prefix}{key}": _prefixed(value, self.prefix) for key, value in self.values.items()}
        now_ms = time.time_ns() // 1_000_000
        points = [
            Metric(key, float(figure), now_ms, 0, self._model_id, self.dataset.name, self.dataset.digest)
            for key, figure in aggregates(self.values).items()
        ]
        if points:
            self._client.log_batch(self._run_id, metrics=points)
        if any(value.scores or value.justifications for value in self.values.values()):
            self._log_table()

    def result(self) -> EvaluationResult:
        return EvaluationResult(aggregates(self.values), self.artifacts, self._run_id)

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Leave one thing out, with a warning, where the data are such that it cannot be told."""
        try:
            yield
        except (ValueError, TypeError, IndexError) as error:
            _log.warning("%s is left out: %s", what, error)

    def draw(self, name: str, draw: Callable[[Any], Any]) -> None:
        """Log what a function draws on axes of matplotlib as a picture; without matplotlib, nothing."""
        try:
            import matplotlib as mpl
            from matplotlib.figure import Figure
        except ImportError:
            return
        # Without pyplot: whatever the program draws itself, and wherever, stays as it is.
        with mpl.rc_context({"font.size": 8}), self.attempt(f"the picture {name}"):
            figure = Figure(figsize=(6.0, 4.0), dpi=175)
            draw(figure.subplots())
            with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
                file = Path(folder) / f"{self.prefix}{name}.png"
                figure.savefig(file, bbox_inches="tight")
                self._log_file(name, file, ImageEvaluationArtifact)

    def log_frame(self, name: str, frame: pd.DataFrame) -> None:
        with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
            file = Path(folder) / f"{name}.csv"
            frame.to_csv(file, index=False)
            self._log_file(name, file, CsvEvaluationArtifact)

    def _log_file(self, name: str, file: Path, kind: type[EvaluationArtifact]) -> None:
        self._client.log_artifact(self._run_id, str(file))
        self.artifacts[name] = kind(self._uri(file.name))
        self.artifacts[name]._load(file)  # noqa: SLF001 - while it is here

    def _uri(self, file: str) -> str:
        return join_uri(self._client.get_run(self._run_id).info.artifact_uri or "", file)

    def _make(self, index: int, function: CustomArtifact, table: pd.DataFrame) -> None:
        named = getattr(function, "__name__", repr(function))
        with tempfile.TemporaryDirectory(prefix="runyard-") as own, tempfile.TemporaryDirectory() as theirs:
            made = function(table.copy(), copy.deepcopy(self.values), theirs)
            if not isinstance(made, Mapping) or not all(isinstance(name, str) for name in made):
                _log.warning(
                    "custom_artifacts[%d], %s, is left out: it must return a dict of artifacts by name, got %s",
                    *(index, named, type(made).__name__),
                )
                return
            for name, value in made.items():
                self._log_file(name, *write(value, name, Path(own)))

    def _log_table(self) -> None:
        dataset, sample = self.dataset, self._sample
        assert sample is not None
        table = sample.inputs.reset_index(drop=True)
        if dataset.has_targets:
            table[dataset.targets_name or "target"] = dataset.labels_data
        name = next(iter(sample.predictions_names), None) if dataset.has_targets else None
        # What a model gives may have an index of its own: rows go by their place.
        table[name or "outputs"] = list(sample.predictions)
        if sample.outputs is not None:
            for column in sorted(sample.used_outputs):
                table[column] = list(sample.outputs[column])
        for key, value in self.values.items():
            if value.scores:
                table[key if key.removeprefix(self.prefix) in _PLAIN_SCORES else f"{key}/score"] = value.scores
            if value.justifications:
                table[f"{key}/justification"] = value.justifications
        file = f"{self.prefix}{TABLE_FILE}"
        self._client.log_table(self._run_id, table, file)
        self.artifacts[TABLE_FILE.removesuffix(".json")] = JsonEvaluationArtifact(self._uri(file))


def _prefixed(value: MetricValue, prefix: str) -> MetricValue:
    figures = value.aggregate_results
    named = None if figures is None else {f"{prefix}{name}": figure for name, figure in figures.items()}
    return MetricValue(value.scores, value.justifications, named)
