"""Hypothesis strategies for filters and orders of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from runyard.search.fields import field_text
from runyard.search.grammar import And, Between, Comparison, In, IsNull, Like, Node, Not, Or
from runyard.search.order import OrderTerm
from runyard.search.vocabularies import LOGGED_MODELS, Family, Field, Kind, Vocabulary
from tests.search.populations import DATASETS, KEYS, TEXTS, TIMES

_REALS = ["0", "-0.0", "0.1", "1", "-1.5", "2.5", "1e22", "1e308", "5e-324", "1e999", "-1e999", "9007199254740994"]
_AROUND_TIMES = [Decimal(time) + step for time in TIMES for step in (Decimal("-0.5"), 0, Decimal("0.5"))]
_OTHER_TEXTS = ("RUNNING", "FINISHED", "active", "deleted", "Production", "READY", "train", "test", "d1", "d2")

SOME_KEYS = st.sampled_from((*KEYS, "absent"))
SOME_TEXTS = st.sampled_from((*TEXTS, *_OTHER_TEXTS))
SOME_NUMBERS = st.sampled_from((*map(Decimal, _REALS), *_AROUND_TIMES))
PATTERNS = ("%", "_", "a%", "%A%", "x_y", "x!_y", "%\\%", "a\\b", "%!%", "", "日_", "tr%", "%'%", "F%")


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


def filters(
    vocabulary: Vocabulary,
    keys: st.SearchStrategy[str] = SOME_KEYS,
    texts: st.SearchStrategy[str] = SOME_TEXTS,
    numbers: st.SearchStrategy[Decimal] = SOME_NUMBERS,
) -> st.SearchStrategy[Node]:
    """Filters that the vocabulary allows; free keys and values come from the strategies given."""
    ids = st.sampled_from([Decimal(number) for number in (-1, 0, 1, 2, 1001)])

    named = [Field(Family.ATTRIBUTE, attribute.name) for attribute in vocabulary.attributes]
    named += [Field(Family.DATASET, attribute.name) for attribute in vocabulary.dataset_attributes]
    keyed = {family: st.builds(Field, st.just(family), keys) for family in vocabulary.keyed}

    def clauses(kinds: set[Kind], values: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Node]]:
        choices = [st.sampled_from([field for field in named if vocabulary.kind(field) in kinds])]
        choices += [keyed[family] for family in keyed if vocabulary.kind(Field(family, "")) in kinds]
        fields = st.one_of(choices)
        lists = st.lists(values, min_size=1, max_size=4).map(tuple)
        found: list[st.SearchStrategy[Node]] = [
            st.builds(Comparison, fields, st.sampled_from(("=", "!=")), values),
            st.builds(In, fields, lists, st.booleans()),
            st.builds(IsNull, fields, st.booleans()),
        ]
        if values is texts:
            found.append(st.builds(Like, fields, st.sampled_from(PATTERNS) | texts, st.booleans(), st.booleans()))
        elif values is numbers:
            found.append(st.builds(Comparison, fields, st.sampled_from(("<", "<=", ">", ">=")), numbers))
            found.append(st.builds(Between, fields, numbers, numbers, st.booleans()))
        return found

    every = clauses({Kind.TEXT}, texts) + clauses({Kind.INTEGER, Kind.REAL}, numbers)
    if any(vocabulary.kind(field) is Kind.IDENTIFIER for field in named):
        every += clauses({Kind.IDENTIFIER}, ids)

    def combined(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        terms = st.lists(nodes, min_size=2, max_size=3).map(tuple)
        return st.builds(Not, nodes) | st.builds(And, terms) | st.builds(Or, terms)

    return st.recursive(st.one_of(every), combined, max_leaves=6)


def orders(vocabulary: Vocabulary) -> st.SearchStrategy[list[OrderTerm]]:
    """What may be asked for: fields that can be sorted by, none twice."""
    named = [Field(Family.ATTRIBUTE, attribute.name) for attribute in vocabulary.attributes]
    choices = st.sampled_from(named)
    if vocabulary.orders_by_key:
        choices = choices | st.builds(Field, st.sampled_from(vocabulary.orders_by_key), SOME_KEYS)
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
