"""The script that keeps the dumps of the backup job: against a real PostgreSQL, and by itself."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import pytest

from runyard.artifacts.store import open_store
from tests.deploy.tools import CHART, render
from tests.postgres import PostgresServer

SCRIPT = CHART / "files" / "backup.py"


@pytest.fixture(scope="module")
def backup() -> ModuleType:
    """The script, as a module."""
    specification = importlib.util.spec_from_file_location("backup", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run(*arguments: str | Path) -> str:
    answer = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def keep(backup: ModuleType, folder: Path, day: int, keep_days: int = 7, keep_count: int = 2) -> None:
    now = datetime(2026, 3, day, 1, 30, tzinfo=timezone.utc)
    asyncio.run(backup.store_dump(open_store(str(folder)), io.BytesIO(b"dump"), now, keep_days, keep_count))


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_dumps_are_deleted_when_they_are_too_old(tmp_path: Path, backup: ModuleType) -> None:
    for day in (1, 9, 17, 20):
        keep(backup, tmp_path, day)
    assert files_in(tmp_path) == {"mlflow-20260317T013000Z.dump", "mlflow-20260320T013000Z.dump"}


def test_the_newest_dumps_stay_however_old_they_are(tmp_path: Path, backup: ModuleType) -> None:
    for day in (1, 2, 28):
        keep(backup, tmp_path, day, keep_days=1, keep_count=3)
    assert len(files_in(tmp_path)) == 3


def test_what_is_no_dump_of_ours_is_left_alone(tmp_path: Path, backup: ModuleType) -> None:
    strangers = ["mlflow-before-the-move.dump", "notes.txt", "mlflow-20200101T000000Z.dump.gz"]
    for name in strangers:
        (tmp_path / name).write_text("precious")
    keep(backup, tmp_path, 20, keep_days=1, keep_count=1)
    assert files_in(tmp_path) == {*strangers, "mlflow-20260320T013000Z.dump"}


def test_without_a_dump_there_is_nothing_to_fetch(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, SCRIPT, "fetch", "latest", tmp_path / "mlflow.dump", f"--from={tmp_path / 'backups'}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "there is no dump" in answer.stderr


@pytest.mark.deploy
@pytest.mark.postgres
def test_what_the_job_dumps_and_stores_can_be_restored(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """The drill of docs/kubernetes.md, with the commands that the chart renders."""
    before, after = postgres_server.create_database(), postgres_server.create_database()
    try:
        runyard("experiments", "create", "-n", "before the fire", database=before)
        host, _, port = before.split("@")[1].split("/")[0].partition(":")
        values = {
            "backendStore": {
                "postgres": {
                    "host": host,
                    "port": int(port),
                    "username": "postgres",
                    "database": before.rpartition("/")[2],
                    "passwordFromSecret": {"enabled": False},
                }
            },
            "backup": {"enabled": True},
        }
        pod = render(values).pod("CronJob", "mlflow-backup")
        dump, store = pod["initContainers"][0], pod["containers"][0]
        subprocess.run(
            [*dump["command"], dump["args"][0].replace("/backup/", f"{tmp_path}/")],
            check=True,
            env={**os.environ, **{entry["name"]: entry["value"] for entry in dump["env"]}},
        )
        place = tmp_path / "backups"
        given = [argument for argument in store["args"] if not argument.startswith("--to=")]
        run(*(argument.replace("/backup/", f"{tmp_path}/") for argument in given), f"--to={place}")
        name = run("list", f"--from={place}").strip()
        assert name in run("fetch", "latest", tmp_path / "fetched.dump", f"--from={place}")
        subprocess.run(["pg_restore", "--no-owner", f"--dbname={after}", tmp_path / "fetched.dump"], check=True)
        assert "before the fire" in runyard("experiments", "search", database=after)
    finally:
        postgres_server.drop_database(before)
        postgres_server.drop_database(after)


def runyard(*arguments: str, database: str) -> str:
    """Run the command line on a database, and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "runyard", *arguments, "--tracking-uri", database],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
