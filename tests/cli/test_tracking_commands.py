from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from runyard.cli import main
from tests.cli.conftest import Shell


def make_experiment(shell: Shell, name: str = "mnist") -> str:
    return shell("experiments", "create", "-n", name).stdout.split()[-1]


def make_run(shell: Shell, *options: str) -> str:
    run_id: str = shell.json("runs", "create", "--experiment-id", "0", *options)["run_id"]
    return run_id


def names(shell: Shell, *options: str) -> list[str]:
    return [found["name"] for found in shell.json("experiments", "search", "--output", "json", *options)]


def test_an_experiment_is_created_found_renamed_deleted_and_restored(shell: Shell) -> None:
    experiment_id = make_experiment(shell)
    assert names(shell, "--order-by", "name DESC") == ["mnist", "Default"]
    shell("experiments", "rename", "-x", experiment_id, "--new-name", "digits")
    assert shell.json("experiments", "get", "-n", "digits", "--output", "json")["experiment_id"] == experiment_id
    shell("experiments", "delete", "-x", experiment_id)
    assert names(shell) == ["Default"]
    assert names(shell, "--view", "deleted_only") == ["digits"]
    shell("experiments", "restore", "-x", experiment_id)
    assert names(shell, "--filter", "name LIKE 'dig%'") == ["digits"]
    assert "digits" in shell("experiments", "get", "-x", experiment_id).stdout


def test_a_run_is_recorded_described_deleted_and_restored(shell: Shell) -> None:
    run_id = make_run(
        shell, "--run-name", "baseline", "-t", "env=prod", "--description", "the first", "--status", "failed"
    )
    described = shell.json("runs", "describe", "--run-id", run_id)
    assert (described["info"]["run_name"], described["info"]["status"]) == ("baseline", "FAILED")
    tags = described["data"]["tags"]
    assert (tags["env"], tags["mlflow.note.content"]) == ("prod", "the first")
    table = shell("runs", "describe", "--run-id", run_id, "--output", "table").stdout
    assert "baseline" in table
    assert "env" in table
    shell("runs", "delete", "--run-id", run_id)
    listed = ("runs", "list", "--experiment-id", "0", "--output", "json")
    assert shell.json(*listed) == []
    assert [run["info"]["run_id"] for run in shell.json(*listed, "--view", "deleted_only")] == [run_id]
    shell("runs", "restore", "--run-id", run_id)
    assert len(shell.json(*listed)) == 1


def test_runs_are_listed_by_filter_and_order_and_more_are_told_of(shell: Shell) -> None:
    for name in ("a", "b", "c"):
        make_run(shell, "--run-name", name, "-t", f"even={name != 'b'}")
    listed = ("runs", "list", "--experiment-id", "0", "--order-by", "run_name DESC")
    found = shell.json(*listed, "--filter", "tags.even = 'True'", "--output", "json")
    assert [run["info"]["run_name"] for run in found] == ["c", "a"]
    cut = shell(*listed, "--max-results", "2")
    assert "more than 2" in cut.stderr
    header, _, *rows = cut.stdout.splitlines()
    place = header.index("Name")
    assert [row[place] for row in rows] == ["c", "b"]


def test_an_experiment_is_written_as_csv(shell: Shell, folder: Path) -> None:
    run_id = make_run(shell, "-t", 'quote=a, "b"')
    shell("experiments", "csv", "-x", "0", "-o", "runs.csv")
    text = (folder / "runs.csv").read_text(encoding="utf-8")
    assert text == shell("experiments", "csv", "-x", "0").stdout
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["run_id"], row["status"], row["tags.quote"]) == (run_id, "FINISHED", 'a, "b"')


