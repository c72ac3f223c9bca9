"""Filters and orders evaluated over plain Python, the slow and plain way: what the SQL must agree with."""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from runyard.search.compile import DatasetFilter
from runyard.search.grammar import And, Between, Clause, Comparison, In, IsNull, Like, Node, Not, Or, clauses
from runyard.search.order import OrderTerm
from runyard.search.vocabularies import Family, Field, Vocabulary
from tests.search.populations import Entity, MetricValue

COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def search(
    entities: Sequence[Entity],
    vocabulary: Vocabulary,
    node: Node | None,
    terms: Sequence[OrderTerm],
    datasets: Sequence[DatasetFilter] = (),
) -> list[int]:
    """Return the ids of the entities that match, in order."""
    found = [entity for entity in entities if _is_found(entity, vocabulary, node, datasets)]
    found.sort(key=functools.cmp_to_key(functools.partial(_compare, terms=terms)))
    return [entity.id for entity in found]


def matches(node: Node, entity: Entity, vocabulary: Vocabulary, datasets: Sequence[DatasetFilter] = ()) -> bool:
    match node:
        case And(terms):
            return all(matches(term, entity, vocabulary, datasets) for term in terms)
        case Or(terms):
            return any(matches(term, entity, vocabulary, datasets) for term in terms)
        case Not(term):
            return not matches(term, entity, vocabulary, datasets)
        case _:
            values = _values(node, entity, vocabulary, datasets)
            if isinstance(node, IsNull):
                present = _values(node, entity, vocabulary, datasets, with_defaults=False)
                return bool(present) == node.is_negated
            return any(_passes(node, value) for value in values)


def _is_found(entity: Entity, vocabulary: Vocabulary, node: Node | None, datasets: Sequence[DatasetFilter]) -> bool:
    named = list(clauses(node))
    if vocabulary.hidden_tag is not None:
        key, hidden = vocabulary.hidden_tag
        asks = any(_asks_for(clause) for clause in named if clause.field == Field(Family.TAG, key))
        if not asks and entity.tags.get(key) == hidden:
            return False
    if datasets and not any(clause.field.family is Family.METRIC for clause in named):
        measured = [value for values in entity.metrics.values() for value in values]
        if not any(_is_on(value, dataset) for value in measured for dataset in datasets):
            return False
    return node is None or matches(node, entity, vocabulary, datasets)


def _asks_for(clause: Clause) -> bool:
    """Whether a clause on the prompt tag asks for prompts."""
    match clause:
        case Comparison(_, "=", "true") | Comparison(_, "!=", "false") | IsNull(_, True):
            return True
        case In(_, values, False):
            return "true" in values
    return False


def _values(
    clause: Clause,
    entity: Entity,
    vocabulary: Vocabulary,
    datasets: Sequence[DatasetFilter],
    with_defaults: bool = True,
) -> list[Any]:
    name = clause.field.name
    match clause.field.family:
        case Family.ATTRIBUTE:
            found: list[Any] = [entity.attributes[name]]
        case Family.METRIC:
            found = [
                value.value
                for value in entity.metrics.get(name, [])
                if not datasets or any(_is_on(value, dataset) for dataset in datasets)
            ]
        case Family.PARAM:
            found = [entity.params.get(name)]
        case Family.TAG:
            default = (vocabulary.absent_tags or {}).get(name) if with_defaults else None
            found = [entity.tags.get(name, default)]
        case Family.DATASET:
            found = [dataset[name] for dataset in entity.datasets]
    return [value for value in found if value is not None]


def _passes(clause: Clause, value: Any) -> bool:
    match clause:
        case Comparison(_, comparator, literal):
            return bool(COMPARE[comparator](value, _as(literal, value)))
        case Like(_, pattern, ignores_case, is_negated):
            if ignores_case:
                pattern, value = pattern.lower(), value.lower()
            regex = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
            return (re.fullmatch(regex, value, re.DOTALL) is not None) != is_negated
        case In(_, literals, is_negated):
            return any(value == _as(literal, value) for literal in literals) != is_negated
        case Between(_, low, high, is_negated):
            if isinstance(value, float) and math.isnan(value):
                return False
            return (_as(low, value) <= value <= _as(high, value)) != is_negated
    raise AssertionError(clause)


def _as(literal: str | Decimal, value: Any) -> Any:
    """A number meets a double as a double, and an integer as it is."""
    return float(literal) if isinstance(value, float) else literal


def _compare(one: Entity, other: Entity, terms: Sequence[OrderTerm]) -> int:
    for term in terms:
        (rank, value), (other_rank, other_value) = _sort_key(one, term), _sort_key(other, term)
        if rank != other_rank:
            return rank - other_rank
        if value != other_value:
            return (-1 if value < other_value else 1) * (1 if term.is_ascending else -1)
    return 0


def _sort_key(entity: Entity, term: OrderTerm) -> tuple[int, Any]:
    name = term.field.name
    match term.field.family:
        case Family.ATTRIBUTE:
            value: Any = entity.attributes[name]
        case Family.PARAM:
            value = entity.params.get(name)
        case Family.TAG:
            value = entity.tags.get(name)
        case Family.METRIC:
            measured = [value for value in entity.metrics.get(name, []) if not term.dataset_name or _is_on(value, term)]
            measured.sort(key=lambda m: (-m.timestamp, -m.step, m.run_id, m.dataset_name, m.dataset_digest))
            value = measured[0].value if measured else None
        case Family.DATASET:
            raise AssertionError(term)
    if value is None:
        return 2, 0
    if isinstance(value, float) and math.isnan(value):
        return 1, 0
    return 0, value


def _is_on(value: MetricValue, dataset: DatasetFilter | OrderTerm) -> bool:
    return value.dataset_name == dataset.dataset_name and dataset.dataset_digest in {None, "", value.dataset_digest}
