"""From the syntax tree and the order to SQL, and pages of rows by key. The only module here that knows SQL.

A clause is true or false for every row, never NULL, so that NOT is plain negation: a clause on what is absent is
false. Keys are looked up row by row through their tables' primary keys, inside EXISTS.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy import BigInteger, Row, Select, Table
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromClause

from runyard.search import page_tokens
from runyard.search.grammar import (
    And,
    Between,
    Clause,
    Comparison,
    In,
    IsNull,
    Like,
    Node,
    Not,
    Or,
    Value,
    clauses,
    parse,
)
from runyard.search.order import OrderByField, OrderTerm, parse_order
from runyard.search.tokens import check_text
from runyard.search.vocabularies import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Family,
    Field,
    Kind,
    Vocabulary,
)
from runyard.store.schema import (
    datasets,
    experiment_tags,
    experiments,
    keys,
    latest_metrics,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_version_tags,
    model_versions,
    params,
    registered_model_tags,
    registered_models,
    run_datasets,
    run_tags,
    runs,
)
from runyard.wire.base import INT64_MAX, INT64_MIN

Condition: TypeAlias = ColumnElement[bool]


class DatasetFilter(Protocol):
    """A dataset that logged-models/search is narrowed to."""

    @property
    def dataset_name(self) -> str: ...
    @property
    def dataset_digest(self) -> str | None: ...


@dataclass(frozen=True)
class Page:
    """Rows with the columns of the base statement under their names, and the token of the page after them."""

    rows: Sequence[Row[Any]]
    next_page_token: str | None


@dataclass(frozen=True)
class Query:
    """A search of one entity, a page at a time.

    Args:
        filter: the filter as the client wrote it.
        order_by: the order as the client wrote it.
        scope: what else decides the rows, JSON-able: experiment ids, view type. A page token is good for one scope.
        datasets: for logged models, the datasets their metrics must be of.
    """

    vocabulary: Vocabulary
    filter: str | None = None
    order_by: Sequence[str | OrderByField] | None = None
    scope: object = None
    datasets: Sequence[DatasetFilter] = ()

    def page(self, connection: Connection, base: Select[Any], max_results: int, page_token: str | None) -> Page:
        """Return the page after ``page_token``, or the first.

        Each row is on exactly one page, in order, however many have equal values; a page costs the same wherever
        it is. One statement is executed.

        Args:
            base: a statement over the entity's table (for model versions, joined with registered_models) with the
                columns wanted and the conditions of the scope.
            max_results: rows on a page, at least 0.
        Raises:
            InvalidFilter: filter or order_by is not valid; it says where.
            InvalidParameter: page_token is not valid, or belongs to another search.
        """
        terms = parse_order(self.order_by, self.vocabulary)
        statement, columns = _joined_to_order(self.matching(base), terms, self.vocabulary)
        labels = [column.expression.label(f"sort_{index}") for index, column in enumerate(columns)]
        statement = statement.add_columns(*labels).order_by(*_directions(labels, columns))
        search = self._fingerprint(terms)
        if page_token:
            last = page_tokens.decode(page_token, search, [column.kind for column in columns])
            if last:
                statement = statement.where(_after(columns, last))
        rows = connection.execute(statement.limit(max_results + 1)).all()
        if len(rows) <= max_results:
            return Page(rows, None)
        if max_results == 0:
            return Page((), page_token or page_tokens.encode(search, ()))
        rows = rows[:max_results]
        return Page(rows, page_tokens.encode(search, rows[-1][-len(columns) :]))

    def matching(self, base: Select[Any]) -> Select[Any]:
        """Return ``base`` with the filter: a statement of all rows that match, in no order.

        Raises:
            InvalidFilter: the filter is not valid; it says where.
        """
        for dataset in self.datasets:
            check_text("datasets", dataset.dataset_name)
            check_text("datasets", dataset.dataset_digest or "")
        condition = filter_clause(parse(self.filter, self.vocabulary), self.vocabulary, self.datasets)
        return base if condition is None else base.where(condition)

    def ordered(self, base: Select[Any]) -> Select[Any]:
        """Return ``base`` with the filter and the order: a statement of all pages at once.

        Raises:
            InvalidFilter: filter or order_by is not valid; it says where.
        """
        matching = self.matching(base)
        statement, columns = _joined_to_order(matching, parse_order(self.order_by, self.vocabulary), self.vocabulary)
        return statement.order_by(*_directions([column.expression for column in columns], columns))

    def _fingerprint(self, terms: Sequence[OrderTerm]) -> str:
        order = [
            (term.field.family.value, term.field.name, term.is_ascending, term.dataset_name, term.dataset_digest)
            for term in terms
        ]
        narrowed = [(dataset.dataset_name, dataset.dataset_digest) for dataset in self.datasets]
        return page_tokens.fingerprint(self.vocabulary.entity, self.filter or "", order, self.scope, narrowed)


def filter_clause(
    node: Node | None, vocabulary: Vocabulary, narrowed_to: Sequence[DatasetFilter] = ()
) -> Condition | None:
    """Return a filter as a condition on the rows of the vocabulary's table; None where every row matches.

    What the vocabulary hides unless asked for is left out, also by no filter at all.

    Args:
        narrowed_to: for logged models, the datasets their metrics must be of.
    """
    is_long = sum(1 for _ in clauses(node)) > _MAX_JOINED_CLAUSES
    scope = _Scope(vocabulary, _SOURCES[vocabulary.entity], narrowed_to, keeps_exists=is_long)
    conditions = [] if node is None else [_condition(node, scope)]
    if vocabulary.hidden_tag is not None and not _asks_for_hidden(node, vocabulary):
        key, value = vocabulary.hidden_tag
        conditions.append(_condition(Comparison(Field(Family.TAG, key), "!=", value), scope))
    # Datasets narrow the metrics that a filter speaks of; where it speaks of none, a model must have one on them.
    if narrowed_to and not any(clause.field.family is Family.METRIC for clause in clauses(node)):
        conditions.append(_has_key(scope, Family.METRIC, None))
    return sa.and_(*conditions) if conditions else None


@dataclass(frozen=True)
class _Keyed:
    """A table of keys and values that belong to rows of the entity's table."""

    table: Table
    owner: str
    is_interned: bool = False


