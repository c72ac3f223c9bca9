"""The pages that the server shows by itself: a start page, the API's description, and the files these are made of.

They load nothing from anywhere else, run no script but their own files, and put no text from a run in as HTML.
"""

from __future__ import annotations

import functools
import hashlib
import html
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runyard import __version__
from runyard.errors import EndpointNotFound
from runyard.server.openapi import build_document
from runyard.server.services import Services

_FOLDER: Final = resources.files("runyard.server") / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Who may frame a page is told by X-Frame-Options, a setting, and so not here.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_PAGE_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
}


async def start_page(request: Request) -> Response:
    return _page(request, "start.html")


async def docs_page(request: Request) -> Response:
    return _page(request, "docs.html")


async def openapi_document(request: Request) -> Response:
    # The application's module imports this one.
    from runyard.server.app import ENDPOINTS

    services: Services = request.app.state.services
    content = build_document(ENDPOINTS, __version__, services.settings.static_prefix)
    return _answer(request, content, "application/json")


async def static_file(request: Request) -> Response:
    name = request.path_params["name"]
    found = _files().get(name)
    if found is None:
        raise EndpointNotFound(f"there is nothing at {request.method} {request.url.path}")
    return _answer(request, found, _TYPES[f".{name.rpartition('.')[2]}"])


page_routes: Final = [
    Route("/", start_page),
    Route("/docs", docs_page),
    Route("/openapi.json", openapi_document),
    Route("/static/{name}", static_file),
]


@functools.cache
def _files() -> dict[str, bytes]:
    """Return the files of the folder by name: what is not in it cannot be asked for, however it is spelled."""
    return {file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.name.endswith(tuple(_TYPES))}


@functools.cache
def _html(name: str) -> bytes:
    return _files()[name].replace(b"{{version}}", html.escape(__version__).encode())


def _page(request: Request, name: str) -> Response:
    response = _answer(request, _html(name), _TYPES[".html"])
    response.headers.update(_PAGE_HEADERS)
    return response


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    # Asked again each time, so that a page never runs with the script of another version.
    headers = {"etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)
