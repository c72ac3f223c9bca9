"""Logging in the background: what waits is sent in order, as many things in a request as there is room for.

The caller does not wait for the server, unless it logs more than is sent and so much waits that memory would not hold:
then it waits until there is room, and nothing is dropped. What could not be logged is told by the operations that were
returned, and in the log. A process that ends sends what waits first.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from runyard.client.batches import LINGER_S, Batch, send
from runyard.client.connections import at_exit, flush_all
from runyard.client.transport import Transport
from runyard.errors import RunyardError, Unavailable

_log: Final = logging.getLogger(__name__)
# As many as fill a request are sent at once.
_ENOUGH: Final = 1000

# What may wait in memory: some 45,000 metrics that were logged one by one, more of those that were logged together.
MAX_WAITING_BYTES: Final = 100 * 1024 * 1024
# What one call's lists, what waits for it and its place in the queue take, as measured.
_CALL_BYTES: Final = 2100


class RunOperations:
    """Things that are being logged in the background."""

    def __init__(self, operation_futures: Iterable[_Waiting], hurry: Callable[[], None] | None = None) -> None:
        self._operation_futures = list(operation_futures)
        self._hurry = hurry

    def wait(self) -> None:
        """Wait until all is logged.

        Raises:
            RunyardError: the first that went wrong.
        """
        if self._hurry is not None:
            self._hurry()
        failed = [error for error in (each.exception() for each in self._operation_futures) if error is not None]
        if failed:
            raise failed[0]


class _Waiting:
    """What one request may hold of what one call logs. A future of concurrent.futures would have a lock of its own,
    which takes longer to make than all of this."""

    __slots__ = ("_changed", "batch", "error", "is_done", "run_id", "size_bytes")

    def __init__(self, run_id: str, batch: Batch, changed: threading.Condition) -> None:
        self.run_id = run_id
        self.batch = batch
        self.size_bytes = _CALL_BYTES + batch.size_bytes
        self.is_done = False
        self.error: Exception | None = None
        self._changed = changed

    def exception(self) -> Exception | None:
        """Wait until it is logged, or lost; return why it was lost."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_done)
        return self.error


class Sender:
    """A queue of things to log over one transport, and the thread that sends them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: deque[_Waiting] = deque()
        # Of all that was submitted and is neither logged nor lost.
        self._held_bytes = 0
        self._changed = threading.Condition()
        self._is_sending = False
        self._is_hurried = False
        self._thread: threading.Thread | None = None

    def submit(self, run_id: str, batches: Iterable[Batch]) -> RunOperations:
        """Have ``batches``, each of which fits in one request, logged to a run; return as soon as there is room."""
        added = [_Waiting(run_id, batch, self._changed) for batch in batches]
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="runyard-sender", daemon=True)
                self._thread.start()
            for each in added:
                self._wait_for_room(each.size_bytes)
                self._held_bytes += each.size_bytes
                self._waiting.append(each)
                # The thread is woken by what it waits for, and not by each thing that joins the others.
                if len(self._waiting) == 1 or len(self._waiting) >= _ENOUGH:
                    self._changed.notify_all()
        return RunOperations(added, self._go)

    def flush(self) -> None:
        """Wait until all that was submitted has been logged, or could not be."""
        self._go()
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._is_sending)

    def _go(self) -> None:
        """Have what waits sent now."""
        with self._changed:
            self._is_hurried = bool(self._waiting)
            self._changed.notify_all()

    def _wait_for_room(self, size_bytes: int) -> None:
        if self._held_bytes + size_bytes > MAX_WAITING_BYTES and self._held_bytes:
            _log.info("more is logged to %s than it takes; waiting for room in the queue", self._transport.uri)
            self._is_hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._held_bytes or self._held_bytes + size_bytes <= MAX_WAITING_BYTES)

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._is_sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._waiting))
                self._changed.wait_for(lambda: self._is_hurried or len(self._waiting) >= _ENOUGH, LINGER_S)
                self._is_sending = True
                self._is_hurried = False
                taken = list(self._waiting)
                self._waiting.clear()
            for group in _grouped(taken):
                self._send(group)
                with self._changed:
                    for each in group:
                        each.is_done = True
                        self._held_bytes -= each.size_bytes
                    self._changed.notify_all()
            # So that what was sent is not kept until there is more.
            taken = []
            group = []

    def _send(self, group: list[_Waiting]) -> None:
        together = Batch()
        for each in group:
            together.add(each.batch)
        try:
            send(self._transport, group[0].run_id, together)
        except Unavailable as error:
            _fail(group, error)
        except RunyardError as error:
            if len(group) == 1:
                _fail(group, error)
                return
            # A batch is logged as a whole or not at all, and one that is wrong is not to spoil the others.
            for each in group:
                self._send([each])
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for it for ever
            _fail(group, error)


def _grouped(waiting: list[_Waiting]) -> Iterable[list[_Waiting]]:
    """Give what is for one run in groups that each fit in one request, in the order of each run."""
    open_groups: dict[str, tuple[Batch, list[_Waiting]]] = {}
    for each in waiting:
        held = open_groups.get(each.run_id)
        if held is not None and not held[0].holds_more(each.batch):
            yield held[1]
            held = None
        if held is None:
            held = open_groups[each.run_id] = (Batch(), [])
        held[0].add(each.batch)
        held[1].append(each)
    for _, group in open_groups.values():
        yield group


def _fail(group: list[_Waiting], error: Exception) -> None:
    _log.warning("what was logged to run %s in the background was lost: %s", group[0].run_id, error)
    for each in group:
        each.error = error


_senders: dict[int, Sender] = {}
_lock = threading.Lock()


def sender_of(transport: Transport) -> Sender:
    """Return the queue of a transport; there is one for each."""
    with _lock:
        sender = _senders.get(id(transport))
        if sender is None:
            sender = _senders[id(transport)] = Sender(transport)
        return sender


def flush_async_logging() -> None:
    """Wait until all that is logged in the background has been sent."""
    for sender in list(_senders.values()):
        sender.flush()
    flush_all()


def _forget(*_: Any) -> None:
    """Begin anew in a forked process: the parent sends what it was given."""
    global _lock  # noqa: PLW0603 - a lock that another thread held at the fork would never be free
    _lock = threading.Lock()
    _senders.clear()


at_exit(flush_async_logging)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
