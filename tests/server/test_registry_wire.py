"""The registry and logged models on the wire: shapes, statuses, limits and what is made of bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.http import API, Answer, get, make_run, post, send
from tests.servers import ServerProcess, start_runyard

SOURCE = "s3://bucket/model"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("registry")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


def ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json


def refused(answer: Answer, status: int, code: str, *words: str) -> None:
    assert (answer.status, answer.json["error_code"]) == (status, code), answer.body
    for word in words:
        assert word in answer.json["message"]


def make_model(port: int, name: str, versions: int = 0) -> str:
    ok(post(port, "registered-models/create", {"name": name}))
    for _ in range(versions):
        ok(post(port, "model-versions/create", {"name": name, "source": SOURCE}))
    return name


def make_logged_model(port: int, **fields: Any) -> str:
    model_id: str = ok(post(port, "logged-models", {"experiment_id": "0", **fields}))["model"]["info"]["model_id"]
    return model_id


def test_a_registered_model_is_made_read_changed_and_deleted(server: ServerProcess) -> None:
    port = server.port
    tags = [{"key": "team", "value": "vision"}, {"key": "empty"}]
    made = ok(post(port, "registered-models/create", {"name": "life", "tags": tags, "description": "d"}))
    assert made == ok(get(port, "registered-models/get", name="life"))
    model = made["registered_model"]
    assert (model["description"], model["tags"]) == (
        "d",
        [{"key": "empty", "value": ""}, {"key": "team", "value": "vision"}],
    )
    assert not {"latest_versions", "aliases"} & set(model)
    ok(post(port, "registered-models/update", {"name": "life", "description": "e"}, method="PATCH"))
    renamed = ok(post(port, "registered-models/rename", {"name": "life", "new_name": "death"}))["registered_model"]
    assert (renamed["name"], renamed["description"]) == ("death", "e")
    assert ok(post(port, "registered-models/delete", {"name": "death"}, method="DELETE")) == {}
    refused(get(port, "registered-models/get", name="death"), 404, "RESOURCE_DOES_NOT_EXIST", "death")


def test_a_version_goes_through_stages_aliases_and_tags(server: ServerProcess) -> None:
    port = server.port
    make_model(port, "stages", versions=2)
    version = {"name": "stages", "version": "2"}
    body = {**version, "stage": "production", "archive_existing_versions": True}
    moved = ok(post(port, "model-versions/transition-stage", body))["model_version"]
    assert (moved["version"], moved["current_stage"], moved["status"]) == ("2", "Production", "READY")
    # A version may be a number as well.
    ok(post(port, "registered-models/alias", {"name": "stages", "alias": "champion", "version": 2}))
    by_alias = ok(get(port, "registered-models/alias", name="stages", alias="champion"))["model_version"]
    assert (by_alias["version"], by_alias["aliases"]) == ("2", ["champion"])
    ok(post(port, "model-versions/set-tag", {**version, "key": "k", "value": "v"}))
    assert ok(get(port, "model-versions/get", **version))["model_version"]["tags"] == [{"key": "k", "value": "v"}]
    ok(post(port, "model-versions/delete-tag", {**version, "key": "k"}, method="DELETE"))
    ok(post(port, "registered-models/alias", {"name": "stages", "alias": "champion"}, method="DELETE"))
    read = ok(get(port, "model-versions/get", **version))["model_version"]
    assert not {"tags", "aliases"} & set(read)
    for latest in (
        post(port, "registered-models/get-latest-versions", {"name": "stages", "stages": ["Production"]}),
        get(port, "registered-models/get-latest-versions", name="stages", stages="Production"),
    ):
        assert [entry["version"] for entry in ok(latest)["model_versions"]] == ["2"]
    assert ok(get(port, "model-versions/get-download-uri", **version)) == {"artifact_uri": SOURCE}
    ok(post(port, "model-versions/delete", version, method="DELETE"))
    refused(get(port, "model-versions/get", **version), 404, "RESOURCE_DOES_NOT_EXIST", "stages", "2")


@pytest.mark.parametrize(
    "path, body, words",
    [
        ("registered-models/create", {"name": " "}, ("name",)),
        ("registered-models/create", {"name": "a/b"}, ("'a/b'", "'/'")),
        ("registered-models/create", {"name": "a:b"}, ("'a:b'",)),
        ("registered-models/create", {"name": ".."}, ("'..'",)),
        ("registered-models/create", {"name": "n" * 257}, ("256", "257")),
        ("registered-models/create", {"name": "t", "tags": [{"key": "k" * 251}]}, ("250", "251")),
        ("registered-models/create", {"name": "t", "tags": [{"key": "k", "value": "v" * 100_001}]}, ("100000",)),
        ("registered-models/rename", {"name": "limits", "new_name": "a/b"}, ("'a/b'",)),
        ("registered-models/rename", {"name": "limits"}, ("'new_name'",)),
        ("registered-models/alias", {"name": "limits", "alias": "latest", "version": "1"}, ("'latest'", "reserved")),
        ("registered-models/alias", {"name": "limits", "alias": "V12", "version": "1"}, ("'V12'", "reserved")),
        ("registered-models/alias", {"name": "limits", "alias": "a b", "version": "1"}, ("'a b'",)),
        ("registered-models/alias", {"name": "limits", "alias": "a" * 256, "version": "1"}, ("255", "256")),
        ("registered-models/alias", {"name": "limits", "alias": "a", "version": "one"}, ("version", "'one'")),
        ("model-versions/create", {"name": "limits"}, ("'source'",)),
        ("model-versions/create", {"name": "limits", "source": "/etc"}, ("'/etc'", "run_id")),
        ("model-versions/transition-stage", {"name": "limits", "version": "1", "stage": "Best"}, ("'Best'", "Staging")),
        ("model-versions/transition-stage", {"name": "limits", "version": "1"}, ("'stage'",)),
        ("registered-models/search", {"max_results": 1001}, ("1001", "1000")),
        ("registered-models/search", {"filter": "colour = 'red'"}, ("colour",)),
        ("logged-models/search", {"max_results": 0}, ("0", "1000")),
        ("logged-models/search", {"max_results": -1}, ("-1",)),
        ("logged-models", {"experiment_id": "0", "name": "a/b"}, ("'a/b'",)),
        ("logged-models", {"experiment_id": "x"}, ("experiment ID", "'x'")),
        ("logged-models", {"name": "a"}, ("'experiment_id'",)),
    ],
)
def test_bad_input_is_refused_with_field_rule_and_value(
    server: ServerProcess, path: str, body: dict[str, Any], words: tuple[str, ...]
) -> None:
    if get(server.port, "registered-models/get", name="limits").status == 404:
        make_model(server.port, "limits", versions=1)
    refused(post(server.port, path, body), 400, "INVALID_PARAMETER_VALUE", *words)


def test_text_that_holds_a_nul_is_refused_wherever_it_is(server: ServerProcess) -> None:
    port = server.port
    for answer in (
        post(port, "registered-models/create", {"name": "a\x00b"}),
        post(port, "registered-models/create", {"name": "a", "tags": [{"key": "k", "value": "\x00"}]}),
        post(port, "registered-models/search", {"filter": "name = 'a\x00b'"}),
        post(port, "runs/search", {"experiment_ids": ["0\x00"]}),
        get(port, "registered-models/get", name="a\x00b"),
        get(port, "metrics/get-history-bulk-interval", run_ids=["x", "y\x00"], metric_key="m"),
        get(port, "logged-models/m-%00"),
        send(port, "GET", "/get-artifact?run_id=a%00b&path=x"),
    ):
        refused(answer, 400, "INVALID_PARAMETER_VALUE", "NUL")
    # An escape that was escaped is six characters like others.
    tag = {"key": "k", "value": "\\u0000"}
    made = ok(post(port, "registered-models/create", {"name": "backslash", "tags": [tag]}))
    assert made["registered_model"]["tags"] == [tag]


def test_a_logged_model_is_made_measured_finalized_and_deleted(server: ServerProcess) -> None:
    port = server.port
    run_id = make_run(port)
    pairs = [{"key": "depth", "value": "3"}]
    model_id = make_logged_model(port, name="forest", source_run_id=run_id, params=pairs, model_type="sklearn")
    point = {"key": "auc", "value": 0.5, "timestamp": 1, "step": 2, "model_id": model_id}
    ok(post(port, "runs/log-metric", {"run_id": run_id, **point, "dataset_name": "holdout", "dataset_digest": "d1"}))
    ok(post(port, "runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 2}]}))
    model = ok(get(port, f"logged-models/{model_id}"))["model"]
    info, data = model["info"], model["data"]
    assert (info["name"], info["status"], info["source_run_id"]) == ("forest", "LOGGED_MODEL_PENDING", run_id)
    assert data["params"] == pairs
    [metric] = data["metrics"]
    assert (metric["value"], metric["run_id"], metric["dataset_name"]) == (0.5, run_id, "holdout")
    run = ok(get(port, "runs/get", run_id=run_id))["run"]
    assert run["outputs"]["model_outputs"] == [{"model_id": model_id, "step": 2}]
    assert ok(send(port, "DELETE", f"{API}logged-models/{model_id}")) == {}
    refused(get(port, f"logged-models/{model_id}"), 404, "RESOURCE_DOES_NOT_EXIST", model_id)


def test_a_logged_models_id_is_taken_from_the_path(server: ServerProcess) -> None:
    port = server.port
    model_id = make_logged_model(port)
    ready = {"status": "LOGGED_MODEL_READY"}
    assert ok(post(port, f"logged-models/{model_id}", ready, method="PATCH"))["model"]["info"]["status"] == (
        "LOGGED_MODEL_READY"
    )
    ok(post(port, f"logged-models/{model_id}/params", {"params": [{"key": "depth", "value": "3"}]}))
    ok(post(port, f"logged-models/{model_id}/tags", {"tags": [{"key": "a/b", "value": "1"}]}, method="PATCH"))
    model = ok(get(port, f"logged-models/{model_id}"))["model"]
    assert (model["data"]["params"][0]["value"], model["info"]["tags"][0]["key"]) == ("3", "a/b")


def test_pages_of_logged_models_go_on_where_the_last_one_ended(server: ServerProcess) -> None:
    port = server.port
    experiment_id = ok(post(port, "experiments/create", {"name": "pages"}))["experiment_id"]
    for name in "abc":
        make_logged_model(port, experiment_id=experiment_id, name=name)
    search = {"experiment_ids": [experiment_id], "order_by": [{"field_name": "name"}], "max_results": 2}
    first = ok(post(port, "logged-models/search", search))
    token = first["next_page_token"]
    second = ok(post(port, "logged-models/search", {**search, "page_token": token}))
    names = [[model["info"]["name"] for model in page["models"]] for page in (first, second)]
    assert names == [["a", "b"], ["c"]]
    assert "next_page_token" not in second
    other = post(port, "logged-models/search", {**search, "filter": "name = 'a'", "page_token": token})
    refused(other, 400, "INVALID_PARAMETER_VALUE", "page_token")
