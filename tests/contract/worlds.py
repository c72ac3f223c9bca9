"""A database with its artifacts, in which time passes as a test says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runyard.artifacts.local import LocalStore
from runyard.server.observability.monitoring import Monitoring
from runyard.server.retention import Cleaner, Report
from runyard.server.services import Services
from runyard.settings import Settings
from runyard.store import logged_models, runs
from runyard.store.clock import now_ms
from runyard.store.engine import Database
from runyard.store.experiments import delete_experiment
from runyard.store.ingest import Ingest
from runyard.store.retention import DAY_MS, Policy
from runyard.store.run_json import RunCache
from runyard.store.schema import experiments, logged_models as models_table, purges, runs as runs_table
from tests.contract.factories import get, make_logged_model, make_run

DAYS_90 = Policy(deleted_ms=90 * DAY_MS)


class World:
    """A database, and the folder of its artifacts in ``folder``."""

    def __init__(self, database: Database, folder: Path, *, artifacts: str = "artifacts") -> None:
        self.database = database
        self.folder = folder
        self.artifacts = folder / artifacts
        self.ingest = Ingest(database)
        destination = str(self.artifacts)
        settings = Settings(backend_store_uri=str(database.engine.url), artifacts_destination=destination)
        self.store = LocalStore(self.artifacts)
        self.services = Services(settings, database, self.ingest, RunCache(), self.store, Monitoring())

    def run(self, experiment_id: str = "0", **tags: str) -> str:
        """Return a run with an artifact."""
        run_id = make_run(self.ingest, experiment_id, metrics={"m": 1.0}, tags=tags)
        self.write(f"{experiment_id}/{run_id}/artifacts/weights.bin")
        return run_id

    def model(self, experiment_id: str = "0", *, run_id: str | None = None, **tags: str) -> str:
        """Return a logged model with an artifact."""
        model_id = make_logged_model(self.database, experiment_id, source_run_id=run_id, tags=tags).info.model_id
        self.write(f"{experiment_id}/models/{model_id}/artifacts/MLmodel")
        return model_id

    def write(self, path: str, content: bytes = b"0123456789") -> Path:
        file = self.artifacts / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def delete_run(self, run_id: str, *, days_ago: float) -> None:
        self.ingest.submit(runs.deletion(run_id)).result(10)
        self._set(runs_table, runs_table.c.run_id == run_id, deleted_time=days_before(days_ago))

    def end_run(self, run_id: str, *, days_ago: float, status: str = "FINISHED") -> None:
        end_time = days_before(days_ago)
        self.ingest.submit(runs.update(run_id, status=status, end_time=end_time, run_name=None)).result(10)

    def delete_model(self, model_id: str, *, days_ago: float) -> None:
        self.database.write(logged_models.delete_logged_model, model_id)
        self._set(models_table, models_table.c.model_id == model_id, deleted_time=days_before(days_ago))

    def delete_experiment(self, experiment_id: str, *, days_ago: float) -> None:
        self.database.write(delete_experiment, experiment_id)
        number, then = int(experiment_id), days_before(days_ago)
        at = self.database.read(
            lambda connection: connection.execute(
                sa.select(experiments.c.last_update_time).where(experiments.c.id == number)
            ).scalar_one()
        )
        self._set(experiments, experiments.c.id == number, last_update_time=then)
        together = sa.and_(runs_table.c.experiment_id == number, runs_table.c.deleted_time == at)
        self._set(runs_table, together, deleted_time=then)

    def clean(self, policy: Policy = DAYS_90, **options: Any) -> Report:
        return asyncio.run(Cleaner(self.services, policy, "test", **options).clean())

    def left(self) -> set[str]:
        """Return the ids of all runs and logged models, and of experiments but the first."""

        def read(connection: sa.Connection) -> set[str]:
            names = set(connection.execute(sa.select(runs_table.c.run_id)).scalars())
            names.update(connection.execute(sa.select(models_table.c.model_id)).scalars())
            return names | {
                str(number) for number in connection.execute(sa.select(experiments.c.id)).scalars() if number
            }

        return self.database.read(read)

    def with_artifacts(self) -> set[str]:
        """Return the ids of runs and logged models that have a file."""
        return {path.parent.parent.name for path in (self.artifacts).rglob("*.*") if path.is_file()} | {
            path.parent.parent.name for path in (self.artifacts).rglob("MLmodel")
        }

    def stage(self, run_id: str) -> str:
        stage: str = get(self.database, run_id)["info"]["lifecycle_stage"]
        return stage

    def record(self) -> list[Any]:
        return list(
            self.database.read(lambda connection: connection.execute(sa.select(purges).order_by(purges.c.id)).all())
        )

    def _set(self, table: sa.Table, where: Any, **values: object) -> None:
        self.database.write(lambda connection: connection.execute(sa.update(table).where(where).values(**values)))


def days_before(days: float) -> int:
    return now_ms() - int(days * DAY_MS)
