"""From settings to the services behind the handlers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runyard.artifacts.store import open_store
from runyard.server.observability.counters import Counters
from runyard.server.observability.monitoring import CLEANED, Monitoring
from runyard.server.retention import TOTALS
from runyard.server.services import Services
from runyard.settings import Settings
from runyard.store import migrate
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment
from runyard.store.ingest import Ingest
from runyard.store.run_json import RunCache


def open_database(settings: Settings) -> Database:
    return Database(
        settings.backend_store_uri,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_recycle_s=settings.pool_recycle_s,
        pool_pre_ping=settings.pool_pre_ping,
        is_read_only=settings.read_only,
        outage_s=settings.outage_s,
        statement_timeout_s=settings.statement_timeout_s,
        lock_timeout_s=settings.lock_timeout_s,
        ssl_mode=settings.db_ssl_mode,
        ssl_root_cert=settings.db_ssl_root_cert,
        password=settings.db_password,
        password_file=settings.db_password_file,
        replica_uri=settings.read_replica_uri,
    )


@contextlib.contextmanager
def opened_services(
    settings: Settings, counters: Counters | None = None, *, upgrades: bool = True
) -> Iterator[Services]:
    """Give the services, on a database brought to this version's schema; finish what is being written at the end.

    Args:
        counters: where a worker counts; without, the process is alone and has its own.
        upgrades: where this is false, another schema is an error, and so is an empty database.
    Raises:
        SchemaMismatch: the schema is another, and the server is to write nothing or not to upgrade it.
    """
    monitoring = Monitoring(counters)
    database = open_database(settings)
    try:
        if upgrades and not settings.read_only:
            migrate.upgrade(database)
            database.write(ensure_default_experiment, settings.artifact_root)
        else:
            migrate.check(database)
        artifacts = open_store(settings.artifacts_destination) if settings.serve_artifacts else None
        ingest = Ingest(database, monitoring.committed)

        counted = {name: getattr(TOTALS, name) for name in CLEANED}

        def sample() -> None:
            totals = {name: getattr(TOTALS, name) for name in CLEANED}
            monitoring.cleaned({name: total - counted[name] for name, total in totals.items()})
            counted.update(totals)
            if TOTALS.last_pass_time:
                monitoring.set("runyard_cleanup_last_pass_timestamp_seconds", TOTALS.last_pass_time / 1000)
            in_use, idle = database.connections()
            monitoring.set("runyard_database_connections", in_use, "in_use")
            monitoring.set("runyard_database_connections", idle, "idle")
            monitoring.set("runyard_database_connections_limit", settings.pool_size + settings.max_overflow)
            monitoring.set("runyard_ingest_queue_writes", ingest.waiting)

        monitoring.watch(sample)
        try:
            yield Services(settings, database, ingest, RunCache(), artifacts, monitoring)
        finally:
            ingest.close()
    finally:
        database.close()
