"""Artifacts: listing them, and moving their bytes through the server."""

from __future__ import annotations

import base64
import email.utils
import functools
import mimetypes
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runyard.artifacts.store import ArtifactStore, Entry, Metadata, artifact_not_found, changed, open_store
from runyard.artifacts.uris import (
    BUCKET_SCHEMES,
    PROXY_SCHEME,
    check_artifact_path,
    local_path,
    proxied_path,
    scheme_of,
)
from runyard.errors import (
    Changed,
    ConfigurationError,
    InvalidParameter,
    PermissionDenied,
    RangeNotSatisfiable,
    Unavailable,
)
from runyard.server.archive import ArchiveResponse, open_archive
from runyard.server.endpoints import SURFACES, Routes
from runyard.server.routes.runs import run_id_of
from runyard.server.services import Services
from runyard.store import logged_models, model_versions, runs
from runyard.wire.artifacts import FileInfo, ListArtifacts, ListArtifactsResponse, ListVersionArtifacts
from runyard.wire.names import check_model_name, check_no_nul, check_present, shown

PROXY_PATH: Final = "/2.0/mlflow-artifacts/artifacts"
# A page that is an artifact may show itself, but runs nothing and reaches nothing.
_SANDBOX: Final = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# An HTML page that is shown on purpose may run what it brings along, for plots do. Its origin is its own: it reaches
# neither the UI, nor this server, nor any other.
_SHOWN_PAGE: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "style-src 'unsafe-inline' data:; img-src data: blob:; font-src data:; media-src data: blob:; "
    "connect-src data: blob:"
)
# A sandbox would keep browsers from showing a PDF, in viewers that are sandboxes themselves.
_SHOWN: Final = {"text/html": _SHOWN_PAGE, "application/pdf": "frame-ancestors 'self'"}
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_DIGEST: Final = re.compile(r"sha-256=:([^:]*):")
_SHA256_BYTES: Final = 32
# How often a file may be written anew between what is told of it and its first byte.
_CHANGES: Final = 5
_OPEN_STORES: Final = 64

_protocol = Routes("artifacts")
_own = Routes("artifacts", api="runyard", version="1.0")


@_protocol.get("artifacts/list")
async def list_artifacts(services: Services, request: ListArtifacts) -> ListArtifactsResponse:
    """List the artifacts directly below a path of a run."""
    run_id = run_id_of(request)
    root_uri = await run_in_threadpool(services.database.read, runs.get_artifact_uri, run_id)
    return await _list(services, root_uri, request.path or "")


@_own.get("model-versions/artifacts")
async def list_model_version_artifacts(services: Services, request: ListVersionArtifacts) -> ListArtifactsResponse:
    """List the artifacts directly below a path of a model version, wherever its source keeps them."""
    check_model_name(request.name)
    root_uri = await run_in_threadpool(
        services.database.read, model_versions.get_download_uri, request.name, request.version
    )
    return await _list(services, root_uri, request.path or "")


routes: Final = (*_protocol, *_own)


async def _list(services: Services, root_uri: str, path: str) -> ListArtifactsResponse:
    entries = await list_entries(services, root_uri, path)
    return ListArtifactsResponse(
        root_uri=root_uri,
        files=[FileInfo(path=entry.path, is_dir=entry.is_dir, file_size=entry.size_bytes) for entry in entries],
    )


async def list_entries(services: Services, artifact_uri: str, path: str) -> list[Entry]:
    """Return what is directly below ``path`` of an artifact root, with paths relative to that root."""
    store, prefix = store_of(services, artifact_uri)
    entries = await store.list_folder(below(prefix, check_artifact_path(path)))
    cut = len(prefix) + 1 if prefix else 0
    return [Entry(entry.path[cut:], entry.is_dir, entry.size_bytes) for entry in entries]


