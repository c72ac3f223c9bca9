"""The transport over HTTP: one pool of connections, retries for what may be sent again."""

from __future__ import annotations

import base64
import dataclasses
from typing import IO, Any, Final, Protocol, TypeVar, cast
from urllib.parse import quote, unquote

import msgspec
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    LocationValueError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from runyard import __version__
from runyard.client.artifacts import ProxiedFolder
from runyard.client.codec import API_PATH, content_of, decoded, error_of, query_of
from runyard.client.direct import DirectTransfers
from runyard.client.request_headers import resolve_request_headers
from runyard.client.transport import Transport
from runyard.errors import ConfigurationError, MethodNotAllowed, NotFound, RunyardError, Unavailable
from runyard.settings import ClientSettings, credentials, load_client_settings, proxy_of, workspace
from runyard.wire.base import Request, Response
from runyard.wire.names import shown
from runyard.wire.server import ServerInfo

R = TypeVar("R", bound=Response)

WORKSPACE_HEADER: Final = "X-MLFLOW-WORKSPACE"
_SERVER_INFO: Final = "/api/3.0/mlflow/server-info"
CONNECT_TIMEOUT_S: Final = 10.0
# The second try comes at once, and by default the others after 0.5, 1, 2 … s. A server that never answered is most
# likely misspelled; one that did is being restarted, and nobody's training is to end by that.
FIRST_RETRIES: Final = 4
RETRIES: Final = 10
RETRIED_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
BLOCK_BYTES: Final = 256 * 1024


class Readable(Protocol):
    """As much of a file as is needed to send it, and to begin again."""

    def read(self, size: int = -1, /) -> bytes: ...
    def tell(self) -> int: ...
    def seek(self, position: int, /) -> int: ...


