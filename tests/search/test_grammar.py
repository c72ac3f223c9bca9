"""What filters mean, and what is said of those that mean nothing."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.search.grammar import (
    MAX_CLAUSES,
    MAX_DEPTH,
    MAX_PATTERN_LENGTH,
    MAX_VALUES,
    And,
    Between,
    Comparison,
    In,
    IsNull,
    Like,
    Not,
    Or,
    clauses,
    parse,
    to_text,
)
from runyard.search.vocabularies import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    VOCABULARIES,
    Family,
    Field,
)
from tests.search.strategies import filters

M = Field(Family.METRIC, "m")
P = Field(Family.PARAM, "p")
T = Field(Family.TAG, "t")
STATUS = Field(Family.ATTRIBUTE, "status")
START = Field(Family.ATTRIBUTE, "start_time")


def number(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_no_filter_is_no_tree(blank):
    assert parse(blank, RUNS) is None


@pytest.mark.parametrize(
    "text, tree",
    [
        ("metrics.m > 0.72", Comparison(M, ">", number("0.72"))),
        ("metric.m<=-1e2", Comparison(M, "<=", number("-100"))),
        ("params.p = 'x'", Comparison(P, "=", "x")),
        ('param."p" != "x"', Comparison(P, "!=", "x")),
        ("parameter.`p` = 'it''s'", Comparison(P, "=", "it's")),
        ("parameters.p LIKE 'x%'", Like(P, "x%")),
        ("tags.t ilike '%X'", Like(T, "%X", ignores_case=True)),
        ("tag.t NOT LIKE 'x'", Like(T, "x", is_negated=True)),
        ("tags.t IS NULL", IsNull(T)),
        ("tags.t is not null", IsNull(T, is_negated=True)),
        ("tags.mlflow.source.type = 'x'", Comparison(Field(Family.TAG, "mlflow.source.type"), "=", "x")),
        ("status = 'FINISHED'", Comparison(STATUS, "=", "FINISHED")),
        ("run.status = 'FINISHED'", Comparison(STATUS, "=", "FINISHED")),
        ("attr.status in ('RUNNING', \"FAILED\",)", In(STATUS, ("RUNNING", "FAILED"))),
        ("attribute.status NOT IN ('KILLED')", In(STATUS, ("KILLED",), is_negated=True)),
        ("attributes.start_time >= 1700000000000", Comparison(START, ">=", number("1700000000000"))),
        ("Created > 5", Comparison(START, ">", number("5"))),
        ("created BETWEEN 1 AND 2.5", Between(START, number("1"), number("2.5"))),
        ("metrics.m NOT BETWEEN -1 AND 1", Between(M, number("-1"), number("1"), is_negated=True)),
        ("metrics.m IN (1, 2)", In(M, (number("1"), number("2")))),
        ("params.and = 'or'", Comparison(Field(Family.PARAM, "and"), "=", "or")),
        ("dataset.name = 'iris'", Comparison(Field(Family.DATASET, "name"), "=", "iris")),
        ("datasets.digest LIKE 'a%'", Like(Field(Family.DATASET, "digest"), "a%")),
        ("dataset.context IN ('train')", In(Field(Family.DATASET, "context"), ("train",))),
        ("experiment_id = '5'", Comparison(Field(Family.ATTRIBUTE, "experiment_id"), "=", number("5"))),
    ],
)
def test_clauses_of_runs(text, tree):
    assert parse(text, RUNS) == tree


@pytest.mark.parametrize(
    "name", ["run_name", "`run name`", "`Run name`", '"Run Name"', "run name", "attributes.`run name`", "run.run_name"]
)
def test_a_run_has_one_name_by_many_names(name):
    assert parse(f"{name} = 'x'", RUNS) == Comparison(Field(Family.ATTRIBUTE, "run_name"), "=", "x")


@pytest.mark.parametrize(
    "vocabulary, text, field",
    [
        (EXPERIMENTS, "attribute.name ILIKE 'x%'", "name"),
        (EXPERIMENTS, "last_update_time < 5", "last_update_time"),
        (EXPERIMENTS, "experiment_id NOT IN ('1', 2)", "experiment_id"),
        (EXPERIMENTS, "lifecycle_stage = 'deleted'", "lifecycle_stage"),
        (REGISTERED_MODELS, "name IN ('a')", "name"),
        (REGISTERED_MODELS, "creation_timestamp > 5", "creation_timestamp"),
        (REGISTERED_MODELS, "timestamp > 5", "last_updated_timestamp"),
        (MODEL_VERSIONS, "version_number = 1", "version"),
        (MODEL_VERSIONS, "version = '1'", "version"),
        (MODEL_VERSIONS, "version BETWEEN '1' AND 3", "version"),
        (MODEL_VERSIONS, "stage = 'Production'", "current_stage"),
        (MODEL_VERSIONS, "source_path LIKE 's3:%'", "source"),
        (LOGGED_MODELS, "creation_time > 5", "creation_timestamp"),
        (LOGGED_MODELS, "attributes.last_updated_time > 5", "last_updated_timestamp"),
        (LOGGED_MODELS, "model_type IN ('a', 'b')", "model_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_attributes_of_other_entities(vocabulary, text, field):
    clause = next(clauses(parse(text, vocabulary)))
    assert clause.field == Field(Family.ATTRIBUTE, field)


def test_and_binds_closer_than_or_and_not_closer_than_both():
    one, two, three = (Comparison(M, "=", number(text)) for text in "123")
    written = "metrics.m = {} {} metrics.m = {} {} metrics.m = {}"
    assert parse(written.format(1, "or", 2, "and", 3), RUNS) == Or((one, And((two, three))))
    assert parse(written.format(1, "and", 2, "or", 3), RUNS) == Or((And((one, two)), three))
    assert parse(written.format(1, "and", 2, "and", 3), RUNS) == And((one, two, three))
    assert parse("(metrics.m = 1 or metrics.m = 2) and not metrics.m = 3", RUNS) == And((Or((one, two)), Not(three)))
    assert parse("not not (metrics.m = 1)", RUNS) == Not(Not(one))


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.entity)
def test_what_is_printed_parses_to_the_same_tree(vocabulary):
    words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=8)
    numbers = st.decimals(allow_nan=False, allow_infinity=False)

    @settings(max_examples=80, deadline=None)
    @given(filters(vocabulary, words, words, numbers))
    def check(node):
        assert parse(to_text(node), vocabulary) == node

    check()


def test_printing_quotes_only_what_needs_it():
    text = "metrics.a.b > 1e+3 and (tags.`x y` = \"it's\" or not run name in ('a'))"
    printed = "metrics.a.b > 1E+3 AND (tags.`x y` = 'it''s' OR NOT (attributes.run_name IN ('a')))"
    tree = parse(text, RUNS)
    assert tree is not None
    assert to_text(tree) == printed


@pytest.mark.parametrize(
    "vocabulary, text, position, message",
    [
        (RUNS, "metrics.m >", 11, "expected a number to compare 'metrics.m' with, got the end"),
        (RUNS, "metrics.m > 'x'", 12, "expected a number to compare 'metrics.m' with, got \"'x'\""),
        (RUNS, "metrics.m LIKE 'x'", 10, "Invalid comparator 'LIKE' for 'metrics.m': expected one of =, !=, <, <=, >"),
        (RUNS, "params.p > 'x'", 9, "Invalid comparator '>' for 'params.p': expected one of =, !=, LIKE, ILIKE"),
        (RUNS, "params.p == 'x'", 9, "Invalid comparator '==' for 'params.p'"),
        (RUNS, "params.p = x", 11, "expected a quoted text to compare 'params.p' with, got 'x'"),
        (RUNS, "params.p = `x`", 11, "expected a quoted text to compare 'params.p' with, got '`x`'"),
        (RUNS, "params.p = 'x", 11, "the quote ' is not closed; expected a quoted text"),
        (RUNS, "params.p", 8, "expected a comparator after 'params.p': =, !=, LIKE"),
        (RUNS, "params.p IS 'x'", 12, "expected NULL or NOT NULL, got \"'x'\""),
        (RUNS, "params.p IS NOT 5", 16, "expected NULL, got '5'"),
        (RUNS, "params.p IN 'x'", 12, "expected a list of values in parentheses, got \"'x'\""),
        (RUNS, "params.p IN ()", 13, "expected a quoted text to compare 'params.p' with, got ')'"),
        (RUNS, "params.p IN ('x' 'y')", 17, "expected , or ), got \"'y'\""),
        (RUNS, "metrics.m BETWEEN 1 OR 2", 20, "expected AND and the other end of the range, got 'OR'"),
        (RUNS, "params.p BETWEEN 'a' AND 'b'", 9, "Invalid comparator 'BETWEEN' for 'params.p'"),
        (RUNS, "params.p NOT = 'x'", 13, "Invalid comparator '=' for 'params.p'"),
        (RUNS, "params.p = 'x' params.q = 'y'", 15, "expected AND, OR or the end, got 'params.q'"),
        (RUNS, "params.p = 'x' AND", 18, "expected a field of runs, got the end"),
        (RUNS, "AND params.p = 'x'", 0, "Invalid attribute key 'AND' for runs"),
        (RUNS, "(params.p = 'x'", 15, "expected AND, OR or ), got the end"),
        (RUNS, "params.p = 'x')", 14, "expected AND, OR or the end, got ')'"),
        (RUNS, "'x' = params.p", 0, "expected a field of runs, got \"'x'\""),
        (
            RUNS,
            "metrics.val-loss > 1",
            11,
            "with other characters than letters, digits, _ and . goes in backticks",
        ),
        (RUNS, "metrics.loss-1 > 1", 12, "'-1' cannot stand in an unquoted key"),
        (RUNS, "metrics.`` > 1", 0, "the key after 'metrics' is empty"),
        (RUNS, "metricks.m > 1", 0, "Invalid entity type 'metricks' for runs: expected one of attributes, attribute"),
        (RUNS, "colour = 'x'", 0, "Invalid attribute key 'colour' for runs: expected one of run_id, run_name"),
        (RUNS, "dataset.size = 'x'", 0, "Invalid dataset key 'size': expected one of name, digest, context"),
        (RUNS, "experiment_id = 'abc'", 16, "expected an integer to compare 'attributes.experiment_id' with, got"),
        (RUNS, "experiment_id LIKE '1%'", 14, "Invalid comparator 'LIKE' for 'attributes.experiment_id'"),
        (RUNS, "start_time = '5'", 13, "expected a number to compare 'attributes.start_time' with, got \"'5'\""),
        (RUNS, f"metrics.m > 1e{'9' * 30}", 12, "is out of range"),
        (RUNS, "metrics.m > NaN", 12, "expected a number to compare 'metrics.m' with, got 'NaN'"),
        (EXPERIMENTS, "metrics.m > 1", 0, "Invalid entity type 'metrics' for experiments: expected one of"),
        (MODEL_VERSIONS, "version = 'x'", 10, "expected a number to compare 'attributes.version' with, got \"'x'\""),
        (LOGGED_MODELS, "dataset.name = 'x'", 0, "Invalid entity type 'dataset' for logged models"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_say_where_and_what_was_expected(vocabulary, text, position, message):
    with pytest.raises(InvalidFilter, match=re.escape(message)) as raised:
        parse(text, vocabulary)
    assert raised.value.position == position
    assert raised.value.message.splitlines()[-1] == " " * position + "^"


def test_the_pointer_fits_an_expression_of_several_lines():
    with pytest.raises(InvalidFilter) as raised:
        parse("params.p = 'x'\n  AND\tmetrics.m > 'y'", RUNS)
    line, pointer = raised.value.message.splitlines()[-2:]
    assert line[pointer.index("^") :] == "'y'"


def test_parentheses_and_nots_have_a_greatest_depth():
    within = "NOT (" * (MAX_DEPTH // 2) + "metrics.m = 1" + ")" * (MAX_DEPTH // 2)
    assert parse(within, RUNS) is not None
    for text in ("(" * 100_000, "NOT " * 50_000, f"NOT ({within})"):
        with pytest.raises(InvalidFilter, match=f"NOT and parentheses may be nested at most {MAX_DEPTH} deep"):
            parse(text, RUNS)


def test_filters_have_a_greatest_number_of_clauses_values_and_wildcards():
    many = " AND ".join(["metrics.m = 1"] * (MAX_CLAUSES + 1))
    with pytest.raises(InvalidFilter, match=f"at most {MAX_CLAUSES} clauses"):
        parse(many, RUNS)
    values = ",".join(["'x'"] * (MAX_VALUES + 1))
    with pytest.raises(InvalidFilter, match=f"at most {MAX_VALUES} values"):
        parse(f"params.p IN ({values})", RUNS)
    with pytest.raises(InvalidFilter, match=f"a pattern may have at most {MAX_PATTERN_LENGTH} characters"):
        parse(f"params.p LIKE '{'%' * (MAX_PATTERN_LENGTH + 1)}'", RUNS)


WORDS = "metrics.m params.`p q` status ( ) AND OR NOT = != > LIKE IN BETWEEN IS NULL , 'x' \"y\" 1 -2.5 ; ` ' ."


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=12), st.sampled_from(["", " "]))
def test_any_words_parse_or_are_refused(words, space):
    try:
        node = parse(space.join(words), RUNS)
    except InvalidParameter:
        return
    assert node is None or parse(to_text(node), RUNS) == node
