from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from runyard.store import migrate
from tests.cli.conftest import Shell


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_database_is_made_once_and_then_current(command: Shell, folder: Path) -> None:
    uri = f"sqlite:///{folder / 'a.db'}"
    assert "Upgraded" in command("db", "upgrade", uri).stdout
    assert f"is current: schema {migrate.HEAD}" in command("db", "upgrade", uri).stdout
    assert "is current" in command("db", "check", uri).stdout


def test_to_ask_for_a_database_that_is_not_there_makes_none(command: Shell, folder: Path) -> None:
    said = command("db", "check", f"sqlite:///{folder / 'a.db'}", status=1).stdout
    assert "runyard db upgrade" in said
    assert list(folder.iterdir()) == []


def test_to_ask_for_a_database_leaves_its_file_as_it_is(command: Shell, folder: Path) -> None:
    execute(folder / "a.db", "CREATE TABLE notes (text TEXT)")
    before = (folder / "a.db").read_bytes()
    assert "is empty" in command("db", "check", f"sqlite:///{folder / 'a.db'}", status=1).stdout
    assert (folder / "a.db").read_bytes() == before


def test_an_empty_database_is_told_from_a_current_one(command: Shell, folder: Path) -> None:
    execute(folder / "a.db", "VACUUM")
    assert "is empty" in command("db", "check", f"sqlite:///{folder / 'a.db'}", status=1).stdout


def test_a_newer_database_is_refused_by_both(command: Shell, folder: Path) -> None:
    uri = f"sqlite:///{folder / 'a.db'}"
    command("db", "upgrade", uri)
    execute(folder / "a.db", f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")
    for action in ("check", "upgrade"):
        error = command.refused("db", action, uri, status=2)
        assert "9999" in error
        assert "newer" in error


def test_another_programs_database_is_refused_and_left_alone(command: Shell, folder: Path) -> None:
    execute(folder / "a.db", "CREATE TABLE experiments (name TEXT)")
    for action in ("check", "upgrade"):
        assert "another program" in command.refused("db", action, f"sqlite:///{folder / 'a.db'}", status=2)
    with closing(sqlite3.connect(folder / "a.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("experiments",)]


def test_what_is_no_database_is_told_in_a_line(command: Shell, folder: Path) -> None:
    (folder / "a.db").write_text("not a database, and longer than a header of one would be" * 20)
    command.refused("db", "check", f"sqlite:///{folder / 'a.db'}", status=2)
    assert "mysql" in command.refused("db", "check", "mysql://host/name", status=2)


def test_without_a_uri_the_database_is_the_one_of_the_environment(
    command: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", f"sqlite:///{folder / 'named.db'}")
    command("db", "upgrade")
    assert (folder / "named.db").exists()


@pytest.mark.postgres
def test_a_postgresql_database_is_made_and_asked(command: Shell, postgres_url: str) -> None:
    assert "is empty" in command("db", "check", postgres_url, status=1).stdout
    command("db", "upgrade", postgres_url)
    assert "is current" in command("db", "check", postgres_url).stdout


@pytest.mark.postgres
def test_a_database_server_that_is_not_there_is_told_without_its_password(command: Shell) -> None:
    error = command.refused("db", "check", "postgresql://user:secret@127.0.0.1:9/name", status=2)
    assert "secret" not in error
