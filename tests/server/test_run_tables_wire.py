"""What the endpoints of run tables say on the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.http import Answer, make_run, post as post_to_protocol, send
from tests.servers import ServerProcess, start_runyard

API = "/api/1.0/runyard/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("tables")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


def post(server: ServerProcess, path: str, body: Any) -> Answer:
    return send(server.port, "POST", API + path, json.dumps(body).encode(), {"Content-Type": "application/json"})


def refused(answer: Answer, *words: str) -> None:
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), answer.body
    for word in words:
        assert word in answer.json["message"]


def new_experiment(server: ServerProcess, name: str) -> str:
    experiment_id: str = post_to_protocol(server.port, "experiments/create", {"name": name}).json["experiment_id"]
    return experiment_id


def new_run(server: ServerProcess, experiment_id: str, **logged: dict[str, Any]) -> str:
    run_id = make_run(server.port, experiment_id)
    body: dict[str, Any] = {
        kind: [{"key": key, "value": value, "timestamp": 1} for key, value in values.items()]
        for kind, values in logged.items()
    }
    assert post_to_protocol(server.port, "runs/log-batch", {"run_id": run_id, **body}).status == 200
    return run_id


def test_a_table_says_everything_also_where_there_is_nothing(server: ServerProcess) -> None:
    experiment_id = new_experiment(server, "table")
    assert post(server, "runs/table", {"experiment_ids": [experiment_id], "columns": ["metrics.m"]}).json == {
        "run_ids": [],
        "columns": {"metrics.m": []},
        "next_page_token": None,
    }
    run_id = new_run(server, experiment_id, metrics={"m": "NaN", "a.b": 0.5}, params={"p": "1"})
    columns = ["metrics.m", "metrics.a.b", "params.p", "tags.t", "attributes.status"]
    assert post(server, "runs/table", {"run_ids": [run_id, "unknown"], "columns": columns}).json == {
        "run_ids": [run_id],
        "columns": {
            "metrics.m": ["NaN"],
            "metrics.a.b": [0.5],
            "params.p": ["1"],
            "tags.t": [None],
            "attributes.status": ["RUNNING"],
        },
        "next_page_token": None,
    }
    assert post(server, "runs/ids", {"experiment_ids": [experiment_id]}).json == {"run_ids": [run_id], "total_count": 1}


def test_groups_columns_and_values_have_the_shapes_that_are_declared(server: ServerProcess) -> None:
    experiment_id = new_experiment(server, "groups")
    for value in (1.0, 3.0):
        new_run(server, experiment_id, metrics={"m": value}, params={"p": "x"})
    scope = {"experiment_ids": [experiment_id]}
    assert post(server, "runs/groups", {**scope, "group_by": ["params.p"], "metrics": ["m"]}).json == {
        "values": [["x"]],
        "run_counts": [2],
        "metrics": {"m": {"counts": [2], "means": [2.0], "deviations": [2**0.5], "minima": [1.0], "maxima": [3.0]}},
        "total_count": 1,
    }
    names = {"metrics": ["m"], "params": ["p"], "tags": ["mlflow.runName"]}
    assert post(server, "runs/columns", scope).json == names
    assert post(server, "runs/values", {**scope, "column": "params.p"}).json == {"values": ["x"]}
    assert post(server, "runs/columns", {"experiment_ids": []}).json == {"metrics": [], "params": [], "tags": []}


def test_runs_are_found_with_a_query_string(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    [run] = send(server.port, "GET", f"{API}runs/find?{urlencode({'text': run_id, 'max_results': 5})}").json["runs"]
    assert run["run_id"] == run_id
    assert run["experiment_name"] == "Default"


def test_summaries_say_everything_also_where_there_is_nothing(server: ServerProcess) -> None:
    experiment_id = new_experiment(server, "summaries")
    run_id = new_run(server, experiment_id, metrics={"m": "NaN"})
    assert post(server, "metrics/summaries", {"run_id": run_id}).json == {
        "metrics": [
            {
                "key": "m",
                "count": 1,
                "first_step": 0,
                "last_step": 0,
                "last": "NaN",
                "minimum": None,
                "minimum_step": None,
                "maximum": None,
                "maximum_step": None,
            }
        ]
    }
    assert post(server, "metrics/summaries", {"run_id": "nope"}).status == 404
    [summary] = post(server, "experiments/summaries", {"experiment_ids": [experiment_id, "777"]}).json["experiments"]
    last_activity_time = summary.pop("last_activity_time")
    assert last_activity_time > 1_600_000_000_000
    assert summary == {
        "experiment_id": experiment_id,
        "run_count": 1,
        "running_count": 1,
        "deleted_run_count": 0,
        "model_count": 0,
    }


@pytest.mark.parametrize(
    "path, change, words",
    [
        ("runs/table", {"columns": ["metrics.m", "metric.m"]}, ("columns", "'metric.m'", "metrics.KEY")),
        ("runs/table", {"columns": ["attributes.bogus"]}, ("'attributes.bogus'", "child_count")),
        ("runs/table", {"columns": ["metrics.m"] * 1001}, ("columns", "1000")),
        ("runs/table", {"columns": ["params.a\x00b"]}, ("columns", "NUL")),
        ("runs/table", {"columns": None}, ("columns",)),
        ("runs/table", {"run_ids": ["x"] * 5001}, ("run_ids", "5000")),
        ("runs/table", {"max_results": 0}, ("max_results", "0")),
        ("runs/table", {"max_results": 5001}, ("max_results", "5001")),
        ("runs/table", {"filter": "metrics.m >"}, ("metrics.m >", "^")),
        ("runs/table", {"order_by": ["bogus.m"]}, ("bogus.m",)),
        ("runs/table", {"run_view_type": "SOME"}, ("run_view_type", "'SOME'")),
        ("runs/table", {"experiment_ids": ["x"]}, ("experiment ID", "'x'")),
        ("runs/table", {"page_token": "bogus"}, ("page_token",)),
        ("runs/ids", {"filter": "metrics.m >"}, ("metrics.m >", "^")),
        ("runs/ids", {"max_results": 250_001}, ("max_results", "250001")),
        ("runs/groups", {"group_by": []}, ("group_by",)),
        ("runs/groups", {"group_by": ["params.p"] * 5}, ("group_by",)),
        ("runs/groups", {"group_by": ["metrics.m"]}, ("group_by", "'metrics.m'", "params.KEY")),
        ("runs/groups", {"group_by": ["params.p"], "metrics": ["m"] * 101}, ("metrics", "100")),
        ("runs/groups", {"group_by": ["params.p"], "filter": "bogus"}, ("bogus",)),
        ("runs/values", {"column": "metrics.m"}, ("column", "'metrics.m'")),
        ("runs/values", {"column": "params.p", "max_results": 201}, ("max_results", "201")),
        ("metrics/summaries", {"run_id": "x", "metric_keys": ["m"] * 501}, ("metric_keys", "500")),
        ("experiments/summaries", {"experiment_ids": ["1"] * 1001}, ("experiment_ids", "1000")),
    ],
)
def test_bad_input_is_refused_with_field_rule_and_value(
    server: ServerProcess, path: str, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    body = {"experiment_ids": ["0"], "columns": ["metrics.m"], **change}
    refused(post(server, path, body), *words)


def test_another_searchs_page_token_is_refused(server: ServerProcess) -> None:
    experiment_id = new_experiment(server, "pages")
    for _ in range(2):
        make_run(server.port, experiment_id)
    search = {"experiment_ids": [experiment_id], "columns": [], "max_results": 1}
    token = post(server, "runs/table", search).json["next_page_token"]
    assert post(server, "runs/table", {**search, "page_token": token}).json["next_page_token"] is None
    other = {**search, "order_by": ["metrics.m"], "page_token": token}
    refused(post(server, "runs/table", other), "page_token", "another search")
