"""scikit-learn: each fit logs its params, how well it fits, and the estimator; a search, its best candidates too."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import numbers
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from runyard.autologging.core import AUTOLOGGING_TAG, Library, Training, is_within, log_dataset, rows, within
from runyard.client.client import MlflowClient
from runyard.models.flavors import sklearn as flavor

library: Final = Library("sklearn")

# What only changes data, and is a step of something else.
_LEFT_OUT: Final = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
    "sklearn.compose._column_transformer",
)
_FITS: Final = ("fit", "fit_transform", "fit_predict")
_PREDICTS: Final = ("predict", "predict_proba", "decision_function", "transform")
# Characters of a text that is an argument of a call.
_MAX_SHOWN: Final = 32

Told = TypeVar("Told")


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    max_tuning_runs: int | None = 5,
    log_post_training_metrics: bool = True,
    serialization_format: str = "cloudpickle",
    pos_label: Any = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Have scikit-learn log what it trains.

    Args:
        max_tuning_runs: candidates of a search that become runs, the best ones; None makes all.
        log_post_training_metrics: log what functions of ``sklearn.metrics`` and ``score`` give for predictions of what
            was trained; functions that were imported before by their names are not seen.
        serialization_format: of the model, as ``log_model`` takes it.
        pos_label: the positive class, where precision, recall and F1 are to be of that one.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    import warnings

    import sklearn.metrics
    from sklearn.utils import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [kind for _, kind in all_estimators()]
    for kind in found:
        if kind.__module__.startswith(_LEFT_OUT):
            continue
        for owner in kind.__mro__:
            if owner.__module__.startswith("sklearn"):
                for name in _FITS:
                    _patch_once(owner, name, _fit)
                _patch_once(owner, "score", _score)
                for name in _PREDICTS:
                    _patch_once(owner, name, _predict)
    for name in sklearn.metrics.__all__:
        function = getattr(sklearn.metrics, name)
        if name.endswith(("_score", "_loss", "_error", "_deviance")) and callable(function):
            library.patch(sklearn.metrics, name, _measure)


def _patch_once(owner: type, name: str, around: Callable[..., Any]) -> None:
    # Others, such as those that a pipeline has only with some last steps, are not functions.
    if callable(vars(owner).get(name)) and not any(each[0] is owner and each[1] == name for each in library.patched):
        library.patch(owner, name, around)


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    if is_within() or _is_worker() or type(self).__module__.startswith(_LEFT_OUT):
        return original(self, *args, **kwargs)
    with library.training() as training:
        if training is None:
            return original(self, *args, **kwargs)
        data = _Data(args, kwargs)
        with training.attempt("log params"):
            is_search = _is_search(self)
            training.log_params(self.get_params(deep=not is_search))
            training.set_tags(_tags_of(self))
        found = original(self, *args, **kwargs)
        with training.attempt("log the dataset"):
            training.log_dataset(data.features, data.targets)
        _after(training, self, data)
        return found


class _Data:
    """What an estimator was fitted to."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = dict(zip(("X", "y", "sample_weight"), args, strict=False)) | kwargs
        self.features = named.get("X")
        self.targets = named.get("y", named.get("Y"))
        self.weights = named.get("sample_weight")


def _after(training: Training, estimator: Any, data: _Data) -> None:
    with training.attempt("measure the fit"):
        training.log_metrics(dict(_metrics(training, estimator, data)))
    with training.attempt("draw the estimator"):
        from sklearn.utils import estimator_html_repr

        training.log_text(estimator_html_repr(estimator), "estimator.html")
    with training.attempt("draw the fit"):
        _draw(training, estimator, data)
    options = {
        "serialization_format": training.options["serialization_format"],
        "example": rows(data.features),
    }
    if hasattr(estimator, "predict"):
        options["predict"] = estimator.predict
    with training.attempt("log the model"):
        training.log_model(flavor.save_model, estimator, **options)
    if _is_search(estimator):
        with training.attempt("log the candidates"):
            _log_search(training, estimator, data)
        if hasattr(estimator, "best_estimator_"):
            with training.attempt("log the best estimator"):
                training.log_model(flavor.save_model, estimator.best_estimator_, name="best_estimator", **options)
    if training.options["log_post_training_metrics"]:
        _remember(_trained, estimator, _Measured(training.run_id))


