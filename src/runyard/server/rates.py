"""How often a client may ask: a bucket of tokens for each, filled at the allowed rate."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from runyard.errors import ConfigurationError, TooManyRequests

_MAX_CLIENTS: Final = 10_000
# So many seconds' worth may be asked at once.
_BURST_S: Final = 2.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Rates:
    """The rates of this process; each of several workers is given its part of what a client may ask of the server.

    Args:
        per_second: requests of one client, on average.
        trusted_proxies: addresses and networks, comma-separated, whose X-Forwarded-For is believed.
    Raises:
        ConfigurationError: one of those is no address.
    """

    def __init__(self, per_second: float, trusted_proxies: str) -> None:
        self._per_second = per_second
        self._size = max(1.0, per_second * _BURST_S)
        self._proxies = parse_networks(trusted_proxies)
        # The tokens of each client and when they were counted; those that asked last are at the end.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, scope: Any, headers: dict[bytes, bytes]) -> None:
        """Count one request.

        Raises:
            TooManyRequests: its client asked too often; tells when to ask again.
        """
        peer = scope["client"][0] if scope["client"] else ""
        client = client_of(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1"), self._proxies)
        now = time.monotonic()
        tokens, since = self._buckets.pop(client, (self._size, now))
        tokens = min(self._size, tokens + (now - since) * self._per_second)
        if tokens < 1:
            self._buckets[client] = (tokens, now)
            raise TooManyRequests(
                f"too many requests from {client}: the server takes {self._per_second:g} a second of one client "
                "on average; ask again later, or log in batches",
                retry_after_s=math.ceil((1 - tokens) / self._per_second),
            )
        self._buckets[client] = (tokens - 1, now)
        if len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list; an address alone is the network of itself."""
    try:
        return tuple(ipaddress.ip_network(item.strip(), strict=False) for item in text.split(",") if item.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"trusted_proxies must be addresses or networks such as 10.0.0.0/8, comma-separated: {error}"
        ) from None


def client_of(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """Return the address of the client: the last that a trusted proxy does not answer for.

    Each proxy adds to the end of X-Forwarded-For whom it heard; what is before the first untrusted one anybody may
    have written.
    """
    client = peer
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if not _is_within(client, proxies):
            break
        client = hop
    return client


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # How a socket of both families shows the older one.
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)
