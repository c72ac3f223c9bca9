"""LightGBM: its callback logs each round; the native API and the estimators for scikit-learn are one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from runyard.autologging.boosting import arguments_of, log_best, log_importance
from runyard.autologging.core import Library, Training, is_within, rows
from runyard.models.flavors import lightgbm as flavor

library: Final = Library("lightgbm")

# What is data or code, and no param.
_NOT_PARAMS: Final = (
    "params",
    "train_set",
    "valid_sets",
    "valid_names",
    "feval",
    "init_model",
    "feature_name",
    "categorical_feature",
    "evals_result",
    "learning_rates",
    "callbacks",
)


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Have LightGBM log what it trains.

    Args:
        registered_model_name: also make the model a version of that registered model.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    import lightgbm
    import lightgbm.sklearn

    library.patch(lightgbm, "train", _train)
    library.patch(lightgbm.sklearn, "train", _train)
    for name in ("LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker"):
        library.patch(getattr(lightgbm.sklearn, name), "fit", _fit)


# The training of the estimator whose fit is going on, for the train that it calls.
_state: Final[list[Training | None]] = []


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
            with training.attempt("log the model"):
                _log_model(training, self, rows(data), self.predict)
        return found


def _train(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if _state:
        training = _state[-1]
        return original(*args, **kwargs) if training is None else _logged(training, original, args, kwargs)
    with library.training() as training:
        if training is None:
            return original(*args, **kwargs)
        # Its data is set free when it has been used.
        data, label, others = None, None, []
        with training.attempt("remember the training data"):
            given = arguments_of(original, args, kwargs)
            data, label = given["train_set"].data, given["train_set"].label
            names = given.get("valid_names") or [f"valid_{number}" for number in range(100)]
            others = [
                (name, each.data, each.label) for name, each in zip(names, given.get("valid_sets") or (), strict=False)
            ]
        booster = _logged(training, original, args, kwargs)
        with training.attempt("log the dataset"):
            training.log_dataset(data, label)
            for name, held, target in others:
                training.log_dataset(held, target, context="eval", name=name)
        with training.attempt("log the model"):
            _log_model(training, booster, rows(data), booster.predict)
        return booster


def _logged(training: Training, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Train, with a callback that logs each round."""
    rounds: list[dict[str, float]] = []

    def log_round(env: Any) -> None:
        with training.attempt("log metrics"):
            # Cross-validation has a deviation in each, too.
            values = {f"{each[0]}-{each[1]}": float(each[2]) for each in env.evaluation_result_list or ()}
            rounds.append(values)
            training.log_metrics(values, step=env.iteration)

    given: dict[str, Any] = {}
    with training.attempt("log params"):
        given = arguments_of(original, args, kwargs)
        training.log_params({**given["params"], **{key: given[key] for key in given if key not in _NOT_PARAMS}})
    booster = original(*args, **{**kwargs, "callbacks": [*(kwargs.get("callbacks") or ()), log_round]})
    # Rounds are counted from one there, and zero means that none was the best.
    best = int(booster.best_iteration) - 1
    log_best(training, rounds, best, early=best >= 0 and any(rounds))
    for kind in ("split", "gain"):
        with training.attempt("measure the importance of features"):
            values = booster.feature_importance(importance_type=kind)
            log_importance(training, kind, dict(zip(booster.feature_name(), map(float, values), strict=True)))
    return booster


def _log_model(training: Training, model: Any, example: Any, predict: Callable[[Any], Any]) -> None:
    training.log_model(flavor.save_model, model, example=example, predict=predict)
