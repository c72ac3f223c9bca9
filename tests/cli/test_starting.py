"""What keeps a command from starting: told with status 2, without a traceback, and nothing is changed by it."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runyard.cli.server import option_name, server
from runyard.settings import Settings, load_settings
from runyard.store import migrate
from tests.cli.conftest import Shell
from tests.servers import clean_environment

SETTINGS = {setting.name: setting for setting in dataclasses.fields(Settings)}
SECRETS = {name for name, setting in SETTINGS.items() if setting.metadata.get("is_secret")}
# A value of each setting that is not its default.
OTHER_VALUES: dict[str, Any] = {
    "host": "127.0.0.2",
    "port": 5001,
    "workers": 3,
    "backend_store_uri": "sqlite:///other.db",
    "artifacts_destination": "s3://bucket/artifacts",
    "default_artifact_root": "s3://bucket/runs",
    "serve_artifacts": False,
    "direct_transfers": False,
    "signed_upload_s": 7200,
    "signed_download_s": 60,
    "allowed_hosts": "mlflow.example.com",
    "cors_allowed_origins": "https://example.com",
    "x_frame_options": "DENY",
    "static_prefix": "/mlflow",
    "pool_size": 7,
    "max_overflow": 8,
    "pool_recycle_s": -1,
    "pool_pre_ping": False,
    "db_ssl_mode": "verify-full",
    "db_ssl_root_cert": "ca.pem",
    "db_password": "secret",
    "db_password_file": "password",
    "statement_timeout_s": 60,
    "lock_timeout_s": 5,
    "read_replica_uri": "postgresql://someone@localhost/replica",
    "drain_s": 2,
    "outage_s": 3,
    "max_body_bytes": 2048,
    "max_head_bytes": 4096,
    "client_timeout_s": 5,
    "rate_limit": 50,
    "trusted_proxies": "10.0.0.0/8",
    "read_only": True,
    "log_level": "debug",
    "log_format": "json",
    "access_log": True,
    "metrics": False,
    "expose_prometheus": "metrics",
    "cleanup_enabled": True,
    "cleanup_deleted_days": 30,
    "cleanup_finished_days": 14,
    "cleanup_orphan_days": 7,
    "cleanup_interval_s": 60,
    "cleanup_max_per_second": 0,
    "cleanup_dry_run": True,
}


def arguments_for(name: str, value: Any) -> list[str]:
    option = option_name(SETTINGS[name])
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", str(value)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell would, with all that it logs."""
    return subprocess.run(
        [sys.executable, "-m", "runyard", *arguments],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in SECRETS])
def test_each_option_sets_its_setting_and_no_other(name: str) -> None:
    assert getattr(Settings(), name) != OTHER_VALUES[name]
    with server.make_context("server", arguments_for(name, OTHER_VALUES[name])) as context:
        assert load_settings({}, **context.params) == dataclasses.replace(Settings(), **{name: OTHER_VALUES[name]})


def test_no_option_takes_a_secret_which_every_process_list_would_show() -> None:
    assert {"db_password"} == SECRETS
    options = {option for parameter in server.params for option in parameter.opts}
    assert not options & {f"--{option_name(SETTINGS[name])}" for name in SECRETS}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_variable_sets_its_setting_and_an_option_counts_before_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in SETTINGS[name].metadata["variables"]:
        monkeypatch.setenv(variable, str(OTHER_VALUES[name]))
        assert getattr(load_settings(), name) == OTHER_VALUES[name]
        if SETTINGS[name].default is not None:
            with server.make_context("server", arguments_for(name, SETTINGS[name].default)) as context:
                assert load_settings(**context.params) == Settings()
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    "arguments",
    [
        ["server", "--port", "0", "--backend-store-uri", "sqlite:///notes.txt"],
        ["db", "upgrade", "sqlite:///notes.txt"],
        ["db", "check", "sqlite:///notes.txt"],
        ["experiments", "search", "--tracking-uri", "sqlite:///notes.txt"],
    ],
    ids=lambda arguments: arguments[0] + arguments[1],
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(folder: Path, arguments: list[str]) -> None:
    content = "These are notes, and no database at all.\n" * 100
    (folder / "notes.txt").write_text(content)
    ended = run(folder, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: the file 'notes.txt' is not a SQLite database\n"
    assert [path.read_text() for path in folder.iterdir()] == [content]


@pytest.mark.parametrize("arguments", [("server", "--port", "0", "--backend-store-uri"), ("db", "check")])
def test_a_database_server_that_does_not_answer_is_told_without_a_traceback(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    with socket.socket() as silent:
        # Bound but not listening: nobody answers there, and nobody else can.
        silent.bind(("127.0.0.1", 0))
        ended = run(folder, *arguments, f"postgresql://runyard:hidden@127.0.0.1:{silent.getsockname()[1]}/runyard")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1] == "Error: the database cannot be reached at the moment; try again"
    assert "Traceback" not in ended.stderr
    assert "hidden" not in ended.stderr


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(folder, "server", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(rf"Error: cannot listen on 127\.0\.0\.1:{port}: .+\n", ended.stderr)


@pytest.mark.parametrize("content", [None, b""])
def test_to_check_what_is_missing_or_empty_leaves_it_so(command: Shell, folder: Path, content: bytes | None) -> None:
    if content is not None:
        (folder / "a.db").write_bytes(content)
    assert "runyard db upgrade sqlite:///a.db" in command("db", "check", "sqlite:///a.db", status=1).stdout
    assert [path.read_bytes() for path in folder.iterdir()] == ([] if content is None else [content])


def test_to_check_a_current_database_changes_no_byte(command: Shell, folder: Path) -> None:
    command("db", "upgrade", "sqlite:///a.db")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    command("db", "check", "sqlite:///a.db")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_older_database_ends_the_check_with_1_and_what_to_do(command: Shell, folder: Path) -> None:
    command("db", "upgrade", "sqlite:///a.db")
    with contextlib.closing(sqlite3.connect(folder / "a.db")) as connection, connection:
        connection.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0000'")
    said = command("db", "check", "sqlite:///a.db", status=1).stdout
    assert said == (
        f"sqlite:///a.db has schema 0000, this version needs {migrate.HEAD}; "
        "back it up, then: runyard db upgrade sqlite:///a.db\n"
    )


@pytest.mark.parametrize("uri", ["databricks", "databricks-uc", "http://", "http://[::1", "ftp://host"])
def test_a_tracking_uri_that_names_no_server_is_refused(command: Shell, uri: str) -> None:
    error = command.refused("experiments", "search", "--tracking-uri", uri, status=2)
    assert "http://HOST:PORT" in error


def test_the_option_counts_before_the_variables_and_ours_before_upstreams(
    command: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///theirs.db")
    command("experiments", "search")
    monkeypatch.setenv("RUNYARD_TRACKING_URI", "sqlite:///ours.db")
    command("experiments", "search")
    command("experiments", "search", "--tracking-uri", "sqlite:///named.db")
    assert {path.name for path in folder.glob("*.db")} == {"theirs.db", "ours.db", "named.db"}