def test_files_go_to_a_run_and_come_back(shell: Shell, folder: Path) -> None:
    run_id = make_run(shell)
    (folder / "plots" / "deep").mkdir(parents=True)
    (folder / "notes.txt").write_text("notes")
    (folder / "plots" / "a.txt").write_text("a" * 100_000)
    (folder / "plots" / "deep" / "b b.txt").write_text("b")
    shell("artifacts", "log-artifact", "-l", "notes.txt", "-r", run_id, "-a", "docs")
    shell("artifacts", "log-artifacts", "-l", "plots", "-r", run_id, "-a", "plots")
    top = shell.json("artifacts", "list", "-r", run_id)
    assert sorted((entry["path"], entry["is_dir"]) for entry in top) == [("docs", True), ("plots", True)]
    table = shell("artifacts", "list", "-r", run_id, "-a", "plots", "--output", "table").stdout
    assert "plots/a.txt  97.7 KiB" in table
    shell("artifacts", "download", "-r", run_id, "-d", "back")
    back = folder / "back"
    assert {path.relative_to(back).as_posix() for path in back.rglob("*") if path.is_file()} == {
        "docs/notes.txt",
        "plots/a.txt",
        "plots/deep/b b.txt",
    }
    assert (back / "plots" / "a.txt").read_text() == "a" * 100_000
    one = shell("artifacts", "download", "-u", f"runs:/{run_id}/docs/notes.txt").stdout.strip()
    assert Path(one).read_text() == "notes"


def test_what_is_not_there_is_told_in_a_line(shell: Shell) -> None:
    assert "77" in shell.refused("experiments", "get", "-x", "77")
    assert "nobody" in shell.refused("experiments", "get", "-n", "nobody")
    for arguments in (("runs", "describe"), ("runs", "delete"), ("runs", "restore")):
        assert "f" * 32 in shell.refused(*arguments, "--run-id", "f" * 32)
    assert "f" * 32 in shell.refused("artifacts", "list", "-r", "f" * 32)
    run_id = make_run(shell)
    assert "nothing.txt" in shell.refused("artifacts", "download", "-r", run_id, "-a", "nothing.txt", "-d", "back")
    make_experiment(shell)
    assert "mnist" in shell.refused("experiments", "create", "-n", "mnist")
    assert "colour" in shell.refused("experiments", "search", "--filter", "colour = 'red'")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("experiments", "create"), "--experiment-name"),
        (("experiments", "get"), "exactly one"),
        (("experiments", "get", "-x", "1", "-n", "a"), "exactly one"),
        (("runs", "list"), "--experiment-id"),
        (("runs", "create", "--experiment-id", "0", "-t", "novalue"), "key=value"),
        (("runs", "create", "--experiment-id", "0", "-t", "a=1", "-t", "a=2"), "Duplicate tag key"),
        (("runs", "create", "--experiment-id", "0", "--status", "RUNNING"), "RUNNING"),
        (("artifacts", "download"), "--run-id"),
        (("artifacts", "download", "-u", "runs:/x/y", "-a", "z"), "--artifact-path"),
        (("artifacts", "log-artifact", "-l", "absent", "-r", "x"), "absent"),
        (("artifacts", "log-artifacts", "-l", "absent", "-r", "x"), "absent"),
    ],
)
def test_a_wrong_option_ends_with_status_2_and_says_which(folder: Path, arguments: tuple[str, ...], word: str) -> None:
    shell = Shell(f"sqlite:///{folder / 'tracking.db'}")
    assert word in shell(*arguments, status=2).stderr


def test_the_experiment_of_run_commands_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    shell = Shell(f"sqlite:///{folder / 'tracking.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", make_experiment(shell))
    shell("runs", "create", "--run-name", "from the environment")
    assert "from the environment" in shell("runs", "list").stdout


def test_without_a_tracking_uri_the_database_of_this_folder_is_used_and_making_it_is_told(
    command: Shell, folder: Path
) -> None:
    made = command("experiments", "create", "-n", "here")
    assert "note: making the database" in made.stderr
    assert (folder / "runyard.db").exists()
    again = command("experiments", "search")
    assert "note:" not in again.stderr
    assert "here" in again.stdout


def test_what_people_typed_elsewhere_cannot_move_the_cursor(folder: Path) -> None:
    shell = Shell(f"sqlite:///{folder / 'tracking.db'}")
    make_run(shell, "--run-name", "a\x1b[31mred\nline")
    printed = shell("runs", "list", "--experiment-id", "0").stdout
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 3


def test_no_server_is_told_with_what_to_do() -> None:
    shell = Shell("http://127.0.0.1:9")
    # Trying again would only take its time.
    result = CliRunner().invoke(
        main,
        ["experiments", "search", "--tracking-uri", str(shell.tracking_uri)],
        env={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
    )
    assert result.exit_code == 1
    assert "there is no server at http://127.0.0.1:9" in result.stderr
    assert "runyard server" in result.stderr
