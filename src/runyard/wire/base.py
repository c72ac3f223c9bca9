"""What every wire type is made of: the two base structs and the checked scalars."""

from __future__ import annotations

import math
from typing import Annotated, Generic, TypeVar

import msgspec

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

Int64 = Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)]
TimestampMs = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX, description="Milliseconds since the Unix epoch.")]

# A number that JSON cannot hold ("NaN", "Infinity", "-Infinity") travels as a string, as in protobuf's JSON form.
JsonFloat = float | str


class Request(msgspec.Struct, kw_only=True):
    """A decoded request body or query string; unknown fields are ignored, as the protocol demands."""


class Response(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An encoded answer; unset fields and empty lists are left out, as the protocol demands."""


T = TypeVar("T", bound=Response)


class Encoded(Generic[T]):
    """A ``T`` that is JSON already, for answers that the database puts together."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body


class Empty(Response):
    """The answer `{}`: done, nothing to say."""


EMPTY = Empty()


class Tag(msgspec.Struct, gc=False):
    """A key and its text; used for tags of every entity and for params."""

    key: str
    value: str


class TagInput(msgspec.Struct, gc=False):
    """A tag as clients send it: some leave out an empty value."""

    key: str
    value: str | None = None


def json_float(value: float) -> JsonFloat:
    """Return ``value`` as JSON can carry it."""
    if value - value == 0.0:
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