def _metrics(training: Training, estimator: Any, data: _Data) -> Iterator[tuple[str, float]]:
    """Give how well the estimator fits what it was fitted to."""
    import sklearn.metrics as measured
    from sklearn.base import is_classifier, is_regressor

    if data.features is None or data.targets is None or not hasattr(estimator, "predict"):
        return
    y, weights = data.targets, {"sample_weight": data.weights}
    calls: dict[str, Callable[[], float]] = {}
    if is_classifier(estimator):
        predicted = estimator.predict(data.features)
        positive = training.options["pos_label"]
        averaged = {"average": "weighted"} if positive is None else {"average": "binary", "pos_label": positive}
        calls = {
            "precision_score": lambda: measured.precision_score(y, predicted, zero_division=0, **averaged, **weights),
            "recall_score": lambda: measured.recall_score(y, predicted, zero_division=0, **averaged, **weights),
            "f1_score": lambda: measured.f1_score(y, predicted, zero_division=0, **averaged, **weights),
            "accuracy_score": lambda: measured.accuracy_score(y, predicted, **weights),
        }
        if hasattr(estimator, "predict_proba"):
            chances = estimator.predict_proba(data.features)
            ranked = chances[:, 1] if chances.shape[1] == 2 else chances
            calls["log_loss"] = lambda: measured.log_loss(y, chances, **weights)
            calls["roc_auc"] = lambda: measured.roc_auc_score(
                y, ranked, average="weighted", multi_class="ovo", **weights
            )
    elif is_regressor(estimator):
        predicted = estimator.predict(data.features)
        calls = {
            "mean_squared_error": lambda: measured.mean_squared_error(y, predicted, **weights),
            "root_mean_squared_error": lambda: measured.root_mean_squared_error(y, predicted, **weights),
            "mean_absolute_error": lambda: measured.mean_absolute_error(y, predicted, **weights),
            "r2_score": lambda: measured.r2_score(y, predicted, **weights),
        }
    for name, call in calls.items():
        with training.attempt(f"measure {name}"):
            yield f"training_{name}", float(call())
    if calls and hasattr(estimator, "score"):
        with training.attempt("measure the score"):
            told = {} if data.weights is None else weights
            yield "training_score", float(estimator.score(data.features, y, **told))


def _draw(training: Training, estimator: Any, data: _Data) -> None:
    from sklearn.base import is_classifier

    if not is_classifier(estimator) or data.targets is None or not hasattr(estimator, "predict"):
        return
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

    def drawn(name: str, draw: Callable[..., Any], *given: Any, **options: Any) -> None:
        figure = Figure()
        draw(data.targets, *given, ax=figure.subplots(), **options)
        training.log_figure(figure, f"training_{name}.png")

    predicted = estimator.predict(data.features)
    drawn("confusion_matrix", ConfusionMatrixDisplay.from_predictions, predicted, normalize="true", cmap="Blues")
    if len(estimator.classes_) == 2 and hasattr(estimator, "predict_proba"):
        chances = estimator.predict_proba(data.features)[:, 1]
        positive = {"pos_label": estimator.classes_[1]}
        drawn("roc_curve", RocCurveDisplay.from_predictions, chances, **positive)
        drawn("precision_recall_curve", PrecisionRecallDisplay.from_predictions, chances, **positive)


def _is_search(estimator: Any) -> bool:
    from sklearn.model_selection._search import BaseSearchCV

    return isinstance(estimator, BaseSearchCV)


def _log_search(training: Training, search: Any, data: _Data) -> None:
    """Log what a search found, and its best candidates as runs below this one."""
    import pandas as pd
    from sklearn.base import clone

    from runyard.client import context

    if hasattr(search, "best_params_"):
        training.log_params({f"best_{name}": value for name, value in search.best_params_.items()})
    if hasattr(search, "best_score_"):
        training.log_metrics({"best_cv_score": search.best_score_})
    results = pd.DataFrame(search.cv_results_)
    training.log_text(results.to_csv(index=False), "cv_results.csv")
    ranks = [name for name in results.columns if name.startswith("rank_test_")]
    count = training.options["max_tuning_runs"]
    best = results.sort_values(ranks[0]).head(len(results) if count is None else count)
    tags = {
        **context.tags(),
        context.PARENT_RUN_ID: training.run_id,
        AUTOLOGGING_TAG: library.name,
        **_tags_of(search.estimator),
        **(training.options["extra_tags"] or {}),
    }
    parent = training.run_id
    for _, row in best.iterrows():
        run = training.client.create_run(training.experiment_id, tags=tags)
        candidate = clone(search.estimator).set_params(**clone(row["params"], safe=False))
        training.run_id = run.info.run_id
        try:
            training.log_params(candidate.get_params(deep=True))
            training.log_dataset(data.features, data.targets)
            training.log_metrics(
                {
                    name: value
                    for name, value in row.items()
                    if name != "params" and not str(name).startswith(("param_", "split"))
                }
            )
        finally:
            training.run_id = parent
        from runyard.client.fluent import flush_async_logging

        flush_async_logging()
        training.client.set_terminated(run.info.run_id)


