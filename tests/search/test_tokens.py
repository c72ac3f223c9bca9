"""Expressions are cut where their words end, and what is no word is pointed at."""

from __future__ import annotations

import time

import pytest

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.search.tokens import MAX_EXPRESSION_LENGTH, TokenKind, quoted, tokenize, unquoted


def kinds(expression: str) -> list[TokenKind]:
    return [token.kind for token in tokenize(expression)][:-1]


def test_a_field_is_a_prefix_and_a_key_however_they_are_quoted():
    written = "metrics.a.b tags.`x y` `params`.\"z z\" tag.'q' params.1st"
    fields = [(token.prefix, token.value) for token in tokenize(written)[:-1]]
    assert fields == [("metrics", "a.b"), ("tags", "x y"), ("params", "z z"), ("tag", "q"), ("params", "1st")]


def test_clauses_need_no_spaces():
    assert kinds("a>=-1.5e-3AND") == [TokenKind.WORD, TokenKind.COMPARATOR, TokenKind.UNKNOWN]
    assert kinds("metrics.a>-1 AND(b='x')") == [
        TokenKind.FIELD,
        TokenKind.COMPARATOR,
        TokenKind.NUMBER,
        TokenKind.WORD,
        TokenKind.OPEN,
        TokenKind.WORD,
        TokenKind.COMPARATOR,
        TokenKind.TEXT,
        TokenKind.CLOSE,
    ]


@pytest.mark.parametrize("text", ["0", "-1", "+2", "1.", ".5", "-.5", "1.25", "1e2", "1E-3", "1.5e+10", "9" * 500])
def test_numbers_are_read_whole(text):
    assert [(token.kind, token.value) for token in tokenize(text)[:-1]] == [(TokenKind.NUMBER, text)]


@pytest.mark.parametrize("text", ["1abc", "1.2.3", "0x10", "1e", "--1", "-"])
def test_what_only_begins_like_a_number_is_none(text):
    assert tokenize(text)[0].kind is TokenKind.UNKNOWN


def test_a_doubled_quote_stands_for_one():
    assert [token.value for token in tokenize('\'it\'\'s\' "say ""a""" `a``b`')[:-1]] == ["it's", 'say "a"', "a`b"]


def test_a_backslash_is_a_character_like_any_other():
    assert [token.value for token in tokenize("'C:\\' 'x'")[:-1]] == ["C:\\", "x"]


@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_quoting_and_unquoting_undo_each_other(quote):
    for text in ("", quote, f"a{quote * 3}b", "plain"):
        assert unquoted(quoted(text, quote)) == text


@pytest.mark.parametrize(
    "expression, reason",
    [
        ("a = 'x", "the quote ' is not closed"),
        ("metrics.`a > 1", "the quote ` is not closed"),
        ("metrics. a > 1", "a key must follow the '.' at once"),
        ("a ; b", "unexpected character ';'"),
    ],
)
def test_the_first_unknown_token_ends_the_list_and_says_why(expression, reason):
    unknown, end = tokenize(expression)[-2:]
    assert (unknown.kind, unknown.value, end.kind) == (TokenKind.UNKNOWN, reason, TokenKind.END)


def test_a_nul_is_refused_where_it_stands():
    with pytest.raises(InvalidFilter, match="may not contain a NUL character at character 3") as raised:
        tokenize("a \x00b")
    assert "\x00" not in raised.value.message


def test_half_a_character_is_refused_without_repeating_it():
    with pytest.raises(InvalidParameter, match="order_by holds half a character at character 2") as raised:
        tokenize("a\ud800", parameter="order_by")
    raised.value.message.encode()


def test_an_expression_has_a_greatest_length():
    with pytest.raises(InvalidParameter, match="filter may have at most 262144 characters, got 262145"):
        tokenize(" " * (MAX_EXPRESSION_LENGTH + 1))


@pytest.mark.parametrize("part", ["'", '"', "`", "a.`", "(", "1.", "9", "a", "a.", " ", "''", "`a`.", "-"])
def test_the_time_grows_with_the_length_alone(part):
    begun = time.process_time()
    tokenize(part * (MAX_EXPRESSION_LENGTH // len(part)))
    assert time.process_time() - begun < 3
