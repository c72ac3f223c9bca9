"""Read what a search is to be sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from runyard.errors import InvalidParameter
from runyard.search.fields import Cursor, field_text, listed, shown
from runyard.search.tokens import TokenKind, check_text, unquoted
from runyard.search.vocabularies import Family, Field, Vocabulary

# SQLite joins at most 64 tables, and a term may need one.
MAX_ORDER_TERMS: Final = 20


class OrderByField(Protocol):
    """An order as logged-models/search writes it."""

    @property
    def field_name(self) -> str | None: ...
    @property
    def ascending(self) -> bool | None: ...
    @property
    def dataset_name(self) -> str | None: ...
    @property
    def dataset_digest(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """A field and its direction; a logged model's metric may be taken from one dataset."""

    field: Field
    is_ascending: bool = True
    dataset_name: str | None = None
    dataset_digest: str | None = None


def parse_order(order_by: Sequence[str | OrderByField] | None, vocabulary: Vocabulary) -> tuple[OrderTerm, ...]:
    """Return the whole order: what was asked for, or else the default, and then the terms that make it unique.

    Raises:
        InvalidFilter: an item does not parse, or names what cannot be sorted by; it says where.
        InvalidParameter: a field is named twice, or there are too many.
    """
    items = order_by or ()
    if len(items) > MAX_ORDER_TERMS:
        raise InvalidParameter(f"order_by may have at most {MAX_ORDER_TERMS} items, got {len(items)}")
    asked: list[OrderTerm] = []
    for item in items:
        term = _term(item, vocabulary) if isinstance(item, str) else _field_term(item, vocabulary)
        if not _is_ordered(term, asked):
            asked.append(term)
        elif vocabulary.refuses_duplicate_order:
            raise InvalidParameter(f"order_by contains duplicate fields: {field_text(term.field)} is named twice")
    ending = vocabulary.tie_breakers if asked else vocabulary.default_order + vocabulary.tie_breakers
    for name, is_ascending in ending:
        term = OrderTerm(Field(Family.ATTRIBUTE, name), is_ascending)
        if not _is_ordered(term, asked):
            asked.append(term)
    return tuple(asked)


def _is_ordered(term: OrderTerm, terms: Sequence[OrderTerm]) -> bool:
    return any(
        (other.field, other.dataset_name, other.dataset_digest) == (term.field, term.dataset_name, term.dataset_digest)
        for other in terms
    )


def _term(item: str, vocabulary: Vocabulary) -> OrderTerm:
    cursor = Cursor(item, vocabulary, parameter="order_by")
    start = cursor.token
    field = cursor.read_field()
    if not _is_orderable(field, vocabulary):
        raise cursor.error(f"Invalid order_by: {_not_orderable(field_text(field), vocabulary)}", start)
    direction = cursor.token.keyword
    if direction in {"ASC", "DESC"}:
        cursor.advance()
    if cursor.token.kind is not TokenKind.END:
        raise cursor.expected("the end" if direction in {"ASC", "DESC"} else "ASC, DESC or the end")
    return OrderTerm(field, direction != "DESC")


def _field_term(item: OrderByField, vocabulary: Vocabulary) -> OrderTerm:
    # Here a name is not an expression: what follows the prefix is the key as it is, whatever its characters.
    name = item.field_name
    if not name:
        raise InvalidParameter("order_by: field_name must be given")
    for text in (name, item.dataset_name, item.dataset_digest):
        check_text("order_by", text or "")
    prefix, dot, key = name.strip().partition(".")
    family = vocabulary.prefixes.get(prefix) if dot else Family.ATTRIBUTE
    key = unquoted(key) if dot and key.startswith("`") and key.endswith("`") else key
    if family is None:
        raise InvalidParameter(f"order_by: {_not_orderable(name, vocabulary)}")
    field: Field | None = Field(family, key)
    if family is Family.ATTRIBUTE:
        attribute = vocabulary.attribute(family, key if dot else prefix)
        field = None if attribute is None else Field(family, attribute.name)
    if field is None or not field.name or not _is_orderable(field, vocabulary):
        raise InvalidParameter(f"order_by: {_not_orderable(name, vocabulary)}")
    if item.dataset_digest and not item.dataset_name:
        raise InvalidParameter(
            f"order_by: dataset_digest can only be given with dataset_name, got {shown(item.dataset_digest)} alone"
        )
    if family is Family.ATTRIBUTE:
        return OrderTerm(field, item.ascending is not False)
    return OrderTerm(field, item.ascending is not False, item.dataset_name or None, item.dataset_digest or None)


def _is_orderable(field: Field, vocabulary: Vocabulary) -> bool:
    return field.family is Family.ATTRIBUTE or field.family in vocabulary.orders_by_key


def _not_orderable(name: str, vocabulary: Vocabulary) -> str:
    names = [attribute.name for attribute in vocabulary.attributes]
    keyed = [f"{family.value}.<key>" for family in vocabulary.orders_by_key]
    return f"{vocabulary.entity} cannot be sorted by {shown(name)}; expected one of {listed([*names, *keyed])}"