@dataclass(frozen=True)
class _Source:
    """Where the fields of a vocabulary are."""

    table: Table
    columns: Mapping[str, ColumnElement[Any]]
    keyed: Mapping[Family, _Keyed]


def _source(
    vocabulary: Vocabulary, table: Table, keyed: Mapping[Family, _Keyed], **others: ColumnElement[Any]
) -> tuple[str, _Source]:
    """Return a source whose attributes are the table's columns of the same name, but for ``others``."""
    names = [attribute.name for attribute in vocabulary.attributes]
    columns = {name: others[name] if name in others else table.c[name] for name in names}
    return vocabulary.entity, _Source(table, columns, keyed)


_SOURCES: Final = dict(
    [
        _source(
            RUNS,
            runs,
            {
                Family.METRIC: _Keyed(latest_metrics, "run", is_interned=True),
                Family.PARAM: _Keyed(params, "run", is_interned=True),
                Family.TAG: _Keyed(run_tags, "run", is_interned=True),
            },
            duration=runs.c.end_time - runs.c.start_time,
        ),
        _source(
            EXPERIMENTS,
            experiments,
            {Family.TAG: _Keyed(experiment_tags, "experiment_id")},
            experiment_id=experiments.c.id,
        ),
        _source(REGISTERED_MODELS, registered_models, {Family.TAG: _Keyed(registered_model_tags, "model")}),
        _source(
            MODEL_VERSIONS,
            model_versions,
            {Family.TAG: _Keyed(model_version_tags, "version")},
            name=registered_models.c.name,
            # Compared as 64 bits: PostgreSQL refuses a greater number where 32 are declared.
            version=sa.type_coerce(model_versions.c.version, BigInteger()),
        ),
        _source(
            LOGGED_MODELS,
            logged_models,
            {
                Family.METRIC: _Keyed(logged_model_metrics, "model"),
                Family.PARAM: _Keyed(logged_model_params, "model"),
                Family.TAG: _Keyed(logged_model_tags, "model"),
            },
        ),
    ]
)


# PostgreSQL makes each EXISTS of a conjunction a join and weighs their orders: 20 ms for 8 of them, 2.6 s for 50.
_MAX_JOINED_CLAUSES: Final = 8


@dataclass(frozen=True)
class _Scope:
    """What the conditions of one filter are made for.

    Args:
        keeps_exists: whether each EXISTS is looked up row by row, out of the planner's reach.
    """

    vocabulary: Vocabulary
    source: _Source
    narrowed_to: Sequence[DatasetFilter]
    keeps_exists: bool

    def exists(self, *conditions: Condition) -> Condition:
        found = sa.exists().where(*conditions).correlate(self.source.table)
        return found.is_(sa.true()) if self.keeps_exists else found


def _condition(node: Node, scope: _Scope) -> Condition:
    match node:
        case And(terms):
            return sa.and_(*(_condition(term, scope) for term in terms))
        case Or(terms):
            return sa.or_(*(_condition(term, scope) for term in terms))
        case Not(term):
            return sa.not_(_condition(term, scope))
        case _:
            return _clause_condition(node, scope)


