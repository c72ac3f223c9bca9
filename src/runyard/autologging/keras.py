"""Keras 3: its callback logs each epoch, or every so many batches."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from runyard.autologging.boosting import arguments_of
from runyard.autologging.core import Library, Training, rows
from runyard.models.flavors import keras as flavor

library: Final = Library("keras")

_LOGGED: Final = (
    "batch_size",
    "epochs",
    "validation_split",
    "shuffle",
    "class_weight",
    "sample_weight",
    "initial_epoch",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
)


def autolog(
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    log_models: bool = True,
    log_model_signatures: bool = True,
    save_exported_model: bool = False,
    log_datasets: bool = True,
    log_input_examples: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    save_model_kwargs: dict[str, Any] | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Have Keras log what it trains.

    Args:
        log_every_epoch: log metrics at the end of each epoch; or
        log_every_n_steps: after so many batches, instead.
        save_exported_model: not supported: models are logged in Keras' own format.
        registered_model_name: also make the model a version of that registered model.
        save_model_kwargs: for Keras' ``save_model``.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    import keras

    # The backend's trainer, of which a model is a subclass.
    library.patch(next(kind for kind in keras.Model.__mro__ if "fit" in vars(kind)), "fit", _fit)


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    with library.training() as training:
        if training is None:
            return original(self, *args, **kwargs)
        given: dict[str, Any] = {}
        with training.attempt("log params"):
            given = arguments_of(original, (self, *args), kwargs)
            training.log_params(_params(self, given))
        with training.attempt("describe the model"):
            text = io.StringIO()
            self.summary(print_fn=lambda line, **_: text.write(line + "\n"))
            training.log_text(text.getvalue(), "model_summary.txt")
        with training.attempt("log the dataset"):
            training.log_dataset(given.get("x"), given.get("y"))
        callbacks = given.get("callbacks")
        with training.attempt("follow the epochs"):
            kwargs["callbacks"] = _with(callbacks, training)
        if len(args) > _CALLBACKS_AT:
            # Given by its place: it has been taken into the list.
            args = (*args[:_CALLBACKS_AT], *args[_CALLBACKS_AT + 1 :])
        found = original(self, *args, **kwargs)
        with training.attempt("log the model"):
            options = {"save_model_kwargs": training.options["save_model_kwargs"]}
            predict = lambda sample: self.predict(sample, verbose=0)  # noqa: E731
            training.log_model(flavor.save_model, self, example=rows(given.get("x")), predict=predict, **options)
        return found


# fit(x, y, batch_size, epochs, verbose, callbacks, …)
_CALLBACKS_AT: Final = 5


def _params(model: Any, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: given[name] for name in _LOGGED if name in given}
    if given.get("batch_size") is None:
        found["batch_size"] = getattr(given.get("x"), "batch_size", None) or 32
    # An array of weights says nothing in a text.
    found["sample_weight"] = None if given.get("sample_weight") is None else "given"
    for name, value in model.optimizer.get_config().items():
        found[f"optimizer_{name}"] = value
    return found


def _with(callbacks: Any, training: Training) -> Any:
    import keras

    class Logging(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.batches = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            with training.attempt("log metrics"):
                if training.options["log_every_n_steps"] is None and training.options["log_every_epoch"]:
                    training.log_metrics(logs or {}, step=epoch)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            every = training.options["log_every_n_steps"]
            if every is None:
                return
            with training.attempt("log metrics"):
                self.batches += 1
                if self.batches % every == 0:
                    training.log_metrics(logs or {}, step=self.batches)

        def on_test_end(self, logs: Any = None) -> None:
            with training.attempt("log metrics"):
                values = {f"validation_{name}": value for name, value in (logs or {}).items()}
                training.log_metrics(values, step=self.batches)

    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(Logging())
        return callbacks
    return [*(callbacks if isinstance(callbacks, (list, tuple)) else filter(None, [callbacks])), Logging()]
