"""Processes that serve an ASGI application: one, or a parent that keeps several at work on one socket."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Final

import uvicorn

from runyard.errors import ConfigurationError
from runyard.server.observability.counters import shared_file
from runyard.server.observability.monitoring import RequestMonitoring
from runyard.server.protocol import bounded_protocol, hang_up_overdue
from runyard.server.readiness import Readiness

logger = logging.getLogger(__name__)

# Longer than the pause between two requests of a client, so that it rarely finds its connection closed.
KEEP_ALIVE_S: Final = 75
SHUTDOWN_S: Final = 20
BACKLOG: Final = 2048
# A worker that dies sooner than this after its start would only die again.
SHORT_LIFE_S: Final = 2.0
# The status of a worker whose successor would fail in the same way, by a setting or a file (sysexits.h: EX_CONFIG).
CANNOT_START: Final = 78
# How long one thread may keep the others waiting: short, so that a large search does not hold up small writes.
SWITCH_INTERVAL_S: Final = 0.001
GARBAGE_THRESHOLD: Final = 20_000
# How old the gauges of a worker may be that was not asked itself.
SAMPLE_INTERVAL_S: Final = 1.0


def address_of(listener: socket.socket) -> str:
    """Return where a browser finds what listens there."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run_application(
    application: Any,
    listener: socket.socket,
    monitoring: RequestMonitoring,
    readiness: Readiness,
    *,
    drain_s: int,
    max_head_bytes: int,
    client_timeout_s: float,
    shutdown_s: int = SHUTDOWN_S,
    begin: Callable[[], None] = lambda: None,
) -> None:
    """Serve in this process until a signal says to stop.

    Args:
        shutdown_s: how long requests that are under way then may take.
        begin: called on the event loop before the first request.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # What is here now stays; and what requests make has no cycles, so to look for them often is work for nothing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    config = uvicorn.Config(
        application,
        loop="auto",
        http=bounded_protocol(max_head_bytes=max_head_bytes, client_timeout_s=client_timeout_s),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # The application writes its own, which knows the request's id.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=shutdown_s,
    )
    server = _Server(config, readiness, drain_s)
    runner = asyncio.new_event_loop if os.name == "nt" else _uvloop
    with contextlib.closing(runner()) as loop:
        asyncio.set_event_loop(loop)
        if monitoring.counters.is_shared:
            _sample_always(monitoring, loop)
        loop.call_soon(begin)
        loop.run_until_complete(server.serve(sockets=[listener]))


def _sample_always(monitoring: RequestMonitoring, loop: asyncio.AbstractEventLoop) -> None:
    # Another worker may be asked for this one's gauges.
    monitoring.sample()
    loop.call_later(SAMPLE_INTERVAL_S, _sample_always, monitoring, loop)


# Why `/readyz` says no between SIGUSR1 and SIGUSR2.
DRAINING: Final = "draining"


class _Server(uvicorn.Server):
    """A server for which being told to stop is no failure: the process ends with 0, not by the signal."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness, drain_s: int) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._drain_s = drain_s
        self._stops_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Say at `/readyz` that the end is near, and begin it when those who ask there have had the time to hear."""
        self._readiness.refusal = "stopping"
        if sig == signal.SIGTERM and self._stops_at is None and self._drain_s > 0:
            self._stops_at = time.monotonic() + self._drain_s
        else:
            super().handle_exit(sig, frame)

    def drain(self, sig: int, frame: FrameType | None) -> None:
        """Have load balancers send nothing more here, or let them again; what comes all the same is answered."""
        if self._readiness.refusal in {None, DRAINING}:
            self._readiness.refusal = DRAINING if sig == signal.SIGUSR1 else None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM), self.handle_exit)
        if os.name == "posix":
            handlers.update(dict.fromkeys((signal.SIGUSR1, signal.SIGUSR2), self.drain))
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        # Ten times a second; for clients that are too slow once is enough.
        if counter % 10 == 0:
            hang_up_overdue(self.server_state.connections, asyncio.get_running_loop().time())
        if self._stops_at is not None and time.monotonic() >= self._stops_at:
            self.should_exit = True
        return await super().on_tick(counter)


class Supervisor:
    """Keeps as many workers alive as it was told, and takes them down with it.

    Args:
        module: run by each worker with the descriptors of the listener and of the counters, and its number.
        variables: of the workers' environment, beside this process's.
        shutdown_s: as the workers give it to `run_application`.
    """

    def __init__(
        self,
        module: str,
        variables: Mapping[str, str],
        listener: socket.socket,
        *,
        workers: int,
        drain_s: int,
        shutdown_s: int = SHUTDOWN_S,
    ) -> None:
        self._module = module
        self._variables = variables
        self._listener = listener
        self._count = workers
        self._drain_s = drain_s
        self._shutdown_s = shutdown_s
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._counters = shared_file(workers)
        # Which of its segments each worker has; its successor gets the same.
        self._numbers: dict[subprocess.Popen[bytes], int] = {}
        self._is_stopping = False

    def run(self) -> None:
        """Return when told to stop.

        Raises:
            ConfigurationError: a worker said that none can start.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, self._tell)
        is_hopeless = False
        while not self._is_stopping:
            while len(self._workers) < self._count:
                self._start()
            time.sleep(0.1)
            for worker, started in list(self._workers.items()):
                if worker.poll() is None or self._is_stopping:
                    continue
                del self._workers[worker], self._numbers[worker]
                if worker.returncode == CANNOT_START:
                    is_hopeless = self._is_stopping = True
                    break
                logger.error("worker %d ended with %d; starting another", worker.pid, worker.returncode)
                if time.monotonic() - started < SHORT_LIFE_S:
                    time.sleep(SHORT_LIFE_S)
        # Theirs alone now: what would come when they have closed theirs is refused rather than left waiting.
        self._listener.close()
        for worker in self._workers:
            if worker.poll() is None:
                worker.terminate()
        deadline = time.monotonic() + self._drain_s + self._shutdown_s + 5
        for worker in self._workers:
            try:
                worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("worker %d did not stop in time; killing it", worker.pid)
                worker.kill()
                worker.wait()
        if is_hopeless:
            raise ConfigurationError("a worker could not start; it has said why")

    def _start(self) -> None:
        number = min(set(range(self._count)) - set(self._numbers.values()))
        descriptors = (self._listener.fileno(), self._counters)
        worker = subprocess.Popen(
            [sys.executable, "-m", self._module, *map(str, (*descriptors, number))],
            pass_fds=descriptors,
            env={**os.environ, **self._variables},
        )
        self._workers[worker] = time.monotonic()
        self._numbers[worker] = number

    def _stop(self, _number: int, _frame: object) -> None:
        self._is_stopping = True

    def _tell(self, number: int, _frame: object) -> None:
        for worker in list(self._workers):
            if worker.poll() is None:
                worker.send_signal(number)


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigurationError(f"cannot listen on host {host!r}: {error.strerror}") from None
    # The protocol is named and the option set here because accepted connections inherit both: without them each small
    # answer waits up to 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port, or stop what uses it"
        ) from None
    listener.setblocking(False)
    return listener
