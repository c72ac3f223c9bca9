"""The OpenAPI 3.1 document: made from the dispatch table and the wire types, so that it cannot say otherwise than they.

What travels as plain bytes (artifacts, probes) has no wire types, and is described here by hand.
"""

from __future__ import annotations

import copy
import functools
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from runyard import errors
from runyard.server.endpoints import Endpoint
from runyard.wire.artifacts import FileInfo
from runyard.wire.base import Empty

Json = dict[str, Any]

_SCHEMAS: Final = "#/components/schemas/"
_SURFACE: Final = "/api"

_ABOUT: Final = """\
A tracking server and model registry that speaks the MLflow REST protocol.

Every operation below `/api/` answers below `/ajax-api/` too; programs use the first, pages in a browser the second.
Requests are JSON with `Content-Type: application/json`; fields that are not known are ignored. Times are milliseconds
since the Unix epoch. The numbers that JSON has no words for travel as the strings `NaN`, `Infinity` and `-Infinity`.
An error is `{"error_code": …, "message": …}` with a status of 4xx where the request is at fault and of 5xx where the
server is.
"""

# What fields mean that are spelled alike everywhere, with examples where one is needed to ask; the rest is told by its
# name, type and operation.
_FIELDS: Final[dict[str, Json]] = {
    "run_uuid": {"description": "An older spelling of run_id; either will do."},
    "page_token": {"description": "The next_page_token of the page before, of the same search."},
    "next_page_token": {"description": "Ask with it for the next page; not there on the last."},
    "filter": {"description": "Such as \"metrics.loss < 0.1 AND tags.team = 'vision'\"; see docs/search.md."},
    "order_by": {"description": 'Fields to sort by, each with ASC or DESC, such as "metrics.loss ASC".'},
    "max_results": {"description": "The most to return in one page.", "examples": [100]},
    "view_type": {"description": "ACTIVE_ONLY (or 1), DELETED_ONLY (2) or ALL (3).", "examples": ["ACTIVE_ONLY"]},
    "run_view_type": {"description": "ACTIVE_ONLY (or 1), DELETED_ONLY (2) or ALL (3).", "examples": ["ACTIVE_ONLY"]},
    "lifecycle_stage": {"description": "active or deleted."},
    "artifact_location": {"description": "Where the artifacts of the experiment's runs are kept."},
    "experiment_id": {"examples": ["0"]},
    "experiment_ids": {"examples": [["0"]]},
    "run_id": {"examples": ["d3b07384d113edec49eaa6238ad5ff00"]},
    "metric_key": {"examples": ["loss"]},
    "metrics": {"examples": [[{"key": "loss", "value": 0.5, "timestamp": 1767225600000, "step": 1}]]},
    "params": {"examples": [[{"key": "learning_rate", "value": "0.1"}]]},
}