def folder_of(services: Services, owner_id: str, artifact_uri: str) -> tuple[ArtifactStore, str] | None:
    """Return the store and the path of the folder that holds the artifacts of a run or a logged model and nothing else.

    None is what is not the server's to delete: a folder outside of its own, a scheme that it has no store for, and a
    root that does not have the owner's id in its name, for others might share it.

    Raises:
        Unavailable: the server does not serve artifacts.
        InvalidParameter: the store cannot be opened.
    """
    base, mark, query = artifact_uri.partition("?")
    place, _, name = base.removesuffix("/artifacts").rpartition("/")
    if name != owner_id or not base.endswith("/artifacts"):
        return None
    scheme = scheme_of(artifact_uri)
    folder = local_path(artifact_uri)
    if scheme == PROXY_SCHEME:
        return proxied_store(services), proxied_path(f"{place}/{name}")
    if scheme in BUCKET_SCHEMES:
        return _opened(f"{place}{mark}{query}"), name
    if folder is not None and _is_ours(services, folder):
        return _opened(str(folder.parent.parent)), name
    return None


async def list_proxied(request: Request) -> Response:
    """List the artifacts directly below a path of the server's own; their names are relative to it."""
    path = check_artifact_path(request.query_params.get("path", ""))
    entries = await _own_store(request).list_folder(path)
    cut = len(path) + 1 if path else 0
    files = [FileInfo(path=entry.path[cut:], is_dir=entry.is_dir, file_size=entry.size_bytes) for entry in entries]
    content = msgspec.json.encode({"files": files} if files else {})
    return Response(content, media_type="application/json")


async def download(request: Request) -> Response:
    """Send an artifact, whole or the range asked for."""
    path = check_artifact_path(request.path_params["path"])
    return await _send(request, _own_store(request), path)


async def upload(request: Request) -> Response:
    """Store an artifact; it is there whole once this answers, and not at all if the client goes away."""
    path = check_artifact_path(request.path_params["path"])
    return await _receive(request, _own_store(request), path)


async def delete(request: Request) -> Response:
    """Delete an artifact, or all below a folder; what is not there is no error."""
    await _own_store(request).delete(check_artifact_path(request.path_params["path"]))
    return _done()


async def get_run_artifact(request: Request) -> Response:
    """Send an artifact of a run, by run and path, as the pages of the UI ask for it."""
    run_id = _run_id(request)
    uri = await _find(request, runs.get_artifact_uri, run_id)
    return await _send_below(request, uri, request.query_params.get("path", ""))


async def get_model_version_artifact(request: Request) -> Response:
    """Send an artifact of a model version."""
    uri = await _find(request, model_versions.get_download_uri, *_name_and_version(request))
    return await _send_below(request, uri, request.query_params.get("path", ""))


async def get_logged_model_artifact(request: Request) -> Response:
    """Send an artifact of a logged model."""
    uri = await _find(request, logged_models.get_artifact_uri, _model_id(request))
    return await _send_below(request, uri, request.query_params.get("artifact_file_path", ""))


async def get_run_archive(request: Request) -> Response:
    """Send all artifacts below a path of a run as a zip."""
    run_id = _run_id(request)
    uri = await _find(request, runs.get_artifact_uri, run_id)
    return await _send_archive(request, uri, run_id)


async def get_model_version_archive(request: Request) -> Response:
    """Send all artifacts below a path of a model version as a zip."""
    name, version = _name_and_version(request)
    uri = await _find(request, model_versions.get_download_uri, name, version)
    return await _send_archive(request, uri, f"{name}-{version}")


async def get_logged_model_archive(request: Request) -> Response:
    """Send all artifacts below a path of a logged model as a zip."""
    model_id = _model_id(request)
    uri = await _find(request, logged_models.get_artifact_uri, model_id)
    return await _send_archive(request, uri, model_id)


async def upload_run_artifact(request: Request) -> Response:
    """Store an artifact of a run, by run and path, as the pages of the UI send it."""
    run_id = request.query_params.get("run_uuid") or request.query_params.get("run_id") or ""
    check_present("run_uuid", run_id)
    check_no_nul("run_uuid", run_id)
    services = _services(request)
    uri = await run_in_threadpool(services.database.read, runs.get_artifact_uri, run_id)
    store, prefix = store_of(services, uri)
    path = check_artifact_path(request.query_params.get("path", ""))
    check_present("path", path)
    return await _receive(request, store, below(prefix, path))


def _run_id(request: Request) -> str:
    run_id = request.query_params.get("run_id") or request.query_params.get("run_uuid") or ""
    check_present("run_id", run_id)
    check_no_nul("run_id", run_id)
    return run_id


