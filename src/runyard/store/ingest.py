"""The write path of runs: a group-committing writer.

Writes that wait at the same moment go to the database in one transaction, and each is answered after the commit that
holds it, or with its error. A process has one writer; on PostgreSQL several processes' writers meet at the row locks
that every group takes first, in one order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from runyard.errors import RunyardError, Unavailable, Unreachable
from runyard.store.engine import ATTEMPTS, Database, Mark, RetriedError, translated_errors
from runyard.store.experiment_keys import RecordedKeys
from runyard.store.keys import KeyNames
from runyard.store.run_writes import Failure, LogBatch, RunChange, apply_writes, names_in

logger = logging.getLogger(__name__)

T = TypeVar("T")
Write = LogBatch | RunChange[Any]

# A group is closed at this many points, so that its commit, and so everyone's wait, stays short.
MAX_POINTS_PER_GROUP: Final = 20_000
MAX_WRITES_PER_GROUP: Final = 1_000
# More waiting than this is more than the database keeps up with; refusing is kinder than growing.
MAX_WAITING: Final = 20_000


@dataclass(slots=True)
class _Waiting:
    write: Write
    # An asyncio future settles on its loop, a concurrent one at once.
    future: asyncio.Future[Any] | Future[Any]


# Told of each group that was written, or failed as a whole: its writes, its points, and the seconds that it took.
Observe = Callable[[int, int, float], None]


class Ingest:
    """The writer of one process; its methods may be called from any thread.

    Args:
        observe: called in the writer's thread, before the group's requests are answered.
    """

    def __init__(self, database: Database, observe: Observe | None = None) -> None:
        self._observe = observe
        self.keys = KeyNames(database)
        self._recorded = RecordedKeys()
        self._database = database
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="runyard-ingest", daemon=True)
        self._closed = False
        self._connection: Connection | None = None
        self._thread.start()

    async def log(self, batch: LogBatch) -> None:
        """Return once ``batch`` is committed; raise its error where nothing of it was written."""
        await self._wait_on_loop(batch)

    async def change(self, change: RunChange[T]) -> T:
        """Return what ``change`` gives, once it is committed."""
        result: T = await self._wait_on_loop(change)
        return result

    def submit(self, write: Write) -> Future[Any]:
        """Hand ``write`` over from a thread that has no event loop."""
        future: Future[Any] = Future()
        self._put(_Waiting(write, future))
        return future

    @property
    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return self._queue.qsize()

    def close(self) -> None:
        """Finish what is waiting, then stop."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _wait_on_loop(self, write: Write) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        self._put(_Waiting(write, future))
        return future

    def _put(self, waiting: _Waiting) -> None:
        if self._closed:
            raise Unavailable("the server is shutting down; try again")
        if self._queue.qsize() > MAX_WAITING:
            raise Unavailable("the server has more writes waiting than it can take; try again later")
        self._queue.put(waiting)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            first = self._queue.get()
            if first is None:
                break
            group = [first]
            points = first.write.size
            while points < MAX_POINTS_PER_GROUP and len(group) < MAX_WRITES_PER_GROUP:
                try:
                    waiting = self._queue.get_nowait()
                except queue.Empty:
                    break
                if waiting is None:
                    stopping = True
                    break
                group.append(waiting)
                points += waiting.write.size
            began = time.perf_counter()
            outcomes = self._outcomes([waiting.write for waiting in group])
            if self._observe is not None:
                self._observe(len(group), points, time.perf_counter() - began)
            _settle(group, outcomes)
        while not self._queue.empty():
            late = self._queue.get()
            if late is not None:
                _settle([late], self._outcomes([late.write]))
        self._disconnect()

    def _outcomes(self, writes: Sequence[Write]) -> list[Any]:
        try:
            return self._commit(writes)
        except Unavailable as error:
            return [Failure(error)] * len(writes)
        except Exception as error:  # noqa: BLE001 - whatever it is, each who waits must hear of it
            if len(writes) == 1:
                return [Failure(_shown(error))]
        # One of the group spoiled the transaction for all; alone, each gets its own answer.
        return [outcome for write in writes for outcome in self._outcomes([write])]

    def _commit(self, writes: Sequence[Write]) -> list[Any]:
        key_ids = self.keys.intern(names_in(writes))
        # A batch that is written twice is written once; of other changes it has to be known whether they are there.
        has_changes = any(isinstance(write, RunChange) for write in writes)
        conflicts = 0
        for attempt in itertools.count():
            mark: Mark | None = None
            try:
                with translated_errors(), self._transaction(writes) as connection:
                    outcomes, recorded = apply_writes(connection, writes, key_ids, self._recorded)
                    if has_changes:
                        mark = self._database.mark(connection)
            except RetriedError:
                conflicts += 1
                if conflicts == ATTEMPTS:
                    break
                time.sleep(random.uniform(0, 0.01 * 2**conflicts))
                continue
            except Unreachable as error:
                self._database.outage.wait(error, attempt)
                if mark is None or not self._database.was_committed(mark):
                    continue
            else:
                self._database.outage.end()
            self._recorded.remember(recorded)
            return outcomes
        raise Unavailable("the database is busy with conflicting writes; try again")

    @contextlib.contextmanager
    def _transaction(self, writes: Sequence[Write]) -> Iterator[Connection]:
        # One connection for the writer's life: taking one from the pool costs as much as a small write.
        if self._connection is None or self._connection.closed or self._connection.invalidated:
            self._connection = self._database.connect_writer()
        try:
            with contextlib.ExitStack() as stack:
                if all(write.is_metrics_only for write in writes):
                    stack.enter_context(self._database.pipeline(self._connection))
                yield stack.enter_context(self._database.transaction(self._connection))
        except RunyardError:
            raise
        except BaseException:
            self._disconnect(is_broken=True)
            raise

    def _disconnect(self, *, is_broken: bool = False) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(SQLAlchemyError):
                if is_broken:
                    connection.invalidate()
                connection.close()


def _shown(error: Exception) -> RunyardError:
    if isinstance(error, RunyardError):
        return error
    # Logged by whoever answers the request, under the request's id.
    hidden = RunyardError("a write failed unexpectedly")
    hidden.__cause__ = error
    return hidden


def _settle(group: Sequence[_Waiting], outcomes: Sequence[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        future = waiting.future
        if isinstance(future, Future):
            if isinstance(outcome, Failure):
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome)
        else:
            by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, settled in by_loop.items():
        _call_soon(loop, _settle_on_loop, settled)


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        logger.debug("the event loop closed before its writes were answered")


def _settle_on_loop(settled: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in settled:
        # A client that hung up has cancelled its wait; what it sent is written all the same.
        if future.done():
            continue
        if isinstance(outcome, Failure):
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome)
