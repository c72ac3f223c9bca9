"""Keras' callback for those who pass it to `fit` themselves; it logs to the active run."""

from __future__ import annotations

from typing import Any

import keras

from runyard.autologging.keras import library
from runyard.client import fluent
from runyard.errors import InvalidParameter


class MlflowCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Logs the optimizer and the layers as training begins, then metrics.

    An error in logging is one warning, and stops no training.

    Args:
        log_every_epoch: log metrics at the end of each epoch; or
        log_every_n_steps: after so many batches, instead.
        model_id: logged model that the metrics are of.
    """

    def __init__(
        self, log_every_epoch: bool = True, log_every_n_steps: int | None = None, model_id: str | None = None
    ) -> None:
        super().__init__()
        if log_every_epoch == (log_every_n_steps is not None):
            raise InvalidParameter(
                "log_every_n_steps must be given with log_every_epoch=False, and only then, got "
                f"log_every_epoch={log_every_epoch} and log_every_n_steps={log_every_n_steps}"
            )
        self.log_every_n_steps = log_every_n_steps
        self.model_id = model_id
        self._batches = 0

    def on_train_begin(self, logs: Any = None) -> None:
        with library.attempt("log params"):
            fluent.log_params({f"optimizer_{name}": value for name, value in self.model.optimizer.get_config().items()})
        with library.attempt("describe the model"):
            lines: list[str] = []
            self.model.summary(print_fn=lambda line, **_: lines.append(line))
            fluent.log_text("\n".join(lines), "model_summary.txt")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.log_every_n_steps is None:
            self._log(logs, epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.log_every_n_steps is not None:
            self._batches += 1
            if self._batches % self.log_every_n_steps == 0:
                self._log(logs, self._batches)

    def on_test_end(self, logs: Any = None) -> None:
        self._log({f"validation_{name}": value for name, value in (logs or {}).items()}, None)

    def _log(self, metrics: Any, step: int | None) -> None:
        with library.attempt("log metrics"):
            fluent.log_metrics(dict(metrics or {}), step=step, synchronous=False, model_id=self.model_id)