def _name_and_version(request: Request) -> tuple[str, str]:
    name, version = request.query_params.get("name", ""), request.query_params.get("version", "")
    check_present("name", name)
    check_present("version", version)
    check_no_nul("name", name)
    return name, version


def _model_id(request: Request) -> str:
    model_id: str = request.path_params["model_id"]
    check_no_nul("model_id", model_id)
    return model_id


async def _find(request: Request, find_uri: Callable[..., str], *args: str) -> str:
    return await run_in_threadpool(_services(request).database.read, find_uri, *args)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _own_store(request: Request) -> ArtifactStore:
    return proxied_store(_services(request))


def proxied_store(services: Services) -> ArtifactStore:
    if services.artifacts is None:
        raise Unavailable(
            "this server does not serve artifacts (it was started with --no-serve-artifacts); "
            "clients must reach the artifact location themselves"
        )
    return services.artifacts


def store_of(services: Services, artifact_uri: str) -> tuple[ArtifactStore, str]:
    """Return the store that an artifact root is in, and where in it."""
    if scheme_of(artifact_uri) == PROXY_SCHEME:
        return proxied_store(services), proxied_path(artifact_uri)
    folder = local_path(artifact_uri)
    if folder is not None:
        _check_is_ours(services, folder)
    return _opened(artifact_uri), ""


def _is_ours(services: Services, folder: Path) -> bool:
    settings = services.settings
    roots = [local_path(uri) for uri in (settings.artifact_root, settings.artifacts_destination)]
    return any(root is not None and folder.resolve().is_relative_to(root.resolve()) for root in roots)


def _check_is_ours(services: Services, folder: Path) -> None:
    # Anyone may create an experiment anywhere; the server's own files are not to be had by naming their folder.
    if not _is_ours(services, folder):
        raise PermissionDenied(
            f"the server does not read {str(folder)!r} for others: it is not below its artifact folders; "
            "read it on the machine that has it, or start the server with --default-artifact-root above it"
        )


@functools.lru_cache(maxsize=_OPEN_STORES)
def _opened(artifact_uri: str) -> ArtifactStore:
    try:
        return open_store(artifact_uri)
    except ConfigurationError as error:
        # Not of the server's settings: whoever made the experiment or the version named this place.
        raise InvalidParameter(error.message) from error


def below(prefix: str, path: str) -> str:
    return f"{prefix}/{path}".strip("/")


async def _send_below(request: Request, artifact_uri: str, path: str) -> Response:
    checked = check_artifact_path(path)
    check_present("path", checked)
    store, prefix = store_of(_services(request), artifact_uri)
    return await _send(request, store, below(prefix, checked))


async def _send_archive(request: Request, artifact_uri: str, root_name: str) -> Response:
    path = check_artifact_path(request.query_params.get("path", ""))
    store, prefix = store_of(_services(request), artifact_uri)
    content = await open_archive(store, below(prefix, path))
    name = (path.rpartition("/")[2] or root_name).replace("/", "_")
    return ArchiveResponse(
        content,
        {"content-disposition": _disposition("attachment", f"{name}.zip"), "x-content-type-options": "nosniff"},
    )


async def _receive(request: Request, store: ArtifactStore, path: str) -> Response:
    length = request.headers.get("content-length")
    try:
        await store.write(
            path, _body(request), size_bytes=None if length is None else int(length), sha256=_sent_digest(request)
        )
    except ClientDisconnect:
        # Nobody is left to read this.
        return Response(status_code=400)
    return _done()


def _sent_digest(request: Request) -> str | None:
    """Return the SHA-256 that a client says the file has, in hexadecimal, if it does (RFC 9530)."""
    for name in ("repr-digest", "content-digest"):
        found = _DIGEST.search(request.headers.get(name, ""))
        if found is not None:
            try:
                digest = base64.b64decode(found[1], validate=True)
            except ValueError:
                digest = b""
            if len(digest) != _SHA256_BYTES:
                raise InvalidParameter(f"Invalid {name} {shown(found[0])}: expected sha-256=:BASE64 OF 32 BYTES:")
            return digest.hex()
    return None


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


def _done() -> Response:
    return Response(b"{}", media_type="application/json")


async def _send(request: Request, store: ArtifactStore, path: str) -> Response:
    if not path:
        raise artifact_not_found(path)
    for _ in range(_CHANGES):
        try:
            return await _send_as_it_is(request, store, path, await store.head(path))
        except Changed:
            continue
    raise changed(path)


