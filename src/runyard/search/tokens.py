"""Cut a search expression into tokens, each with its place, so that an error can point at it."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

from runyard.errors import InvalidFilter, InvalidParameter

# Seven thousand run ids in one list fit; the message of an error repeats the expression.
MAX_EXPRESSION_LENGTH: Final = 262_144


class TokenKind(enum.Enum):
    FIELD = "a field with a prefix"  # metrics.loss, tags.`a key`
    WORD = "a word"  # start_time, AND
    NAME = "a name in backticks"  # `run name`
    TEXT = "a text in single quotes"
    QUOTED = "a text in double quotes"  # a name where a field is expected, else a text
    NUMBER = "a number"
    COMPARATOR = "a comparator"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    UNKNOWN = "unknown"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as written, and what it means.

    ``value`` is the text without its quotes, or the key of a field; ``prefix`` is set for fields alone. For what is
    no token, ``value`` says why.
    """

    kind: TokenKind
    text: str
    value: str
    position: int
    prefix: str = ""

    @property
    def end(self) -> int:
        return self.position + len(self.text)

    @property
    def keyword(self) -> str:
        """The word in upper case; empty where the token is no word."""
        return self.value.upper() if self.kind is TokenKind.WORD else ""


_BACKTICKED: Final = r"`[^`]*(?:``[^`]*)*`"
_SINGLE: Final = r"'[^']*(?:''[^']*)*'"
_DOUBLE: Final = r'"[^"]*(?:""[^"]*)*"'
_WORD: Final = r"[^\W\d]\w*"
_UNQUOTED_KEY: Final = r"\w+(?:\.\w+)*"

_TOKEN: Final = re.compile(
    rf"""
      (?P<FIELD>(?P<prefix>{_WORD}|{_BACKTICKED})\.(?P<key>{_BACKTICKED}|{_SINGLE}|{_DOUBLE}|{_UNQUOTED_KEY}))
    | (?P<WORD>{_WORD})
    | (?P<NAME>{_BACKTICKED})
    | (?P<TEXT>{_SINGLE})
    | (?P<QUOTED>{_DOUBLE})
    | (?P<NUMBER>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<COMPARATOR>!=|<=|>=|<>|==|=|<|>)
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<COMMA>,)
    """,
    re.VERBOSE,
)
_NO_SPACE: Final = re.compile(r"\S")
_UNKNOWN_NUMBER: Final = re.compile(r"[+-]?[0-9.][\w.]*")
_QUOTES: Final = "`'\""
IS_UNQUOTED_KEY: Final = re.compile(_UNQUOTED_KEY)


def tokenize(expression: str, *, parameter: str = "filter") -> list[Token]:
    """Return the tokens of ``expression`` up to the first that is UNKNOWN, and after them END.

    Args:
        parameter: what the request calls the expression, for errors.
    Raises:
        InvalidParameter: the expression is too long, or holds a NUL or half a character.
    """
    check_text(parameter, expression)
    tokens: list[Token] = []
    start = _NO_SPACE.search(expression)
    while start is not None:
        token = _token_at(expression, start.start())
        tokens.append(token)
        if token.kind is TokenKind.UNKNOWN:
            # What follows an open quote is looked through to its end, so going on could cost the square of its length.
            break
        start = _NO_SPACE.search(expression, token.end)
    tokens.append(Token(TokenKind.END, "", "", len(expression)))
    return tokens


def check_text(parameter: str, text: str) -> None:
    """Raise InvalidParameter where ``text`` is too long, or holds what no database can."""
    if len(text) > MAX_EXPRESSION_LENGTH:
        raise InvalidParameter(f"{parameter} may have at most {MAX_EXPRESSION_LENGTH} characters, got {len(text)}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # The message may not repeat it: it could not be sent.
        raise InvalidParameter(f"{parameter} holds half a character at character {error.start + 1}") from None
    nul = text.find("\x00")
    if nul >= 0:
        raise fail(f"{parameter} may not contain a NUL character", text, nul)


def fail(message: str, expression: str, position: int) -> InvalidFilter:
    """Return the error that points at ``position``, with the expression on one line so that the pointer fits."""
    return InvalidFilter(message, expression=re.sub(r"[\s\x00]", " ", expression), position=position)


def unquoted(text: str) -> str:
    """Return what stands between quotes, where a doubled quote stands for one."""
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote and quote in _QUOTES else text


def quoted(text: str, quote: str) -> str:
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"


def _token_at(expression: str, position: int) -> Token:
    match = _TOKEN.match(expression, position)
    if match is None:
        return _unknown(expression, position)
    kind = TokenKind[match.lastgroup or ""]
    text = match.group()
    if kind is TokenKind.FIELD:
        return Token(kind, text, unquoted(match["key"]), position, unquoted(match["prefix"]))
    return Token(kind, text, unquoted(text), position)


def _unknown(expression: str, position: int) -> Token:
    character = expression[position]
    following = expression[position + 1 : position + 2]
    if character == "." and following and following in _QUOTES:
        character, position = following, position + 1
    elif character == "." and not following.isdigit():
        return Token(TokenKind.UNKNOWN, character, "a key must follow the '.' at once", position)
    if character in _QUOTES:
        return Token(TokenKind.UNKNOWN, character, f"the quote {character} is not closed", position)
    number = _UNKNOWN_NUMBER.match(expression, position)
    if number is not None:
        return Token(TokenKind.UNKNOWN, number.group(), f"{number.group()!r} is not a number", position)
    return Token(TokenKind.UNKNOWN, character, f"unexpected character {character!r}", position)
