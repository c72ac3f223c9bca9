"""The spool in front of a real server of upstream's, which makes up the ids of runs itself."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from click.testing import CliRunner

import runyard as mlflow
from runyard.cli import main
from runyard.client import connections, fluent
from tests.compat.conftest import CompatServer
from tests.losing_proxy import LosingProxy


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        # So that it is removed again where the test's calls set it.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)
    monkeypatch.setenv("RUNYARD_SPOOL", str(tmp_path / "spool"))
    return tmp_path / "spool"


def train(experiment: str) -> None:
    """Log a run and one within it; what their ids are is not asked for."""
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name="outer"):
        mlflow.log_param("rate", 1)
        with mlflow.start_run(run_name="inner", nested=True):
            mlflow.log_metrics({"loss": 0.5}, step=2)
        mlflow.log_text("text", "notes/a.txt")


def check(url: str, experiment: str) -> None:
    """Require that the server has these two runs in the experiment, and no other."""
    client = mlflow.MlflowClient(url)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    inner, outer = sorted(client.search_runs([found.experiment_id]), key=lambda run: str(run.info.run_name))
    assert (inner.info.run_name, outer.info.run_name) == ("inner", "outer")
    assert (outer.info.status, outer.data.params) == ("FINISHED", {"rate": "1"})
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert [(each.step, each.value) for each in client.get_metric_history(inner.info.run_id, "loss")] == [(2, 0.5)]
    assert [file.path for file in client.list_artifacts(outer.info.run_id, "notes")] == ["notes/a.txt"]
    connections.close_all()


@pytest.mark.compat
def test_what_waited_arrives_once(folder: Path, upstream_server: CompatServer, monkeypatch: pytest.MonkeyPatch):
    url = upstream_server.process.url
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    train("waiting")
    connections.close_all()

    done = CliRunner().invoke(main, ["sync", "--spool", str(folder), "--tracking-uri", url])

    assert (done.exit_code, list(folder.iterdir())) == (0, []), done.output
    monkeypatch.delenv("RUNYARD_SPOOL")
    check(url, "waiting")


@pytest.mark.compat
def test_a_run_whose_making_was_not_answered_is_made_once(
    folder: Path, upstream_server: CompatServer, monkeypatch: pytest.MonkeyPatch
):
    url = upstream_server.process.url
    with contextlib.closing(LosingProxy(upstream_server.process.port)) as proxy:
        mlflow.set_tracking_uri(proxy.url)
        train("unanswered")
        connections.close_all()
        assert proxy.lost == 1

    assert list(folder.iterdir()) == []
    monkeypatch.delenv("RUNYARD_SPOOL")
    check(url, "unanswered")
