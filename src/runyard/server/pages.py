"""The pages: the UI, which the build put beside this module, and the API's description.

They load nothing from anywhere else, run no script but their own files, and put no text from a run in as HTML.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
from collections.abc import Mapping
from importlib import resources
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runyard import __version__
from runyard.errors import EndpointNotFound, Unavailable
from runyard.server.openapi import build_document
from runyard.server.services import Services

_FOLDER: Final = resources.files("runyard.server")
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# Who may frame a page is told by X-Frame-Options, a setting, and so not here. Frames and media are previews of
# artifacts; blob: is what a page made itself, such as a PDF it read.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
}
# The build names each of these files by its content.
_FOREVER: Final = "public, max-age=31536000, immutable"
# Asked again each time, so that a page never runs with the script of another version.
_ASK_AGAIN: Final = "no-cache"


class _File(NamedTuple):
    content: bytes
    gzipped: bytes
    etag: str
    media_type: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> _File:
        digest = hashlib.sha256(content).hexdigest()[:32]
        return cls(content, gzip.compress(content, mtime=0), f'"{digest}"', media_type)


async def ui_page(request: Request) -> Response:
    page = _ui_files("").get("index.html")
    if page is None:
        raise Unavailable(
            "this installation has no UI, because its sources run without having been built: `make ui` builds it; "
            f"the API is described at {_prefix(request)}/docs"
        )
    return _answer(request, page, _ASK_AGAIN, _PAGE_HEADERS)


async def ui_asset(request: Request) -> Response:
    return _answer(request, _found(request, _ui_files("assets")), _FOREVER)


async def docs_page(request: Request) -> Response:
    return _answer(request, _docs_page(), _ASK_AGAIN, _PAGE_HEADERS)


async def static_file(request: Request) -> Response:
    return _answer(request, _found(request, _read_files("static")), _ASK_AGAIN)


async def openapi_document(request: Request) -> Response:
    return _answer(request, _openapi_document(_prefix(request)), _ASK_AGAIN)


async def to_prefix(request: Request) -> Response:
    # Addresses in the pages are relative to the slash.
    return RedirectResponse(_prefix(request) + "/", status_code=308)


page_routes: Final = [
    Route("/", ui_page),
    Route("/assets/{name}", ui_asset),
    Route("/docs", docs_page),
    Route("/openapi.json", openapi_document),
    Route("/static/{name}", static_file),
]


def _prefix(request: Request) -> str:
    services: Services = request.app.state.services
    return services.settings.static_prefix


@functools.lru_cache(maxsize=4)
def _openapi_document(static_prefix: str) -> _File:
    # The application's module imports this one.
    from runyard.server.app import ENDPOINTS

    return _File.of(build_document(ENDPOINTS, __version__, static_prefix), "application/json")


@functools.cache
def _docs_page() -> _File:
    page = _read_files("static")["docs.html"]
    return _File.of(page.content.replace(b"{{version}}", html.escape(__version__).encode()), page.media_type)


@functools.cache
def _read_files(folder: str) -> Mapping[str, _File]:
    """Return the files of a folder by name: what is not in it cannot be asked for, however it is spelled."""
    files = {}
    for file in (_FOLDER / folder).iterdir():
        media_type = _TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            files[file.name] = _File.of(file.read_bytes(), media_type)
    return files


def _ui_files(folder: str) -> Mapping[str, _File]:
    return _read_files(f"ui/{folder}") if (_FOLDER / "ui").is_dir() else {}


def _found(request: Request, files: Mapping[str, _File]) -> _File:
    file = files.get(request.path_params["name"])
    if file is None:
        raise EndpointNotFound(f"there is nothing at {request.method} {request.url.path}")
    return file


def _answer(
    request: Request, file: _File, cache_control: str, added_headers: Mapping[str, str] | None = None
) -> Response:
    headers = {"etag": file.etag, "cache-control": cache_control, "vary": "Accept-Encoding", **(added_headers or {})}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzipped, headers={**headers, "content-encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)
