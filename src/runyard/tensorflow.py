"""Keras models on TensorFlow, by the name under which its programs look for them: what `runyard.keras` has.

They are saved in Keras' own format and as of its flavor, which `mlflow.keras` of MLflow loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runyard import keras
from runyard.keras import load_model, log_model, save_model

if TYPE_CHECKING:
    from runyard.keras import MlflowCallback, MlflowCallback as MLflowCallback

__all__ = ["MLflowCallback", "MlflowCallback", "autolog", "load_model", "log_model", "save_model"]


def autolog(
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    saved_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
    extra_tags: dict[str, str] | None = None,
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
) -> None:
    """Have Keras log what it trains.

    Args:
        keras_model_kwargs, saved_model_kwargs: for Keras' ``save_model``.
        checkpoint and its kind: taken for the sake of programs; the model is logged once, as it is at the end.
        others: see `runyard.keras.autolog`.
    """
    keras.autolog(
        log_every_epoch=log_every_epoch,
        log_every_n_steps=log_every_n_steps,
        log_models=log_models,
        log_model_signatures=log_model_signatures,
        log_datasets=log_datasets,
        log_input_examples=log_input_examples,
        disable=disable,
        exclusive=exclusive,
        disable_for_unsupported_versions=disable_for_unsupported_versions,
        silent=silent,
        registered_model_name=registered_model_name,
        save_model_kwargs={**(saved_model_kwargs or {}), **(keras_model_kwargs or {})} or None,
        extra_tags=extra_tags,
    )


def __getattr__(name: str) -> Any:
    # It is a class of Keras', which only who asks for it loads.
    if name not in {"MlflowCallback", "MLflowCallback"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return keras.MlflowCallback
