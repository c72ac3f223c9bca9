"""Runyard tracks machine-learning experiments and keeps, packages, serves and governs the models that come of them.

`import runyard as mlflow` gives programs the calls that they know. Each name is loaded when it is first used: the
import itself starts nothing and takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from runyard import (
        artifacts as artifacts,
        client as client,
        config as config,
        data as data,
        entities as entities,
        exceptions as exceptions,
        models as models,
        pyfunc as pyfunc,
        sklearn as sklearn,
        tracking as tracking,
    )
    from runyard.client.fluent import (
        ActiveModel as ActiveModel,
        ActiveRun as ActiveRun,
        MlflowClient as MlflowClient,
        active_run as active_run,
        clear_active_model as clear_active_model,
        create_experiment as create_experiment,
        create_external_model as create_external_model,
        delete_experiment as delete_experiment,
        delete_experiment_tag as delete_experiment_tag,
        delete_logged_model_tag as delete_logged_model_tag,
        delete_run as delete_run,
        delete_tag as delete_tag,
        disable_system_metrics_logging as disable_system_metrics_logging,
        doctor as doctor,
        enable_system_metrics_logging as enable_system_metrics_logging,
        end_run as end_run,
        finalize_logged_model as finalize_logged_model,
        flush_artifact_async_logging as flush_artifact_async_logging,
        flush_async_logging as flush_async_logging,
        get_active_model_id as get_active_model_id,
        get_artifact_uri as get_artifact_uri,
        get_experiment as get_experiment,
        get_experiment_by_name as get_experiment_by_name,
        get_logged_model as get_logged_model,
        get_parent_run as get_parent_run,
        get_registry_uri as get_registry_uri,
        get_run as get_run,
        get_tracking_uri as get_tracking_uri,
        initialize_logged_model as initialize_logged_model,
        is_tracking_uri_set as is_tracking_uri_set,
        last_active_run as last_active_run,
        last_logged_model as last_logged_model,
        load_table as load_table,
        log_artifact as log_artifact,
        log_artifacts as log_artifacts,
        log_dict as log_dict,
        log_figure as log_figure,
        log_image as log_image,
        log_input as log_input,
        log_inputs as log_inputs,
        log_metric as log_metric,
        log_metrics as log_metrics,
        log_model_params as log_model_params,
        log_outputs as log_outputs,
        log_param as log_param,
        log_params as log_params,
        log_stream as log_stream,
        log_table as log_table,
        log_text as log_text,
        register_model as register_model,
        restore_experiment as restore_experiment,
        restore_run as restore_run,
        search_experiments as search_experiments,
        search_logged_models as search_logged_models,
        search_model_versions as search_model_versions,
        search_registered_models as search_registered_models,
        search_runs as search_runs,
        set_active_model as set_active_model,
        set_experiment as set_experiment,
        set_experiment_tag as set_experiment_tag,
        set_experiment_tags as set_experiment_tags,
        set_logged_model_tags as set_logged_model_tags,
        set_model_version_tag as set_model_version_tag,
        set_registry_uri as set_registry_uri,
        set_system_metrics_node_id as set_system_metrics_node_id,
        set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
        set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
        set_tag as set_tag,
        set_tags as set_tags,
        set_tracking_uri as set_tracking_uri,
        start_run as start_run,
    )
    from runyard.client.shapes import Image as Image
    from runyard.exceptions import MlflowException as MlflowException, RunyardException as RunyardException

__version__ = "0.1.0"

_MODULES: Final = (
    "artifacts",
    "client",
    "config",
    "data",
    "entities",
    "exceptions",
    "models",
    "pyfunc",
    "sklearn",
    "tracking",
)
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
