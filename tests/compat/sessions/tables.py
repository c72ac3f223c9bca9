"""Tables: logged, appended to, and loaded over several runs."""

from __future__ import annotations

import mlflow
import pandas as pd

from tests.compat.sessions.session import unique

experiment = mlflow.set_experiment(unique("tables"))


def a_table_is_logged_appended_to_and_loaded() -> None:
    with mlflow.start_run() as run:
        mlflow.log_table({"question": ["one?", "two?"], "score": [0.5, 1.0]}, "answers.json")
        mlflow.log_table(pd.DataFrame({"question": ["três?"], "score": [None]}), "answers.json")
        mlflow.log_table({"x": [1]}, "other/deep.json")
    table = mlflow.load_table("answers.json", run_ids=[run.info.run_id])
    assert list(table["question"]) == ["one?", "two?", "três?"]
    assert list(table["score"][:2]) == [0.5, 1.0]
    assert pd.isna(table["score"][2])
    assert '"type": "table"' in mlflow.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]


def tables_of_several_runs() -> None:
    ids = []
    for index in range(3):
        with mlflow.start_run() as run:
            ids.append(run.info.run_id)
            mlflow.log_table({"value": [index, 10 * index]}, "values.json")
    table = mlflow.load_table("values.json", extra_columns=["run_id"])
    assert sorted(table["value"]) == [0, 0, 1, 2, 10, 20]
    assert set(table["run_id"]) == set(ids)
    chosen = mlflow.load_table("values.json", run_ids=ids[1:2])
    assert sorted(chosen["value"]) == [1, 10]


if __name__ == "__main__":
    a_table_is_logged_appended_to_and_loaded()
    tables_of_several_runs()
