"""Modules that upstream has and runyard has not: what each offers is in another of runyard's, which stands for it."""

from __future__ import annotations

from typing import Final

_ENTITIES: Final = (
    "dataset",
    "dataset_input",
    "experiment",
    "experiment_tag",
    "file_info",
    "input_tag",
    "lifecycle_stage",
    "logged_model_input",
    "logged_model_output",
    "logged_model_parameter",
    "logged_model_status",
    "logged_model_tag",
    "metric",
    "param",
    "run",
    "run_data",
    "run_info",
    "run_inputs",
    "run_outputs",
    "run_status",
    "run_tag",
    "source_type",
    "view_type",
    "workspace",
)
_OF_THE_REGISTRY: Final = (
    "model_version",
    "model_version_stages",
    "model_version_status",
    "model_version_tag",
    "registered_model",
    "registered_model_alias",
    "registered_model_tag",
)

# Both below the package's name.
PLACES: Final = {
    **{f"entities.{name}": "entities" for name in _ENTITIES},
    "entities.webhook": "entities.webhooks",
    **{f"entities.model_registry.{name}": "entities.model_registry" for name in _OF_THE_REGISTRY},
    "protos": "exceptions",
    "protos.databricks_pb2": "exceptions",
    "store.entities": "entities",
    "store.entities.paged_list": "entities",
    "tracking._model_registry": "tracking",
    "tracking._model_registry.utils": "tracking",
    "tracking._tracking_service": "tracking",
    "tracking._tracking_service.client": "tracking",
    "tracking._tracking_service.utils": "tracking",
    "utils.async_logging": "client.background",
    "utils.async_logging.run_operations": "client.background",
}
# Of these, the packages: what is below them is found here too.
PACKAGES: Final = {place.rpartition(".")[0] for place in PLACES}
