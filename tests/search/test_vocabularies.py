"""The vocabularies, the tables and the page for users say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, TypeCoerce

from runyard.search.compile import _SOURCES
from runyard.search.vocabularies import VOCABULARIES, Family, Kind

by_vocabulary = pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.entity)

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()


@by_vocabulary
def test_a_field_may_be_absent_where_its_column_may_be_null(vocabulary):
    source = _SOURCES[vocabulary.entity]
    assert set(source.columns) == {attribute.name for attribute in vocabulary.attributes}
    assert set(source.keyed) == set(vocabulary.keyed)
    for attribute in vocabulary.attributes:
        if attribute.name == "duration":
            continue
        column = source.columns[attribute.name]
        column = column.clause if isinstance(column, TypeCoerce) else column
        assert isinstance(column, Column)
        assert column.nullable is attribute.is_nullable, attribute.name


@by_vocabulary
def test_orders_that_are_given_name_attributes_that_are_never_absent(vocabulary):
    for name, _ in vocabulary.default_order + vocabulary.tie_breakers:
        attribute = vocabulary.attribute(Family.ATTRIBUTE, name)
        assert attribute is not None
        assert not attribute.is_nullable


@by_vocabulary
def test_names_and_aliases_mean_one_attribute(vocabulary):
    names = [name for attribute in vocabulary.attributes for name in (attribute.name, *attribute.aliases)]
    assert len(names) == len(set(names))


@by_vocabulary
def test_every_attribute_and_alias_is_documented(vocabulary):
    _, _, section = PAGE.partition(f"### {vocabulary.entity.capitalize()}\n")
    section, _, _ = section.partition("\n### ")
    assert section, "the page has no section"
    for attribute in (*vocabulary.attributes, *vocabulary.dataset_attributes):
        for name in (attribute.name, *attribute.aliases):
            assert f"`{name}`" in section, name


def test_every_prefix_is_documented():
    for vocabulary in VOCABULARIES:
        for prefix in vocabulary.prefixes:
            assert f"`{prefix}.`" in PAGE, prefix


def test_identifiers_and_metrics_have_kinds_of_their_own():
    for vocabulary in VOCABULARIES:
        assert all(attribute.kind is not Kind.REAL for attribute in vocabulary.attributes)
