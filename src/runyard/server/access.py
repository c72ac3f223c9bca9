"""Which requests are answered at all: by the host they name and the page they come from.

A page anywhere can make its reader's browser call a server on localhost. The Host check stops names that an attacker
points at it (DNS rebinding), the Origin check stops pages of other sites from changing anything.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from typing import Final
from urllib.parse import urlsplit

from runyard.errors import PermissionDenied
from runyard.settings import Settings
from runyard.wire.names import shown

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What probes ask, whatever name they use.
EXEMPT_PATHS: Final = frozenset({"/health", "/livez", "/readyz", "/version"})
_MAX_HOST_BYTES: Final = 300
_MAX_REMEMBERED: Final = 10_000


class AccessPolicy:
    """The verdicts on Host and Origin headers, remembered because clients send the same ones again and again."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = _listed(settings.allowed_hosts)
        self._origins = _listed(settings.cors_allowed_origins)
        self._allowed_hosts: dict[bytes, bool] = {}

    def check_host(self, path: str, host: bytes) -> None:
        """Raise PermissionDenied where the Host header is not one of ours."""
        allowed = self._allowed_hosts.get(host)
        if allowed is None:
            allowed = self._is_allowed_host(host.decode("latin-1"))
            if len(self._allowed_hosts) >= _MAX_REMEMBERED:
                self._allowed_hosts.clear()
            # No name is longer; what a client makes up is not kept.
            if allowed and len(host) <= _MAX_HOST_BYTES:
                self._allowed_hosts[host] = allowed
        if not allowed and path not in EXEMPT_PATHS:
            raise PermissionDenied(
                f"Invalid Host header {shown(host.decode('latin-1'))}: the server answers to localhost and private "
                "addresses; to add names start it with --allowed-hosts, such as --allowed-hosts mlflow.example.com"
            )

    def check_origin(self, method: str, origin: str, host: bytes) -> None:
        """Raise PermissionDenied where a page of another origin would change something."""
        if method not in SAFE_METHODS and not self.is_allowed_origin(origin, host):
            raise PermissionDenied(
                f"Cross-origin request from {shown(origin)} blocked; to allow it start the server with "
                f"--cors-allowed-origins {origin}"
            )

    def is_allowed_origin(self, origin: str, host: bytes) -> bool:
        """Return whether a page of ``origin`` may call a server that it knows as ``host``."""
        if self._origins is not None and any(fnmatch.fnmatchcase(origin, pattern) for pattern in self._origins):
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if parts.netloc.encode() == host:
            return True
        return self._origins is None and parts.hostname in {"localhost", "127.0.0.1", "::1"}

    def _is_allowed_host(self, host: str) -> bool:
        if self._hosts is not None:
            return any(fnmatch.fnmatchcase(host.lower(), pattern.lower()) for pattern in self._hosts)
        name = _host_name(host)
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(name).is_private
        except ValueError:
            return False


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(item.strip() for item in text.split(",") if item.strip())


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
