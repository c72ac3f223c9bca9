"""Page tokens: where the last page ended, and of which search.

A token is unpadded URL-safe base64 of the JSON ``[fingerprint, [sort values of the last row]]``. It is opaque to
clients and not signed: what is read from one is checked like any other input.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from runyard.errors import InvalidParameter
from runyard.wire.base import INT64_MAX, INT64_MIN

MAX_TOKEN_LENGTH: Final = 1_000_000

SortValue: TypeAlias = int | float | str | None


def fingerprint(*parts: object) -> str:
    """Return a short digest of what a search is: the JSON-able ``parts``."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def encode(search: str, values: Sequence[SortValue]) -> str:
    """Return the token of the page that ends with a row of these sort values; none: of the page before the first.

    Args:
        search: the search's fingerprint.
    """
    # Infinity and -Infinity are what Python's JSON writes and reads for them; other readers there are none.
    text = json.dumps([search, list(values)], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(token: str, search: str, kinds: Sequence[type[int | float | str]]) -> list[SortValue]:
    """Return the sort values of a token of the same search; none for the page before the first.

    Args:
        search: the search's fingerprint.
        kinds: the type that each value must have, unless it is None.
    Raises:
        InvalidParameter: it is no token of ours, or of another search.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise refused(f"it has {len(token)} characters")
    try:
        text = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        content = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        raise refused("it does not decode") from None
    if not isinstance(content, list) or len(content) != 2 or not isinstance(content[1], list):
        raise refused("it does not hold a place in a search")
    if content[0] != search:
        raise refused("it belongs to another search; filter, order_by and what is searched must stay as they were")
    values = content[1]
    if values and (len(values) != len(kinds) or not all(map(_is_value, values, kinds))):
        raise refused("it does not hold a place in this search")
    return values


def refused(reason: str) -> InvalidParameter:
    return InvalidParameter(f"page_token is not valid: {reason}")


def _is_value(value: object, kind: type[int | float | str]) -> bool:
    if value is None:
        return True
    if kind is str:
        return isinstance(value, str) and "\x00" not in value and _is_encodable(value)
    if isinstance(value, bool):
        return False
    if kind is int:
        return isinstance(value, int) and INT64_MIN <= value <= INT64_MAX
    return isinstance(value, float) and value == value


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
