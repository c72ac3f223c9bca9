"""What is offered below `mlflow` is what upstream offers there: names, parameters, defaults, members and attributes.

Upstream itself is asked, in its own environment, so this does not go out of date: what a new version of it adds makes a
test fail until it is there, or listed as left out.
"""

from __future__ import annotations

import inspect
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import QUIET, client_path, client_python
from tests.servers import clean_environment

# Modules, with the names of them that are compared; None is all that are public.
MODULES: dict[str, list[str] | None] = {
    "mlflow": None,
    "mlflow.client": None,
    "mlflow.tracking": None,
    "mlflow.entities": None,
    "mlflow.entities.model_registry": None,
    "mlflow.exceptions": None,
    "mlflow.artifacts": None,
    "mlflow.config": None,
    "mlflow.data": None,
    "mlflow.models": None,
    "mlflow.projects": None,
    "mlflow.models.signature": ["ModelSignature", "infer_signature", "set_signature"],
    "mlflow.store.entities": None,
    "mlflow.system_metrics": None,
    "mlflow.types": None,
    "mlflow.types.schema": [
        "Array",
        "ColSpec",
        "DataType",
        "Map",
        "Object",
        "ParamSchema",
        "ParamSpec",
        "Property",
        "Schema",
    ],
    "mlflow.utils.environment": ["_mlflow_conda_env"],
    "mlflow.utils.async_logging.run_operations": ["RunOperations"],
    # Where else programs import what is above from.
    **{
        f"mlflow.entities.{module}": names
        for module, names in {
            "dataset": ["Dataset"],
            "dataset_input": ["DatasetInput"],
            "experiment": ["Experiment"],
            "experiment_tag": ["ExperimentTag"],
            "file_info": ["FileInfo"],
            "input_tag": ["InputTag"],
            "lifecycle_stage": ["LifecycleStage"],
            "logged_model": ["LoggedModel"],
            "logged_model_input": ["LoggedModelInput"],
            "logged_model_output": ["LoggedModelOutput"],
            "logged_model_status": ["LoggedModelStatus"],
            "metric": ["Metric"],
            "model_registry.model_version": ["ModelVersion"],
            "model_registry.model_version_stages": ["get_canonical_stage"],
            "model_registry.model_version_status": ["ModelVersionStatus"],
            "model_registry.registered_model": ["RegisteredModel"],
            "param": ["Param"],
            "run": ["Run"],
            "run_data": ["RunData"],
            "run_info": ["RunInfo"],
            "run_status": ["RunStatus"],
            "run_tag": ["RunTag"],
            "source_type": ["SourceType"],
            "view_type": ["ViewType"],
            "webhook": [
                "Webhook",
                "WebhookAction",
                "WebhookEntity",
                "WebhookEvent",
                "WebhookStatus",
                "WebhookTestResult",
            ],
            "workspace": ["Workspace", "WorkspaceDeletionMode"],
        }.items()
    },
    "mlflow.store.entities.paged_list": ["PagedList"],
    "mlflow.tracking.artifact_utils": ["_download_artifact_from_uri", "get_artifact_uri"],
    "mlflow.tracking.client": ["MlflowClient"],
    "mlflow.tracking._tracking_service.utils": ["get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"],
}

# Traces, prompts, generative models, their evaluation and their gateway are another subject.
GENERATIVE = """
    add_trace Assessment AssessmentError AssessmentSource AssessmentSourceType BudgetAction BudgetDuration
    BudgetDurationUnit BudgetTargetScope BudgetUnit ConnectOptionSettings context DatasetRecord DatasetRecordSource
    DatasetRecordSourceType delete_assessment delete_prompt_alias delete_trace_tag Document EntityAssociationType
    EvaluationDataset Expectation FallbackConfig FallbackStrategy Feedback flush_trace_async_logging
    GatewayBudgetPolicy GatewayEndpoint GatewayEndpointBinding GatewayEndpointModelConfig
    GatewayEndpointModelMapping GatewayEndpointTag GatewayGuardrail GatewayGuardrailConfig GatewayModelDefinition
    GatewayModelLinkageType GatewayResourceType GatewaySecretInfo get_active_trace_id get_assessment
    get_current_active_span get_last_active_trace_id get_trace GuardrailAction GuardrailStage InferenceTableLocation
    Issue IssueReference IssueSeverity IssueStatus Link LiveSpan load_prompt log_assessment log_expectation
    log_feedback log_issue log_trace maybe_hint_tracing_skill MCPAccessEndpoint MCPRemoteTransportType MCPServer
    MCPServerVersion MCPStatus MCPTool MlflowExperimentLocation MlflowTraceArchivalMalformedTrace
    MlflowTraceDataCorrupted MlflowTraceDataException MlflowTraceDataNotFound MlflowTracingException NoOpSpan
    override_feedback Prompt PromptModelConfig PromptVersion register_prompt RoutingStrategy ScorerVersion
    search_prompts search_sessions search_traces Session set_prompt_alias set_telemetry_client set_trace_tag Span
    SpanEvent SpanLogLevel SpanStatus SpanStatusCode SpanType start_span start_span_no_context test trace Trace
    TraceArchivalConfig TraceData TraceInfo TraceLocation TraceLocationType TraceState UCSchemaLocation UnityCatalog
    update_assessment update_current_trace
"""
# Databricks' own, what is of no use without it or without upstream's classes, and what has a name alone.
OTHERS = """
    login LazyLoader SqlState ErrorClass IS_TRACING_SDK_ONLY
    ModelVersionDeploymentJobState RegisteredModelDeploymentJobState ModelVersionSearch RegisteredModelSearch
    UCVolumeDatasetSource from_tensorflow
    FlavorBackend Resource ResourceType add_libraries_to_model set_retriever_schema
"""
LEFT_OUT = frozenset([*GENERATIVE.split(), *OTHERS.split()])

