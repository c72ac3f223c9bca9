"""What an order means, and what cannot be sorted by."""

from __future__ import annotations

import re

import pytest

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.search.order import MAX_ORDER_TERMS, OrderTerm, parse_order
from runyard.search.vocabularies import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Family,
    Field,
)
from tests.search.strategies import OrderBy


def attribute(name, is_ascending=True):
    return OrderTerm(Field(Family.ATTRIBUTE, name), is_ascending)


@pytest.mark.parametrize(
    "item, term",
    [
        ("metrics.`x y` DESC", OrderTerm(Field(Family.METRIC, "x y"), False)),
        ('metric."x y" desc', OrderTerm(Field(Family.METRIC, "x y"), False)),
        ("metrics.a.b", OrderTerm(Field(Family.METRIC, "a.b"))),
        ("param.p asc", OrderTerm(Field(Family.PARAM, "p"))),
        ("tags.t", OrderTerm(Field(Family.TAG, "t"))),
        ("attributes.end_time  ASC", attribute("end_time")),
        (" status ", attribute("status")),
        ("Created DESC", attribute("start_time", False)),
        ("`run name`", attribute("run_name")),
        ("run name DESC", attribute("run_name", False)),
        ("duration", attribute("duration")),
    ],
)
def test_items_of_runs(item, term):
    assert parse_order([item], RUNS)[0] == term


@pytest.mark.parametrize(
    "vocabulary, asked, order",
    [
        (RUNS, [], [attribute("start_time", False), attribute("run_id")]),
        (RUNS, ["status"], [attribute("status"), attribute("start_time", False), attribute("run_id")]),
        (RUNS, ["created"], [attribute("start_time"), attribute("run_id")]),
        (EXPERIMENTS, [], [attribute("creation_time", False), attribute("experiment_id")]),
        (EXPERIMENTS, ["name"], [attribute("name"), attribute("experiment_id", False)]),
        (EXPERIMENTS, ["name", "name DESC"], [attribute("name"), attribute("experiment_id", False)]),
        (REGISTERED_MODELS, [], [attribute("name")]),
        (REGISTERED_MODELS, ["timestamp DESC"], [attribute("last_updated_timestamp", False), attribute("name")]),
        (
            MODEL_VERSIONS,
            [],
            [attribute("last_updated_timestamp", False), attribute("name"), attribute("version", False)],
        ),
        (MODEL_VERSIONS, ["version_number"], [attribute("version"), attribute("name")]),
        (LOGGED_MODELS, [], [attribute("creation_timestamp", False), attribute("model_id")]),
    ],
)
def test_an_order_is_completed_until_it_is_unique(vocabulary, asked, order):
    assert list(parse_order(asked, vocabulary)) == order


def test_logged_models_are_sorted_by_fields_and_the_metrics_of_a_dataset():
    items = [OrderBy("metrics.val/loss", False, "train", "d1"), OrderBy("creation_time", None), OrderBy("name")]
    assert parse_order(items, LOGGED_MODELS) == (
        OrderTerm(Field(Family.METRIC, "val/loss"), False, "train", "d1"),
        attribute("creation_timestamp"),
        attribute("name"),
        attribute("model_id"),
    )


def test_a_metric_is_one_field_a_dataset():
    items = [OrderBy("metrics.m", dataset_name=name) for name in ("train", "test", "train")]
    assert [term.dataset_name for term in parse_order(items, LOGGED_MODELS)] == ["train", "test", None, None]


@pytest.mark.parametrize(
    "vocabulary, item, message",
    [
        (RUNS, "", "expected a field of runs, got the end"),
        (RUNS, "dataset.name", "runs cannot be sorted by 'dataset.name'; expected one of run_id, run_name"),
        (RUNS, "colour", "Invalid attribute key 'colour' for runs"),
        (RUNS, "metrics.a ASC DESC", "expected the end, got 'DESC'"),
        (RUNS, "metrics.a UP", "expected ASC, DESC or the end, got 'UP'"),
        (RUNS, "start_time, run_id", "expected ASC, DESC or the end, got ','"),
        (RUNS, "metrics.a-b DESC", "goes in backticks"),
        (EXPERIMENTS, "tags.x", "experiments cannot be sorted by 'tags.x'; expected one of name, experiment_id"),
        (REGISTERED_MODELS, "version", "Invalid attribute key 'version' for registered models"),
        (LOGGED_MODELS, "params.p", "logged models cannot be sorted by 'params.p'"),
    ],
)
def test_items_that_cannot_be_sorted_by_are_pointed_at(vocabulary, item, message):
    with pytest.raises(InvalidFilter, match=re.escape(message)):
        parse_order([item], vocabulary)


@pytest.mark.parametrize(
    "item, message",
    [
        (OrderBy(None), "order_by: field_name must be given"),
        (OrderBy("params.p"), "logged models cannot be sorted by 'params.p'; expected one of model_id"),
        (OrderBy("metrics."), "logged models cannot be sorted by 'metrics.'"),
        (OrderBy("colour"), "logged models cannot be sorted by 'colour'"),
        (
            OrderBy("metrics.m", dataset_digest="d1"),
            "dataset_digest can only be given with dataset_name, got 'd1'",
        ),
        (OrderBy("metrics.\ud800"), "order_by holds half a character"),
        (OrderBy("metrics.a\x00"), "order_by may not contain a NUL character"),
    ],
    ids=lambda value: ascii(value.field_name) if isinstance(value, OrderBy) else "",
)
def test_fields_that_cannot_be_sorted_by_are_named(item, message):
    with pytest.raises(InvalidParameter, match=re.escape(message)) as raised:
        parse_order([item], LOGGED_MODELS)
    raised.value.message.encode()


def test_a_field_named_twice_is_refused_where_upstream_refuses_it():
    for vocabulary, items in (
        (RUNS, ["metrics.a", "metrics.`a` DESC"]),
        (RUNS, ["created", "start_time"]),
        (REGISTERED_MODELS, ["timestamp", "last_updated_timestamp"]),
        (MODEL_VERSIONS, ["name", "name DESC"]),
    ):
        with pytest.raises(InvalidParameter, match="order_by contains duplicate fields"):
            parse_order(items, vocabulary)


def test_an_order_has_a_greatest_number_of_items():
    with pytest.raises(InvalidParameter, match=f"order_by may have at most {MAX_ORDER_TERMS} items, got 21"):
        parse_order([f"metrics.m{number}" for number in range(21)], RUNS)