@functools.lru_cache(maxsize=4)
def build_document(endpoints: tuple[Endpoint, ...], version: str, static_prefix: str = "") -> bytes:
    """Return the document as JSON.

    Args:
        static_prefix: what stands before every path, as seen by clients.
    """
    types = {kind for endpoint in endpoints for kind in (endpoint.request_type, endpoint.response_type)}
    ordered = sorted(types | {FileInfo, Empty}, key=lambda kind: (kind.__module__, kind.__qualname__))
    references, schemas = msgspec.json.schema_components(ordered, ref_template=_SCHEMAS + "{name}")
    by_type = dict(zip(ordered, references, strict=True))
    schemas["Error"] = _error_schema()
    for schema in schemas.values():
        _explain_fields(schema)

    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        # OpenAPI has no parameters of several steps; it takes the slashes in them for escaped ones.
        path = endpoint.path.replace(":path}", "}")
        address = (_SURFACE if _SURFACE in endpoint.surfaces else endpoint.surfaces[0]) + path
        request_schema = schemas[by_type[endpoint.request_type]["$ref"].removeprefix(_SCHEMAS)]
        for method in endpoint.methods:
            operation = _operation(endpoint, method, request_schema, by_type)
            paths.setdefault(address, {})[method.lower()] = operation
    for address, method, operation in _handmade():
        paths.setdefault(address, {})[method] = operation

    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Runyard",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": static_prefix or "/"}],
        "security": [],
        "tags": _tags(endpoints),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "ClientError": _error_response("The request is at fault; the message says what to change."),
                "ServerError": _error_response(
                    "The server is at fault, or busy; with 503 the request may be repeated."
                ),
            },
        },
    }
    _drop_unused(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _operation(endpoint: Endpoint, method: str, request_schema: Json, by_type: Mapping[Any, Json]) -> Json:
    summary, _, rest = (inspect.getdoc(endpoint.handler) or endpoint.name).partition("\n")
    operation: Json = {
        "operationId": endpoint.name if method == endpoint.methods[0] else f"{endpoint.name}_{method.lower()}",
        "tags": [endpoint.tag],
        "summary": summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in endpoint.path_parameters
        ],
        "responses": _responses({"$ref": by_type[endpoint.response_type]["$ref"]}),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if method == "GET":
        operation["parameters"] += _query_parameters(request_schema, endpoint.path_parameters)
    elif request_schema.get("properties"):
        schema: Json = by_type[endpoint.request_type]
        if endpoint.path_parameters:
            # What the path says need not be said again.
            schema = _without(request_schema, endpoint.path_parameters)
        operation["requestBody"] = {
            "required": bool(_resolved_required(request_schema, endpoint.path_parameters)),
            "content": {"application/json": {"schema": schema}},
        }
    if not operation["parameters"]:
        del operation["parameters"]
    return operation


def _query_parameters(request_schema: Json, path_parameters: tuple[str, ...]) -> Iterator[Json]:
    required = set(_resolved_required(request_schema, path_parameters))
    for name, schema in request_schema.get("properties", {}).items():
        if name in path_parameters:
            continue
        given = _without_null(schema)
        description = given.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            "required": name in required,
            **({"description": description} if description else {}),
            "schema": given,
            # A list is a repeated parameter.
            **({"style": "form", "explode": True} if given.get("type") == "array" else {}),
        }


def _resolved_required(schema: Json, path_parameters: tuple[str, ...]) -> list[str]:
    return [name for name in schema.get("required", []) if name not in path_parameters]


def _without(schema: Json, names: tuple[str, ...]) -> Json:
    kept = copy.deepcopy(schema)
    kept["properties"] = {name: value for name, value in kept["properties"].items() if name not in names}
    kept["required"] = _resolved_required(schema, names)
    return kept


def _without_null(schema: Json) -> Json:
    """Return the schema of a value that a query string can hold: there, null is a parameter that is not given."""
    kept = copy.deepcopy(schema)
    if kept.get("default", ...) is None:
        del kept["default"]
    choices = [choice for choice in kept.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        del kept["anyOf"]
        kept |= choices[0]
    elif choices:
        kept["anyOf"] = choices
    if isinstance(kept.get("type"), list):
        kept["type"] = [kind for kind in kept["type"] if kind != "null"]
    return kept


def _explain_fields(schema: Json) -> None:
    for name, field in schema.get("properties", {}).items():
        for keyword, value in _FIELDS.get(name, {}).items():
            # Of two fields with one name, an example is one's that has its type.
            if keyword != "examples" or _is_of(field, value[0]):
                field.setdefault(keyword, value)


def _is_of(field: Json, value: object) -> bool:
    kinds = {choice.get("type") for choice in field.get("anyOf", [field])}
    kind = {str: "string", int: "integer", list: "array"}[type(value)]
    return kind in kinds


def _error_schema() -> Json:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.RunyardError)]
    return {
        "title": "Error",
        "type": "object",
        "properties": {
            "error_code": {"type": "string", "examples": sorted({kind.code for kind in kinds})},
            "message": {"type": "string", "description": "What went wrong, for people."},
        },
        "required": ["error_code", "message"],
    }