async def _send_as_it_is(request: Request, store: ArtifactStore, path: str, found: Metadata) -> Response:
    headers = {
        "etag": found.etag,
        "last-modified": email.utils.format_datetime(found.modified.replace(microsecond=0), usegmt=True),
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        **_presentation(request, path),
    }
    if found.sha256 is not None:
        headers["repr-digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(found.sha256)).decode()}:"
    if _is_known(request, found):
        return Response(status_code=304, headers=headers)
    start, end, is_part = _range(request, found)
    if is_part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{found.size_bytes}"
    headers["content-length"] = str(end - start)
    status = 206 if is_part else 200
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    blocks = await store.read(path, start, end, etag=found.etag)
    return StreamingResponse(blocks, status_code=status, headers=headers, media_type=media_type)


def _is_known(request: Request, found: Metadata) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or found.etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    since = _parse_date(request.headers.get("if-modified-since"))
    return since is not None and found.modified.replace(microsecond=0) <= since


def _range(request: Request, found: Metadata) -> tuple[int, int, bool]:
    """Return the first byte to send, the one after the last, and whether that is a part by request."""
    size = found.size_bytes
    asked = request.headers.get("range", "")
    condition = request.headers.get("if-range")
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    # A range of another kind, several at once, or of a file that changed since: the whole is a right answer.
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != found.etag):
        return 0, size, False
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if start >= end or start >= size:
        raise RangeNotSatisfiable(f"the range {asked!r} is not within the artifact's {size} bytes")
    return start, end, True


def _parse_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None


def _presentation(request: Request, path: str) -> dict[str, str]:
    """Return the headers that say whether a browser shows an artifact, and what it may do then."""
    media_type, encoding = mimetypes.guess_type(path)
    policy = _SHOWN.get(media_type or "") if encoding is None else None
    name = path.rpartition("/")[2]
    if policy is None or request.query_params.get("inline") != "true":
        return {"content-disposition": _disposition("attachment", name), "content-security-policy": _SANDBOX}
    return {
        "content-disposition": _disposition("inline", name),
        "content-security-policy": policy,
        "x-frame-options": "SAMEORIGIN",
    }


def _disposition(kind: str, name: str) -> str:
    # Both forms (RFC 6266): a plain one for old clients, and the exact one in UTF-8.
    plain = "".join(c if 32 <= ord(c) < 127 and c not in '"\\%' else "_" for c in name)
    exact = quote(name, safe="")
    return f'{kind}; filename="{plain}"' + (f"; filename*=UTF-8''{exact}" if plain != name else "")


def _route(path: str, function: Callable[[Request], Awaitable[Response]], *methods: str) -> Route:
    return Route(path, function, methods=methods)


# Whose answers, and whose requests' bodies, are the bytes of artifacts.
SENDING: Final = frozenset(
    {
        download,
        get_run_artifact,
        get_model_version_artifact,
        get_logged_model_artifact,
        get_run_archive,
        get_model_version_archive,
        get_logged_model_archive,
    }
)
RECEIVING: Final = frozenset({upload, upload_run_artifact})

artifact_routes: Final = [
    *(
        route
        for surface in SURFACES
        for route in (
            _route(f"{surface}{PROXY_PATH}", list_proxied, "GET"),
            _route(f"{surface}{PROXY_PATH}/{{path:path}}", download, "GET", "HEAD"),
            _route(f"{surface}{PROXY_PATH}/{{path:path}}", upload, "PUT"),
            _route(f"{surface}{PROXY_PATH}/{{path:path}}", delete, "DELETE"),
        )
    ),
    _route("/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", get_logged_model_artifact, "GET"),
    _route("/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/archive", get_logged_model_archive, "GET"),
    _route("/ajax-api/2.0/mlflow/upload-artifact", upload_run_artifact, "POST"),
    _route("/get-artifact", get_run_artifact, "GET", "HEAD"),
    _route("/get-artifact-archive", get_run_archive, "GET"),
    _route("/model-versions/get-artifact-archive", get_model_version_archive, "GET"),
    _route("/model-versions/get-artifact", get_model_version_artifact, "GET", "HEAD"),
]
