from __future__ import annotations

import pytest

from runyard.errors import InvalidParameter, NotFound
from runyard.store import logged_models, runs
from runyard.store.engine import Database
from runyard.store.experiment_summaries import summarize_experiments
from runyard.store.experiments import get_experiment
from runyard.store.ingest import Ingest
from runyard.store.metric_summaries import summarize_metrics
from runyard.wire.run_tables import ExperimentSummary, MetricSummary, SummarizeExperiments, SummarizeMetrics
from tests.contract.factories import log, make_experiment, make_logged_model, make_run, point, statements_of

NAN, INFINITY = float("nan"), float("inf")
LONG_AFTER = 10**14


def metrics(database: Database, run_id: str, *keys: str) -> list[MetricSummary]:
    request = SummarizeMetrics(run_id=run_id, metric_keys=list(keys) or None)
    return database.read(summarize_metrics, request).metrics


def experiments(database: Database, *experiment_ids: str) -> list[ExperimentSummary]:
    request = SummarizeExperiments(experiment_ids=list(experiment_ids))
    return database.read(summarize_experiments, request).experiments


def test_a_metric_is_summed_up_by_its_ends_and_extremes(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    values = [(-2, 5.0), (0, 1.0), (1, NAN), (3, 9.0), (4, 9.0), (6, 1.0), (7, 4.0)]
    log(ingest, run_id, metrics=[point("m", value, step=step) for step, value in values])
    assert metrics(database, run_id) == [
        MetricSummary(
            key="m",
            count=7,
            first_step=-2,
            last_step=7,
            last=4.0,
            minimum=1.0,
            minimum_step=0,
            maximum=9.0,
            maximum_step=3,
        )
    ]


def test_nan_is_no_extreme_and_infinity_is(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log(ingest, run_id, metrics=[point("nan", NAN, step=1), point("nan", NAN, step=2)])
    log(ingest, run_id, metrics=[point("inf", -1.0, step=1), point("inf", INFINITY, step=2), point("inf", NAN, step=3)])
    infinite, nan = metrics(database, run_id)
    assert (nan.count, nan.last, nan.minimum, nan.minimum_step, nan.maximum) == (2, "NaN", None, None, None)
    assert (infinite.minimum, infinite.maximum, infinite.maximum_step, infinite.last) == (-1.0, "Infinity", 2, "NaN")


def test_a_zero_is_not_taken_for_a_nan(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log(ingest, run_id, metrics=[point("m", NAN, step=1), point("m", 0.0, step=2), point("m", 1.0, step=3)])
    [summary] = metrics(database, run_id)
    assert (summary.minimum, summary.minimum_step) == (0.0, 2)


def test_metrics_are_in_the_order_asked_for_or_by_name(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={f"m{index:03}": 1 for index in range(501)})
    make_run(ingest, metrics={"other": 1})
    assert [summary.key for summary in metrics(database, run_id)] == [f"m{index:03}" for index in range(500)]
    assert [summary.key for summary in metrics(database, run_id, "m500", "other", "m007")] == ["m500", "m007"]
    assert metrics(database, make_run(ingest)) == []
    assert statements_of(database, lambda: metrics(database, run_id)) == 3


def test_metrics_of_an_unknown_run_are_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="nope"):
        metrics(database, "nope")


def test_an_experiment_is_summed_up_by_its_runs_and_models(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    run_ids = [make_run(ingest, experiment_id, start_time=LONG_AFTER + index) for index in range(4)]
    make_run(ingest)
    ingest.submit(runs.update(run_ids[0], status="FINISHED", end_time=LONG_AFTER + 77, run_name=None)).result(10)
    ingest.submit(runs.deletion(run_ids[3])).result(10)
    make_logged_model(database, experiment_id)
    gone = make_logged_model(database, experiment_id)
    database.write(logged_models.delete_logged_model, gone.info.model_id)
    [summary, default] = experiments(database, experiment_id, "0", "77", experiment_id)
    assert summary == ExperimentSummary(
        experiment_id=experiment_id,
        run_count=3,
        running_count=2,
        deleted_run_count=1,
        model_count=1,
        last_activity_time=LONG_AFTER + 77,
    )
    assert (default.experiment_id, default.run_count, default.model_count) == ("0", 1, 0)


def test_without_runs_the_last_activity_is_the_experiments_own(database: Database) -> None:
    [summary] = experiments(database, "0")
    assert summary.last_activity_time == database.read(get_experiment, "0").last_update_time
    assert experiments(database) == []
    with pytest.raises(InvalidParameter, match="experiment ID"):
        experiments(database, "x")
    assert statements_of(database, lambda: experiments(database, "0", "1", "2")) == 3
