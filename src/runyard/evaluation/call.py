"""The call that evaluates: it makes of its arguments a model, a dataset and a run, and has them measured."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runyard.autologging.core import within
from runyard.client import fluent
from runyard.client.client import MlflowClient
from runyard.client.datasets import CONTEXT_TAG, Dataset, dataset_input
from runyard.client.models import downloaded
from runyard.data.evaluation_dataset import EvaluationDataset, of_dataset
from runyard.entities import LoggedModelInput
from runyard.errors import InvalidParameter, NotImplementedHere
from runyard.evaluation.evaluators import Chosen, choose
from runyard.evaluation.metrics import EvaluationMetric
from runyard.evaluation.recording import CustomArtifact
from runyard.evaluation.result import EvaluationResult
from runyard.evaluation.subject import FunctionModel
from runyard.models.pyfunc import PyFuncModel, load_model

_log: Final = logging.getLogger(__name__)

_MEASURED: Final = ("classifier", "regressor")
# Kinds of models whose metrics are made by large language models or need their tokenizers.
_OF_TEXTS: Final = ("question-answering", "text-summarization", "text", "retriever")
_DATASETS_TAG: Final = "mlflow.datasets"


def evaluate(
    model: str | Path | PyFuncModel | Callable[[Any], Any] | None = None,
    data: Any = None,
    *,
    model_type: str | None = None,
    targets: Any = None,
    predictions: str | None = None,
    dataset_path: str | None = None,
    feature_names: Sequence[str] | None = None,
    evaluators: str | Sequence[str] | None = None,
    evaluator_config: Mapping[str, Any] | None = None,
    extra_metrics: Sequence[EvaluationMetric] | None = None,
    custom_artifacts: Sequence[CustomArtifact] | None = None,
    env_manager: str = "local",
    model_config: Mapping[str, Any] | None = None,
    inference_params: Mapping[str, Any] | None = None,
    model_id: str | None = None,
) -> EvaluationResult:
    """Measure a model on data, and log metrics and pictures to the active run, or to one made for it.

    Args:
        model: a URI, a loaded pyfunc model, a function that takes features and returns predictions, or None, where the
            data hold the predictions.
        data: a data frame, an array or list of rows, or a dataset of `mlflow.data`.
        model_type: "classifier" or "regressor"; None measures ``extra_metrics`` alone.
        targets: the column of the labels; for an array or a list the labels themselves; of a dataset, its own.
        predictions: without a model, the column that holds the predictions; with one, the column of what it gives.
        dataset_path: where the data came from, for the record.
        feature_names: the columns that are features; all others by default.
        evaluators, evaluator_config: see `evaluators.choose` and docs/evaluation.md.
        extra_metrics: of `make_metric` or `mlflow.metrics`.
        custom_artifacts: functions that take a table of ``prediction`` and ``target``, the metrics and a folder, and
            return artifacts by name.
        model_config: for a model that is named by a URI.
        model_id: of the logged model that was measured; by default that of ``model``, or the active one.
    Raises:
        InvalidParameter: an argument is not what it must be; the message names it.
        NotImplementedHere: another Python environment, a deployed endpoint or metrics of texts are asked for.
    """
    _check(model, data, model_type, targets, predictions, extra_metrics, env_manager, inference_params)
    mapping = (evaluator_config or {}).get("col_mapping") or {}
    targets = mapping.get(targets, targets) if isinstance(targets, str) else targets
    predictions = mapping.get(predictions, predictions) if isinstance(predictions, str) else predictions
    chosen = choose(evaluators, evaluator_config, model_type)
    if model_type in _MEASURED:
        _need_libraries()
    subject, found_id = _load(model, model_config)
    if model_id is not None and found_id is not None and model_id != found_id:
        raise InvalidParameter(f"model_id must be that of the model, {found_id!r}, got {model_id!r}")
    model_id = model_id or found_id or fluent.get_active_model_id()
    held = data if isinstance(data, Dataset) else _dataset(data, targets, predictions if model is None else None)
    dataset = of_dataset(held, dataset_path, feature_names)
    if model_type in _MEASURED and not dataset.has_targets:
        raise InvalidParameter(f"the dataset names no targets, which a {model_type} is measured by: give them to it")
    with _active_run() as run_id:
        _log_inputs(run_id, held, dataset, chosen, model_id, subject)
        # What is computed here is not the program's own training or measuring.
        with within():
            return _evaluated(
                chosen,
                run_id,
                model_type=model_type,
                dataset=dataset,
                model=subject,
                model_id=model_id,
                extra_metrics=list(extra_metrics or []),
                custom_artifacts=list(custom_artifacts or []),
                predictions=predictions if model is not None else None,
            )


def _evaluated(chosen: Sequence[Chosen], run_id: str, **given: Any) -> EvaluationResult:
    metrics: dict[str, Any] = {}
    artifacts: dict[str, Any] = {}
    for each in chosen:
        found = each.evaluator.evaluate(run_id=run_id, evaluator_config=each.config, **given)
        if found is not None:
            metrics |= found.metrics
            artifacts |= found.artifacts
    return EvaluationResult(metrics, artifacts, run_id)


def _check(
    model: Any,
    data: Any,
    model_type: str | None,
    targets: Any,
    predictions: str | None,
    extra_metrics: Sequence[Any] | None,
    env_manager: str,
    inference_params: Any,
) -> None:
    if env_manager != "local":
        raise NotImplementedHere(
            f"env_manager {env_manager!r} is not supported: evaluate runs the model in this Python; install what "
            "mlflow.pyfunc.get_model_dependencies names"
        )
    if inference_params is not None or (isinstance(model, str) and model.startswith(("endpoints:", "apps:"))):
        raise NotImplementedHere(
            "models of deployed endpoints are not supported: give a function that asks the endpoint"
        )
    if data is None:
        raise InvalidParameter("data must be given: a data frame, an array, a list of rows or a dataset")
    if model_type in _OF_TEXTS:
        raise NotImplementedHere(
            f"model_type {model_type!r} has no metrics of its own here: leave it out and name extra_metrics, such as "
            "mlflow.metrics.exact_match() or precision_at_k(3)"
        )
    if model_type is None and not extra_metrics:
        raise InvalidParameter("give model_type, 'classifier' or 'regressor', or extra_metrics")
    if model_type is not None and not isinstance(model_type, str):
        raise InvalidParameter(f"model_type must be a text, got {model_type!r}")
    for index, metric in enumerate(extra_metrics or ()):
        if not isinstance(metric, EvaluationMetric):
            raise InvalidParameter(
                f"extra_metrics[{index}] must be a metric of mlflow.metrics or make_metric, got {type(metric).__name__}"
            )
    if not isinstance(data, Dataset):
        if model_type in _MEASURED and targets is None:
            raise InvalidParameter(f"targets must be given for a {model_type}: the column of the labels, or the labels")
        return
    if targets is not None:
        raise InvalidParameter("targets must be left out where data is a dataset, which names its own")
    if model is None and predictions is not None:
        raise InvalidParameter("predictions must be left out where data is a dataset, which names its own")
    if model is not None and getattr(data, "predictions", None) is not None:
        raise InvalidParameter("a model and predictions in the dataset are both given: leave one of them out")


def _need_libraries() -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise InvalidParameter("evaluate measures with scikit-learn, which is not installed: pip install scikit-learn")
    if importlib.util.find_spec("matplotlib") is None:
        _log.warning("matplotlib is not installed: the evaluation leaves metrics and no pictures")


def _load(model: Any, model_config: Mapping[str, Any] | None) -> tuple[Any, str | None]:
    """Return what predicts, and the id of the logged model that it is."""
    if isinstance(model, (str, Path)):
        loaded = load_model(downloaded(model), model_config=model_config)
        # Of a model in a folder nobody knows whether the server has it.
        is_kept = str(model).startswith(("models:", "runs:"))
        return loaded, loaded.model_id if is_kept else None
    if isinstance(model, PyFuncModel):
        if model_config:
            raise InvalidParameter("model_config goes with a model's URI: this model is loaded, and has its own")
        return model, model.model_id
    if callable(model):
        return FunctionModel(model), None
    if model is not None:
        raise InvalidParameter(
            f"model must be a URI, a model that mlflow.pyfunc.load_model returned, a function or None; got "
            f"{type(model).__name__}"
        )
    return None, None


def _dataset(data: Any, targets: Any, predictions: str | None) -> Dataset:
    """Return data as a dataset that the run can name as its input."""
    import numpy as np
    import pandas as pd

    from runyard import data as datasets

    if isinstance(data, pd.DataFrame):
        if targets is not None and not isinstance(targets, str):
            raise InvalidParameter(
                f"targets must be the name of a column where data is a data frame, got {type(targets).__name__}"
            )
        return datasets.from_pandas(data, targets=targets, predictions=predictions)
    for module, make in (("polars", datasets.from_polars), ("pyspark.sql", datasets.from_spark)):
        if module in sys.modules and isinstance(data, sys.modules[module].DataFrame):
            return make(data, targets=targets, predictions=predictions)
    if not isinstance(data, (list, np.ndarray)):
        raise InvalidParameter(
            f"data must be a data frame, an array, a list of rows or a dataset, got {type(data).__name__}"
        )
    if predictions is not None:
        raise InvalidParameter("predictions names a column: give data as a data frame that has it")
    if isinstance(targets, str):
        raise InvalidParameter(f"targets must be the labels themselves where data is no data frame, got {targets!r}")
    if isinstance(data, list):
        # A list of values is one of rows of one feature each.
        try:
            data = np.array([row if isinstance(row, (list, tuple, np.ndarray)) else [row] for row in data])
        except ValueError as wrong:
            raise InvalidParameter(f"data must be a list of equally long rows: {wrong}") from None
    return datasets.from_numpy(data, targets=None if targets is None else np.asarray(targets))


@contextlib.contextmanager
def _active_run() -> Iterator[str]:
    active = fluent.active_run()
    if active is not None:
        yield active.info.run_id
        return
    with fluent.start_run() as run:
        yield run.info.run_id


def _log_inputs(
    run_id: str,
    held: Dataset,
    dataset: EvaluationDataset,
    chosen: Sequence[Chosen],
    model_id: str | None,
    subject: Any,
) -> None:
    client = MlflowClient()
    prefix = next(
        (each.config["metric_prefix"] for each in chosen if each.is_ours and each.config.get("metric_prefix")), None
    )
    client.log_inputs(
        run_id,
        [dataset_input(held, tags={CONTEXT_TAG: prefix} if prefix else None)],
        models=[LoggedModelInput(model_id)] if model_id else None,
    )
    metadata = getattr(subject, "metadata", None)
    if metadata is None:
        return
    told = {"name": dataset.name, "hash": dataset.hash, **({"path": dataset.path} if dataset.path else {})}
    known = json.loads(client.get_run(run_id).data.tags.get(_DATASETS_TAG, "[]"))
    if {**told, "model": metadata.model_uuid} not in known:
        known.append({**told, "model": metadata.model_uuid})
        client.set_tag(run_id, _DATASETS_TAG, json.dumps(known, separators=(",", ":")))
