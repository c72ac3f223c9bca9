"""Running a scoring server: one process, or a parent with several workers on one socket."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runyard.errors import ConfigurationError, RunyardError
from runyard.models.model import Model
from runyard.models.pyfunc import FLAVOR
from runyard.server.observability.counters import Counters
from runyard.server.observability.logs import send_log
from runyard.server.observability.tracing import open_tracing
from runyard.server.processes import CANNOT_START, SHUTDOWN_S, Supervisor, address_of, listen, run_application
from runyard.server.readiness import Readiness
from runyard.serving.app import Application
from runyard.serving.measures import ServingMonitoring
from runyard.serving.scoring import Scorer
from runyard.serving.served import ServedModel, Source, can_move, current_version, fetch, load, name_of
from runyard.serving.watching import Watcher
from runyard.settings import ServingSettings, load_serving_settings, to_environment

logger = logging.getLogger(__name__)


def serve(settings: ServingSettings) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; finish what was begun first.

    Raises:
        RunyardError: there is no such model, it cannot be loaded, or the address is taken.
    """
    config_of(settings)
    if settings.watch and not can_move(settings.model_uri):
        raise ConfigurationError(
            f"watch needs a model_uri whose version may change, such as models:/NAME@ALIAS, got {settings.model_uri!r}"
        )
    send_log(settings.log_level, settings.log_format)
    with contextlib.closing(listen(settings.host, settings.port)) as listener:
        address = address_of(listener)
        source = fetch(settings.model_uri)
        if settings.workers == 1:
            _serve_here(settings, listener, lambda: _load(settings, source), None, address)
        else:
            try:
                # What is wrong with the files is told once, here.
                Model.load(source.folder).flavor(FLAVOR)
                told = dataclasses.replace(settings, fetched_folder=str(source.folder), fetched_version=source.version)
                logger.info("serving %s at %s with %d workers", settings.model_uri, address, settings.workers)
                Supervisor(
                    "runyard.serving.run",
                    to_environment(told),
                    listener,
                    workers=settings.workers,
                    drain_s=settings.drain_s,
                    shutdown_s=_shutdown_s(settings),
                ).run()
            finally:
                source.remove()
    logger.info("stopped")


def serve_in(settings: ServingSettings, manager: str) -> int:
    """Serve in an environment that holds what the model needs; return how that ended.

    Raises:
        RunyardError: there is no such model, or the environment cannot be made on this machine.
    """
    from runyard.serving.asking import environment_of

    environment = environment_of(settings.model_uri, manager)
    command = environment.command("-m", "runyard", "models", "serve", "--env-manager", "local")
    variables = {**os.environ, **environment.variables(), **to_environment(settings)}
    if os.name == "posix":
        # In place of this process, which signals are sent to.
        os.execve(command[0], command, variables)  # noqa: S606 - no shell is wanted
    return subprocess.run(command, env=variables, check=False).returncode


def config_of(settings: ServingSettings) -> dict[str, Any] | None:
    """Return the values that go before those saved with the model.

    Raises:
        ConfigurationError: they are no JSON object.
    """
    if settings.model_config is None:
        return None
    try:
        config = json.loads(settings.model_config)
    except ValueError as error:
        raise ConfigurationError(f"model_config (SERVING_MODEL_CONFIG) is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise ConfigurationError("model_config (SERVING_MODEL_CONFIG) must be a JSON object")
    return config


def load_fetched(settings: ServingSettings) -> ServedModel:
    """Return the model that the parent fetched; where the alias has moved since, the one that it names now."""
    assert settings.fetched_folder is not None
    fetched = Source(Path(settings.fetched_folder), settings.fetched_version)
    if settings.watch:
        # Whatever is wrong with the newer one, a worker that died is replaced: its watcher tries that one again.
        try:
            wanted = current_version(settings.model_uri)
            if wanted != fetched.version:
                return _load(settings, fetch(settings.model_uri, wanted))
        except RunyardError as error:
            logger.warning("serving what %s was first: %s", settings.model_uri, error.message)
        except Exception:
            logger.exception("serving what %s was first: what it is now cannot be loaded", settings.model_uri)
    return _load(settings, fetched)


def _serve_here(
    settings: ServingSettings,
    listener: socket.socket,
    load_first: Callable[[], ServedModel],
    counters: Counters | None,
    address: str | None,
) -> None:
    """Serve in this process until a signal says to stop."""
    first = load_first()
    # Not to be kept alive by this frame.
    version = first.version
    monitoring = ServingMonitoring(counters)
    readiness = Readiness()
    tracing = open_tracing()
    scorer = Scorer(
        first,
        monitoring,
        threads=settings.threads or (os.cpu_count() or 1) + 4,
        max_queue=settings.max_queue,
        timeout_s=settings.timeout_s,
        batch_max_size=settings.batch_max_size,
        batch_timeout_s=settings.batch_timeout_ms / 1000,
    )
    monitoring.serves(first.name, first.version, is_served=True)
    if address is not None:
        logger.info("serving %s at %s", first.title, address)
    del first
    watcher = None
    if settings.watch:

        def swap(model: ServedModel | None) -> None:
            if model is not None:
                scorer.replace(model)
            scorer.tell(monitoring.changed, "failed" if model is None else "done")

        watcher = Watcher(
            settings.model_uri,
            version,
            interval_s=settings.watch_interval_s,
            load=lambda wanted: _load(settings, fetch(settings.model_uri, wanted)),
            swap=swap,
        )

    def begin() -> None:
        scorer.begin()
        if watcher is not None:
            watcher.start()

    run_application(
        Application(settings, scorer, monitoring, readiness, tracing),
        listener,
        monitoring,
        readiness,
        drain_s=settings.drain_s,
        max_head_bytes=settings.max_head_bytes,
        client_timeout_s=settings.client_timeout_s,
        shutdown_s=_shutdown_s(settings),
        begin=begin,
    )
    if watcher is not None:
        watcher.stop()
    scorer.close()
    if tracing is not None:
        tracing.close()


def _shutdown_s(settings: ServingSettings) -> int:
    # By then each request has its answer, a 504 at last.
    return max(SHUTDOWN_S, settings.timeout_s + 1)


def _load(settings: ServingSettings, source: Source) -> ServedModel:
    return load(source, settings.name or name_of(settings.model_uri), config_of(settings))


def _work(listener_descriptor: int, counters_descriptor: int, number: int) -> None:
    settings = load_serving_settings()
    send_log(settings.log_level, settings.log_format)
    counters = Counters(counters_descriptor, number)
    with socket.socket(fileno=listener_descriptor) as listener:
        try:
            _serve_here(settings, listener, lambda: load_fetched(settings), counters, None)
        except RunyardError as error:
            logger.error("cannot serve: %s", error.message)  # noqa: TRY400 - the message says it all
            raise SystemExit(CANNOT_START) from None


if __name__ == "__main__":
    _work(*map(int, sys.argv[1:]))
