from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from runyard.errors import InvalidParameter
from runyard.store import experiments, run_inputs, runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.run_json import RunCache
from runyard.store.run_writes import LogBatch
from runyard.wire.runs import DatasetInputSpec, DatasetSpec, InputTag, ModelOutputSpec
from tests.contract.factories import log, make_experiment, make_logged_model, make_run, point, statements_of

Write = Callable[[Database, Ingest, str], object]


def read(database: Database, cache: RunCache, run_id: str) -> Any:
    return json.loads(database.read(runs.get_run, run_id, cache=cache))


def dataset(name: str, **tags: str) -> DatasetInputSpec:
    spec = DatasetSpec(name=name, digest="d", source_type="local", source="{}")
    return DatasetInputSpec(dataset=spec, tags=[InputTag(key, value) for key, value in tags.items()])


def log_output(database: Database, ingest: Ingest, run_id: str) -> None:
    model_id = make_logged_model(database).info.model_id
    ingest.submit(run_inputs.log_outputs(run_id, [ModelOutputSpec(model_id=model_id, step=1)])).result(10)


WRITES: dict[str, Write] = {
    "a first metric": lambda _, ingest, run_id: log(ingest, run_id, metrics=[point("new", 1.0)]),
    "a later point": lambda _, ingest, run_id: log(ingest, run_id, metrics=[point("m", 2.0, step=9)]),
    "a param": lambda _, ingest, run_id: log(ingest, run_id, params=[("new", "1")]),
    "a tag": lambda _, ingest, run_id: log(ingest, run_id, tags=[("t", "other")]),
    "a tag less": lambda _, ingest, run_id: ingest.submit(runs.tag_deletion(run_id, "t")).result(10),
    "a name": lambda _, ingest, run_id: ingest.submit(
        runs.update(run_id, status=None, end_time=None, run_name="other")
    ).result(10),
    "an end": lambda _, ingest, run_id: ingest.submit(
        runs.update(run_id, status="FINISHED", end_time=9, run_name=None)
    ).result(10),
    "the trash": lambda _, ingest, run_id: ingest.submit(runs.deletion(run_id)).result(10),
    "its experiment's": lambda database, _, _run_id: database.write(experiments.delete_experiment, "1"),
    "a model": lambda _, ingest, run_id: ingest.submit(runs.model_history(run_id, {"m": 1})).result(10),
    "a dataset": lambda _, ingest, run_id: ingest.submit(run_inputs.log_inputs(run_id, [dataset("other")], [])).result(
        10
    ),
    "a dataset's tag": lambda _, ingest, run_id: ingest.submit(
        run_inputs.log_inputs(run_id, [dataset("d", context="test")], [])
    ).result(10),
    "an output": log_output,
}


@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_what_was_read_before_a_write_is_never_read_after_it(database: Database, ingest: Ingest, write: Write) -> None:
    run_id = make_run(ingest, make_experiment(database), metrics={"m": 1.0}, params={"p": "1"}, tags={"t": "1"})
    ingest.submit(run_inputs.log_inputs(run_id, [dataset("d", context="train")], [])).result(10)
    cache = RunCache()
    before = read(database, cache, run_id)
    write(database, ingest, run_id)
    after = read(database, cache, run_id)
    assert after == read(database, RunCache(), run_id)
    assert after != before


def test_a_write_that_is_refused_leaves_the_run_as_it_was_read(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"p": "1"})
    cache = RunCache()
    before = read(database, cache, run_id)
    with pytest.raises(InvalidParameter):
        log(ingest, run_id, params=[("p", "2")])
    assert read(database, cache, run_id) == before


def test_a_run_read_again_needs_its_values_no_more(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={"m": 1.0})
    cache = RunCache()
    first = statements_of(database, lambda: read(database, cache, run_id))
    again = statements_of(database, lambda: read(database, cache, run_id))
    assert again < first
    ingest.submit(LogBatch(run_id, metrics=[point("m", 2.0, step=1)])).result(10)
    assert statements_of(database, lambda: read(database, cache, run_id)) == first


def test_the_cache_forgets_what_was_used_least_recently(database: Database, ingest: Ingest) -> None:
    values = {"p": "x" * 1000}
    first, second, third = (make_run(ingest, params=values) for _ in range(3))
    cache = RunCache(max_bytes=3500)
    for run_id in (first, second, first, third):
        read(database, cache, run_id)
    known = statements_of(database, lambda: read(database, cache, first))
    assert statements_of(database, lambda: read(database, cache, second)) > known
