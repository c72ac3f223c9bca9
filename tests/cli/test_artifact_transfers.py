"""``runyard artifacts``: every name and size arrives as it was, and what goes wrong leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from runyard.client import connections
from runyard.client.client import MlflowClient
from tests.cli.conftest import Shell

PLOTS = {
    "loss.svg": b"<svg/>",
    # A name that has to be escaped in an address and looks as if it were, and an empty file.
    "by epoch/50%25 of #1?.txt": b"half\r\n\x00",
    "by epoch/größe.txt": b"",
}


@pytest.fixture
def plots(folder: Path) -> Path:
    for path, content in PLOTS.items():
        file = folder / "plots" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder / "plots"


def make_run(shell: Shell, experiment_id: str = "0") -> str:
    run_id: str = shell.json("runs", "create", "--experiment-id", experiment_id)["run_id"]
    return run_id


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_names_and_contents_arrive_as_they_were(shell: Shell, folder: Path, plots: Path) -> None:
    run_id = make_run(shell)
    # Larger than a block of any transport.
    (plots / "weights.bin").write_bytes(os.urandom(3_000_000))
    shell("artifacts", "log-artifacts", "-l", "plots", "-r", run_id, "-a", "a/b/")
    listed = shell.json("artifacts", "list", "-r", run_id, "-a", "a/b/by epoch")
    assert [file["path"] for file in listed] == ["a/b/by epoch/50%25 of #1?.txt", "a/b/by epoch/größe.txt"]
    told = shell("artifacts", "download", "-r", run_id, "-d", "whole").stdout
    assert told == f"{folder / 'whole'}\n"
    assert files_below(folder / "whole" / "a" / "b") == files_below(plots)
    told = shell("artifacts", "download", "-r", run_id, "-a", "a/b/by epoch", "-d", "part").stdout
    assert told == f"{folder / 'part' / 'a' / 'b' / 'by epoch'}\n"
    assert files_below(folder / "part").keys() == {f"a/b/{path}" for path in PLOTS if path.startswith("by epoch/")}


def test_a_file_sent_again_replaces_the_first(shell: Shell, folder: Path) -> None:
    run_id = make_run(shell)
    for text in ("first", "second"):
        (folder / "notes.txt").write_text(text)
        shell("artifacts", "log-artifact", "-l", "notes.txt", "-r", run_id)
    shell("artifacts", "download", "-r", run_id, "-d", "back")
    assert files_below(folder / "back") == {"notes.txt": b"second"}


def test_artifacts_go_straight_to_a_folder_that_the_experiment_names(shell: Shell, folder: Path, plots: Path) -> None:
    created = shell("experiments", "create", "-n", "here", "-l", str(folder / "kept here"))
    run_id = make_run(shell, created.stdout.split()[-1])
    shell("artifacts", "log-artifacts", "-l", "plots", "-r", run_id)
    assert files_below(folder / "kept here" / run_id / "artifacts") == PLOTS
    shell("artifacts", "download", "-r", run_id, "-d", "back")
    assert files_below(folder / "back") == PLOTS


@pytest.mark.parametrize("uri", ["plots", "plots/", "{folder}/plots", "file://{folder}/plots"])
def test_a_local_folder_is_fetched_by_its_path(command: Shell, folder: Path, plots: Path, uri: str) -> None:
    told = command("artifacts", "download", "-u", uri.format(folder=folder), "-d", "back").stdout
    assert told == f"{folder / 'back' / 'plots'}\n"
    assert files_below(folder / "back" / "plots") == PLOTS


def test_what_is_not_there_lists_as_nothing(shell: Shell) -> None:
    run_id = make_run(shell)
    assert shell.json("artifacts", "list", "-r", run_id) == []
    assert shell.json("artifacts", "list", "-r", run_id, "-a", "none/such") == []


def test_a_run_without_artifacts_is_fetched_as_an_empty_folder(shell: Shell, folder: Path) -> None:
    told = shell("artifacts", "download", "-r", make_run(shell), "-d", "back").stdout
    assert told == f"{folder / 'back'}\n"
    assert list((folder / "back").iterdir()) == []


def test_a_temporary_folder_stays_only_where_all_went_well(
    shell: Shell, folder: Path, plots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    run_id = make_run(shell)
    shell("artifacts", "log-artifacts", "-l", "plots", "-r", run_id)
    told = Path(shell("artifacts", "download", "-r", run_id).stdout.removesuffix("\n"))
    assert files_below(told) == PLOTS
    assert "missing.txt" in shell.refused("artifacts", "download", "-r", run_id, "-a", "missing.txt")
    assert list((folder / "temporary").iterdir()) == [told]


def test_a_missing_file_leaves_no_file(shell: Shell, folder: Path) -> None:
    run_id = make_run(shell)
    assert "sub/a.txt" in shell.refused("artifacts", "download", "-r", run_id, "-a", "sub/a.txt", "-d", "back")
    assert files_below(folder / "back") == {}


def test_a_file_that_cannot_be_read_is_named(shell: Shell) -> None:
    # It is there and opens, but to read it is an error.
    error = shell.refused("artifacts", "log-artifact", "-l", "/proc/self/mem", "-r", make_run(shell))
    assert error.startswith("Error: cannot read '/proc/self/mem': ")


def test_a_download_never_replaces_a_file_by_a_folder(shell: Shell, folder: Path, plots: Path) -> None:
    (folder / "back").write_text("mine")
    run_id = make_run(shell)
    assert "back" in shell.refused("artifacts", "download", "-r", run_id, "-d", "back")
    shell("artifacts", "log-artifacts", "-l", "plots", "-r", run_id)
    assert "back" in shell.refused("artifacts", "download", "-r", run_id, "-d", "back")
    assert (folder / "back").read_text() == "mine"


def test_a_path_that_leads_out_of_the_artifacts_is_refused(shell: Shell, folder: Path) -> None:
    (folder / "notes.txt").write_text("text")
    run_id = make_run(shell)
    for path in ("../up", "/etc", "a/../../b", "%2e%2e/up", "a\\b"):
        for arguments in (("log-artifact", "-l", "notes.txt"), ("list",), ("download", "-d", "back")):
            assert "artifact_path" in shell.refused("artifacts", *arguments, "-r", run_id, "-a", path)
        assert "path" in shell.refused("artifacts", "download", "-u", f"runs:/{run_id}/../{path}", "-d", "back")
    assert not (folder / "back").exists()


def test_a_model_is_looked_up_in_the_registry_that_the_environment_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(f"sqlite:///{folder / 'tracking.db'}")
    run_id = make_run(shell)
    (folder / "weights.bin").write_bytes(b"weights")
    shell("artifacts", "log-artifact", "-l", "weights.bin", "-r", run_id, "-a", "model")
    registry = f"sqlite:///{folder / 'registry.db'}"
    client = MlflowClient(f"sqlite:///{folder / 'tracking.db'}", registry)
    client.create_registered_model("ours")
    client.create_model_version("ours", f"{client.get_run(run_id).info.artifact_uri}/model")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", registry)
    shell("artifacts", "download", "-u", "models:/ours/1/weights.bin", "-d", "back")
    assert files_below(folder / "back") == {"weights.bin": b"weights"}
    connections.close_all()
