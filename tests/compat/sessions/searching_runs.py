"""Searching runs: every kind of clause, orders with missing values and NaN, pages, and data frames."""

from __future__ import annotations

import math

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.compat.sessions.session import IS_RUNYARD, refused, unique

client = MlflowClient()
experiment_id = client.create_experiment(unique("searched"))
START = 1_700_000_000_000
ids: dict[str, str] = {}


def make_runs() -> None:
    """Five runs, the one made last first by default: e d c b a."""
    for index, name in enumerate("abcde"):
        run = client.create_run(experiment_id, start_time=START + index, run_name=f"run-{name}")
        ids[name] = run.info.run_id
        metrics = [Metric("index", index, START, 0), Metric("spaced out", -index / 2, START, 0)]
        if name != "c":
            metrics.append(Metric("loss", math.nan if name == "d" else 0.1 * index, START, 0))
        params = [Param("rate", f"0.{index}"), Param("kind", "Tree" if index % 2 else "linear")]
        tags = [RunTag("owner", "ana" if index < 3 else "Bea"), RunTag("path/like.key", "100%_sure's")]
        if name == "e":
            params.append(Param("extra", ""))
            tags.append(RunTag("starred", "yes"))
        client.log_batch(run.info.run_id, metrics=metrics, params=params, tags=tags)
        status = "FAILED" if name == "b" else "FINISHED"
        client.set_terminated(run.info.run_id, status, end_time=START + 1000 * (index + 1))


def found(filter_string: str = "", **named) -> str:
    """Return the letters of the runs found, in their order."""
    runs = client.search_runs([experiment_id], filter_string, **named)
    letters = {run_id: letter for letter, run_id in ids.items()}
    return "".join(letters[run.info.run_id] for run in runs)


def metrics() -> None:
    assert found("metrics.index > 1") == "edc"
    assert found("metrics.index >= 1 and metrics.index <= 3") == "dcb"
    assert found("metrics.index != 1 AND metrics.index < 2.5e0") == "ca"
    assert found("metric.index = 0") == "a"
    assert found("metrics.`spaced out` < -0.9") == "edc"
    assert found('metrics."spaced out" = -0.5') == "b"
    assert found("metrics.loss >= 0") == "eba"
    assert found("metrics.absent > 0") == ""


def params_and_tags() -> None:
    assert found("params.rate = '0.3'") == "d"
    assert found('params.rate != "0.3"') == "ecba"
    assert found("param.kind LIKE 'T%'") == "db"
    assert found("params.kind LIKE 't%'") == ""
    assert found("params.kind ILIKE 't%'") == "db"
    assert found("params.kind LIKE '_inear'") == "eca"
    assert found("params.extra = ''") == "e"
    assert found("tags.owner = 'Bea'") == "ed"
    assert found("tag.owner ILIKE '%A%' and params.kind = 'linear'") == "eca"
    assert found('tags.`path/like.key` = "100%_sure\'s"') == "edcba"
    assert found("tags.starred != 'no'") == "e"
    assert found("params.absent != 'x'") == ""
    assert found("tags.starred IS NULL") == "dcba"
    assert found("params.extra IS NOT NULL") == "e"


def attributes() -> None:
    assert found("attributes.status = 'FAILED'") == "b"
    assert found("status != 'FAILED' AND attribute.run_name LIKE 'run-%'") == "edca"
    assert found("attributes.`Run name` = 'run-a'") == "a"
    assert found("run_name ILIKE 'RUN-B'") == "b"
    assert found(f"attributes.start_time >= {START + 3}") == "ed"
    assert found(f"attributes.created < {START + 1}") == "a"
    assert found(f"end_time = {START + 2000}") == "b"
    assert found(f"attributes.run_id = '{ids['c']}'") == "c"
    assert found(f"run_id IN ('{ids['c']}', '{ids['a']}')") == "ca"
    assert found(f"run_id NOT IN ('{ids['c']}', '{ids['a']}')") == "edb"
    assert found(f"artifact_uri LIKE '%{ids['d']}%'") == "d"
    assert found("tags.`mlflow.runName` = 'run-e'") == "e"
    assert found("attributes.user_id = 'nobody at all'") == ""


