"""Running the tracking server: one process, or a parent that keeps several at work on one socket."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys

from runyard.server.app import Application
from runyard.server.observability.counters import Counters
from runyard.server.observability.logs import configure_logging
from runyard.server.observability.tracing import open_tracing
from runyard.server.opening import opened_services
from runyard.server.processes import Supervisor, address_of, listen, run_application
from runyard.server.retention import cleaning
from runyard.server.services import Services
from runyard.settings import Settings, load_settings, to_environment

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; finish what was begun first.

    Raises:
        ConfigurationError: the address is taken, or the database or the artifact store cannot be used.
    """
    configure_logging(settings)
    listener = listen(settings.host, settings.port)
    with contextlib.closing(listener):
        address = f"{address_of(listener)}{settings.static_prefix}"
        if settings.workers == 1:
            with opened_services(settings) as services, cleaning(services):
                logger.info("serving at %s (database %s)", address, services.database.uri)
                serve_here(services, listener)
        else:
            # Migrate once, here, so that a failure is told once.
            with opened_services(settings) as services:
                uri = services.database.uri
            logger.info("serving at %s with %d workers (database %s)", address, settings.workers, uri)
            Supervisor(
                "runyard.server.run",
                to_environment(settings),
                listener,
                workers=settings.workers,
                drain_s=settings.drain_s,
            ).run()
    logger.info("stopped")


def serve_here(services: Services, listener: socket.socket) -> None:
    """Serve in this process until a signal says to stop."""
    settings = services.settings
    tracing = open_tracing()
    application = Application(services, tracing)
    run_application(
        application,
        listener,
        services.monitoring,
        services.readiness,
        drain_s=settings.drain_s,
        max_head_bytes=settings.max_head_bytes,
        client_timeout_s=settings.client_timeout_s,
    )
    application.close()
    if tracing is not None:
        tracing.close()


def _work(listener_descriptor: int, counters_descriptor: int, number: int) -> None:
    settings = load_settings()
    configure_logging(settings)
    counters = Counters(counters_descriptor, number)
    with (
        socket.socket(fileno=listener_descriptor) as listener,
        opened_services(settings, counters) as services,
        cleaning(services),
    ):
        serve_here(services, listener)


if __name__ == "__main__":
    _work(*map(int, sys.argv[1:]))
