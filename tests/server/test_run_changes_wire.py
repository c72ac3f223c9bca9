"""Doing one thing to many runs in one request, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tests.server.http import Answer, get, make_run, post, send
from tests.servers import ServerProcess, start_runyard


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("changes")
    uri = f"sqlite:///{folder / 'runyard.db'}"
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        uri = postgres.create_database()
    process = start_runyard(uri, folder)
    yield process
    process.stop()


def change(server: ServerProcess, run_ids: list[str], **what: Any) -> Answer:
    body = json.dumps({"run_ids": run_ids, **what}).encode()
    return send(server.port, "POST", "/api/1.0/runyard/runs/change", body, {"Content-Type": "application/json"})


def run_of(server: ServerProcess, run_id: str) -> Any:
    return get(server.port, "runs/get", run_id=run_id).json["run"]


def tags_of(server: ServerProcess, run_id: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run_of(server, run_id)["data"].get("tags", [])}


def test_runs_move_to_the_trash_and_back(server: ServerProcess) -> None:
    run_ids = [make_run(server.port, "0") for _ in range(3)]
    for stage in ("deleted", "deleted", "active"):
        answer = change(server, [*run_ids, run_ids[0]], lifecycle_stage=stage)
        assert answer.json == {"changed_count": 3, "failed": []}
        assert {run_of(server, run_id)["info"]["lifecycle_stage"] for run_id in run_ids} == {stage}


def test_a_tag_is_set_and_removed(server: ServerProcess) -> None:
    run_ids = [make_run(server.port, "0") for _ in range(2)]
    assert change(server, run_ids, set_tag={"key": "reviewed", "value": "sí"}).json["changed_count"] == 2
    assert [tags_of(server, run_id)["reviewed"] for run_id in run_ids] == ["sí", "sí"]
    post(server.port, "runs/delete-tag", {"run_id": run_ids[0], "key": "reviewed"})
    # The first has it no more: that is as asked.
    assert change(server, run_ids, delete_tag="reviewed").json == {"changed_count": 2, "failed": []}
    assert not any("reviewed" in tags_of(server, run_id) for run_id in run_ids)


def test_one_that_fails_keeps_none_of_the_rest_from_it(server: ServerProcess) -> None:
    first, deleted, last = (make_run(server.port, "0") for _ in range(3))
    post(server.port, "runs/delete", {"run_id": deleted})
    answer = change(server, [first, "no-such-run", deleted, last], set_tag={"key": "k", "value": "v"})
    assert answer.status == 200
    assert answer.json["changed_count"] == 2
    assert [(one["run_id"], one["error_code"]) for one in answer.json["failed"]] == [
        ("no-such-run", "RESOURCE_DOES_NOT_EXIST"),
        (deleted, "INVALID_PARAMETER_VALUE"),
    ]
    assert "no-such-run" in answer.json["failed"][0]["message"]
    assert [tags_of(server, run_id).get("k") for run_id in (first, deleted, last)] == ["v", None, "v"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({}, "exactly one of lifecycle_stage, set_tag and delete_tag"),
        ({"lifecycle_stage": "deleted", "delete_tag": "k"}, "exactly one"),
        ({"lifecycle_stage": "gone"}, "lifecycle_stage"),
        ({"delete_tag": "a\u0001b"}, "delete_tag"),
        ({"set_tag": {"key": ""}}, "tag name"),
        ({"run_ids": [], "delete_tag": "k"}, "run_ids"),
        ({"run_ids": ["r"] * 1001, "delete_tag": "k"}, "run_ids"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    server: ServerProcess, what: dict[str, Any], words: str
) -> None:
    answer = change(server, **{"run_ids": ["r"], **what})
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), answer.body
    assert words in answer.json["message"]
