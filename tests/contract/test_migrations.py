from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import SchemaMismatch
from runyard.store import migrate
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment
from runyard.store.ingest import Ingest
from runyard.store.run_columns import list_run_columns
from runyard.store.schema import SCHEMA_METADATA
from runyard.wire.run_tables import ListRunColumns, RunColumns
from tests.contract.factories import make_run

REVISIONS = ["0001", "0002", "0003", "0004"]
UPGRADE = """
import sys
from runyard.store import migrate
from runyard.store.engine import Database
database = Database(sys.argv[1])
print(len(migrate.upgrade(database)))
migrate.check(database)
"""


def test_an_empty_database_is_brought_to_the_head_and_then_left_alone(database_uri: str) -> None:
    database = Database(database_uri)
    assert migrate.status(database).current is None
    with pytest.raises(SchemaMismatch, match="runyard db upgrade"):
        migrate.check(database)
    assert migrate.upgrade(database) == REVISIONS
    assert migrate.status(database).is_current
    migrate.check(database)
    assert migrate.upgrade(database) == []
    database.close()


def test_ten_that_start_together_migrate_once(database_uri: str) -> None:
    starts = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, database_uri], stdout=subprocess.PIPE, text=True)
        for _ in range(10)
    ]
    applied = [int(start.communicate(timeout=60)[0]) for start in starts]
    assert [start.returncode for start in starts] == [0] * 10
    assert sorted(applied) == [0] * 9 + [len(REVISIONS)]


def test_a_database_newer_than_this_version_is_refused_and_untouched(database_uri: str) -> None:
    database = Database(database_uri)
    migrate.upgrade(database)
    database.write(lambda connection: connection.execute(sa.text("UPDATE runyard_schema SET version_num = '9999'")))
    for refuse in (migrate.upgrade, migrate.check):
        with pytest.raises(SchemaMismatch, match="newer than this version"):
            refuse(database)
    assert migrate.status(database).current == "9999"
    database.close()


def test_another_programs_tables_are_refused(database_uri: str) -> None:
    database = Database(database_uri)
    _write(database, "CREATE TABLE alembic_version (version_num TEXT)")
    with pytest.raises(SchemaMismatch, match="another program"):
        migrate.upgrade(database)
    database.close()


def test_the_migrations_make_the_tables_that_the_schema_declares(database_uri: str) -> None:
    database = Database(database_uri)
    migrate.upgrade(database)
    migrated = database.read(_described)
    with database.transaction() as connection:
        SCHEMA_METADATA.drop_all(connection)
        SCHEMA_METADATA.create_all(connection)
    declared = database.read(_described)
    assert migrated == declared
    assert len(declared) >= 2 * len(SCHEMA_METADATA.tables)
    database.close()


def test_the_names_of_runs_that_are_there_already_are_found_after_an_upgrade(database_uri: str) -> None:
    database = Database(database_uri)
    migrate.upgrade(database)
    database.write(ensure_default_experiment, "mlflow-artifacts:/")
    with contextlib.closing(Ingest(database)) as ingest:
        make_run(ingest, metrics={"m": 1}, params={"p": "1"}, tags={"t": "1"})
        make_run(ingest, metrics={"m": 2, "n": 1})
    _write(database, *_UNDONE)
    assert migrate.upgrade(database) == REVISIONS[1:]
    names = database.read(list_run_columns, ListRunColumns(experiment_ids=["0"]))
    assert names == RunColumns(metrics=["m", "n"], params=["p"], tags=["mlflow.runName", "t"])
    database.close()


_UNDONE = (
    "DROP INDEX ix_runs_deleted",
    "DROP INDEX ix_runs_purged",
    "ALTER TABLE experiments DROP COLUMN purge_time",
    "ALTER TABLE runs DROP COLUMN purge_time",
    "ALTER TABLE logged_models DROP COLUMN purge_time",
    "DROP TABLE leases",
    "DROP TABLE purges",
    "DROP TABLE commits",
    "DROP TABLE experiment_keys",
    "DROP INDEX ix_run_tags_run_id",
    "UPDATE runyard_schema SET version_num = '0001'",
)


def _write(database: Database, *statements: str) -> None:
    # Not `Database.write`, which needs our tables.
    with database.transaction() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def _described(connection: Connection) -> set[tuple[str, ...]]:
    """Everything the database says of our tables, but for the one that holds the revision."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT tbl_name, name, coalesce(sql, '') FROM sqlite_master WHERE tbl_name NOT LIKE 'sqlite_%'"
    else:
        statement = """
            SELECT table_name, column_name, concat_ws(' ', data_type, is_nullable, collation_name, is_identity,
                   identity_generation, identity_start, identity_minimum)
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace"""
    rows = connection.execute(sa.text(statement))
    # The order of constraints within a table is nobody's concern.
    return {(*row[:2], *sorted(_clauses(row[2]))) for row in rows if row[0] != migrate.VERSION_TABLE}


def _clauses(definition: str) -> list[str]:
    body = definition.partition("(")[2].rpartition(")")
    return [" ".join(clause.split()) for clause in (definition.partition("(")[0], *body[0].split(","), body[2])]
