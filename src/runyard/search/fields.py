"""Read fields from tokens: a prefix and a key, or an attribute by itself, as a vocabulary knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runyard.errors import InvalidFilter
from runyard.search.tokens import IS_UNQUOTED_KEY, Token, TokenKind, fail, quoted, tokenize
from runyard.search.vocabularies import Family, Field, Vocabulary

_SHOWN_LENGTH: Final = 60


class Cursor:
    """A place in the tokens of an expression."""

    def __init__(self, expression: str, vocabulary: Vocabulary, *, parameter: str) -> None:
        self.vocabulary = vocabulary
        self._expression = expression
        self._tokens = tokenize(expression, parameter=parameter)
        self._index = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._index]

    def advance(self) -> Token:
        """Return the token here and step behind it; END stays."""
        token = self.token
        if token.kind is not TokenKind.END:
            self._index += 1
        return token

    def take_keyword(self, keyword: str) -> bool:
        """Step behind ``keyword`` if it is here, and say whether it was."""
        is_here = self.token.keyword == keyword
        if is_here:
            self.advance()
        return is_here

    def take(self, kind: TokenKind) -> bool:
        is_here = self.token.kind is kind
        if is_here:
            self.advance()
        return is_here

    def expected(self, what: str, token: Token | None = None) -> InvalidFilter:
        """Return the error that ``what`` was expected where ``token`` is; by default, here."""
        token = token or self.token
        if token.kind is TokenKind.UNKNOWN:
            return self.error(f"{token.value}; expected {what}", token)
        got = "the end" if token.kind is TokenKind.END else shown(token.text)
        return self.error(f"expected {what}, got {got}", token)

    def error(self, message: str, token: Token | None = None) -> InvalidFilter:
        return fail(message, self._expression, (token or self.token).position)

    def read_field(self) -> Field:
        """Return the field here and step behind it."""
        token = self.token
        if token.kind is TokenKind.FIELD:
            self.advance()
            family = self.vocabulary.prefixes.get(token.prefix)
            if family is None:
                raise self.error(
                    f"Invalid entity type {shown(token.prefix)} for {self.vocabulary.entity}: expected one of "
                    f"{listed(self.vocabulary.prefixes)}",
                    token,
                )
            if not token.value:
                raise self.error(f"the key after {token.prefix!r} is empty", token)
            field = self._field(family, token)
        elif token.kind in {TokenKind.WORD, TokenKind.NAME, TokenKind.QUOTED}:
            self.advance()
            field = self._field(Family.ATTRIBUTE, token)
        else:
            raise self.expected(f"a field of {self.vocabulary.entity}")
        following = self.token
        if following.position == token.end and following.kind in {TokenKind.UNKNOWN, TokenKind.NUMBER}:
            raise self.error(
                f"{shown(following.text)} cannot stand in an unquoted key; a key with other characters than letters, "
                f"digits, _ and . goes in backticks: {(token.prefix or 'metrics')}.`a key`",
                following,
            )
        return field

    def _field(self, family: Family, token: Token) -> Field:
        if family in self.vocabulary.keyed:
            return Field(family, token.value)
        attribute = self.vocabulary.attribute(family, token.value)
        # The alias `run name` is also understood without its backticks.
        following = self.token
        if attribute is None and following.kind is TokenKind.WORD:
            attribute = self.vocabulary.attribute(family, f"{token.value} {following.value}")
            if attribute is not None:
                self.advance()
        if attribute is None:
            raise self.error(self._unknown_attribute(family, token.value), token)
        return Field(family, attribute.name)

    def _unknown_attribute(self, family: Family, name: str) -> str:
        vocabulary = self.vocabulary
        if family is Family.DATASET:
            return (
                f"Invalid dataset key {shown(name)}: expected one of "
                f"{listed(attribute.name for attribute in vocabulary.dataset_attributes)}"
            )
        keyed = listed(f"{family.value}.<key>" for family in vocabulary.keyed)
        return (
            f"Invalid attribute key {shown(name)} for {vocabulary.entity}: expected one of "
            f"{listed(attribute.name for attribute in vocabulary.attributes)}, or {keyed}"
        )


def field_text(field: Field) -> str:
    """Return ``field`` as it is written, its key in backticks where it needs them."""
    name = field.name if IS_UNQUOTED_KEY.fullmatch(field.name) else quoted(field.name, "`")
    return f"{field.family.value}.{name}"


def shown(text: str) -> str:
    """Return ``text`` in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…")


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)
