"""Hypothesis strategies for filters and orders of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from runyard.search.fields import field_text
from runyard.search.grammar import And, Between, Comparison, In, IsNull, Like, Node, Not, Or
from runyard.search.order import OrderTerm
from runyard.search.vocabularies import LOGGED_MODELS, Family, Field, Kind, Vocabulary

from .populations import DATASETS, KEYS, TEXTS, TIMES

NUMBERS = tuple(
    Decimal(text)
    for text in ("0", "-0.0", "0.1", "1", "-1.5", "2.5", "1e22", "1e308", "5e-324", "1e999", "-1e999", "9007199254740994")
) + tuple(Decimal(time) + step for time in TIMES for step in (Decimal("-0.5"), 0, Decimal("0.5")))
PATTERNS = ("%", "_", "a%", "%A%", "x_y", "x!_y", "%\\%", "a\\b", "%!%", "", "日_", "tr%", "%'%", "F%")
OTHER_TEXTS = ("RUNNING", "FINISHED", "active", "deleted", "Production", "READY", *(name for pair in DATASETS for name in pair))


@dataclass(frozen=True)
class OrderBy:
    """An order as logged-models/search decodes it."""

    field_name: str | None
    ascending: bool | None = True
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True)
class Dataset:
    dataset_name: str
    dataset_digest: str | None = None


def fields(vocabulary: Vocabulary, keys: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Field]:
    """Fields of the vocabulary; free keys come from ``keys``."""
    keys = keys or st.sampled_from((*KEYS, "absent"))
    named = [Field(Family.ATTRIBUTE, attribute.name) for attribute in vocabulary.attributes]
    named += [Field(Family.DATASET, attribute.name) for attribute in vocabulary.dataset_attributes]
    return st.one_of(st.sampled_from(named), st.builds(Field, st.sampled_from(vocabulary.keyed), keys))


def filters(
    vocabulary: Vocabulary,
    keys: st.SearchStrategy[str] | None = None,
    texts: st.SearchStrategy[str] | None = None,
    numbers: st.SearchStrategy[Decimal] | None = None,
) -> st.SearchStrategy[Node]:
    texts = texts or st.sampled_from((*TEXTS, *OTHER_TEXTS))
    numbers = numbers or st.sampled_from(NUMBERS)
    # Ids are whole numbers.
    integers = st.integers(-1, 3).map(Decimal) | st.just(Decimal(1001))

    def clauses(field: Field) -> st.SearchStrategy[Node]:
        kind = vocabulary.kind(field)
        values: st.SearchStrategy[str] | st.SearchStrategy[Decimal] = {
            Kind.TEXT: texts,
            Kind.IDENTIFIER: integers,
        }.get(kind, numbers)
        lists = st.lists(values, min_size=1, max_size=4).map(tuple)
        choices: list[st.SearchStrategy[Node]] = [
            st.builds(Comparison, st.just(field), st.sampled_from(("=", "!=")), values),
            st.builds(In, st.just(field), lists, st.booleans()),
            st.builds(IsNull, st.just(field), st.booleans()),
        ]
        if kind is Kind.TEXT:
            patterns = st.sampled_from(PATTERNS) | texts
            choices.append(st.builds(Like, st.just(field), patterns, st.booleans(), st.booleans()))
        elif kind is not Kind.IDENTIFIER:
            comparators = st.sampled_from(("<", "<=", ">", ">="))
            choices.append(st.builds(Comparison, st.just(field), comparators, numbers))
            choices.append(st.builds(Between, st.just(field), numbers, numbers, st.booleans()))
        return st.one_of(choices)

    def combined(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        terms = st.lists(nodes, min_size=2, max_size=3).map(tuple)
        return st.builds(Not, nodes) | st.builds(And, terms) | st.builds(Or, terms)

    return st.recursive(fields(vocabulary, keys).flatmap(clauses), combined, max_leaves=6)


def orders(vocabulary: Vocabulary) -> st.SearchStrategy[list[OrderTerm]]:
    """What may be asked for: fields that can be sorted by, none twice."""
    named = [Field(Family.ATTRIBUTE, attribute.name) for attribute in vocabulary.attributes]
    choices = st.sampled_from(named)
    if vocabulary.orders_by_key:
        keys = st.sampled_from((*KEYS, "absent"))
        choices = choices | st.builds(Field, st.sampled_from(vocabulary.orders_by_key), keys)
    terms = st.builds(OrderTerm, choices, st.booleans())
    if vocabulary is LOGGED_MODELS:
        terms = st.builds(_with_dataset, terms, st.sampled_from((None, ("test", None), *DATASETS)))
    return st.lists(terms, max_size=3, unique_by=lambda term: (term.field, term.dataset_name, term.dataset_digest))


def _with_dataset(term: OrderTerm, dataset: tuple[str, str | None] | None) -> OrderTerm:
    if dataset is None or term.field.family is not Family.METRIC:
        return term
    return replace(term, dataset_name=dataset[0], dataset_digest=dataset[1])


def order_text(term: OrderTerm) -> str:
    return f"{field_text(term.field)} {'ASC' if term.is_ascending else 'DESC'}"


def order_by(term: OrderTerm) -> OrderBy:
    field = term.field
    name = field.name if field.family is Family.ATTRIBUTE else f"{field.family.value}.{field.name}"
    return OrderBy(name, term.is_ascending, term.dataset_name, term.dataset_digest)
