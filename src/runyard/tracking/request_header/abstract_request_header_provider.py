"""What a program subclasses to add headers."""

from runyard.client.request_headers import RequestHeaderProvider

__all__ = ["RequestHeaderProvider"]
