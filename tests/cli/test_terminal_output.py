"""What is printed: tables that line up, JSON that keeps what is there, and nothing that a terminal would obey."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from runyard.cli import main
from runyard.cli.printing import duration_text, print_json, print_table, size_text, time_text
from runyard.client.transport import open_transport
from runyard.wire.base import Empty, TagInput
from runyard.wire.runs import LogBatch, MetricPoint
from tests.cli.conftest import Shell
from tests.servers import clean_environment

# Red text, the window's title, a CSI in one character, an override of the writing direction, other lines.
HOSTILE = "a\x1b[31mred\x1b]0;title\x07\x9b5n\u202eb\r\nc"


def log(shell: Shell, run_id: str, **content: object) -> None:
    assert shell.tracking_uri is not None
    with contextlib.closing(open_transport(shell.tracking_uri)) as transport:
        transport.request("POST", "runs/log-batch", LogBatch(run_id=run_id, **content), Empty)  # type: ignore[arg-type]


def obeyed(text: str) -> list[str]:
    """Return the characters that a terminal would act on instead of showing them."""
    return [character for character in text if character != "\n" and not character.isprintable()]


def rows_of(table: str) -> list[list[str]]:
    """Return the cells below the headers, cut where the dashes say; a cell that reaches into the next column fails."""
    _, dashes, *lines = table.splitlines()
    columns = [(found.start(), found.end()) for found in re.finditer("-+", dashes)]
    for line in lines:
        assert all(line[end : end + 2].strip() == "" for _, end in columns)
    return [[line[start:end].strip() for start, end in columns] for line in lines]


@pytest.mark.parametrize("view", ["deleted_only", "all"])
def test_a_table_with_deleted_experiments_tells_their_stage(shell: Shell, view: str) -> None:
    experiment_id = shell("experiments", "create", "-n", "old").stdout.split()[-1]
    shell("experiments", "delete", "-x", experiment_id)
    rows = rows_of(shell("experiments", "search", "--view", view, "--order-by", "name DESC").stdout)
    assert (rows[0][:2], rows[0][-1]) == ([experiment_id, "old"], "deleted")
    assert [row[-1] for row in rows[1:]] == ([] if view == "deleted_only" else ["active"])


def test_no_name_moves_the_cursor_of_a_terminal(shell: Shell) -> None:
    printed = [shell("experiments", "create", "-n", HOSTILE).output]
    experiment_id = printed[0].split()[-1]
    options = ("--run-name", HOSTILE, "--description", HOSTILE, "-t", f"key={HOSTILE}")
    printed.append(shell("runs", "create", "--experiment-id", experiment_id, *options).output)
    run_id = json.loads(printed[-1])["run_id"]
    log(shell, run_id, params=[TagInput("param", HOSTILE)])
    for output in ("table", "json"):
        printed += [
            shell(*command, "--output", output).output
            for command in (
                ("experiments", "search"),
                ("experiments", "get", "-x", experiment_id),
                ("runs", "list", "--experiment-id", experiment_id),
                ("runs", "describe", "--run-id", run_id),
            )
        ]
    printed += [
        shell("experiments", "rename", "-x", experiment_id, "--new-name", f"{HOSTILE}2").output,
        shell("experiments", "create", "-n", f"{HOSTILE}2", status=1).output,
        shell("experiments", "get", "-n", f"missing {HOSTILE}", status=1).output,
        shell("experiments", "search", "--filter", f"name = {HOSTILE}", status=1).output,
        shell("runs", "describe", "--run-id", HOSTILE, status=1).output,
    ]
    for text in printed:
        assert "red" in text
        assert obeyed(text) == []


def test_json_keeps_what_a_name_really_is(shell: Shell) -> None:
    shell("experiments", "create", "-n", HOSTILE)
    assert shell.json("experiments", "get", "-n", HOSTILE, "--output", "json")["name"] == HOSTILE


@pytest.mark.parametrize("text", ["plain", "größe 数据 🎉", "\x7f\x9b\u2028\u202e", "\U000e0001 tagged", '"\\'])
def test_json_says_the_same_with_its_escapes(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_json({"text": text})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": text}
    assert obeyed(printed) == []
    # What can be read stays readable.
    assert all(character in printed for character in text if character.isprintable())


def test_csv_keeps_control_characters_in_a_file_and_sends_none_to_a_terminal(shell: Shell, folder: Path) -> None:
    shell("runs", "create", "--experiment-id", "0", "-t", f"key={HOSTILE}")
    shell("experiments", "csv", "-x", "0", "-o", "runs.csv")
    with (folder / "runs.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["tags.key"] == HOSTILE
    assert shell.tracking_uri is not None
    shown = shown_on_a_terminal(["experiments", "csv", "-x", "0", "--tracking-uri", shell.tracking_uri], folder)
    assert "red" in shown
    assert obeyed(shown.replace("\r\n", "\n")) == []


def shown_on_a_terminal(arguments: list[str], folder: Path) -> str:
    """Return what a command writes to a real terminal."""
    controller, terminal = pty.openpty()
    with open(controller, "rb", buffering=0) as screen:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "runyard", *arguments],
                cwd=folder,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
            )
        finally:
            os.close(terminal)
        shown = b""
        # Linux tells the end of a terminal's output by an error.
        with contextlib.suppress(OSError):
            while block := screen.read(65_536):
                shown += block
        assert process.wait(60) == 0, shown
    return shown.decode()


def test_a_run_is_described_as_tables(shell: Shell) -> None:
    run_id = shell.json("runs", "create", "--experiment-id", "0", "--run-name", "baseline", "-t", "env=prod")["run_id"]
    points = [MetricPoint("loss", 0.5, 1_700_000_000_000, 7), MetricPoint("peak", "Infinity", 1_700_000_000_000)]  # type: ignore[arg-type]
    log(shell, run_id, metrics=points, params=[TagInput("learning_rate", "0.1")])
    text = shell("runs", "describe", "--run-id", run_id, "--output", "table").stdout
    fields, params, metrics, tags = text.split("\n\n")
    assert fields.startswith(f"Run Id           {run_id}\nName             baseline\n")
    assert params.splitlines() == ["Param          Value", "-------------  -----", "learning_rate  0.1"]
    header, dashes, *rows = metrics.splitlines()
    assert (header, dashes) == ("Metric  Latest    Step  At (UTC)", "------  --------  ----  -------------------")
    assert sorted(rows) == [
        "loss    0.5       7     2023-11-14 22:13:20",
        "peak    Infinity  0     2023-11-14 22:13:20",
    ]
    assert ["env", "prod"] in rows_of(tags)
    # JSON has no number for it.
    assert shell.json("runs", "describe", "--run-id", run_id)["data"]["metrics"] == {"loss": 0.5, "peak": "Infinity"}


def test_a_table_of_nothing_is_its_headers(shell: Shell) -> None:
    assert shell("experiments", "search", "--view", "deleted_only").stdout.splitlines() == [
        "Experiment Id  Name  Artifact Location  Created (UTC)  Stage",
        "-------------  ----  -----------------  -------------  -----",
    ]


def test_columns_line_up_whatever_the_width_of_their_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["Name", "Value"], [[name, "x"] for name in ("plain", "数据集", "e\u0301te\u0301", "tab\there", "")])
    _, dashes, *lines = capsys.readouterr().out.splitlines()
    assert dashes == "--------  -----"
    for line in lines:
        before, _, after = line.rpartition("x")
        # A terminal gives two columns to wide characters and none to accents that follow their letter.
        widths = [
            0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) == "W" else 1
            for character in before
        ]
        assert (sum(widths), after) == (10, "")


@pytest.mark.parametrize(
    ("timestamp_ms", "text"),
    [(None, ""), (1_700_000_000_000, "2023-11-14 22:13:20"), (2**63 - 1, "9223372036854775807 ms")],
)
def test_times_are_told_in_utc_as_far_as_the_calendar_goes(timestamp_ms: int | None, text: str) -> None:
    assert time_text(timestamp_ms) == text


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0.0s"),
        (3_400, "3.4s"),
        (59_949, "59.9s"),
        (59_960, "1m 0s"),
        (62_000, "1m 2s"),
        (3_720_000, "1h 2m"),
        (90_000_000, "1d 1h"),
        (-1, ""),
    ],
)
def test_durations_are_told_to_two_units(duration_ms: int, text: str) -> None:
    assert duration_text(1_000_000, 1_000_000 + duration_ms) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (1_500_000, "1.4 MiB"),
        (5 * 1024**4, "5.0 TiB"),
    ],
)
def test_sizes_are_told_in_the_unit_that_fits(size_bytes: int | None, text: str) -> None:
    assert size_text(size_bytes) == text


def test_a_filter_that_does_not_parse_is_shown_with_the_place_below_it(folder: Path) -> None:
    result = CliRunner().invoke(
        main,
        ["runs", "list", "--experiment-id", "0", "--filter", "metrics.loss <> 3", "--tracking-uri", "sqlite:///a.db"],
    )
    message, excerpt, pointer = result.stderr.splitlines()
    assert (result.exit_code, excerpt) == (1, "metrics.loss <> 3")
    place = re.search(r"at character (\d+):$", message)
    assert place is not None
    assert pointer == " " * (int(place[1]) - 1) + "^"