def _clause_condition(clause: Clause, scope: _Scope) -> Condition:
    field = clause.field
    if isinstance(clause, IsNull):
        is_present = _is_present(field, scope)
        return is_present if clause.is_negated else sa.not_(is_present)
    match field.family:
        case Family.ATTRIBUTE:
            column = scope.source.columns[field.name]
            attribute = scope.vocabulary.attribute(field.family, field.name)
            is_text = scope.vocabulary.kind(field) is Kind.TEXT
            test = _text_test(column, clause) if is_text else _integer_test(column, clause)
            return sa.and_(column.is_not(None), test) if attribute is not None and attribute.is_nullable else test
        case Family.DATASET:
            return _has_dataset(scope, field.name, lambda column: _text_test(column, clause))
        case Family.METRIC:
            return _has_key(scope, field.family, field.name, lambda row: _real_test(row.c.value, row.c.is_nan, clause))
        case Family.PARAM | Family.TAG:
            absent = (scope.vocabulary.absent_tags or {}).get(field.name) if field.family is Family.TAG else None
            if absent is not None:
                return _text_test(sa.func.coalesce(_value_of_key(scope, field), absent), clause)
            return _has_key(scope, field.family, field.name, lambda row: _text_test(row.c.value, clause))


def _is_present(field: Field, scope: _Scope) -> Condition:
    match field.family:
        case Family.ATTRIBUTE:
            return scope.source.columns[field.name].is_not(None)
        case Family.DATASET:
            return _has_dataset(scope, field.name, lambda column: column.is_not(None))
        case _:
            return _has_key(scope, field.family, field.name)


def _has_key(
    scope: _Scope, family: Family, name: str | None, test: Callable[[Table], Condition] | None = None
) -> Condition:
    """Return that a row of the entity has the key ``name``, or any where it is None, with a value that passes."""
    keyed = scope.source.keyed[family]
    row = keyed.table
    conditions = [row.c[keyed.owner] == scope.source.table.c.id]
    if test is not None:
        conditions.append(test(row))
    if name is not None:
        conditions.append(row.c.key == _key(name, keyed))
    if family is Family.METRIC and scope.narrowed_to:
        conditions.append(sa.or_(*(_is_on(row, dataset) for dataset in scope.narrowed_to)))
    return scope.exists(*conditions)


def _value_of_key(scope: _Scope, field: Field) -> ColumnElement[str | None]:
    keyed = scope.source.keyed[field.family]
    row = keyed.table
    value = sa.select(row.c.value).where(row.c[keyed.owner] == scope.source.table.c.id)
    return value.where(row.c.key == _key(field.name, keyed)).correlate(scope.source.table).scalar_subquery()


def _key(name: str, keyed: _Keyed) -> str | ColumnElement[int]:
    if not keyed.is_interned:
        return name
    return sa.select(keys.c.id).where(keys.c.name == name).correlate(None).scalar_subquery()


def _has_dataset(scope: _Scope, name: str, test: Callable[[ColumnElement[Any]], Condition]) -> Condition:
    is_of_run = run_datasets.c.run == scope.source.table.c.id
    if name == "context":
        return scope.exists(is_of_run, run_datasets.c.context.is_not(None), test(run_datasets.c.context))
    return scope.exists(is_of_run, datasets.c.id == run_datasets.c.dataset, test(datasets.c[name]))


def _is_on(row: FromClause, dataset: DatasetFilter | OrderTerm) -> Condition:
    conditions = [row.c.dataset_name == dataset.dataset_name]
    if dataset.dataset_digest:
        conditions.append(row.c.dataset_digest == dataset.dataset_digest)
    return sa.and_(*conditions)


def _asks_for_hidden(node: Node | None, vocabulary: Vocabulary) -> bool:
    assert vocabulary.hidden_tag is not None
    key, hidden = vocabulary.hidden_tag
    for clause in clauses(node):
        if clause.field != Field(Family.TAG, key):
            continue
        match clause:
            case Comparison(_, "=", value) if str(value).lower() == hidden:
                return True
            case Comparison(_, "!=", value) if str(value).lower() == (vocabulary.absent_tags or {}).get(key):
                return True
            case In(_, values, False) if hidden in values:
                return True
            case IsNull(_, True):
                return True
    return False


