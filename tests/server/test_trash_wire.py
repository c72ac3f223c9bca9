"""Emptying the trash through a real server: rows and artifacts go together, or stay together."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.artifacts.local import LocalStore
from runyard.errors import Unavailable
from runyard.server.opening import opened_services
from runyard.server.routes.trash import empty_trash as empty_trash_of
from runyard.server.services import Services
from runyard.settings import Settings
from runyard.store import runs
from runyard.wire.trash import EmptyTrash
from tests.contract.factories import get as get_stored, make_run as make_stored_run
from tests.server.http import Answer, get, make_run, post, send
from tests.servers import ServerProcess, start_runyard

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("trash")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


def artifacts_of(server: ServerProcess) -> Path:
    return server.log_path.parent / "artifacts"


def make_experiment(server: ServerProcess, name: str, **options: str) -> str:
    made: str = post(server.port, "experiments/create", {"name": name, **options}).json["experiment_id"]
    return made


def make_run_with_artifact(server: ServerProcess, experiment_id: str) -> str:
    run_id = make_run(server.port, experiment_id)
    path = f"{PROXY}/{experiment_id}/{run_id}/artifacts/model/weights.bin"
    assert send(server.port, "PUT", path, b"weights").status == 200
    return run_id


def move_to_trash(server: ServerProcess, *run_ids: str) -> None:
    for run_id in run_ids:
        assert post(server.port, "runs/delete", {"run_id": run_id}).status == 200


def empty(server: ServerProcess, **body: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    return send(server.port, "POST", "/api/1.0/runyard/trash/empty", json.dumps(body).encode(), headers)


def emptied(server: ServerProcess, **body: Any) -> tuple[int, int]:
    """Return how many experiments and runs went, where nothing was kept."""
    answer = empty(server, **body).json
    assert (answer["kept_count"], answer["kept"]) == (0, [])
    return answer["experiment_count"], answer["run_count"]


def summary(server: ServerProcess) -> Any:
    return send(server.port, "GET", "/api/1.0/runyard/trash/summary").json


def has_artifact(server: ServerProcess, run_id: str) -> bool:
    return send(server.port, "GET", f"/get-artifact?run_id={run_id}&path=model/weights.bin").status == 200


def refused(answer: Answer, status: int, code: str, word: str) -> None:
    assert (answer.status, answer.json["error_code"]) == (status, code), answer.body
    assert word in answer.json["message"]


def test_runs_go_with_their_artifacts_and_others_stay(server: ServerProcess) -> None:
    experiment_id = make_experiment(server, "runs")
    gone = [make_run_with_artifact(server, experiment_id) for _ in range(3)]
    kept = make_run_with_artifact(server, experiment_id)
    move_to_trash(server, *gone)
    assert summary(server) == {"experiment_count": 0, "run_count": 3}
    assert emptied(server, run_ids=gone) == (0, 3)
    assert summary(server) == {"experiment_count": 0, "run_count": 0}
    assert [path.name for path in (artifacts_of(server) / experiment_id).iterdir()] == [kept]
    assert has_artifact(server, kept)
    assert get(server.port, "runs/get", run_id=gone[0]).status == 404
    refused(empty(server, run_ids=gone), 404, "RESOURCE_DOES_NOT_EXIST", gone[0])


def test_an_experiment_goes_with_its_runs_and_models_and_its_name_is_free(server: ServerProcess) -> None:
    experiment_id = make_experiment(server, "whole")
    for _ in range(2):
        make_run_with_artifact(server, experiment_id)
    model = post(server.port, "logged-models", {"experiment_id": experiment_id, "name": "m"}).json["model"]["info"]
    path = f"{experiment_id}/models/{model['model_id']}/artifacts/MLmodel"
    assert send(server.port, "PUT", f"{PROXY}/{path}", b"flavors: {}").status == 200
    other = make_run_with_artifact(server, "0")
    post(server.port, "experiments/delete", {"experiment_id": experiment_id})
    assert summary(server) == {"experiment_count": 1, "run_count": 0}
    assert emptied(server, experiment_ids=[experiment_id]) == (1, 2)
    assert [path for path in (artifacts_of(server) / experiment_id).rglob("*") if path.is_file()] == []
    assert get(server.port, "experiments/get", experiment_id=experiment_id).status == 404
    assert get(server.port, "experiments/get-by-name", experiment_name="whole").status == 404
    assert make_experiment(server, "whole") != experiment_id
    assert has_artifact(server, other)


def test_one_that_is_active_keeps_all_the_others(server: ServerProcess) -> None:
    deleted, active = (make_run_with_artifact(server, "0") for _ in range(2))
    move_to_trash(server, deleted)
    refused(empty(server, run_ids=[deleted, active]), 400, "INVALID_PARAMETER_VALUE", active)
    refused(empty(server, run_ids=[deleted, "nope"]), 404, "RESOURCE_DOES_NOT_EXIST", "nope")
    refused(empty(server, run_ids=[deleted], experiment_ids=["0"]), 400, "INVALID_PARAMETER_VALUE", "0")
    refused(empty(server, run_ids=["a\0b"]), 400, "INVALID_PARAMETER_VALUE", "run_ids")
    assert has_artifact(server, deleted)
    assert summary(server)["run_count"] == 1
    assert empty(server, run_ids=[deleted]).json["run_count"] == 1


def test_what_carries_the_tag_keep_and_what_a_model_version_came_from_stays_and_is_told(server: ServerProcess) -> None:
    experiment_id = make_experiment(server, "kept")
    kept, source, gone = (make_run_with_artifact(server, experiment_id) for _ in range(3))
    post(server.port, "runs/set-tag", {"run_id": kept, "key": "keep", "value": "true"})
    post(server.port, "registered-models/create", {"name": "kept"})
    version = post(server.port, "model-versions/create", {"name": "kept", "source": f"runs:/{source}/model"})
    assert version.status == 200
    post(server.port, "experiments/delete", {"experiment_id": experiment_id})
    answer = empty(server, experiment_ids=[experiment_id]).json
    assert (answer["experiment_count"], answer["run_count"], answer["kept_count"]) == (0, 1, 2)
    assert {entry["id"]: entry["reason"] for entry in answer["kept"]} == {
        kept: "it carries the tag 'keep'",
        source: "a model version came from it",
    }
    assert [has_artifact(server, run_id) for run_id in (kept, source, gone)] == [True, True, False]
    assert post(server.port, "experiments/restore", {"experiment_id": experiment_id}).status == 200
    assert get(server.port, "runs/get", run_id=kept).json["run"]["info"]["lifecycle_stage"] == "active"


def test_more_runs_than_a_transaction_takes_go_in_one_request(server: ServerProcess) -> None:
    experiment_id = make_experiment(server, "many")
    run_ids = [make_run(server.port, experiment_id) for _ in range(205)]
    post(server.port, "experiments/delete", {"experiment_id": experiment_id})
    assert emptied(server, experiment_ids=[experiment_id]) == (1, 205)
    assert get(server.port, "runs/get", run_id=run_ids[-1]).status == 404


def test_a_large_experiment_goes_in_as_many_requests_as_it_takes(server: ServerProcess) -> None:
    small, large = make_experiment(server, "small"), make_experiment(server, "large")
    for _ in range(450):
        make_run(server.port, large)
    for experiment_id in (small, large):
        post(server.port, "experiments/delete", {"experiment_id": experiment_id})
    left, run_counts, experiment_count = [small, large], [], 0
    while left:
        answer = empty(server, experiment_ids=left, max_seconds=0.001).json
        run_counts.append(answer["run_count"])
        experiment_count += answer["experiment_count"]
        left = answer["remaining_experiment_ids"]
        # At least a batch each time, however short that is.
        assert len(run_counts) < 10
    assert (sum(run_counts), experiment_count) == (450, 2)
    assert len(run_counts) > 1
    refused(empty(server, max_seconds=-1), 400, "INVALID_PARAMETER_VALUE", "max_seconds")


def test_at_most_a_thousand_are_named_in_a_request(server: ServerProcess) -> None:
    refused(empty(server, run_ids=["x"] * 1001), 400, "INVALID_PARAMETER_VALUE", "run_ids")
    assert emptied(server) == (0, 0)


def test_a_folder_outside_of_the_servers_own_is_left_alone(server: ServerProcess, tmp_path: Path) -> None:
    for location in (f"file://{tmp_path}", "dbfs:/far/away"):
        experiment_id = make_experiment(server, f"at {location}", artifact_location=location)
        run_id = make_run(server.port, experiment_id)
        kept = tmp_path / run_id / "artifacts" / "kept.txt"
        kept.parent.mkdir(parents=True)
        kept.write_text("kept")
        move_to_trash(server, run_id)
        assert empty(server, run_ids=[run_id]).json["run_count"] == 1
        assert kept.read_text() == "kept"


def test_a_folder_of_the_servers_own_is_deleted_however_it_is_spelled(server: ServerProcess) -> None:
    location = artifacts_of(server) / "by hand"
    experiment_id = make_experiment(server, "by hand", artifact_location=location.as_uri())
    run_id = make_run(server.port, experiment_id)
    folder = location / run_id / "artifacts"
    folder.mkdir(parents=True)
    (location / "not a run.txt").write_text("kept")
    move_to_trash(server, run_id)
    assert empty(server, run_ids=[run_id]).json["run_count"] == 1
    assert [path.name for path in location.iterdir()] == ["not a run.txt"]


class SilentStore(LocalStore):
    """A store that does not answer when something is to be deleted."""

    async def delete(self, path: str) -> None:
        raise Unavailable(f"the artifact store does not answer: {path}")


class LockedStore(LocalStore):
    """A store whose files may not be deleted."""

    async def delete(self, path: str) -> None:
        raise PermissionError(13, "Permission denied", path)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(
        backend_store_uri=f"sqlite:///{tmp_path / 'runyard.db'}", artifacts_destination=str(tmp_path / "artifacts")
    )
    with opened_services(settings) as services:
        yield services


@pytest.mark.parametrize("kind", [SilentStore, LockedStore])
def test_a_run_whose_artifacts_cannot_be_deleted_stays_until_they_can(
    services: Services, tmp_path: Path, kind: type[LocalStore]
) -> None:
    run_id = make_stored_run(services.ingest, metrics={"m": 1.0})
    weights = tmp_path / "artifacts" / "0" / run_id / "artifacts" / "weights.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    services.ingest.submit(runs.deletion(run_id)).result(10)
    failing = dataclasses.replace(services, artifacts=kind(tmp_path / "artifacts"))
    handler: Any = empty_trash_of
    with pytest.raises(Unavailable, match=run_id):
        asyncio.run(handler(failing, EmptyTrash(run_ids=[run_id])))
    assert get_stored(services.database, run_id)["data"]["metrics"]
    assert weights.exists()
    answer = asyncio.run(handler(services, EmptyTrash(run_ids=[run_id])))
    assert answer.run_count == 1
    assert not weights.exists()
