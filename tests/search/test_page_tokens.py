"""A page token is good for the search that gave it, and anything else is refused as the client's error."""

from __future__ import annotations

import base64
import json
import math

import pytest
from hypothesis import given, strategies as st

from runyard.errors import InvalidParameter
from runyard.search.page_tokens import MAX_TOKEN_LENGTH, decode, encode, fingerprint

SEARCH = fingerprint("runs", "metrics.m > 1", [], ["1"])

values_of = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    str: st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
}


def token_of(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@given(st.lists(st.sampled_from(list(values_of)), min_size=1, max_size=4), st.data())
def test_a_token_gives_back_what_was_put_in(kinds, data):
    values = [data.draw(st.none() | values_of[kind]) for kind in kinds]
    token = encode(SEARCH, values)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert decode(token, SEARCH, kinds) == values


def test_infinities_and_the_sign_of_zero_survive():
    values = decode(encode(SEARCH, [math.inf, -math.inf, -0.0]), SEARCH, [float] * 3)
    assert [str(value) for value in values] == ["inf", "-inf", "-0.0"]


def test_a_token_of_another_search_is_refused():
    for other in (
        fingerprint("runs", "metrics.m > 1", [], ["2"]),
        fingerprint("runs", "metrics.m > 2", [], ["1"]),
        fingerprint("experiments", "metrics.m > 1", [], ["1"]),
    ):
        with pytest.raises(InvalidParameter, match="page_token is not valid: it belongs to another search"):
            decode(encode(other, [1]), SEARCH, [int])


@pytest.mark.parametrize(
    "token",
    [
        "not base64!",
        "é",
        "a",
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b"9" * 10_000).decode(),
        token_of({"offset": 5}),
        token_of([SEARCH]),
        token_of([SEARCH, 5]),
        token_of([SEARCH, [1, 2]]),
        token_of([SEARCH, ["1"]]),
        token_of([SEARCH, [1.5]]),
        token_of([SEARCH, [True]]),
        token_of([SEARCH, [2**63]]),
        token_of([SEARCH, [[]]]),
        "a" * (MAX_TOKEN_LENGTH + 1),
    ],
    ids=lambda token: token[:20],
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(InvalidParameter, match="page_token is not valid: "):
        decode(token, SEARCH, [int])


@pytest.mark.parametrize("value, kind", [("a\x00b", str), ("\ud800", str), (math.nan, float), (5, float), (5, str)])
def test_values_that_no_row_has_are_refused(value, kind):
    with pytest.raises(InvalidParameter, match="it does not hold a place in this search"):
        decode(token_of([SEARCH, [value]]), SEARCH, [kind])