def _text_test(column: ColumnElement[Any], clause: Clause) -> Condition:
    match clause:
        case Comparison(_, comparator, value):
            return column == value if comparator == "=" else column != value
        case In(_, values, is_negated):
            return column.not_in(values) if is_negated else column.in_(values)
        case Like(_, pattern, ignores_case, is_negated):
            # The protocol's patterns have no escape, but PostgreSQL's default is a backslash: name another instead.
            escape = "!" if "\\" in pattern else None
            pattern = pattern.replace("!", "!!") if escape else pattern
            if ignores_case:
                test = _FoldingCase(column).ilike(pattern, escape=escape)
            else:
                test = column.like(pattern, escape=escape)
            return sa.not_(test) if is_negated else test
    raise AssertionError(clause)


def _integer_test(column: ColumnElement[Any], clause: Clause) -> Condition:
    """Every clause on an integer is a range of integers, so no number in it must be one or fit into 64 bits."""
    match clause:
        case In(_, values, is_negated):
            integers = [_ceiling(number) for number in _numbers(values) if _ceiling(number) == _floor(number)]
            listed = [integer for integer in integers if INT64_MIN <= integer <= INT64_MAX]
            return column.not_in(listed) if is_negated else column.in_(listed)
        case Between(_, low, high, is_negated):
            test = _is_within(column, _ceiling(low), _floor(high))
            return sa.not_(test) if is_negated else test
        case Comparison(_, comparator, Decimal() as value):
            match comparator:
                case "=":
                    return _is_within(column, _ceiling(value), _floor(value))
                case "!=":
                    return sa.not_(_is_within(column, _ceiling(value), _floor(value)))
                case "<":
                    return _is_within(column, INT64_MIN, _ceiling(value) - 1)
                case "<=":
                    return _is_within(column, INT64_MIN, _floor(value))
                case ">":
                    return _is_within(column, _floor(value) + 1, INT64_MAX)
                case ">=":
                    return _is_within(column, _ceiling(value), INT64_MAX)
    raise AssertionError(clause)


def _is_within(column: ColumnElement[Any], low: int, high: int) -> Condition:
    low, high = max(low, INT64_MIN), min(high, INT64_MAX)
    if low > high:
        return sa.false()
    if low == high:
        return column == low
    if low == INT64_MIN:
        return sa.true() if high == INT64_MAX else column <= high
    return column >= low if high == INT64_MAX else column.between(low, high)


def _floor(number: Decimal) -> int:
    """Return the greatest integer not above ``number``; beyond 64 bits, the first one that is."""
    return math.floor(number) if INT64_MIN <= number <= INT64_MAX else _beyond(number)


def _ceiling(number: Decimal) -> int:
    """Return the least integer not below ``number``; beyond 64 bits, the first one that is."""
    return math.ceil(number) if INT64_MIN <= number <= INT64_MAX else _beyond(number)


def _beyond(number: Decimal) -> int:
    return INT64_MAX + 1 if number > 0 else INT64_MIN - 1


def _real_test(value: ColumnElement[float], is_nan: ColumnElement[bool], clause: Clause) -> Condition:
    """NaN is unequal to every number, and neither less nor greater than any."""
    match clause:
        case Comparison(_, comparator, Decimal() as number):
            test = _COMPARATORS[comparator](value, float(number))
            return sa.or_(is_nan, test) if comparator == "!=" else sa.and_(sa.not_(is_nan), test)
        case In(_, values, is_negated):
            numbers = [float(number) for number in _numbers(values)]
            if is_negated:
                return sa.or_(is_nan, value.not_in(numbers))
            return sa.and_(sa.not_(is_nan), value.in_(numbers))
        case Between(_, low, high, is_negated):
            test = value.between(float(low), float(high))
            return sa.and_(sa.not_(is_nan), sa.not_(test) if is_negated else test)
    raise AssertionError(clause)


_COMPARATORS: Final[Mapping[str, Callable[[ColumnElement[float], float], Condition]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _numbers(values: Sequence[Value]) -> Iterator[Decimal]:
    return (value for value in values if isinstance(value, Decimal))


class _FoldingCase(FunctionElement[str]):
    """The text it is given, under a collation whose ILIKE knows every letter.

    Columns are collated by code point on PostgreSQL, where ILIKE then knows ASCII alone.
    """

    type = sa.Text()
    inherit_cache = True


@compiles(_FoldingCase)
def _folding_case(element: _FoldingCase, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_FoldingCase, "postgresql")
def _folding_case_on_postgresql(element: _FoldingCase, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)} COLLATE "default")'


@dataclass(frozen=True)
class _SortColumn:
    """One column of the order.

    Args:
        kind: the type of its values in a page token.
        is_rank: whether it sorts the present (0) before NaN (1) and the absent (2) in the column after it.
    """

    expression: ColumnElement[Any]
    kind: type[int | float | str]
    is_ascending: bool = True
    is_rank: bool = False


