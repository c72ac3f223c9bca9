"""Counting what was ever created, without reading what there is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from runyard.errors import InvalidParameter
from runyard.store import experiments, runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.totals import Totals, count_created
from tests.contract.factories import make_experiment, make_run
from tests.contract.test_trash import delete_runs


def test_an_empty_database_has_its_default_experiment_alone(database: Database) -> None:
    assert database.read(count_created) == Totals(experiments=1, runs=0)


def test_what_is_created_is_counted_at_once(database: Database, ingest: Ingest) -> None:
    for name in ("a", "b"):
        make_run(ingest, make_experiment(database, name))
    make_run(ingest)
    assert database.read(count_created) == Totals(experiments=3, runs=3)


def test_what_is_refused_is_not_counted(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    database.write(experiments.delete_experiment, experiment_id)
    with pytest.raises(InvalidParameter):
        make_run(ingest, experiment_id)
    assert database.read(count_created) == Totals(experiments=2, runs=0)


def test_what_is_deleted_for_good_stays_counted(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    ingest.submit(runs.deletion(run_id)).result(10)
    assert delete_runs(database, run_id) == 1
    assert database.read(count_created).runs == 1


def test_the_tables_are_not_read(database: Database) -> None:
    read = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        read.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    database.read(count_created)
    [statement] = read
    assert " runs" not in statement
    assert " experiments" not in statement
