"""How far a transfer has come is shown on a terminal, and nowhere else."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from runyard.client.progress import shown_progress

MEBIBYTE = 1024 * 1024

PROGRAM = """
import sys, time
from pathlib import Path
import runyard as mlflow
from runyard.client import artifacts, progress

progress.APPEARS_AFTER_S = 0.0
Path("data").mkdir()
for index in range(3):
    Path("data", f"{index}.bin").write_bytes(b"x" * 2_000_000)
with mlflow.start_run() as run:
    mlflow.log_artifacts("data")
mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path="fetched")
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def lines_of(terminal: Terminal) -> list[str]:
    return [line.rstrip() for line in terminal.getvalue().split("\r")[1:]]


def test_a_long_transfer_shows_how_far_it_is_and_how_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    terminal, clock = Terminal(), Clock()
    with shown_progress("Sending", 2, 4 * MEBIBYTE, stream=terminal, clock=clock) as progress:
        progress(MEBIBYTE)
        assert terminal.getvalue() == ""
        clock.now_s = 1.0
        progress(MEBIBYTE)
        clock.now_s = 2.0
        progress(2 * MEBIBYTE)
    half, full, end = lines_of(terminal)
    assert half.startswith("Sending 2 files  [####")
    assert half.endswith("-]   50%  2.0/4.0 MiB  2.0 MiB/s")
    assert full.endswith("#]  100%  4.0/4.0 MiB  2.0 MiB/s")
    assert end == full
    assert {len(line) for line in terminal.getvalue().split("\r")[1:3]} == {79}


def test_what_is_over_in_a_moment_shows_nothing() -> None:
    terminal = Terminal()
    with shown_progress("Sending", 1, MEBIBYTE, stream=terminal, clock=Clock()) as progress:
        progress(MEBIBYTE)
    assert terminal.getvalue() == ""


def test_an_unknown_size_is_shown_without_a_share() -> None:
    terminal, clock = Terminal(), Clock()
    with shown_progress("Fetching", 1, None, stream=terminal, clock=clock) as progress:
        clock.now_s = 2.0
        progress(MEBIBYTE)
    assert lines_of(terminal)[0] == "Fetching 1 file  1.0 MiB  0.5 MiB/s"


def test_two_at_once_share_no_line() -> None:
    first, second, clock = Terminal(), Terminal(), Clock()
    with (
        shown_progress("Sending", 1, MEBIBYTE, stream=first, clock=clock) as progress,
        shown_progress("Sending", 1, MEBIBYTE, stream=second, clock=clock) as other,
    ):
        clock.now_s = 5.0
        progress(1)
        other(1)
    assert first.getvalue() != ""
    assert second.getvalue() == ""


def test_nothing_is_shown_where_that_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    terminal, clock = Terminal(), Clock()
    with shown_progress("Sending", 1, MEBIBYTE, stream=terminal, clock=clock) as progress:
        clock.now_s = 5.0
        progress(MEBIBYTE)
    assert terminal.getvalue() == ""


def test_a_program_on_a_terminal_shows_its_uploads_and_downloads(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=tmp_path, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 65536):
            shown += block
    except OSError:
        # How a terminal says that nobody writes to it any more.
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0, shown
    text = shown.decode()
    assert "Sending 3 files" in text
    assert "Fetching 3 files" in text
    assert "100%  5.7/5.7 MiB" in text


def test_a_program_whose_output_is_kept_shows_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
