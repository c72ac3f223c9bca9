"""The scoring server's API, described: an OpenAPI document, and a page that shows how to ask this model."""

from __future__ import annotations

import html
import json
import shlex
from typing import Any, Final

import msgspec

from runyard import __version__
from runyard.models.signature import ColSpec, DataType, TensorSpec
from runyard.serving.served import ServedModel

# The page runs nothing and loads nothing.
PAGE_HEADERS: Final = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"),
]

_EXAMPLES: Final = {
    DataType.boolean: True,
    DataType.integer: 1,
    DataType.long: 1,
    DataType.float: 1.5,
    DataType.double: 1.5,
    DataType.string: "text",
    DataType.binary: "YmFzZTY0",
    DataType.datetime: "2026-01-31T09:05:00",
}


def document(served: ServedModel) -> bytes:
    """Return the OpenAPI document, with an example that fits the model where its signature tells."""
    scored = _responses({"type": "object", "properties": {"predictions": {}}, "required": ["predictions"]})
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "parameters": {"type": "object"},
            "data": {},
        },
        "required": ["name", "shape", "datatype"],
    }
    tensors = {"type": "array", "items": tensor}
    invocation: dict[str, Any] = {
        "type": "object",
        "description": "Exactly one of the four, or a chat, a completion or an embedding.",
        "properties": {
            "dataframe_split": {"type": "object"},
            "dataframe_records": {"type": "array", "items": {"type": "object"}},
            "inputs": {},
            "instances": {},
            "params": {"type": "object"},
        },
    }
    asked: dict[str, Any] = {"application/json": {"schema": invocation, "example": example(served)}}
    asked |= {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/vnd.apache.parquet")}
    infer = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "parameters": {"type": "object"}, "inputs": tensors},
        "required": ["inputs"],
    }
    inferred = {"type": "object", "properties": {"model_name": {"type": "string"}, "outputs": tensors}}
    answered = {"type": "object"}
    paths: dict[str, Any] = {
        "/invocations": {"post": _operation("Score data, by MLflow's protocol.", scored, asked)},
        "/v2/models/{name}/infer": {
            "post": _operation(
                "Score tensors, by the Open Inference Protocol.",
                _responses(inferred),
                {"application/json": {"schema": infer}},
                has_name=True,
            )
        },
        "/v2/models/{name}": {"get": _operation("Tell what the model takes.", _responses(answered), has_name=True)},
        "/v2/models/{name}/ready": {"get": _operation("Tell whether it answers.", _responses(answered), has_name=True)},
    }
    for path, summary in (
        ("/ping", "Tell that the process answers."),
        ("/health", "Tell the same."),
        ("/version", "Tell the version of MLflow whose protocol is spoken."),
        ("/metrics", "Tell Prometheus what was measured."),
        ("/readyz", "Tell whether requests should be sent here."),
        ("/v2", "Tell what the server is."),
        ("/v2/health/live", "Tell that the process answers."),
        ("/v2/health/ready", "Tell whether requests should be sent here."),
    ):
        paths[path] = {"get": _operation(summary, {"200": {"description": "It does."}})}
    return msgspec.json.encode(
        {"openapi": "3.1.0", "info": {"title": served.title, "version": __version__}, "paths": paths}
    )


def page(served: ServedModel) -> bytes:
    """Return a page that says how to ask the model."""
    body = shlex.quote(json.dumps(example(served)))
    curl = f"curl http://HOST:PORT/invocations -H 'Content-Type: application/json' -d {body}"
    rows = "".join(
        f"<tr><td><code>{html.escape(str(name))}</code></td><td>{html.escape(kind)}</td></tr>"
        for name, kind in _inputs(served)
    )
    title = html.escape(served.title)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "pre{overflow:auto;padding:1rem;background:#8881}td{padding:.2rem 1rem .2rem 0}</style>"
        f"<h1>{title}</h1><p>Served by Runyard {html.escape(__version__)}. "
        'The whole API is in <a href="openapi.json">openapi.json</a>.</p>'
        f"<h2>Ask it</h2><pre>{html.escape(curl)}</pre><h2>What it takes</h2><table>{rows}</table>"
    ).encode()


def example(served: ServedModel) -> dict[str, Any]:
    """Return a body for /invocations that the model takes, as far as its signature tells."""
    schema = served.format.schema
    specs = tuple(schema or ())
    if not specs:
        return {"inputs": [[1.5]]}
    if isinstance(specs[0], TensorSpec):
        if specs[0].name is None:
            return {"inputs": _tensor(specs[0])}
        return {"inputs": {str(each.name): _tensor(each) for each in specs if isinstance(each, TensorSpec)}}
    values = [_EXAMPLES.get(each.type) for each in specs if isinstance(each, ColSpec)]  # type: ignore[arg-type]
    if specs[0].name is None:
        return {"inputs": values}
    return {"dataframe_split": {"columns": [each.name for each in specs], "data": [values]}}


def _tensor(spec: TensorSpec) -> Any:
    value: Any = "text" if spec.type in {"str", "bytes", "object"} else 1
    for length in reversed(spec.shape):
        # Not more of a large one than shows what it is.
        value = [value] * min(1 if length < 0 else length, 16)
    return value


def _inputs(served: ServedModel) -> list[tuple[str | int, str]]:
    return [
        (
            place if each.name is None else each.name,
            f"tensor of {each.type}, shape {list(each.shape)}"
            if isinstance(each, TensorSpec)
            else str(each.type.to_dict()["type"]),
        )
        for place, each in enumerate(served.format.schema or ())
    ]


def _operation(
    summary: str, responses: dict[str, Any], content: dict[str, Any] | None = None, *, has_name: bool = False
) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary}
    if has_name:
        operation["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    if content is not None:
        operation["requestBody"] = {"required": True, "content": content}
    return {**operation, "responses": responses}


def _responses(schema: dict[str, Any]) -> dict[str, Any]:
    error = {"type": "object", "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}}}
    refused = {"content": {"application/json": {"schema": error}}}
    return {
        "200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}},
        "4XX": {"description": "What was wrong with the request.", **refused},
        "503": {"description": "Too many requests wait; Retry-After says when to ask again.", **refused},
        "504": {"description": "There was no answer in time.", **refused},
    }
