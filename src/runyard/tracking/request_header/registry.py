"""Where a program says which headers to add."""

from __future__ import annotations

from runyard.client.request_headers import Registry, providers, resolve_request_headers

_request_header_provider_registry: Registry = providers

__all__ = ["resolve_request_headers"]
