"""Filters and orders in SQL find what a naive evaluation finds, page by page, on both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.engine import Connection

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.search import page_tokens
from runyard.search.compile import Query, filter_clause
from runyard.search.grammar import MAX_CLAUSES, MAX_DEPTH, MAX_PATTERN_LENGTH, MAX_VALUES, Node, parse, to_text
from runyard.search.order import MAX_ORDER_TERMS, OrderTerm, parse_order
from runyard.search.vocabularies import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    PROMPT_TAG,
    REGISTERED_MODELS,
    RUNS,
    VOCABULARIES,
    Vocabulary,
)
from runyard.store import schema
from runyard.store.engine import Database
from tests.search import naive
from tests.search.populations import SEEDS, Population, insert, load
from tests.search.strategies import Dataset, OrderBy, filters, order_by, order_text, orders

by_vocabulary = pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.entity)


def examples(count: int) -> settings:
    # The tables are filled once for a test and only read by its examples.
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class SearchContract:
    """What a search answers, whatever the database."""

    @pytest.fixture
    def database(self) -> Iterator[Database]:
        raise NotImplementedError

    @pytest.fixture
    def connection(self, database: Database) -> Iterator[Connection]:
        schema.SCHEMA_METADATA.create_all(database.engine)
        with database.transaction() as connection:
            yield connection

    @by_vocabulary
    def test_a_filter_finds_what_its_words_say(self, connection: Connection, vocabulary: Vocabulary) -> None:
        populations = load(connection, vocabulary)

        @examples(60)
        @given(node=filters(vocabulary), seed=st.sampled_from(SEEDS))
        def check(node: Node, seed: int) -> None:
            population = populations[seed]
            terms = parse_order(None, vocabulary)
            found = Query(vocabulary, to_text(node)).page(connection, population.base, 100, None)
            assert [row.id for row in found.rows] == naive.search(population.entities, vocabulary, node, terms)

        check()

    @by_vocabulary
    def test_pages_hold_each_row_once_and_in_order(self, connection: Connection, vocabulary: Vocabulary) -> None:
        populations = load(connection, vocabulary)

        @examples(40)
        @given(
            asked=orders(vocabulary),
            node=st.none() | filters(vocabulary),
            seed=st.sampled_from(SEEDS),
            sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
        )
        def check(asked: list[OrderTerm], node: Node | None, seed: int, sizes: list[int]) -> None:
            population = populations[seed]
            written: list[Any] = list(map(order_by if vocabulary is LOGGED_MODELS else order_text, asked))
            query = Query(vocabulary, None if node is None else to_text(node), written)
            terms = parse_order(written, vocabulary)
            assert list(terms[: len(asked)]) == asked
            expected = naive.search(population.entities, vocabulary, node, terms)
            assert pages(connection, query, population, sizes) == expected

        check()

    @by_vocabulary
    def test_one_statement_finds_the_rows_of_all_pages_in_order(
        self, connection: Connection, vocabulary: Vocabulary
    ) -> None:
        populations = load(connection, vocabulary)

        @examples(30)
        @given(asked=orders(vocabulary), node=st.none() | filters(vocabulary), seed=st.sampled_from(SEEDS))
        def check(asked: list[OrderTerm], node: Node | None, seed: int) -> None:
            population = populations[seed]
            written: list[Any] = list(map(order_by if vocabulary is LOGGED_MODELS else order_text, asked))
            query = Query(vocabulary, None if node is None else to_text(node), written)
            expected = naive.search(population.entities, vocabulary, node, parse_order(written, vocabulary))
            assert list(connection.scalars(query.ordered(population.base))) == expected
            assert sorted(connection.scalars(query.matching(population.base))) == sorted(expected)

        check()

    def test_datasets_narrow_the_metrics_of_logged_models(self, connection: Connection) -> None:
        population = load(connection, LOGGED_MODELS)[1]
        datasets = st.builds(Dataset, st.sampled_from(("train", "test", "absent")), st.sampled_from((None, "d1", "d2")))

        @examples(40)
        @given(node=st.none() | filters(LOGGED_MODELS), narrowed=st.lists(datasets, max_size=2))
        def check(node: Node | None, narrowed: list[Dataset]) -> None:
            query = Query(LOGGED_MODELS, None if node is None else to_text(node), datasets=narrowed)
            found = query.page(connection, population.base, 100, None)
            terms = parse_order(None, LOGGED_MODELS)
            expected = naive.search(population.entities, LOGGED_MODELS, node, terms, narrowed)
            assert [row.id for row in found.rows] == expected

        check()

    def test_absent_and_nan_match_as_documented(self, connection: Connection) -> None:
        expected = {
            "metrics.m > 0.5": ["one", "infinite"],
            "metrics.m != 1": ["nan", "infinite"],
            "metrics.m != 0 AND metrics.m NOT IN (0)": ["one", "nan", "infinite"],
            "metrics.m = 0 OR metrics.m < 0.5 OR metrics.m BETWEEN -1 AND 0.5": [],
            "NOT metrics.m = 1": ["none", "nan", "infinite"],
            "metrics.m = 1e999": ["infinite"],
            "metrics.m NOT IN (5)": ["one", "nan", "infinite"],
            "metrics.m NOT BETWEEN 2 AND 3": ["one", "infinite"],
            "metrics.m IS NULL": ["none"],
            "params.p != 'x'": ["one"],
            "params.p NOT LIKE 'x%'": ["one"],
            "NOT params.p = 'x'": ["one", "none", "infinite"],
            "end_time IS NULL AND duration IS NULL": ["one", "none", "infinite"],
            "NOT end_time > 5": ["one", "none", "infinite"],
            "duration > 9.5": ["nan"],
            "run_name ILIKE 'N%' OR run name = 'one'": ["one", "none", "nan"],
            "start_time > 9223372036854775807": [],
            "start_time < 1e400": ["one", "none", "nan", "infinite"],
            "start_time != 0.5": ["one", "none", "nan", "infinite"],
            "experiment_id IN ('7', '8')": ["one", "none", "nan", "infinite"],
            "params.p = 'x' OR params.p = 'y' AND metrics.m > 5": ["nan"],
            "(params.p = 'x' OR params.p = 'y') AND metrics.m > 0": ["one"],
        }
        insert(connection, schema.experiments, [{"id": 7, "name": "seven"}])
        insert(connection, schema.keys, [{"id": 1, "name": "m"}, {"id": 2, "name": "p"}])
        names = enumerate(["one", "none", "nan", "infinite"], 1)
        runs = [
            {"id": n, "run_id": name, "run_name": name, "experiment_id": 7, "start_time": 10 - n} for n, name in names
        ]
        insert(connection, schema.runs, runs)
        connection.execute(sa.update(schema.runs).where(schema.runs.c.id == 3).values(end_time=17))
        points = [(1, 1.0, False), (3, 0.0, True), (4, math.inf, False)]
        insert(
            connection,
            schema.latest_metrics,
            [{"run": run, "key": 1, "value": value, "is_nan": is_nan} for run, value, is_nan in points],
        )
        insert(connection, schema.params, [{"run": 1, "key": 2, "value": "y"}, {"run": 3, "key": 2, "value": "x"}])
        base = sa.select(schema.runs.c.run_id)
        found = {text: Query(RUNS, text).page(connection, base, 10, None).rows for text in expected}
        assert {text: [row.run_id for row in rows] for text, rows in found.items()} == expected

    def test_logged_models_are_sorted_by_the_latest_value_of_a_metric(self, connection: Connection) -> None:
        insert(connection, schema.experiments, [{"id": 1, "name": "one"}])
        insert(connection, schema.logged_models, [{"id": n, "model_id": f"m-{n}", "experiment_id": 1} for n in (1, 2)])
        # The later timestamp wins, then the later step, then the lesser run id; the others would turn the order.
        points = [
            (1, 2, 0, "r2", 5.0),
            (1, 2, 1, "r2", 1.0),
            (1, 2, 1, "r3", 9.0),
            (1, 1, 9, "r1", 9.0),
            (2, 0, 0, "r1", 2.0),
        ]
        insert(
            connection,
            schema.logged_model_metrics,
            [
                {
                    "model": m,
                    "key": "m",
                    "timestamp": t,
                    "step": step,
                    "run_id": run,
                    "value": v,
                    "dataset_name": str(v),
                }
                for m, t, step, run, v in points
            ],
        )
        query = Query(LOGGED_MODELS, None, [OrderBy("metrics.m")])
        page = query.page(connection, sa.select(schema.logged_models.c.model_id), 5, None)
        assert [row.model_id for row in page.rows] == ["m-1", "m-2"]

    @pytest.mark.parametrize("vocabulary", [REGISTERED_MODELS, MODEL_VERSIONS], ids=lambda v: v.entity)
    def test_prompts_are_found_only_when_asked_for(self, connection: Connection, vocabulary: Vocabulary) -> None:
        insert(connection, schema.registered_models, [{"id": 1, "name": "model"}, {"id": 2, "name": "prompt"}])
        insert(connection, schema.model_versions, [{"id": 1, "model": 1}, {"id": 2, "model": 2}])
        prompt = {"key": PROMPT_TAG, "value": "true"}
        insert(connection, schema.registered_model_tags, [{"model": 2, **prompt}])
        insert(connection, schema.model_version_tags, [{"version": 2, **prompt}])

        def found(filter_text: str | None) -> list[str]:
            base = sa.select(schema.registered_models.c.name)
            if vocabulary is MODEL_VERSIONS:
                base = base.select_from(schema.model_versions.join(schema.registered_models))
            return [row.name for row in Query(vocabulary, filter_text).page(connection, base, 10, None).rows]

        assert found(None) == ["model"]
        assert found("name LIKE '%'") == ["model"]
        assert found(f"tag.`{PROMPT_TAG}` != 'true'") == ["model"]
        assert found(f"tag.`{PROMPT_TAG}` = 'false'") == ["model"]
        assert found(f"tag.`{PROMPT_TAG}` = 'true'") == ["prompt"]
        assert found(f"tag.`{PROMPT_TAG}` != 'false'") == ["prompt"]
        # What clients append binds to the last alternative alone.
        assert found(f"name = 'prompt' OR name = 'model' AND tag.`{PROMPT_TAG}` != 'true'") == ["model"]

    def test_the_largest_filters_are_answered(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = '20s'")
        population = load(connection, RUNS)[1]
        leaves = ["metrics.m NOT BETWEEN 1 AND 2", "params.m ILIKE '%a\\%'", "dataset.name != 'x'", "tags.m IS NULL"]
        flat = [leaves[number % len(leaves)] for number in range(MAX_CLAUSES)]
        deep = "NOT (" * (MAX_DEPTH // 2) + " OR ".join(flat) + ")" * (MAX_DEPTH // 2)
        alternating = leaves[0]
        for number in range(MAX_DEPTH):
            alternating = f"({alternating}) {'OR' if number % 2 else 'AND'} {leaves[number % len(leaves)]}"
        listed = ", ".join(f"'{number:08x}'" for number in range(MAX_VALUES))
        for text in (
            " AND ".join(flat),
            " OR ".join(flat),
            deep,
            alternating,
            f"run_id NOT IN ({listed})",
            f"params.m IN ({listed})",
            f"run_name LIKE '{'%a' * (MAX_PATTERN_LENGTH // 2)}'",
            f"run_name ILIKE '{'é' * MAX_PATTERN_LENGTH}'",
        ):
            Query(RUNS, text, ["metrics.m"]).page(connection, population.base, 10, None)
        most = [f"metrics.k{number}" for number in range(MAX_ORDER_TERMS)]
        assert len(pages(connection, Query(RUNS, None, most), population, [7])) == 40

    def test_numbers_beyond_a_column_are_compared_all_the_same(self, connection: Connection) -> None:
        population = load(connection, MODEL_VERSIONS)[1]
        for text, is_everything in (
            ("version < 3000000000", True),
            ("version IN (1, 3000000000, 1e999)", False),
            ("version = 18446744073709551617", False),
            ("version_number != 1e-999999", True),
            (f"creation_timestamp <= {'9' * 5000}", True),
        ):
            page = Query(MODEL_VERSIONS, f"{text} AND tags.`{PROMPT_TAG}` LIKE '%'").page(
                connection, population.base, 100, None
            )
            shown = [entity for entity in population.entities if entity.tags.get(PROMPT_TAG) != "true"]
            assert (len(page.rows) == len(shown)) is is_everything

    def test_a_page_of_nothing_leads_to_the_page_asked_for(self, connection: Connection) -> None:
        population = load(connection, EXPERIMENTS)[1]
        query = Query(EXPERIMENTS)
        first = query.page(connection, population.base, 5, None)
        for token in (None, first.next_page_token):
            empty = query.page(connection, population.base, 0, token)
            assert list(empty.rows) == []
            after = query.page(connection, population.base, 5, empty.next_page_token)
            assert after == query.page(connection, population.base, 5, token)

    def test_a_page_is_one_statement(self, connection: Connection) -> None:
        base = load(connection, RUNS)[1].base
        statements = []
        sa.event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
        query = Query(RUNS, "metrics.m > 1 AND tags.m = 'a' OR dataset.name = 'x'", ["metrics.m", "params.m", "tags.m"])
        query.page(connection, base, 5, None)
        assert len(statements) == 1

    def test_a_token_of_another_search_is_refused(self, connection: Connection) -> None:
        base = load(connection, RUNS)[1].base
        token = Query(RUNS, scope=["1"]).page(connection, base, 1, None).next_page_token
        for other in (
            Query(RUNS, scope=["2"]),
            Query(RUNS, "user_id != 'x'", scope=["1"]),
            Query(RUNS, None, ["end_time"], scope=["1"]),
        ):
            with pytest.raises(InvalidParameter, match="page_token is not valid: it belongs to another search"):
                other.page(connection, base, 1, token)

    def test_a_token_that_was_tampered_with_is_refused(self, connection: Connection) -> None:
        query = Query(RUNS, None, ["end_time"])
        search = query._fingerprint(parse_order(query.order_by, RUNS))
        for values in ((None, None, 5, "x"), (0, None, 5, "x"), (0, 5, None, "x"), (0, 5, 5), ("0", 5, 5, "x")):
            with pytest.raises(InvalidParameter, match="page_token is not valid: it does not hold a place"):
                query.page(connection, sa.select(schema.runs.c.id), 1, page_tokens.encode(search, values))

    def test_rows_have_the_columns_of_the_base_by_name(self, connection: Connection) -> None:
        base = load(connection, RUNS)[1].base.add_columns(schema.runs.c.start_time.label("begun"))
        row = Query(RUNS, None, ["start_time"]).page(connection, base, 1, None).rows[0]
        assert row.begun == connection.scalar(sa.select(schema.runs.c.start_time).where(schema.runs.c.id == row.id))

    @by_vocabulary
    def test_every_attribute_can_be_filtered_and_sorted_by(
        self, connection: Connection, vocabulary: Vocabulary
    ) -> None:
        base = load(connection, vocabulary)[1].base
        for attribute in vocabulary.attributes:
            for name in (attribute.name, *attribute.aliases):
                asked: list[Any] = [OrderBy(name)] if vocabulary is LOGGED_MODELS else [f"attributes.`{name}`"]
                query = Query(vocabulary, f"`{name}` IS NOT NULL", asked)
                query.page(connection, base, 10, None)

    def test_the_default_order_reads_a_range_of_its_index(self, connection: Connection) -> None:
        insert(connection, schema.experiments, [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}])
        rows = [
            {
                "id": number,
                "run_id": f"{number:032x}",
                "experiment_id": 1 + number % 2,
                "lifecycle_stage": schema.ACTIVE,
                "start_time": number * 7919 % 10_007,
            }
            for number in range(1, 4001)
        ]
        insert(connection, schema.runs, rows)
        connection.execute(sa.text("ANALYZE"))
        base = sa.select(schema.runs.c.run_id).where(
            schema.runs.c.experiment_id.in_([1]), schema.runs.c.lifecycle_stage.in_([schema.ACTIVE])
        )
        statements: list[tuple[str, Any]] = []
        sa.event.listen(connection, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
        token = Query(RUNS).page(connection, base, 100, None).next_page_token
        assert "ix_runs_newest" in self.plan(connection, *statements[-1])
        Query(RUNS).page(connection, base, 100, token)
        plan = self.plan(connection, *statements[-1])
        assert "ix_runs_newest" in plan
        assert "start_time<" in plan.replace(" ", "")
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan

    def plan(self, connection: Connection, statement: str, parameters: Any) -> str:
        raise NotImplementedError


class TestSqlite(SearchContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[Database]:
        database = Database(f"sqlite:///{tmp_path}/search.db")
        yield database
        database.close()

    def plan(self, connection: Connection, statement: str, parameters: Any) -> str:
        return "\n".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))

    def test_ilike_knows_letters_beyond_ascii(self, connection: Connection) -> None:
        insert(connection, schema.experiments, [{"id": 1, "name": "É Straße"}])
        page = Query(EXPERIMENTS, "name ILIKE 'é stra%'").page(connection, sa.select(schema.experiments.c.id), 5, None)
        assert len(page.rows) == 1


@pytest.mark.postgres
class TestPostgres(SearchContract):
    @pytest.fixture
    def database(self, postgres_url: str) -> Iterator[Database]:
        database = Database(postgres_url)
        yield database
        database.close()

    def plan(self, connection: Connection, statement: str, parameters: Any) -> str:
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))

    def test_ilike_knows_letters_beyond_ascii_where_the_locale_does(self, connection: Connection) -> None:
        if not connection.scalar(sa.text("SELECT 'É' COLLATE \"default\" ILIKE 'é'")):
            pytest.skip("the database's locale knows ASCII alone")
        insert(connection, schema.experiments, [{"id": 1, "name": "É Straße"}])
        page = Query(EXPERIMENTS, "name ILIKE 'é stra%'").page(connection, sa.select(schema.experiments.c.id), 5, None)
        assert len(page.rows) == 1


def test_no_filter_is_no_condition() -> None:
    assert filter_clause(parse(" ", RUNS), RUNS) is None


@pytest.mark.parametrize("dataset", [Dataset("a\x00"), Dataset("a", "\ud800")], ids=ascii)
def test_datasets_that_no_database_can_hold_are_refused(dataset: Dataset) -> None:
    with pytest.raises(InvalidParameter, match="datasets"):
        Query(LOGGED_MODELS, datasets=[dataset]).page(None, sa.select(schema.logged_models.c.id), 1, None)  # type: ignore[arg-type]


def test_a_bad_filter_is_refused_before_the_database_is_asked() -> None:
    with pytest.raises(InvalidFilter, match="Invalid attribute key 'colour'"):
        Query(RUNS, "colour = 'red'").page(None, sa.select(schema.runs.c.id), 1, None)  # type: ignore[arg-type]


def pages(connection: Connection, query: Query, population: Population, sizes: list[int]) -> list[int]:
    """Return the ids of all pages, each of the next of ``sizes`` in turn."""
    found: list[int] = []
    token = None
    for number in range(1000):
        page = query.page(connection, population.base, sizes[number % len(sizes)], token)
        found += [row.id for row in page.rows]
        token = page.next_page_token
        if token is None:
            return found
    raise AssertionError("the pages do not end")
