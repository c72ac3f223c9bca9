"""Who measures a model: ours by the kind of the model, and those that installed packages add."""

from __future__ import annotations

import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from runyard.data.evaluation_dataset import EvaluationDataset
from runyard.errors import InvalidParameter
from runyard.evaluation import classifier, regressor
from runyard.evaluation.metrics import EvaluationMetric
from runyard.evaluation.recording import CustomArtifact, Evaluation
from runyard.evaluation.result import EvaluationResult
from runyard.evaluation.subject import Subject

# Where packages name theirs: MLflow's group, for which they were written.
ENTRY_POINTS: Final = "mlflow.model_evaluator"


class ModelEvaluator(ABC):
    """One that measures models; a package adds its own under the entry point group ``mlflow.model_evaluator``."""

    @classmethod
    @abstractmethod
    def can_evaluate(cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any) -> bool:
        """Return whether it measures models of this kind."""

    @abstractmethod
    def evaluate(
        self,
        *,
        model_type: str | None,
        dataset: EvaluationDataset,
        run_id: str,
        evaluator_config: dict[str, Any],
        model: Any = None,
        extra_metrics: list[EvaluationMetric] | None = None,
        custom_artifacts: list[CustomArtifact] | None = None,
        predictions: str | None = None,
        **kwargs: Any,
    ) -> EvaluationResult | None:
        """Measure a model, log what was found to the run and return it."""


class _BuiltIn(ModelEvaluator):
    """One of ours: its kind of model, and the function that measures it."""

    model_type: ClassVar[str | None]

    @classmethod
    def can_evaluate(
        cls,
        *,
        model_type: str | None,
        evaluator_config: dict[str, Any],  # noqa: ARG003 - an evaluator's signature
        **kwargs: Any,  # noqa: ARG003 - as above
    ) -> bool:
        return model_type == cls.model_type

    def evaluate(
        self,
        *,
        model_type: str | None,
        dataset: EvaluationDataset,
        run_id: str,
        evaluator_config: dict[str, Any],
        model: Any = None,
        extra_metrics: list[EvaluationMetric] | None = None,
        custom_artifacts: list[CustomArtifact] | None = None,
        predictions: str | None = None,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> EvaluationResult:
        subject = Subject(model, dataset, predictions)
        evaluation = Evaluation(subject, dataset, evaluator_config, run_id, model_id)
        self._measure(evaluation, extra_metrics or [], custom_artifacts or [])
        return evaluation.result()

    @staticmethod
    @abstractmethod
    def _measure(
        evaluation: Evaluation, extra_metrics: Sequence[EvaluationMetric], custom_artifacts: Sequence[CustomArtifact]
    ) -> None: ...


class ClassifierEvaluator(_BuiltIn):
    """See `classifier`."""

    model_type = "classifier"
    _measure = staticmethod(classifier.evaluate)


class RegressorEvaluator(_BuiltIn):
    """See `regressor`."""

    model_type = "regressor"
    _measure = staticmethod(regressor.evaluate)


class DefaultEvaluator(_BuiltIn):
    """Measures what it is told to, and nothing else."""

    model_type = None

    @staticmethod
    def _measure(
        evaluation: Evaluation, extra_metrics: Sequence[EvaluationMetric], custom_artifacts: Sequence[CustomArtifact]
    ) -> None:
        evaluation.add_extra(extra_metrics, custom_artifacts)
        evaluation.log()


_BUILT_IN: Final[dict[str, type[_BuiltIn]]] = {
    "default": DefaultEvaluator,
    "classifier": ClassifierEvaluator,
    "regressor": RegressorEvaluator,
}


@dataclass(frozen=True)
class Chosen:
    """An evaluator with its name and configuration."""

    name: str
    evaluator: ModelEvaluator
    config: dict[str, Any]

    @property
    def is_ours(self) -> bool:
        return isinstance(self.evaluator, _BuiltIn)


def list_evaluators() -> list[str]:
    """Return the names that ``evaluators`` of `evaluate` may hold."""
    return [*_BUILT_IN, *(name for name in _added() if name not in _BUILT_IN)]


def choose(
    evaluators: str | Sequence[str] | None, config: Mapping[str, Any] | None, model_type: str | None
) -> list[Chosen]:
    """Return who measures a model of this kind: by default, ours for it and every added one that can.

    Args:
        evaluators: a name, or several; ``default`` is ours for the kind of model.
        config: for one evaluator or for all, or a dict of such by the names of evaluators.
    Raises:
        InvalidParameter: there is no evaluator of a name, or none that measures such models.
    """
    given = dict(config or {})
    ours = next((name for name, each in _BUILT_IN.items() if each.model_type == model_type), "default")
    if isinstance(evaluators, str):
        wanted = {evaluators: given}
    elif evaluators is None:
        names = list_evaluators()
        is_by_name = any(name in given for name in names)
        wanted = {name: given.get(name, {}) if is_by_name else given for name in (ours, *_added())}
        if is_by_name and ours not in given:
            wanted[ours] = given.get("default", {})
    else:
        wanted = {name: given.get(name, {}) for name in evaluators}
        if strangers := [name for name in given if name not in wanted]:
            raise InvalidParameter(
                f"evaluator_config must be a dict of dicts by the names in evaluators, {list(wanted)}; got {strangers}"
            )
    found = []
    for name, each in wanted.items():
        evaluator = _named(ours if name == "default" else name)
        if evaluator.can_evaluate(model_type=model_type, evaluator_config=each):
            found.append(Chosen(name, evaluator, each))
    if not found:
        raise InvalidParameter(f"none of the evaluators {list(wanted)} measures models of model_type {model_type!r}")
    return found


def _named(name: str) -> ModelEvaluator:
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    added = _added()
    if name not in added:
        raise InvalidParameter(f"evaluators must be of {', '.join(list_evaluators())}, got {name!r}")
    made: ModelEvaluator = added[name].load()()
    return made


def _added() -> dict[str, importlib.metadata.EntryPoint]:
    return {each.name: each for each in importlib.metadata.entry_points(group=ENTRY_POINTS)}