# Of a class: what turns it into upstream's messages, and what is of a subject that is left out.
MEMBERS_LEFT_OUT = {
    "to_proto",
    "from_proto",
    "get_searchable_attributes",
    "get_orderable_attributes",
    "as_spark_schema",
    "from_json_dict",
    "all_types",
    "check_type",
    "from_numpy_type",
    "get_spark_types",
    "to_spark",
    "log",
    "get_model_info",
    "env_vars",
    "ParamSpecTypedDict",
    "validate_param_spec",
    "validate_type_and_shape",
    "to_evaluation_dataset",
}
CLIENT_LEFT_OUT = ("trace", "span", "prompt", "mcp", "assess", "dataset", "link_", "_issue", "session")


def offered(client: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "-m", "tests.compat.api", json.dumps(MODULES)],
        cwd=folder,
        env=clean_environment({**QUIET, "PYTHONPATH": client_path(client)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = tmp_path_factory.mktemp("api")
    return offered("client", folder), offered("mlflow-3", folder)


Both = tuple[dict[str, Any], dict[str, Any]]


@pytest.mark.compat
def test_every_name_is_there_or_left_out_on_purpose(both: Both) -> None:
    ours, theirs = both
    missing = {
        module: sorted(set(names) - set(ours["modules"][module]) - LEFT_OUT)
        if not isinstance(ours["modules"][module], str)
        else "the module"
        for module, names in theirs["modules"].items()
    }
    assert {module: names for module, names in missing.items() if names} == {}


@pytest.mark.compat
def test_functions_and_constructors_take_what_upstreams_take(both: Both) -> None:
    ours, theirs = both
    # Made by set_active_model, and by nobody else.
    internal = {"ActiveModel"}
    # In the environment that is there, and none that is made first: env_manager is local by default.
    internal |= {"build_docker", "predict"}
    different = {
        f"{module}.{name}": (mine["parameters"], told["parameters"])
        for module, names in theirs["modules"].items()
        for name, told in names.items()
        if name not in internal
        and (mine := ours["modules"][module].get(name)) is not None
        and not alike(mine["parameters"], told["parameters"])
    }
    assert different == {}


@pytest.mark.compat
def test_methods_are_there_and_take_what_upstreams_take(both: Both) -> None:
    ours, theirs = both
    different = {}
    for module, names in theirs["modules"].items():
        for name, told in names.items():
            mine = ours["modules"][module].get(name)
            # Attributes of entities are compared where one is made.
            for member, parameters in (told.get("members") or {}).items() if mine is not None else ():
                if member in MEMBERS_LEFT_OUT or parameters is None:
                    continue
                if name == "MlflowClient" and any(word in member for word in CLIENT_LEFT_OUT):
                    continue
                found = mine["members"].get(member)
                if found is None or not alike(found, parameters):
                    different[f"{module}.{name}.{member}"] = (found, parameters)
    assert different == {}


@pytest.mark.compat
def test_entities_have_the_attributes_of_upstreams(both: Both) -> None:
    ours, theirs = both
    missing = {
        name: sorted(set(attributes) - set(ours["entities"].get(name, ())) - MEMBERS_LEFT_OUT)
        for name, attributes in theirs["entities"].items()
    }
    assert {name: attributes for name, attributes in missing.items() if attributes} == {}


def alike(ours: list[list[str]] | None, theirs: list[list[str]] | None) -> bool:
    """Return whether what upstream's takes, ours takes too: the same names in the same order with the same defaults.

    Ours may take more, of its own use, if it has a default.
    """
    if ours is None or theirs is None:
        return ours == theirs
    wanted, found = _named(theirs), _named(ours)
    return found[: len(wanted)] == wanted and all(
        default != str(inspect.Parameter.empty) for *_, default in found[len(wanted) :]
    )


def _named(parameters: list[list[str]]) -> list[tuple[str, str, str]]:
    return [
        (name, kind, _default(default))
        for name, kind, default in parameters
        if kind != "VAR_KEYWORD" and not name.startswith("_")
    ]


def _default(text: str) -> str:
    # An error's code, where ours is the class's; a fresh id, a time and an empty list, where a function makes them.
    return "None" if text in {"1", "[]"} or "lambda" in text or "factory" in text else text
