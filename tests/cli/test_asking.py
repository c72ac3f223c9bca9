"""Commands that ask: what is not there is refused in a line, and what is long is listed whole."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from pathlib import Path

from runyard.client import tracking
from runyard.client.transport import open_transport
from tests.cli.conftest import Shell


def test_what_is_not_there_is_refused_by_every_command(shell: Shell, folder: Path) -> None:
    (folder / "notes.txt").write_text("text")
    run_id, experiment_id = "0123456789abcdef" * 2, "123456789"
    for arguments in (
        ("experiments", "get", "-x", experiment_id),
        ("experiments", "csv", "-x", experiment_id),
        ("experiments", "rename", "-x", experiment_id, "--new-name", "new"),
        ("experiments", "delete", "-x", experiment_id),
        ("experiments", "restore", "-x", experiment_id),
        ("runs", "list", "--experiment-id", experiment_id),
        ("runs", "create", "--experiment-id", experiment_id),
        ("runs", "describe", "--run-id", run_id),
        ("artifacts", "log-artifact", "-l", "notes.txt", "-r", run_id),
        ("artifacts", "log-artifacts", "-l", ".", "-r", run_id),
        ("artifacts", "download", "-r", run_id),
        ("artifacts", "download", "-u", f"runs:/{run_id}/model"),
    ):
        result = shell(*arguments, status=1)
        assert re.fullmatch(r"Error: .+\n", result.stderr), arguments
        assert run_id in result.stderr or experiment_id in result.stderr, arguments


def test_a_csv_that_cannot_be_written_is_refused(shell: Shell) -> None:
    assert "no-folder/runs.csv" in shell.refused("experiments", "csv", "-x", "0", "-o", "no-folder/runs.csv")


def test_a_listing_goes_on_past_the_first_page(folder: Path) -> None:
    shell = Shell("sqlite:///a.db")
    with contextlib.closing(open_transport("sqlite:///a.db")) as transport:
        # The largest page has a thousand.
        made = {tracking.create_run(transport, "0", start_time=number).info.run_id for number in range(1, 1002)}
    rows = csv.DictReader(io.StringIO(shell("experiments", "csv", "-x", "0").stdout))
    assert {row["run_id"] for row in rows} == made
    listing = ("runs", "list", "--experiment-id", "0", "--output", "json")
    assert "there are more than 1000" in shell(*listing).stderr
    assert {found["info"]["run_id"] for found in shell.json(*listing, "--max-results", "1001")} == made
