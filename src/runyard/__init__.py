"""Runyard tracks machine-learning experiments and keeps, packages, serves and governs the models that come of them.

`import runyard as mlflow` gives programs the calls that they know. Each name is loaded when it is first used: the
import itself starts nothing and takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from runyard import artifacts as artifacts
    from runyard import client as client
    from runyard import config as config
    from runyard import data as data
    from runyard import entities as entities
    from runyard import exceptions as exceptions
    from runyard import tracking as tracking
    from runyard.client.fluent import (
        ActiveModel as ActiveModel,
    )
    from runyard.client.fluent import (
        ActiveRun as ActiveRun,
    )
    from runyard.client.fluent import (
        MlflowClient as MlflowClient,
    )
    from runyard.client.fluent import (
        active_run as active_run,
    )
    from runyard.client.fluent import (
        clear_active_model as clear_active_model,
    )
    from runyard.client.fluent import (
        create_experiment as create_experiment,
    )
    from runyard.client.fluent import (
        create_external_model as create_external_model,
    )
    from runyard.client.fluent import (
        delete_experiment as delete_experiment,
    )
    from runyard.client.fluent import (
        delete_experiment_tag as delete_experiment_tag,
    )
    from runyard.client.fluent import (
        delete_logged_model_tag as delete_logged_model_tag,
    )
    from runyard.client.fluent import (
        delete_run as delete_run,
    )
    from runyard.client.fluent import (
        delete_tag as delete_tag,
    )
    from runyard.client.fluent import (
        disable_system_metrics_logging as disable_system_metrics_logging,
    )
    from runyard.client.fluent import (
        doctor as doctor,
    )
    from runyard.client.fluent import (
        enable_system_metrics_logging as enable_system_metrics_logging,
    )
    from runyard.client.fluent import (
        end_run as end_run,
    )
    from runyard.client.fluent import (
        finalize_logged_model as finalize_logged_model,
    )
    from runyard.client.fluent import (
        flush_artifact_async_logging as flush_artifact_async_logging,
    )
    from runyard.client.fluent import (
        flush_async_logging as flush_async_logging,
    )
    from runyard.client.fluent import (
        get_active_model_id as get_active_model_id,
    )
    from runyard.client.fluent import (
        get_artifact_uri as get_artifact_uri,
    )
    from runyard.client.fluent import (
        get_experiment as get_experiment,
    )
    from runyard.client.fluent import (
        get_experiment_by_name as get_experiment_by_name,
    )
    from runyard.client.fluent import (
        get_logged_model as get_logged_model,
    )
    from runyard.client.fluent import (
        get_parent_run as get_parent_run,
    )
    from runyard.client.fluent import (
        get_registry_uri as get_registry_uri,
    )
    from runyard.client.fluent import (
        get_run as get_run,
    )
    from runyard.client.fluent import (
        get_tracking_uri as get_tracking_uri,
    )
    from runyard.client.fluent import (
        initialize_logged_model as initialize_logged_model,
    )
    from runyard.client.fluent import (
        is_tracking_uri_set as is_tracking_uri_set,
    )
    from runyard.client.fluent import (
        last_active_run as last_active_run,
    )
    from runyard.client.fluent import (
        last_logged_model as last_logged_model,
    )
    from runyard.client.fluent import (
        load_table as load_table,
    )
    from runyard.client.fluent import (
        log_artifact as log_artifact,
    )
    from runyard.client.fluent import (
        log_artifacts as log_artifacts,
    )
    from runyard.client.fluent import (
        log_dict as log_dict,
    )
    from runyard.client.fluent import (
        log_figure as log_figure,
    )
    from runyard.client.fluent import (
        log_image as log_image,
    )
    from runyard.client.fluent import (
        log_input as log_input,
    )
    from runyard.client.fluent import (
        log_inputs as log_inputs,
    )
    from runyard.client.fluent import (
        log_metric as log_metric,
    )
    from runyard.client.fluent import (
        log_metrics as log_metrics,
    )
    from runyard.client.fluent import (
        log_model_params as log_model_params,
    )
    from runyard.client.fluent import (
        log_outputs as log_outputs,
    )
    from runyard.client.fluent import (
        log_param as log_param,
    )
    from runyard.client.fluent import (
        log_params as log_params,
    )
    from runyard.client.fluent import (
        log_stream as log_stream,
    )
    from runyard.client.fluent import (
        log_table as log_table,
    )
    from runyard.client.fluent import (
        log_text as log_text,
    )
    from runyard.client.fluent import (
        register_model as register_model,
    )
    from runyard.client.fluent import (
        restore_experiment as restore_experiment,
    )
    from runyard.client.fluent import (
        restore_run as restore_run,
    )
    from runyard.client.fluent import (
        search_experiments as search_experiments,
    )
    from runyard.client.fluent import (
        search_logged_models as search_logged_models,
    )
    from runyard.client.fluent import (
        search_model_versions as search_model_versions,
    )
    from runyard.client.fluent import (
        search_registered_models as search_registered_models,
    )
    from runyard.client.fluent import (
        search_runs as search_runs,
    )
    from runyard.client.fluent import (
        set_active_model as set_active_model,
    )
    from runyard.client.fluent import (
        set_experiment as set_experiment,
    )
    from runyard.client.fluent import (
        set_experiment_tag as set_experiment_tag,
    )
    from runyard.client.fluent import (
        set_experiment_tags as set_experiment_tags,
    )
    from runyard.client.fluent import (
        set_logged_model_tags as set_logged_model_tags,
    )
    from runyard.client.fluent import (
        set_model_version_tag as set_model_version_tag,
    )
    from runyard.client.fluent import (
        set_registry_uri as set_registry_uri,
    )
    from runyard.client.fluent import (
        set_system_metrics_node_id as set_system_metrics_node_id,
    )
    from runyard.client.fluent import (
        set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
    )
    from runyard.client.fluent import (
        set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
    )
    from runyard.client.fluent import (
        set_tag as set_tag,
    )
    from runyard.client.fluent import (
        set_tags as set_tags,
    )
    from runyard.client.fluent import (
        set_tracking_uri as set_tracking_uri,
    )
    from runyard.client.fluent import (
        start_run as start_run,
    )
    from runyard.client.shapes import Image as Image
    from runyard.exceptions import MlflowException as MlflowException
    from runyard.exceptions import RunyardException as RunyardException

__version__ = "0.1.0"

_MODULES: Final = ("artifacts", "client", "config", "data", "entities", "exceptions", "tracking")
_NAMES: Final = {
    "Image": "runyard.client.shapes",
    "MlflowException": "runyard.exceptions",
    "RunyardException": "runyard.exceptions",
    **dict.fromkeys(
        (
            "ActiveModel",
            "ActiveRun",
            "MlflowClient",
            "active_run",
            "clear_active_model",
            "create_experiment",
            "create_external_model",
            "delete_experiment",
            "delete_experiment_tag",
            "delete_logged_model_tag",
            "delete_run",
            "delete_tag",
            "disable_system_metrics_logging",
            "doctor",
            "enable_system_metrics_logging",
            "end_run",
            "finalize_logged_model",
            "flush_artifact_async_logging",
            "flush_async_logging",
            "get_active_model_id",
            "get_artifact_uri",
            "get_experiment",
            "get_experiment_by_name",
            "get_logged_model",
            "get_parent_run",
            "get_registry_uri",
            "get_run",
            "get_tracking_uri",
            "initialize_logged_model",
            "is_tracking_uri_set",
            "last_active_run",
            "last_logged_model",
            "load_table",
            "log_artifact",
            "log_artifacts",
            "log_dict",
            "log_figure",
            "log_image",
            "log_input",
            "log_inputs",
            "log_metric",
            "log_metrics",
            "log_model_params",
            "log_outputs",
            "log_param",
            "log_params",
            "log_stream",
            "log_table",
            "log_text",
            "register_model",
            "restore_experiment",
            "restore_run",
            "search_experiments",
            "search_logged_models",
            "search_model_versions",
            "search_registered_models",
            "search_runs",
            "set_active_model",
            "set_experiment",
            "set_experiment_tag",
            "set_experiment_tags",
            "set_logged_model_tags",
            "set_model_version_tag",
            "set_registry_uri",
            "set_system_metrics_node_id",
            "set_system_metrics_samples_before_logging",
            "set_system_metrics_sampling_interval",
            "set_tag",
            "set_tags",
            "set_tracking_uri",
            "start_run",
        ),
        "runyard.client.fluent",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"runyard.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    # Found at once from now on.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES, *_NAMES])
