"""XGBoost: its callback logs each round; the native API and the estimators for scikit-learn are one."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

from runyard.autologging.boosting import arguments_of, log_best, log_importance
from runyard.autologging.core import Library, Training, is_within, rows
from runyard.models.flavors import xgboost as flavor

library: Final = Library("xgboost")

# What is data or code, and no param.
_NOT_PARAMS: Final = ("params", "dtrain", "evals", "obj", "feval", "evals_result", "xgb_model", "callbacks")
# The first rows that each DMatrix was made of, which it does not tell.
_examples: Final[weakref.WeakKeyDictionary[Any, tuple[Any, Any]]] = weakref.WeakKeyDictionary()


def autolog(
    importance_types: list[str] | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    model_format: str = "ubj",
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Have XGBoost log what it trains.

    Args:
        importance_types: how the importance of features is measured; by default ``["weight"]``.
        registered_model_name: also make the model a version of that registered model.
        model_format: of the model, as ``log_model`` takes it.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    import xgboost
    import xgboost.sklearn

    library.patch(xgboost, "train", _train)
    library.patch(xgboost.sklearn, "train", _train)
    library.patch(xgboost.DMatrix, "__init__", _made)
    library.patch(xgboost.sklearn.XGBModel, "fit", _fit)
    for name in ("XGBClassifier", "XGBRanker"):
        library.patch(getattr(xgboost.sklearn, name), "fit", _fit)


def _made(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> None:
    original(self, *args, **kwargs)
    with library.attempt("remember the training data"):
        data = args[0] if args else kwargs.get("data")
        label = kwargs.get("label", args[1] if len(args) > 1 else None)
        _examples[self] = (rows(data), (data, label) if library.options.get("log_datasets") else None)


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    if is_within():
        return original(self, *args, **kwargs)
    with library.training() as training:
        _state.append(training)
        try:
            found = original(self, *args, **kwargs)
        finally:
            _state.pop()
        if training is not None:
            data = args[0] if args else kwargs.get("X")
            with training.attempt("log the dataset"):
                training.log_dataset(data, args[1] if len(args) > 1 else kwargs.get("y"))
                for number, (held, labels) in enumerate(kwargs.get("eval_set") or ()):
                    training.log_dataset(held, labels, context="eval", name=f"validation_{number}")
            with training.attempt("log the model"):
                _log_model(training, self, rows(data), self.predict)
        return found


# The training of the estimator whose fit is going on, for the train that it calls.
_state: Final[list[Training | None]] = []


def _train(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if _state:
        training = _state[-1]
        return original(*args, **kwargs) if training is None else _logged(training, original, args, kwargs)
    with library.training() as training:
        if training is None:
            return original(*args, **kwargs)
        booster = _logged(training, original, args, kwargs)
        with training.attempt("log the model"):
            import xgboost

            example, _ = _examples.get(arguments_of(original, args, kwargs)["dtrain"], (None, None))
            _log_model(training, booster, example, lambda rows: booster.predict(xgboost.DMatrix(rows)))
        return booster


def _logged(training: Training, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Train, with a callback that logs each round."""
    import xgboost

    rounds: list[dict[str, float]] = []

    class Logging(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            with training.attempt("log metrics"):
                values = {
                    f"{data}-{metric}": float(values[-1][0] if isinstance(values[-1], tuple) else values[-1])
                    for data, metrics in evals_log.items()
                    for metric, values in metrics.items()
                }
                rounds.append(values)
                training.log_metrics(values, step=epoch)
            return False

    given: dict[str, Any] = {}
    with training.attempt("log params"):
        given = arguments_of(original, args, kwargs)
        training.log_params({**given["params"], **{key: given[key] for key in given if key not in _NOT_PARAMS}})
    with training.attempt("log the dataset"):
        # Estimators make matrices of another kind, and say themselves what of.
        for context, name, matrix in [
            ("train", "dataset", given.get("dtrain")),
            *(("eval", name, matrix) for matrix, name in given.get("evals") or ()),
        ]:
            _, data = _examples.get(matrix, (None, None))
            if data is not None:
                training.log_dataset(*data, context=context, name=name)
    callbacks = [*(kwargs.get("callbacks") or ()), Logging()]
    booster = original(*args, **{**kwargs, "callbacks": callbacks})
    early = bool(given.get("early_stopping_rounds")) or any(
        isinstance(each, xgboost.callback.EarlyStopping) for each in callbacks
    )
    log_best(training, rounds, getattr(booster, "best_iteration", None) if early else None, early)
    for kind in training.options["importance_types"] or ["weight"]:
        with training.attempt("measure the importance of features"):
            log_importance(training, kind, booster.get_score(importance_type=kind))
    return booster


def _log_model(training: Training, model: Any, example: Any, predict: Callable[[Any], Any]) -> None:
    training.log_model(
        flavor.save_model, model, example=example, predict=predict, model_format=training.options["model_format"]
    )