def _error_response(description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Error"}}}}


def _responses(schema: Json, media_type: str = "application/json", others: Json | None = None) -> Json:
    return {
        "200": {"description": "Done.", "content": {media_type: {"schema": schema}}},
        **(others or {}),
        "4XX": {"$ref": "#/components/responses/ClientError"},
        "5XX": {"$ref": "#/components/responses/ServerError"},
    }


def _tags(endpoints: Iterable[Endpoint]) -> list[Json]:
    """Return the tags in the order of the table, each with what its module of routes says of itself."""
    found: dict[str, str] = {}
    for endpoint in endpoints:
        module = sys.modules.get(endpoint.handler.__module__)
        found.setdefault(endpoint.tag, (inspect.getdoc(module) or "").partition("\n")[0])
    found.setdefault("artifacts", "Artifacts: listing them, and moving their bytes through the server.")
    found["health"] = "What probes ask."
    return [{"name": name, "description": description} for name, description in found.items()]


def _drop_unused(document: Json) -> None:
    """Leave out the types that no operation refers to, such as those of query strings."""
    schemas: Json = document["components"]["schemas"]
    used: set[str] = set()
    waiting = [document["paths"], document["components"]["responses"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            reference = str(node.get("$ref", ""))
            name = reference.removeprefix(_SCHEMAS)
            if name != reference and name not in used:
                used.add(name)
                waiting.append(schemas[name])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    document["components"]["schemas"] = {name: schema for name, schema in sorted(schemas.items()) if name in used}


_ABOUT_ARCHIVES: Final = (
    "Names in it are relative to the folder. It is made while it is sent, and so has no length beforehand; a folder "
    "that has no files is 404."
)


def _handmade() -> Iterator[tuple[str, str, Json]]:
    """Give the path, the method and the description of each operation outside the dispatch table."""
    stored = "/api/2.0/mlflow-artifacts/artifacts"
    file_path = _parameter("path", "path", "The artifact's path; its slashes may stay slashes.")
    listing = {
        "type": "object",
        "properties": {"files": {"type": "array", "items": {"$ref": f"{_SCHEMAS}FileInfo"}}},
    }
    yield (
        stored,
        "get",
        _described(
            "list_proxied_artifacts",
            "List the artifacts directly below a path of the server's own.",
            _parameter("query", "path", "The folder; by default the root.", is_required=False),
            description="Their paths are relative to it. A folder that is not there is an empty one.",
            responses=_responses(listing),
        ),
    )
    yield (
        f"{stored}/{{path}}",
        "get",
        _described(
            "download_artifact",
            "Fetch an artifact, whole or the range asked for.",
            file_path,
            _inline(),
            _header("Range", "Such as bytes=0-1023: answered with 206 and that part."),
            _header("If-None-Match", "The ETag of a copy at hand: answered with 304 where it is still right."),
            responses=_file_responses(),
        ),
    )
    yield (
        f"{stored}/{{path}}",
        "put",
        _described(
            "upload_artifact",
            "Store an artifact of any size.",
            file_path,
            description="It is there, whole, once this answers, and not at all if the client goes away before.",
            body_type="application/octet-stream",
            responses=_responses({"$ref": f"{_SCHEMAS}Empty"}),
        ),
    )
    yield (
        f"{stored}/{{path}}",
        "delete",
        _described(
            "delete_artifact",
            "Delete an artifact, or all below a folder.",
            file_path,
            description="What is not there is no error.",
            responses=_responses({"$ref": f"{_SCHEMAS}Empty"}),
        ),
    )
    yield (
        "/get-artifact",
        "get",
        _described(
            "get_run_artifact",
            "Fetch an artifact of a run, by run and path.",
            _parameter("query", "run_id", "The run; run_uuid is understood too."),
            _parameter("query", "path", "Where in the run's artifacts."),
            _inline(),
            _header("Range", "Such as bytes=0-1023: answered with 206 and that part."),
            responses=_file_responses(),
        ),
    )
    yield (
        "/get-artifact-archive",
        "get",
        _described(
            "get_run_artifact_archive",
            "Fetch all artifacts below a path of a run as a zip.",
            _parameter("query", "run_id", "The run; run_uuid is understood too."),
            _parameter("query", "path", "The folder; by default all of the run's artifacts.", is_required=False),
            description=_ABOUT_ARCHIVES,
            responses=_responses({}, "application/zip"),
        ),
    )
    yield (
        "/model-versions/get-artifact",
        "get",
        _described(
            "get_model_version_artifact",
            "Fetch an artifact of a model version.",
            _parameter("query", "name", "The registered model."),
            _parameter("query", "version", "Its version."),
            _parameter("query", "path", "Where in the version's artifacts."),
            _inline(),
            responses=_file_responses(),
        ),
    )
    yield (
        "/model-versions/get-artifact-archive",
        "get",
        _described(
            "get_model_version_artifact_archive",
            "Fetch all artifacts below a path of a model version as a zip.",
            _parameter("query", "name", "The registered model."),
            _parameter("query", "version", "Its version."),
            _parameter("query", "path", "The folder; by default all of the version's artifacts.", is_required=False),
            description=_ABOUT_ARCHIVES,
            responses=_responses({}, "application/zip"),
        ),
    )
    yield (
        "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
        "get",
        _described(
            "get_logged_model_artifact",
            "Fetch an artifact of a logged model.",
            _parameter("path", "model_id", "The logged model."),
            _parameter("query", "artifact_file_path", "Where in the model's artifacts."),
            _inline(),
            responses=_file_responses(),
        ),
    )
    yield (
        "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/archive",
        "get",
        _described(
            "get_logged_model_artifact_archive",
            "Fetch all artifacts below a path of a logged model as a zip.",
            _parameter("path", "model_id", "The logged model."),
            _parameter("query", "path", "The folder; by default all of the model's artifacts.", is_required=False),
            description=_ABOUT_ARCHIVES,
            responses=_responses({}, "application/zip"),
        ),
    )
    yield (
        "/ajax-api/2.0/mlflow/upload-artifact",
        "post",
        _described(
            "upload_run_artifact",
            "Store an artifact of a run, by run and path.",
            _parameter("query", "run_uuid", "The run; run_id is understood too."),
            _parameter("query", "path", "Where in the run's artifacts."),
            body_type="application/octet-stream",
            responses=_responses({"$ref": f"{_SCHEMAS}Empty"}),
        ),
    )
    for path, name, summary in (
        ("/health", "get_health", "Tell that the process answers; asks nothing else of anything."),
        ("/livez", "get_liveness", "Tell the same, by Kubernetes' name."),
        ("/version", "get_version", "Tell the version of the MLflow protocol that is spoken."),
    ):
        yield (
            path,
            "get",
            _described(name, summary, tag="health", responses=_responses({"type": "string"}, "text/plain")),
        )
    readiness = {"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}
    not_ready = {"description": "Not ready.", "content": {"application/json": {"schema": readiness}}}
    yield (
        "/readyz",
        "get",
        _described(
            "get_readiness",
            "Tell whether the database and the artifact store answer.",
            tag="health",
            responses=_responses(readiness, others={"503": not_ready}),
        ),
    )


def _described(
    name: str,
    summary: str,
    *parameters: Json,
    responses: Json,
    tag: str = "artifacts",
    description: str | None = None,
    body_type: str | None = None,
) -> Json:
    operation: Json = {"operationId": name, "tags": [tag], "summary": summary}
    if description is not None:
        operation["description"] = description
    if parameters:
        operation["parameters"] = list(parameters)
    if body_type is not None:
        operation["requestBody"] = {"required": True, "content": {body_type: {"schema": {}}}}
    operation["responses"] = responses
    return operation


def _parameter(where: str, name: str, description: str, *, is_required: bool = True) -> Json:
    schema = {"type": "string", "minLength": 1} if is_required else {"type": "string"}
    return {"name": name, "in": where, "required": is_required, "description": description, "schema": schema}


def _inline() -> Json:
    description = "With true, HTML and PDF are for showing in a page, HTML in an origin of its own; else for saving."
    return _parameter("query", "inline", description, is_required=False)


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


def _file_responses() -> Json:
    part = {"description": "The range asked for.", "content": {"*/*": {"schema": {}}}}
    return _responses({}, "*/*", {"206": part, "304": {"description": "The copy at hand is right."}})