def _tags_of(estimator: Any) -> dict[str, str]:
    kind = type(estimator)
    return {"estimator_name": kind.__name__, "estimator_class": f"{kind.__module__}.{kind.__name__}"}


def _is_worker() -> bool:
    """Return whether this is a part of a training that joblib spread over threads."""
    from joblib.parallel import get_active_backend

    return bool(get_active_backend()[0].nesting_level)


# What is measured after a training: predictions of what was trained, and the run that it belongs to.


class _Measured:
    """What was measured after the training of a run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.datasets: dict[str, list[int]] = {}
        self.counts: dict[str, int] = {}
        self.calls: dict[str, str] = {}

    def dataset(self, data: Any) -> str:
        """Name data as the program does, with a number where that name meant other data before."""
        name = _name_of(data, "unknown_dataset")
        known = self.datasets.setdefault(name, [])
        if id(data) not in known:
            known.append(id(data))
        return _numbered(name, known.index(id(data)))

    def log(self, metric: str, dataset: str, value: Any, call: str) -> None:
        if not isinstance(value, numbers.Real):
            return
        count = self.counts[metric] = self.counts.get(metric, 0) + 1
        key = f"{_numbered(metric, count - 1)}_{dataset}"
        self.calls[key] = call
        client = MlflowClient()
        client.log_metric(self.run_id, key, float(value))
        client.log_text(self.run_id, json.dumps(self.calls, indent=2), "metric_info.json")


# By the addresses of what they are about, for as long as that lives.
_trained: Final[dict[int, tuple[weakref.ref[Any], _Measured]]] = {}
_predictions: Final[dict[int, tuple[weakref.ref[Any], tuple[_Measured, str]]]] = {}


def _remember(known: dict[int, tuple[weakref.ref[Any], Told]], item: Any, about: Told) -> None:
    key = id(item)
    known[key] = (weakref.ref(item, lambda _: known.pop(key, None)), about)


def _told(known: dict[int, tuple[weakref.ref[Any], Told]], item: Any) -> Told | None:
    found = known.get(id(item))
    return found[1] if found is not None and found[0]() is item else None


def _predict(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    measured = None if is_within() else _told(_trained, self)
    if measured is None:
        return original(self, *args, **kwargs)
    with within():
        found = original(self, *args, **kwargs)
    with library.attempt("follow predictions"):
        data = _data_of(args, kwargs)
        _remember(_predictions, found, (measured, measured.dataset(data)))
        if library.options["log_datasets"]:
            log_dataset(MlflowClient(), measured.run_id, data, context="eval")
    return found


def _measure(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if is_within() or not _predictions:
        return original(*args, **kwargs)
    with within():
        found = original(*args, **kwargs)
    with library.attempt("log a metric"):
        for given in itertools.chain(args, kwargs.values()):
            known = _told(_predictions, given)
            if known is not None:
                measured, dataset = known
                name = original.__name__
                measured.log(name, dataset, found, _call(name, original, args, kwargs))
                break
    return found


def _score(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    measured = None if is_within() else _told(_trained, self)
    if measured is None:
        return original(self, *args, **kwargs)
    with within():
        found = original(self, *args, **kwargs)
    with library.attempt("log a metric"):
        kind = type(self).__name__
        dataset = measured.dataset(_data_of(args, kwargs))
        call = _call(f"{kind}.score", functools.partial(original, self), args, kwargs)
        measured.log(f"{kind}_score", dataset, found, call)
    return found


def _data_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else kwargs.get("X")


def _call(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Write a call as the program has it, with the names of its variables."""
    given = [*zip(inspect.signature(function).parameters, args, strict=False), *kwargs.items()]
    return f"{name}({', '.join(f'{key}={_shown(value)}' for key, value in given)})"


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > _MAX_SHOWN:
        return repr(value[:_MAX_SHOWN] + "...")
    if value is None or isinstance(value, str | bytes | numbers.Number):
        return repr(value)
    return _name_of(value, f"<{type(value).__name__}>")


def _numbered(name: str, index: int) -> str:
    return name if index == 0 else f"{name}-{index + 1}"


def _name_of(data: Any, otherwise: str) -> str:
    """Return the name of the caller's variable that holds the data."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to a caller's names
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(("runyard.", "sklearn.")):
            for name, value in frame.f_locals.items():
                if value is data:
                    return name
        frame = frame.f_back  # type: ignore[assignment]
    return otherwise
