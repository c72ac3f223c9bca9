from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import event

from runyard.errors import AlreadyExists, InvalidFilter, InvalidParameter, NotFound
from runyard.store import run_inputs, runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.wire.runs import DatasetInputSpec, DatasetSpec, InputTag
from tests.contract.factories import get, log, make_experiment, make_run, pairs, point, search, search_page

NAN, INFINITY = float("nan"), float("inf")


def test_a_run_starts_active_running_and_under_its_experiments_artifacts(database: Database, ingest: Ingest) -> None:
    info = get(database, make_run(ingest, start_time=17))["info"]
    assert (info["status"], info["lifecycle_stage"], info["start_time"]) == ("RUNNING", "active", 17)
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/{info['run_id']}/artifacts"
    assert info["run_id"] == info["run_uuid"]
    assert "end_time" not in info


def test_a_run_without_a_name_is_given_one_that_its_tag_mirrors(database: Database, ingest: Ingest) -> None:
    run = get(database, make_run(ingest))
    name = run["info"]["run_name"]
    assert 0 < len(name) <= 20
    assert pairs(run["data"]["tags"])["mlflow.runName"] == name


def test_a_name_that_disagrees_with_its_tag_is_refused(ingest: Ingest) -> None:
    with pytest.raises(InvalidParameter, match=r"mlflow\.runName"):
        runs.creation("0", user_id="", run_name="a", start_time=0, tags={"mlflow.runName": "b"})


def test_setting_the_name_tag_renames_the_run_and_renaming_sets_the_tag(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, name="first")
    log(ingest, run_id, tags=[("mlflow.runName", "second")])
    assert get(database, run_id)["info"]["run_name"] == "second"
    ingest.submit(runs.update(run_id, status=None, end_time=None, run_name="third")).result(10)
    assert pairs(get(database, run_id)["data"]["tags"])["mlflow.runName"] == "third"
    ingest.submit(runs.update(run_id, status=None, end_time=None, run_name="")).result(10)
    assert get(database, run_id)["info"]["run_name"] == "third"


def test_finishing_a_run_sets_status_and_end_and_resuming_it_takes_the_end_away(
    database: Database, ingest: Ingest
) -> None:
    run_id = make_run(ingest)
    info = ingest.submit(runs.update(run_id, status="FINISHED", end_time=99, run_name=None)).result(10)
    assert (info.status, info.end_time) == ("FINISHED", 99)
    ingest.submit(runs.update(run_id, status="RUNNING", end_time=None, run_name=None)).result(10)
    assert "end_time" not in get(database, run_id)["info"]


def test_an_unknown_status_is_refused_with_the_valid_ones(ingest: Ingest) -> None:
    with pytest.raises(InvalidParameter, match="RUNNING, SCHEDULED, FINISHED, FAILED, KILLED"):
        runs.update("x", status="BOGUS", end_time=None, run_name=None)


def test_a_deleted_run_can_be_read_but_takes_no_writes_until_restored(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    for _ in range(2):
        ingest.submit(runs.deletion(run_id)).result(10)
    assert get(database, run_id)["info"]["lifecycle_stage"] == "deleted"
    with pytest.raises(InvalidParameter, match="'active' state"):
        log(ingest, run_id, metrics=[point("m", 1.0)])
    with pytest.raises(InvalidParameter, match="'active' state"):
        ingest.submit(runs.update(run_id, status="FAILED", end_time=None, run_name=None)).result(10)
    with pytest.raises(InvalidParameter, match="'active' state"):
        ingest.submit(runs.tag_deletion(run_id, "mlflow.runName")).result(10)
    for _ in range(2):
        ingest.submit(runs.restoration(run_id)).result(10)
    log(ingest, run_id, metrics=[point("m", 1.0)])


def test_an_unknown_run_is_not_found_by_any_operation(database: Database, ingest: Ingest) -> None:
    for write in (
        runs.deletion("nope"),
        runs.update("nope", status=None, end_time=None, run_name="x"),
        runs.tag_deletion("nope", "k"),
        run_inputs.log_inputs("nope", [], []),
    ):
        with pytest.raises(NotFound, match="nope"):
            ingest.submit(write).result(10)
    with pytest.raises(NotFound, match="nope"):
        log(ingest, "nope", tags=[("k", "v")])
    with pytest.raises(NotFound, match="nope"):
        get(database, "nope")


def test_one_failing_write_leaves_the_others_of_its_group_alone(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"p": "1"})
    futures = [
        ingest.submit(write)
        for write in (
            runs.tag_deletion(run_id, "absent"),
            runs.update(run_id, status="FINISHED", end_time=5, run_name=None),
            runs.deletion("nope"),
        )
    ]
    with pytest.raises(NotFound, match="absent"):
        futures[0].result(10)
    with pytest.raises(NotFound, match="nope"):
        futures[2].result(10)
    futures[1].result(10)
    assert get(database, run_id)["info"]["status"] == "FINISHED"