def _joined_to_order(
    base: Select[Any], terms: Sequence[OrderTerm], vocabulary: Vocabulary
) -> tuple[Select[Any], list[_SortColumn]]:
    """Return ``base`` joined with what it is sorted by, and the sort columns."""
    statement = base
    columns: list[_SortColumn] = []
    source = _SOURCES[vocabulary.entity]
    for term in terms:
        if term.field.family is Family.ATTRIBUTE:
            columns.extend(_attribute_columns(term, vocabulary))
            continue
        keyed = source.keyed[term.field.family]
        row = keyed.table.alias()
        statement = statement.outerjoin_from(source.table, row, _is_ordering_row(row, term, source))
        is_absent = row.c[keyed.owner].is_(None)
        if term.field.family is Family.METRIC:
            columns.append(_SortColumn(sa.case((is_absent, 2), (row.c.is_nan, 1), else_=0), int, is_rank=True))
            columns.append(_SortColumn(row.c.value, float, term.is_ascending))
        else:
            columns.append(_SortColumn(sa.case((is_absent, 2), else_=0), int, is_rank=True))
            columns.append(_SortColumn(row.c.value, str, term.is_ascending))
    return statement, columns


def _directions(expressions: Sequence[ColumnElement[Any]], columns: Sequence[_SortColumn]) -> list[ColumnElement[Any]]:
    return [
        expression.asc() if column.is_ascending else expression.desc()
        for expression, column in zip(expressions, columns, strict=True)
    ]


def _attribute_columns(term: OrderTerm, vocabulary: Vocabulary) -> Iterator[_SortColumn]:
    attribute = vocabulary.attribute(term.field.family, term.field.name)
    assert attribute is not None
    column = _SOURCES[vocabulary.entity].columns[attribute.name]
    # No rank where none can be absent, so that an index on the column gives the order.
    if attribute.is_nullable:
        yield _SortColumn(sa.case((column.is_(None), 2), else_=0), int, is_rank=True)
    yield _SortColumn(column, str if attribute.kind is Kind.TEXT else int, term.is_ascending)


def _is_ordering_row(row: FromClause, term: OrderTerm, source: _Source) -> Condition:
    """Return that ``row`` is the one whose value an entity is sorted by."""
    keyed = source.keyed[term.field.family]
    conditions = [row.c[keyed.owner] == source.table.c.id, row.c.key == _key(term.field.name, keyed)]
    if keyed.table is logged_model_metrics:
        # A model has a value for each run and dataset it was measured in; the latest counts.
        later = keyed.table.alias()
        recency = [
            (later.c.timestamp, row.c.timestamp, False),
            (later.c.step, row.c.step, False),
            (later.c.run_id, row.c.run_id, True),
            (later.c.dataset_name, row.c.dataset_name, True),
            (later.c.dataset_digest, row.c.dataset_digest, True),
        ]
        of_same = [later.c.model == row.c.model, later.c.key == row.c.key, _precedes(recency)]
        if term.dataset_name:
            conditions.append(_is_on(row, term))
            of_same.append(_is_on(later, term))
        conditions.append(sa.not_(sa.exists().where(*of_same).correlate(row)))
    return sa.and_(*conditions)


def _after(columns: Sequence[_SortColumn], values: Sequence[page_tokens.SortValue]) -> Condition:
    """Return that a row comes after the one with these sort values."""
    place: list[tuple[ColumnElement[Any], Any, bool]] = []
    is_present = True
    for column, value in zip(columns, values, strict=True):
        # What is absent or NaN has no value to compare: the columns after it decide.
        if is_present:
            if value is None:
                raise page_tokens.refused("it does not hold a place in this search")
            place.append((column.expression, value, column.is_ascending))
        is_present = not column.is_rank or value == 0
    is_after = _precedes([(expression, value, not is_ascending) for expression, value, is_ascending in place])
    if columns[0].is_rank:
        return is_after
    # Implied by the rest, but in a form that lets an index start at the place.
    expression, value, is_ascending = place[0]
    return sa.and_(expression >= value if is_ascending else expression <= value, is_after)


def _precedes(columns: Sequence[tuple[ColumnElement[Any], Any, bool]]) -> Condition:
    """Return that the left sides come before the right sides, compared one after the other.

    Args:
        columns: left side, right side, and whether the column ascends.
    """
    alternatives: list[Condition] = []
    equal: list[Condition] = []
    for left, right, is_ascending in columns:
        alternatives.append(sa.and_(*equal, left < right if is_ascending else left > right))
        equal.append(left == right)
    return sa.or_(*alternatives)