def orders() -> None:
    assert found() == "edcba"
    assert found(order_by=["start_time ASC"]) == "abcde"
    assert found(order_by=["attributes.start_time"]) == "abcde"
    assert found(order_by=["attribute.end_time DESC"]) == "edcba"
    assert found(order_by=["metrics.index ASC"]) == "abcde"
    # d's is NaN and c has none: NaN after every number, and the missing last, in either direction.
    assert found(order_by=["metrics.loss ASC"]) == "abedc"
    assert found(order_by=["metrics.loss DESC"]) == "ebadc"
    assert found(order_by=["params.kind ASC", "metrics.index DESC"]) == "dbeca"
    assert found(order_by=["params.rate DESC"]) == "edcba"
    assert found(order_by=["tags.starred", "start_time ASC"]) == "eabcd"
    assert found(order_by=["tag.owner DESC", "attributes.run_name ASC"]) == "abcde"
    assert found(order_by=["status ASC", "start_time DESC"]) == "bedca"
    assert found("metrics.index < 3", order_by=["metrics.`spaced out`"]) == "cba"


def pages() -> None:
    letters, tokens, token = [], 0, None
    while True:
        page = client.search_runs([experiment_id], order_by=["metrics.loss DESC"], max_results=2, page_token=token)
        letters += [run.info.run_name[-1] for run in page]
        token = page.token
        if not token:
            break
        tokens += 1
    assert "".join(letters) == "ebadc"
    assert tokens == 2
    assert len(mlflow.search_runs([experiment_id], max_results=3)) == 3
    assert found("metrics.index > 1", max_results=1) == "e"


def beyond_upstream() -> None:
    if not IS_RUNYARD:
        return
    # The client sends these as they are.
    assert found("metrics.index = 0 OR metrics.index = 4") == "ea"
    assert found("NOT (tags.owner = 'Bea' OR status = 'FAILED')") == "ca"
    assert found("params.rate IN ('0.1', '0.2')") == "cb"
    assert found("metrics.index BETWEEN 1 AND 2") == "cb"


def several_experiments() -> None:
    other_name = unique("searched-too")
    other = client.create_experiment(other_name)
    run = client.create_run(other, start_time=START + 10)
    runs = client.search_runs([experiment_id, other], max_results=2)
    assert [found.info.run_id for found in runs] == [run.info.run_id, ids["e"]]
    by_name = mlflow.search_runs(experiment_names=[other_name], output_format="list")
    assert [found.info.run_id for found in by_name] == [run.info.run_id]


def data_frames() -> None:
    frame = mlflow.search_runs([experiment_id], order_by=["start_time ASC"])
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["run_id"]) == [ids[letter] for letter in "abcde"]
    assert list(frame.columns[:6]) == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert list(frame["metrics.index"]) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [math.isnan(value) for value in frame["metrics.loss"]] == [False, False, True, True, False]
    assert list(frame["params.kind"]) == ["linear", "Tree", "linear", "Tree", "linear"]
    assert frame["tags.starred"].isna().sum() == 4
    assert frame["start_time"][0] == pd.Timestamp(START, unit="ms", tz="UTC")
    assert mlflow.search_runs([experiment_id], "metrics.index > 100").empty


def what_is_refused() -> None:
    for filter_string in (
        "metrics.index > 'high'",
        "params.rate > 1",
        "metrics.index >",
        "index = 1 =",
        "weather.today = 'rain'",
        "attributes.colour = 'red'",
        "tags.owner = unquoted",
        *(["metrics.index > 1 tags.owner = 'ana'"] if IS_RUNYARD else []),
    ):
        with refused("INVALID_PARAMETER_VALUE"):
            client.search_runs([experiment_id], filter_string)
    for order_by in (["attributes.colour"], ["metrics.index SIDEWAYS"], ["nothing"]):
        with refused("INVALID_PARAMETER_VALUE"):
            client.search_runs([experiment_id], order_by=order_by)
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([experiment_id], max_results=50_001)
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_runs([experiment_id], page_token="not a token")


if __name__ == "__main__":
    make_runs()
    metrics()
    params_and_tags()
    attributes()
    orders()
    pages()
    beyond_upstream()
    several_experiments()
    data_frames()
    what_is_refused()