def test_the_latest_value_is_of_the_greatest_step_then_time_then_value(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log(ingest, run_id, metrics=[point("m", 5.0, step=2, timestamp=1), point("m", 9.0, step=1, timestamp=9)])
    log(ingest, run_id, metrics=[point("m", 7.0, step=2, timestamp=1), point("m", 6.0, step=2, timestamp=1)])
    log(ingest, run_id, metrics=[point("m", 1.0, step=2, timestamp=0), point("m", 2.0, step=-3, timestamp=99)])
    [metric] = get(database, run_id)["data"]["metrics"]
    assert metric == {"key": "m", "value": 7.0, "timestamp": 1, "step": 2}


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1e22, 123456789.123456789, 3.0, 2**53 + 0.0]
)
def test_a_value_comes_back_exactly(database: Database, ingest: Ingest, value: float) -> None:
    run_id = make_run(ingest, metrics={"m": value})
    assert repr(get(database, run_id)["data"]["metrics"][0]["value"]) == repr(value)


def test_nan_and_infinity_survive(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={"nan": NAN, "up": INFINITY, "down": -INFINITY})
    found = pairs(get(database, run_id)["data"]["metrics"])
    assert found == {"nan": "NaN", "up": "Infinity", "down": "-Infinity"}


def test_a_params_value_cannot_change_but_may_be_sent_again(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"lr": "0.1"})
    log(ingest, run_id, params=[("lr", "0.1")])
    with pytest.raises(InvalidParameter, match=r"'lr' was already logged with value='0\.1'"):
        log(ingest, run_id, params=[("new", "1"), ("lr", "0.2")])
    assert pairs(get(database, run_id)["data"]["params"]) == {"lr": "0.1"}


def test_a_param_twice_in_one_batch_is_refused(ingest: Ingest) -> None:
    run_id = make_run(ingest)
    with pytest.raises(InvalidParameter, match="Duplicate"):
        log(ingest, run_id, params=[("p", "1"), ("p", "1")])


def test_a_refused_batch_writes_nothing(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"p": "1"})
    with pytest.raises(InvalidParameter):
        log(ingest, run_id, metrics=[point("m", 1.0)], params=[("p", "2")], tags=[("t", "v")])
    data = get(database, run_id)["data"]
    assert "metrics" not in data
    assert "t" not in pairs(data["tags"])


