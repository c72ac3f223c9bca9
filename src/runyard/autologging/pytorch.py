"""PyTorch Lightning: its callback logs each epoch, and keeps the best checkpoint."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from runyard.autologging.boosting import arguments_of
from runyard.autologging.core import Library, Training, when_imported
from runyard.models.flavors import pytorch as flavor

library: Final = Library("pytorch")


def autolog(
    log_every_n_epoch: int = 1,
    log_every_n_step: int | None = None,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
    log_model_signatures: bool = True,
) -> None:
    """Have Lightning log what it trains.

    Args:
        log_every_n_epoch: log metrics at the end of every so many epochs; and
        log_every_n_step: after every so many steps, if given.
        registered_model_name: also make the model a version of that registered model.
        checkpoint: keep checkpoints as artifacts in ``checkpoints/``, as the next five say.
        checkpoint_monitor: metric that says which checkpoint is better; one that is not logged is passed over.
        checkpoint_mode: ``min`` or ``max`` of it is better.
        checkpoint_save_best_only: keep a checkpoint only when it is the best, in place of the one before.
        checkpoint_save_weights_only: without what a training would go on with.
        checkpoint_save_freq: ``epoch``, or a number of steps.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    for name in ("lightning.pytorch", "pytorch_lightning"):
        # PyTorch is there without it, and so is what asks for this.
        when_imported(name, functools.partial(_patch, name))


def _patch(name: str) -> None:
    if not library.options.get("disable"):
        library.patch(sys.modules[name].Trainer, "fit", _fit)


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    with library.training() as training:
        if training is None:
            return original(self, *args, **kwargs)
        with training.attempt("log params"):
            training.log_params(_early_stopping(self))
            training.set_tags({"Mode": "training"})
        callback: Any = None
        with training.attempt("follow the epochs"):
            callback = _callback(self, training)
            self.callbacks.append(callback)
        try:
            found = original(self, *args, **kwargs)
        finally:
            if callback is not None:
                self.callbacks.remove(callback)
        with training.attempt("describe the model"):
            from importlib import import_module

            summaries = import_module(f"{_package(self)}.utilities.model_summary")
            training.log_text(str(summaries.ModelSummary(self.lightning_module, max_depth=-1)), "model_summary.txt")
        with training.attempt("log the model"):
            module = arguments_of(original, (self, *args), kwargs)["model"]
            training.log_model(flavor.save_model, _unbound(module), name="model")
        return found


def _unbound(module: Any) -> Any:
    """Return the module for inference, without the trainer that it refers to."""
    module.eval()
    module.trainer = None
    return module


def _package(trainer: Any) -> str:
    return "pytorch_lightning" if type(trainer).__module__.startswith("pytorch_lightning") else "lightning.pytorch"


def _early_stopping(trainer: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for callback in trainer.callbacks:
        if type(callback).__name__ == "EarlyStopping":
            found = {name: getattr(callback, name) for name in ("monitor", "mode", "patience", "min_delta")}
            found["stopped_epoch"] = callback.stopped_epoch
    return found


def _callback(trainer: Any, training: Training) -> Any:
    from importlib import import_module

    base: Any = import_module(_package(trainer)).Callback
    options = training.options

    class Logging(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.best: float | None = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            with training.attempt("log params"):
                found = {"epochs": trainer.max_epochs}
                if trainer.optimizers:
                    optimizer = trainer.optimizers[0]
                    found |= {"optimizer_name": type(optimizer).__name__, **optimizer.defaults}
                training.log_params(found)

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if trainer.sanity_checking or (trainer.current_epoch + 1) % options["log_every_n_epoch"]:
                return
            with training.attempt("log metrics"):
                training.log_metrics(_values(trainer), step=trainer.current_epoch)
            if options["checkpoint"] and options["checkpoint_save_freq"] == "epoch":
                self.keep(trainer, f"epoch_{trainer.current_epoch}")

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            every = options["log_every_n_step"]
            with training.attempt("log metrics"):
                if every and (trainer.global_step + 1) % every == 0:
                    training.log_metrics(_values(trainer), step=trainer.global_step)
            every = options["checkpoint_save_freq"]
            if options["checkpoint"] and isinstance(every, int) and trainer.global_step % every == 0:
                self.keep(trainer, f"global_step_{trainer.global_step}")

        def keep(self, trainer: Any, name: str) -> None:
            """Keep a checkpoint, if it is to be."""
            with training.attempt("keep a checkpoint"):
                name = f"checkpoints/{name}"
                if options["checkpoint_save_best_only"]:
                    value = _values(trainer).get(options["checkpoint_monitor"])
                    if value is not None:
                        is_less = options["checkpoint_mode"] == "min"
                        if self.best is not None and (value >= self.best if is_less else value <= self.best):
                            return
                        self.best = value
                    name = "checkpoints/latest_checkpoint"
                with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
                    file = Path(folder) / f"{name.rpartition('/')[2]}.pth"
                    trainer.save_checkpoint(str(file), weights_only=options["checkpoint_save_weights_only"])
                    # Every process of a distributed training takes part; one of them has the file.
                    if trainer.is_global_zero:
                        training.client.log_artifact(training.run_id, str(file), "checkpoints")
                        training.set_tags({"mlflow.latest_checkpoint_artifact": f"{name}.pth"})

    return Logging()


def _values(trainer: Any) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}