class HttpTransport(Transport):
    """Requests to the server at ``uri``, which may have a path and a user name and password before its host."""

    def __init__(self, uri: str, settings: ClientSettings, *, follows_environment: bool = False) -> None:
        """Make ready; nothing is sent.

        Args:
            follows_environment: credentials and certificates that the environment names later count from then on, as
                those of a token that is renewed do.
        """
        try:
            url = urllib3.util.parse_url(uri)
        except LocationParseError:
            raise ConfigurationError(
                f"the tracking URI {shown(uri)} cannot be read; expected http://HOST:PORT"
            ) from None
        if not url.host:
            raise ConfigurationError(f"the tracking URI {shown(uri)} names no host; expected http://HOST:PORT")
        self.uri = url._replace(auth=None, query=None, fragment=None).url.rstrip("/")
        self._auth = url.auth
        self._credentials = credentials() if follows_environment else None
        self._has_workspaces: bool | None = None
        self._has_answered = False
        self._use(settings)
        self.direct = DirectTransfers(self)

    def _use(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._pool = new_pool(self.uri, settings)
        headers = {"User-Agent": f"runyard/{__version__}", "Accept": "application/json"}
        authorization = _authorization(self._auth, settings)
        if authorization is not None:
            headers["Authorization"] = authorization
        self._headers = headers

    def _follow_environment(self) -> None:
        if self._credentials is None:
            return
        found = credentials()
        if found == self._credentials:
            return
        told = load_client_settings()
        # Requests of other threads that are under way end with the pool that they began with.
        self._use(
            dataclasses.replace(
                self._settings,
                username=told.username,
                password=told.password,
                token=told.token,
                insecure_tls=told.insecure_tls,
                server_cert_path=told.server_cert_path,
                client_cert_path=told.client_cert_path,
            )
        )
        self._credentials = found

    def request(
        self, method: str, path: str, request: Request, response_type: type[R], *, is_idempotent: bool | None = None
    ) -> R:
        may_repeat = method != "POST" if is_idempotent is None else is_idempotent
        return self._call(method, API_PATH + path, content_of(request), response_type, may_repeat=may_repeat)

    def call(self, method: str, path: str, content: dict[str, Any] | None, response_type: type[R]) -> R:
        return self._call(method, path, content, response_type, may_repeat=method != "POST")

    def _call(
        self, method: str, path: str, content: dict[str, Any] | None, response_type: type[R], *, may_repeat: bool
    ) -> R:
        url, headers, body = self.uri + path, {}, None
        if method == "GET":
            url += f"?{query_of(content or {}).decode()}"
        else:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(content or {})
        answer = self._send(method, url, headers, body, may_repeat=may_repeat)
        return decoded(answer.status, answer.data, response_type, self.uri)

    def open_proxied(self, path: str) -> ProxiedFolder:
        return ProxiedFolder(self, path)

    def server_info(self) -> ServerInfo:
        """Return what the server can do; of one that is too old to say, that it can do nothing besides the usual."""
        try:
            return self.call("GET", _SERVER_INFO, None, ServerInfo)
        except (NotFound, MethodNotAllowed):
            return ServerInfo()

    def plain_pool(self) -> urllib3.PoolManager:
        """Return a pool for other servers, with this one's settings of TLS and without its credentials."""
        return new_pool(self.uri, dataclasses.replace(self._settings, client_cert_path=None))

    def upload(self, path: str, file: Readable, size_bytes: int, sha256: str) -> None:
        """Send what is in ``file`` to ``path`` below the server; it is read as it is sent.

        Raises:
            InvalidParameter: what arrived has another SHA-256.
        """
        headers = {
            "Content-Length": str(size_bytes),
            "Content-Type": "application/octet-stream",
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        }
        answer = self._send("PUT", self.uri + quote(path), headers, file, may_repeat=True)
        if answer.status >= 300:
            raise error_of(answer.status, answer.data, self.uri)

    def download(self, path: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Return the answer to a GET of ``path``, its body still to be read; the caller must release it."""
        headers = {"Accept": "*/*", **headers}
        answer = self._send("GET", self.uri + quote(path), headers, None, may_repeat=True, is_streamed=True)
        if answer.status not in {200, 206}:
            with answer:
                raise error_of(answer.status, answer.read(), self.uri)
        return answer

    def delete(self, path: str) -> None:
        """Delete what is at ``path`` below the server."""
        answer = self._send("DELETE", self.uri + quote(path), {}, None, may_repeat=True)
        if answer.status >= 300:
            raise error_of(answer.status, answer.data, self.uri)

    def close(self) -> None:
        self._pool.clear()

    def _max_retries(self) -> int:
        if self._settings.max_retries is not None:
            return self._settings.max_retries
        return RETRIES if self._has_answered else FIRST_RETRIES

    def _workspace(self, url: str) -> dict[str, str]:
        """Return the header that names the chosen workspace, for a request of ``url``.

        Raises:
            RunyardError: the server knows of none, and would take what is of one for anybody's.
        """
        chosen = workspace()
        if chosen is None:
            return {}
        if url.startswith(self.uri + _SERVER_INFO):
            # By which the server is asked whether it has some.
            return {WORKSPACE_HEADER: chosen}
        if self._has_workspaces is None:
            # Threads that begin together all ask: none sends anything before it knows.
            self._has_workspaces = self.server_info().workspaces_enabled
        if not self._has_workspaces:
            raise RunyardError(
                f"Active workspace {shown(chosen)} cannot be used because {self.uri} does not support workspaces. "
                "Choose none by set_workspace(None), or unset MLFLOW_WORKSPACE",
                "FEATURE_DISABLED",
            )
        return {WORKSPACE_HEADER: chosen}

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | Readable | None,
        *,
        may_repeat: bool,
        is_streamed: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        self._follow_environment()
        retries = urllib3.Retry(
            total=self._max_retries(),
            backoff_factor=self._settings.backoff_factor,
            backoff_jitter=self._settings.backoff_jitter,
            status_forcelist=RETRIED_STATUSES,
            # None is every method. What may not be repeated still is where the connection was refused: it was not sent.
            allowed_methods=None if may_repeat else frozenset({"GET"}),
            # The last answer says more than that there were too many.
            raise_on_status=False,
        )
        try:
            answer = self._pool.request(
                method,
                url,
                body=cast("bytes | IO[bytes] | None", body),
                headers={**self._headers, **self._workspace(url), **resolve_request_headers(), **headers},
                retries=retries,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=self._settings.request_timeout_s),
                preload_content=not is_streamed,
            )
            self._has_answered = True
            return answer
        except (LocationParseError, LocationValueError) as error:
            raise ConfigurationError(f"the tracking URI {shown(self.uri)} cannot be used: {error}") from None
        except HTTPError as error:
            raise unreachable(self.uri, error) from error


def unreachable(uri: str, error: HTTPError) -> Unavailable:
    """Return what to tell of a server that does not answer: why, and what to do."""
    cause: BaseException | None = error
    if isinstance(error, MaxRetryError):
        cause = error.reason
    if isinstance(cause, ProxyError):
        return Unavailable(f"the proxy on the way to {uri} does not answer; see HTTPS_PROXY, HTTP_PROXY and NO_PROXY")
    if isinstance(cause, SSLError):
        return Unavailable(
            f"no secure connection to {uri}: {cause}; if its certificate is your organisation's own, "
            "set MLFLOW_TRACKING_SERVER_CERT_PATH to a file with its authority's"
        )
    if isinstance(cause, ReadTimeoutError):
        return Unavailable(f"{uri} did not answer in time; MLFLOW_HTTP_REQUEST_TIMEOUT sets how many seconds to wait")
    return Unavailable(
        f"there is no server at {uri} ({_reason(cause)}); start one with 'runyard server', "
        "or name another with --tracking-uri or MLFLOW_TRACKING_URI"
    )


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, NameResolutionError):
        return "the host name is not known"
    if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
        return f"no connection in {CONNECT_TIMEOUT_S:g} seconds"
    if isinstance(cause, NewConnectionError):
        return str(cause).rpartition(": ")[2].partition("] ")[2].lower() or "no connection"
    if isinstance(cause, ProtocolError):
        return "the connection was closed before it answered"
    return str(cause) if cause is not None else "no connection"


def new_pool(uri: str, settings: ClientSettings) -> urllib3.PoolManager:
    """Return a pool for ``uri``, with the settings' TLS and the machine's proxy, and without credentials."""
    options: dict[str, object] = {"maxsize": 10, "block": False, "blocksize": BLOCK_BYTES}
    if settings.insecure_tls:
        # Asked for by name; a warning with each request would say nothing new.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        options |= {"cert_reqs": "CERT_NONE", "assert_hostname": False}
    elif settings.server_cert_path is not None:
        options["ca_certs"] = settings.server_cert_path
    if settings.client_cert_path is not None:
        options["cert_file"] = settings.client_cert_path
    proxy = proxy_of(uri)
    if proxy is not None:
        return urllib3.ProxyManager(proxy, **options)  # type: ignore[arg-type]
    return urllib3.PoolManager(**options)  # type: ignore[arg-type]


def _authorization(auth: str | None, settings: ClientSettings) -> str | None:
    if settings.username is not None and settings.password is not None:
        return _basic(f"{settings.username}:{settings.password}")
    if auth:
        return _basic(unquote(auth))
    if settings.token is not None:
        return f"Bearer {settings.token}"
    return None


def _basic(user_and_password: str) -> str:
    return f"Basic {base64.b64encode(user_and_password.encode()).decode('ascii')}"