def test_of_a_tag_the_last_write_wins_within_a_batch_too(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log(ingest, run_id, tags=[("t", "1"), ("t", "2")])
    assert pairs(get(database, run_id)["data"]["tags"])["t"] == "2"
    ingest.submit(runs.tag_deletion(run_id, "t")).result(10)
    with pytest.raises(NotFound, match="No tag with name: t"):
        ingest.submit(runs.tag_deletion(run_id, "t")).result(10)


def test_texts_of_any_alphabet_come_back(database: Database, ingest: Ingest) -> None:
    text = 'ключ "q" \\ \n\t 数据 😀'
    run_id = make_run(ingest, params={"p": text}, tags={"t": text})
    data = get(database, run_id)["data"]
    assert pairs(data["params"])["p"] == pairs(data["tags"])["t"] == text


def test_datasets_are_inputs_once_however_often_they_are_logged(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    dataset = DatasetSpec(name="iris", digest="d1", source_type="local", source="{}", schema="{}")
    spec = DatasetInputSpec(dataset=dataset, tags=[InputTag("mlflow.data.context", "train")])
    for _ in range(2):
        ingest.submit(run_inputs.log_inputs(run_id, [spec], [])).result(10)
    [found] = get(database, run_id)["inputs"]["dataset_inputs"]
    assert found["dataset"]["name"] == "iris"
    assert pairs(found["tags"]) == {"mlflow.data.context": "train"}
    assert len(search(database, filter_text="dataset.name = 'iris' AND dataset.context = 'train'")) == 1
    with pytest.raises(NotFound, match="m-none"):
        ingest.submit(run_inputs.log_inputs(run_id, [], ["m-none"])).result(10)


def test_searches_see_the_experiments_and_the_stage_asked_for(database: Database, ingest: Ingest) -> None:
    other = make_experiment(database)
    here, there, deleted = make_run(ingest), make_run(ingest, other), make_run(ingest)
    ingest.submit(runs.deletion(deleted)).result(10)

    def ids(*experiment_ids: str, **options: object) -> set[str]:
        return {run["info"]["run_id"] for run in search(database, *experiment_ids, **options)}

    assert ids("0") == {here}
    assert ids("0", other) == {here, there}
    assert ids("0", view_type="DELETED_ONLY") == {deleted}
    assert ids("0", view_type="ALL") == {here, deleted}
    assert ids("12345") == set()


def test_searches_filter_by_everything_logged(database: Database, ingest: Ingest) -> None:
    good = make_run(ingest, metrics={"acc": 0.9, "a b": 1.0}, params={"lr": "0.1"}, tags={"team": "vision"})
    make_run(ingest, metrics={"acc": 0.5}, params={"lr": "0.2"}, tags={"team": "speech"})
    for filter_text in (
        "metrics.acc > 0.8",
        "metrics.`a b` = 1",
        "params.lr = '0.1'",
        "params.lr IN ('0.1', '7')",
        "tags.team LIKE 'vis%'",
        "NOT (metrics.acc <= 0.8)",
        "metrics.acc BETWEEN 0.85 AND 0.95",
        "params.lr = '0.7' OR tags.team = 'vision'",
        f"run_id = '{good}'",
        "metrics.acc > 0.8 AND params.lr != '0.2'",
    ):
        assert [run["info"]["run_id"] for run in search(database, filter_text=filter_text)] == [good], filter_text
    with pytest.raises(InvalidFilter):
        search(database, filter_text="metrics.acc >")


def test_order_puts_nan_then_missing_last_in_both_directions(database: Database, ingest: Ingest) -> None:
    values = {"low": 1.0, "high": 2.0, "up": INFINITY, "nan": NAN}
    for name, value in values.items():
        make_run(ingest, name=name, metrics={"m": value})
    make_run(ingest, name="none")

    def ordered(order: str) -> list[str]:
        return [run["info"]["run_name"] for run in search(database, order_by=(order,))]

    assert ordered("metrics.m ASC") == ["low", "high", "up", "nan", "none"]
    assert ordered("metrics.m DESC") == ["up", "high", "low", "nan", "none"]


def test_the_default_order_is_newest_first_then_by_id(database: Database, ingest: Ingest) -> None:
    made = [(start, make_run(ingest, start_time=start)) for start in (5, 9, 5, 7)]
    found = [(run["info"]["start_time"], run["info"]["run_id"]) for run in search(database)]
    assert found == sorted(made, key=lambda item: (-item[0], item[1]))


def test_pages_hold_every_run_once_in_order(database: Database, ingest: Ingest) -> None:
    for number in range(23):
        make_run(ingest, start_time=number % 5, metrics={"m": float(number % 4)} if number % 3 else None)
    for order in ((), ("metrics.m DESC",), ("attributes.run_name",)):
        whole = [run["info"]["run_id"] for run in search(database, order_by=order)]
        paged: list[str] = []
        token = None
        while True:
            found, token = search_page(database, order_by=order, max_results=4, page_token=token)
            paged += [run["info"]["run_id"] for run in found]
            if token is None:
                break
        assert paged == whole
        assert len(set(paged)) == 23


def test_a_page_token_of_another_search_or_none_at_all_is_refused(database: Database, ingest: Ingest) -> None:
    for _ in range(3):
        make_run(ingest)
    _, token = search_page(database, max_results=1)
    for options in ({"order_by": ("metrics.m",), "page_token": token}, {"page_token": "garbage!"}):
        with pytest.raises(InvalidParameter, match="page_token"):
            search_page(database, max_results=1, **options)


def test_a_page_costs_the_same_statements_however_many_runs_it_has(database: Database, ingest: Ingest) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def count() -> int:
        statements.clear()
        search(database, order_by=("metrics.m DESC",))
        return len(statements)

    make_run(ingest, metrics={"m": 1.0}, params={"p": "1"})
    first = count()
    for _ in range(20):
        make_run(ingest, metrics={"m": 1.0}, params={"p": "1"})
    assert count() == first <= 5


@pytest.mark.parametrize("max_results", [-1, 50_001])
def test_a_page_size_out_of_bounds_is_refused(database: Database, max_results: int) -> None:
    with pytest.raises(InvalidParameter, match="max_results"):
        search(database, max_results=max_results)


def test_a_run_made_again_with_its_clients_id_is_the_same_run(database: Database, ingest: Ingest) -> None:
    run_id = "0123456789abcdef" * 2

    def make(start_time: int = 5) -> dict[str, Any]:
        creation = runs.creation("0", user_id="ana", run_name=None, start_time=start_time, tags={}, run_id=run_id)
        run: dict[str, Any] = json.loads(ingest.submit(creation).result(10))
        return run

    first = make()
    log(ingest, run_id, metrics=[point("loss", 0.5)])
    again = make()

    assert first["info"]["run_id"] == run_id
    assert again == get(database, run_id)
    assert again["info"] == first["info"]
    assert [metric["value"] for metric in again["data"]["metrics"]] == [0.5]
    with pytest.raises(AlreadyExists, match="start_time"):
        make(start_time=6)
    assert len(search(database)) == 1


def test_a_clients_id_of_another_form_is_refused(ingest: Ingest) -> None:
    with pytest.raises(InvalidParameter, match="run_id: expected 32 hexadecimal digits"):
        runs.creation("0", user_id="", run_name=None, start_time=0, tags={}, run_id="../../etc")
