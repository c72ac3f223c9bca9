"""What is set once for a process: the servers, logging in the background, measuring the machine."""

from runyard import settings
from runyard.client.connections import (
    get_registry_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    set_registry_uri,
    set_tracking_uri,
)
from runyard.client.metrics_monitor import (
    disable_system_metrics_logging,
    enable_system_metrics_logging,
    set_system_metrics_node_id,
    set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval,
)

__all__ = [
    "disable_system_metrics_logging",
    "enable_async_logging",
    "enable_system_metrics_logging",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tracking_uri",
]


def enable_async_logging(enable: bool = True) -> None:
    """Have metrics, params and tags sent in the background unless a call says otherwise."""
    settings.hand_down("MLFLOW_ENABLE_ASYNC_LOGGING", str(enable).lower())
