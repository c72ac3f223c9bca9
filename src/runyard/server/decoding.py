"""From the bytes of a request to its type; what does not fit is answered with field, rule and value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from runyard.errors import BadRequest, InvalidParameter
from runyard.server.endpoints import Endpoint
from runyard.wire.names import shown

_WHERE: Final = re.compile(r"^(?P<rule>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `(?P<name>[^`]+)`")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_MAX_QUERY_FIELDS: Final = 10_000


def decode_body(endpoint: Endpoint, body: bytes, path_parameters: Mapping[str, str]) -> Any:
    """Return the request that a JSON ``body`` holds."""
    try:
        if b"\\u0000" in body:
            refuse_nul(msgspec.json.decode(body))
        if not path_parameters:
            return endpoint.decoder.decode(body)
        refuse_nul(dict(path_parameters))
        content = msgspec.json.decode(body) if body else {}
        if not isinstance(content, dict):
            raise BadRequest(f"the request body must be a JSON object, got {shown(content)}")
        return convert(endpoint, {**content, **path_parameters})
    except msgspec.ValidationError as error:
        raise _explained(error, _shallow(body)) from None
    except RecursionError:
        raise BadRequest("the request body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Programs that print NaN and Infinity bare are common enough to be understood.
        try:
            content = _loads(body)
        except (ValueError, RecursionError):
            raise BadRequest(f"the request body is not valid JSON: {error}") from None
        refuse_nul(content)
        if not isinstance(content, dict):
            raise BadRequest(f"the request body must be a JSON object, got {shown(content)}") from None
        return convert(endpoint, {**content, **path_parameters})


def decode_query(endpoint: Endpoint, query: bytes, path_parameters: Mapping[str, str]) -> Any:
    """Return the request that a query string holds; a field that is a list may be repeated."""
    try:
        fields = parse_qs(query.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from None
    content: dict[str, Any] = {}
    for name, values in fields.items():
        content[name] = values if name in endpoint.list_fields else values[-1]
    content.update(path_parameters)
    refuse_nul(content)
    return convert(endpoint, content)


def convert(endpoint: Endpoint, content: dict[str, Any]) -> Any:
    try:
        return msgspec.convert(content, endpoint.request_type, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(error, content) from None


def refuse_nul(value: object, path: str = "") -> None:
    """Raise InvalidParameter where a text anywhere in ``value`` holds a NUL: PostgreSQL's text cannot."""
    if isinstance(value, str):
        if "\x00" in value:
            where = f"parameter '{path.lstrip('.')}'" if path else "the request body"
            raise InvalidParameter(f"Invalid value {shown(value)} for {where}: it may not contain a NUL character")
    elif isinstance(value, dict):
        for key, entry in value.items():
            refuse_nul(key, f"{path}.{shown(key)}" if "\x00" in key else path)
            refuse_nul(entry, f"{path}.{key}")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            refuse_nul(entry, f"{path}[{index}]")


def _loads(body: bytes) -> Any:
    content = json.loads(body)
    # Python takes half of a surrogate pair for a character; no database and no answer could hold it.
    msgspec.json.encode(content)
    return content


def _shallow(body: bytes) -> Any:
    """Return what ``body`` holds, to find the wrong value in; None where not even Python can read it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _explained(error: msgspec.ValidationError, content: Any) -> InvalidParameter:
    found = _WHERE.match(str(error))
    assert found is not None
    rule, path = found["rule"], found["path"] or ""
    missing = _MISSING.search(rule)
    if missing is not None:
        name = f"{path}.{missing['name']}".lstrip(".")
        return InvalidParameter(
            f"Missing value for required parameter '{name}'. "
            "See the API docs for more information about request parameters."
        )
    value = content
    for key, index in _STEP.findall(path):
        try:
            value = value[key] if key else value[int(index)]
        except (KeyError, IndexError, TypeError):
            break
    where = f"parameter '{path.lstrip('.')}'" if path else "the request body"
    return InvalidParameter(f"Invalid value {shown(value)} for {where}: {rule[:1].lower()}{rule[1:]}")
