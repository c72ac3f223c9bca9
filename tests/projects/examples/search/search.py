"""Tries several values at once, each in a run within this one, and keeps what the best one was."""

import sys
from concurrent.futures import ThreadPoolExecutor

import mlflow
import mlflow.projects
from mlflow.tracking import MlflowClient

tries = int(sys.argv[1])
client = MlflowClient()

with mlflow.start_run() as search:
    experiment_id = search.info.experiment_id

    def attempt(number):
        with mlflow.start_run(experiment_id=experiment_id, nested=True, parent_run_id=search.info.run_id) as child:
            submitted = mlflow.projects.run(
                ".",
                "train",
                run_id=child.info.run_id,
                parameters={"momentum": number / 10, "seed": number},
                experiment_id=experiment_id,
                env_manager="local",
                synchronous=False,
            )
            succeeded = submitted.wait()
            mlflow.log_params({"momentum": number / 10, "seed": number})
        run = client.get_run(submitted.run_id)
        return (run.data.metrics["loss"], submitted.run_id) if succeeded else (float("inf"), submitted.run_id)

    with ThreadPoolExecutor(2) as pool:
        loss, best = min(pool.map(attempt, range(tries)))
    mlflow.log_metric("best_loss", loss)
    mlflow.set_tag("has_best", str(best != ""))
