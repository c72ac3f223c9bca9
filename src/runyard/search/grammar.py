"""The filter language: its syntax tree, the parser that makes one, and the printer that writes it back.

    filter      = [ alternative ]
    alternative = conjunction { OR conjunction }
    conjunction = negation { AND negation }
    negation    = NOT negation | "(" alternative ")" | clause
    clause      = field comparator value
                | field [ NOT ] ( LIKE | ILIKE ) text
                | field [ NOT ] IN "(" value { "," value } [ "," ] ")"
                | field [ NOT ] BETWEEN number AND number
                | field IS [ NOT ] NULL

Fields and values are checked against the vocabulary as they are read, while their place is known; so a tree is
always one that can be compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from runyard.search.fields import Cursor, field_text, listed, shown
from runyard.search.tokens import Token, TokenKind, quoted
from runyard.search.vocabularies import Field, Kind, Vocabulary

# What the databases' own parsers bear: SQLite's stack holds a hundred symbols and its expressions a thousand levels.
MAX_DEPTH: Final = 16
MAX_CLAUSES: Final = 200
MAX_VALUES: Final = 10_000
MAX_PATTERN_LENGTH: Final = 10_000

EQUALITY: Final = ("=", "!=")
ORDERING: Final = ("<", "<=", ">", ">=")
PATTERN: Final = ("LIKE", "ILIKE")

# Numbers are exact until they meet a column, so that none is rounded on the way to an integer one.
Value: TypeAlias = str | Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field comparator value``; the comparators are = != < <= > >=."""

    field: Field
    comparator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Like:
    field: Field
    pattern: str
    ignores_case: bool = False
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class In:
    field: Field
    values: tuple[Value, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends belong to the range."""

    field: Field
    low: Decimal
    high: Decimal
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """The field is absent; negated: it is there."""

    field: Field
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    term: Node


@dataclass(frozen=True, slots=True)
class And:
    """Two terms or more."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two terms or more."""

    terms: tuple[Node, ...]


Clause: TypeAlias = Comparison | Like | In | Between | IsNull
Node: TypeAlias = Clause | Not | And | Or


def parse(expression: str | None, vocabulary: Vocabulary) -> Node | None:
    """Return the tree of a filter; None for one that is absent or blank.

    Raises:
        InvalidFilter: it does not parse, or names what the vocabulary does not have; it says where.
    """
    if expression is None or not expression.strip():
        return None
    return _Parser(expression, vocabulary).parse()


def to_text(node: Node) -> str:
    """Return a filter that parses to ``node``."""
    match node:
        case And(terms):
            return " AND ".join(_grouped(term) for term in terms)
        case Or(terms):
            return " OR ".join(_grouped(term) for term in terms)
        case Not(term):
            return f"NOT ({to_text(term)})"
        case Comparison(field, comparator, value):
            return f"{field_text(field)} {comparator} {_value_text(value)}"
        case Like(field, pattern, ignores_case, is_negated):
            return f"{field_text(field)} {_not(is_negated)}{PATTERN[ignores_case]} {_value_text(pattern)}"
        case In(field, values, is_negated):
            return f"{field_text(field)} {_not(is_negated)}IN ({', '.join(map(_value_text, values))})"
        case Between(field, low, high, is_negated):
            return f"{field_text(field)} {_not(is_negated)}BETWEEN {_value_text(low)} AND {_value_text(high)}"
        case IsNull(field, is_negated):
            return f"{field_text(field)} IS {_not(is_negated)}NULL"


def clauses(node: Node | None) -> Iterator[Clause]:
    """Yield the clauses of a tree from left to right."""
    match node:
        case None:
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from clauses(term)
        case Not(term):
            yield from clauses(term)
        case _:
            yield node


def _grouped(term: Node) -> str:
    text = to_text(term)
    return f"({text})" if isinstance(term, And | Or) else text


def _not(is_negated: bool) -> str:
    return "NOT " if is_negated else ""


def _value_text(value: Value) -> str:
    return quoted(value, "'") if isinstance(value, str) else str(value)


class _Parser:
    """Recursive descent; its depth is that of parentheses and NOTs, which is bounded."""

    def __init__(self, expression: str, vocabulary: Vocabulary) -> None:
        self._cursor = Cursor(expression, vocabulary, parameter="filter")
        self._vocabulary = vocabulary
        self._clause_count = 0
        self._value_count = 0

    def parse(self) -> Node:
        node = self._alternative(depth=0)
        if self._cursor.token.kind is not TokenKind.END:
            raise self._cursor.expected("AND, OR or the end")
        return node

    def _alternative(self, depth: int) -> Node:
        terms = [self._conjunction(depth)]
        while self._cursor.take_keyword("OR"):
            terms.append(self._conjunction(depth))
        return Or(tuple(terms)) if len(terms) > 1 else terms[0]

    def _conjunction(self, depth: int) -> Node:
        terms = [self._negation(depth)]
        while self._cursor.take_keyword("AND"):
            terms.append(self._negation(depth))
        return And(tuple(terms)) if len(terms) > 1 else terms[0]

    def _negation(self, depth: int) -> Node:
        cursor = self._cursor
        token = cursor.token
        if depth >= MAX_DEPTH and (token.keyword == "NOT" or token.kind is TokenKind.OPEN):
            raise cursor.error(f"NOT and parentheses may be nested at most {MAX_DEPTH} deep")
        if cursor.take_keyword("NOT"):
            return Not(self._negation(depth + 1))
        if cursor.take(TokenKind.OPEN):
            node = self._alternative(depth + 1)
            if not cursor.take(TokenKind.CLOSE):
                raise cursor.expected("AND, OR or )")
            return node
        return self._clause()

    def _clause(self) -> Clause:
        cursor = self._cursor
        self._clause_count += 1
        if self._clause_count > MAX_CLAUSES:
            raise cursor.error(f"filter may have at most {MAX_CLAUSES} clauses")
        field = cursor.read_field()
        name = field_text(field)
        kind = self._vocabulary.kind(field)
        token = cursor.advance()
        if token.kind is TokenKind.COMPARATOR:
            if token.text in EQUALITY or (token.text in ORDERING and kind in {Kind.INTEGER, Kind.REAL}):
                return Comparison(field, token.text, self._value(field, kind))
            raise self._invalid_comparator(token, name, kind)
        if token.keyword == "IS":
            is_negated = cursor.take_keyword("NOT")
            if not cursor.take_keyword("NULL"):
                raise cursor.expected("NULL" if is_negated else "NULL or NOT NULL")
            return IsNull(field, is_negated)
        is_negated = token.keyword == "NOT"
        if is_negated:
            token = cursor.advance()
        if token.keyword == "IN":
            return In(field, self._list(field, kind), is_negated)
        if token.keyword in PATTERN and kind is Kind.TEXT:
            return Like(field, self._pattern(name), token.keyword == "ILIKE", is_negated)
        if token.keyword == "BETWEEN" and kind in {Kind.INTEGER, Kind.REAL}:
            low = self._number(field, kind)
            if not cursor.take_keyword("AND"):
                raise cursor.expected("AND and the other end of the range")
            return Between(field, low, self._number(field, kind), is_negated)
        if token.kind in {TokenKind.COMPARATOR, TokenKind.WORD}:
            raise self._invalid_comparator(token, name, kind)
        raise cursor.expected(f"a comparator after {shown(name)}: {_comparators(kind)}", token)

    def _invalid_comparator(self, token: Token, name: str, kind: Kind) -> Exception:
        return self._cursor.error(
            f"Invalid comparator {shown(token.text)} for {shown(name)}: expected one of {_comparators(kind)}", token
        )

    def _list(self, field: Field, kind: Kind) -> tuple[Value, ...]:
        cursor = self._cursor
        if not cursor.take(TokenKind.OPEN):
            raise cursor.expected("a list of values in parentheses")
        values = [self._value(field, kind)]
        while not cursor.take(TokenKind.CLOSE):
            if not cursor.take(TokenKind.COMMA):
                raise cursor.expected(", or )")
            # Clients print Python tuples, and that of one value ends with a comma.
            if cursor.take(TokenKind.CLOSE):
                break
            values.append(self._value(field, kind))
        return tuple(values)

    def _value(self, field: Field, kind: Kind) -> Value:
        return self._text(field_text(field)) if kind is Kind.TEXT else self._number(field, kind)

    def _text(self, name: str) -> str:
        token = self._cursor.token
        if token.kind not in {TokenKind.TEXT, TokenKind.QUOTED}:
            raise self._cursor.expected(f"a quoted text to compare {shown(name)} with")
        self._count_value()
        return self._cursor.advance().value

    def _pattern(self, name: str) -> str:
        token = self._cursor.token
        pattern = self._text(name)
        if len(pattern) > MAX_PATTERN_LENGTH:
            raise self._cursor.error(f"a pattern may have at most {MAX_PATTERN_LENGTH} characters", token)
        return pattern

    def _number(self, field: Field, kind: Kind) -> Decimal:
        cursor = self._cursor
        token = cursor.token
        attribute = self._vocabulary.attribute(field.family, field.name)
        may_be_quoted = kind is Kind.IDENTIFIER or (attribute is not None and attribute.takes_quoted_numbers)
        is_quoted_number = (
            may_be_quoted
            and token.kind in {TokenKind.TEXT, TokenKind.QUOTED}
            and _INTEGER.fullmatch(token.value) is not None
        )
        number = None
        if token.kind is TokenKind.NUMBER or is_quoted_number:
            try:
                number = Decimal(token.value)
            except InvalidOperation:
                raise cursor.error(f"the number {shown(token.text)} is out of range") from None
        if number is None or (kind is Kind.IDENTIFIER and number != number.to_integral_value()):
            what = "a number" if kind in {Kind.INTEGER, Kind.REAL} else "an integer"
            raise cursor.expected(f"{what} to compare {shown(field_text(field))} with")
        self._count_value()
        cursor.advance()
        return number

    def _count_value(self) -> None:
        self._value_count += 1
        if self._value_count > MAX_VALUES:
            raise self._cursor.error(f"filter may have at most {MAX_VALUES} values")


_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def _comparators(kind: Kind) -> str:
    match kind:
        case Kind.TEXT:
            return listed((*EQUALITY, *PATTERN, *(f"NOT {word}" for word in PATTERN), "IN", "NOT IN", *_PRESENCE))
        case Kind.IDENTIFIER:
            return listed((*EQUALITY, "IN", "NOT IN", *_PRESENCE))
        case Kind.INTEGER | Kind.REAL:
            return listed((*EQUALITY, *ORDERING, "BETWEEN", "NOT BETWEEN", "IN", "NOT IN", *_PRESENCE))


_PRESENCE: Final = ("IS NULL", "IS NOT NULL")
