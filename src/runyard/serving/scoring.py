"""The queue before the model, and the threads that ask it.

One thread works while the model is quick: more would only contend for the interpreter. Where a prediction takes longer
than a few milliseconds, waiting perhaps for a disk or another service, more threads join in, up to a bound. A thread
takes one request from the queue, or, where batching is on, as many as may be scored together.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from runyard.errors import BadRequest, DeadlineExceeded, RunyardError, Unavailable
from runyard.server.observability.exchange import Exchange, current_exchange
from runyard.serving.inputs import Input, clipped
from runyard.serving.measures import ServingMonitoring
from runyard.serving.served import ServedModel

logger = logging.getLogger(__name__)

# A model that takes longer than this for a prediction is slow: others need not wait for it.
SLOW_S: Final = 0.005
# Requests that are scored together where nobody said how many, and the model answers row by row.
_BATCH_SIZE: Final = 64
# What a message repeats of a model's own error.
_SHOWN: Final = 300


class Task:
    """One request on its way through the queue.

    Args:
        read: makes the request what the model takes.
        write: makes the model's answer that of the request.
    """

    __slots__ = ("answer", "exchange", "future", "question", "read", "served", "timer", "write")

    def __init__(
        self,
        exchange: Exchange,
        read: Callable[[ServedModel], Input],
        write: Callable[[ServedModel, Any], Any],
        future: asyncio.Future[Any],
    ) -> None:
        self.exchange = exchange
        self.read = read
        self.write = write
        self.future = future
        self.question: Input | None = None
        # What the model answered, then the answer to the request; an exception where it went wrong.
        self.answer: Any = None
        self.served: ServedModel | None = None
        self.timer: asyncio.TimerHandle | None = None


class Scorer:
    """Answers requests with the model that it holds at that moment.

    Its methods are called on the event loop where they do not say otherwise.
    """

    def __init__(
        self,
        served: ServedModel,
        monitoring: ServingMonitoring,
        *,
        threads: int,
        max_queue: int,
        timeout_s: float,
        batch_max_size: int = 0,
        batch_timeout_s: float = 0,
    ) -> None:
        self.served = served
        self._monitoring = monitoring
        self._max_threads = threads
        self._max_queue = max_queue
        self._timeout_s = timeout_s
        self._batch_max_size = batch_max_size
        self._batch_timeout_s = batch_timeout_s
        self._waiting: deque[Task] = deque()
        self._done: deque[tuple[Sequence[Task], float]] = deque()
        self._lock = threading.Lock()
        self._has_work = threading.Condition(self._lock)
        self._has_more = threading.Condition(self._lock)
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._is_collecting = False
        self._is_closed = False
        self._is_slow = False
        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stall: asyncio.TimerHandle | None = None
        # When each thread that is at work took what it has.
        self._began: dict[int, float] = {}
        monitoring.watch(lambda: monitoring.set("runyard_serving_queue_requests", len(self._waiting)))

    async def score(
        self, exchange: Exchange, read: Callable[[ServedModel], Input], write: Callable[[ServedModel, Any], Any]
    ) -> tuple[ServedModel, Any]:
        """Return what ``write`` makes of the model's answer, and which model that was.

        Raises:
            Unavailable: too many requests wait already.
            DeadlineExceeded: there was no answer in time.
            RunyardError: the request or the model's answer will not do.
        """
        loop = self._loop
        assert loop is not None
        task = Task(exchange, read, write, loop.create_future())
        self._submit(task)
        task.timer = loop.call_later(self._timeout_s, self._expire, task)
        answer = await task.future
        assert task.served is not None
        return task.served, answer

    def replace(self, served: ServedModel) -> None:
        """Answer what is taken from the queue from now on with another model; called in any thread."""
        before, self.served = self.served, served
        self.tell(self._monitoring.serves, before.name, before.version, is_served=False)
        self.tell(self._monitoring.serves, served.name, served.version, is_served=True)

    def tell(self, function: Callable[..., None], *arguments: Any, **named: Any) -> None:
        """Have a function called on the event loop, which alone writes what is measured; called in any thread."""
        call = functools.partial(function, *arguments, **named)
        if self._loop is None:
            call()
        else:
            self._loop.call_soon_threadsafe(call)

    def begin(self) -> None:
        """Say that the running loop is the one; before the first request."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End the threads when they have done what they are at."""
        with self._lock:
            self._is_closed = True
            self._has_work.notify_all()
            self._has_more.notify_all()

    def _submit(self, task: Task) -> None:
        with self._lock:
            if len(self._waiting) >= self._max_queue:
                self._monitoring.refused("queue_full")
                raise Unavailable(
                    f"{len(self._waiting)} requests wait already, which is as many as may (max_queue): ask again"
                )
            self._waiting.append(task)
            busy = len(self._threads) - self._idle
            if self._is_collecting:
                # Who collects may have no room for it, and then be at work for long.
                self._has_more.notify()
            elif busy == 0 or (self._is_slow and busy < self._max_threads):
                self._wake()
                return
        if self._stall is None:
            assert self._loop is not None
            self._stall = self._loop.call_later(SLOW_S, self._look_for_stalls)

    def _wake(self) -> None:
        """Have another thread look at the queue; the lock is held."""
        if self._idle:
            self._idle -= 1
            self._has_work.notify()
        elif len(self._threads) < self._max_threads:
            thread = threading.Thread(target=self._work, name=f"runyard-scoring-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _look_for_stalls(self) -> None:
        # Requests wait: if for a prediction that goes on and on, then not any longer.
        self._stall = None
        with self._lock:
            if not self._waiting:
                return
            began = max(list(self._began.values()), default=0.0)
            if not self._is_collecting and time.perf_counter() - began > SLOW_S:
                self._wake()
        assert self._loop is not None
        self._stall = self._loop.call_later(SLOW_S, self._look_for_stalls)

    def _expire(self, task: Task) -> None:
        if task.future.done():
            return
        with self._lock:
            if task in self._waiting:
                self._waiting.remove(task)
        self._monitoring.refused("timeout")
        task.future.set_exception(DeadlineExceeded(f"the model did not answer within {self._timeout_s:g} s"))

    def _deliver(self) -> None:
        self._is_told = False
        while self._done:
            tasks, seconds = self._done.popleft()
            self._is_slow = seconds > SLOW_S
            self._monitoring.predicted(len(tasks), seconds)
            for task in tasks:
                if task.timer is not None:
                    task.timer.cancel()
                if task.future.done():
                    # It was given up, by its client or for its time.
                    continue
                if isinstance(task.answer, BaseException):
                    task.future.set_exception(task.answer)
                else:
                    task.future.set_result(task.answer)

    # What follows runs in the threads.

    def _work(self) -> None:
        ident = threading.get_ident()
        while (tasks := self._take(ident)) is not None:
            began = time.perf_counter()
            served = self.served
            for task in tasks:
                task.served = served
            for answered in _answered(served, tasks):
                now = time.perf_counter()
                self._done.append((answered, now - began))
                began = now
                if not self._is_told:
                    self._is_told = True
                    assert self._loop is not None
                    try:
                        self._loop.call_soon_threadsafe(self._deliver)
                    except RuntimeError:
                        # The loop is closed: the process ends, and nobody listens any more.
                        return
            del tasks, task, answered, served

    def _take(self, ident: int) -> list[Task] | None:
        """Return what to answer next; None when there will be nothing any more."""
        with self._lock:
            self._began.pop(ident, None)
            while not self._waiting:
                if self._is_closed:
                    return None
                self._idle += 1
                woken = self._has_work.wait()
                assert woken
            tasks = [self._waiting.popleft()]
            size = self._batch_max_size or (_BATCH_SIZE if self.served.answers_by_row else 1)
            if size > 1:
                self._collect(tasks, size)
            self._began[ident] = time.perf_counter()
            return tasks

    def _collect(self, tasks: list[Task], size: int) -> None:
        until = time.perf_counter() + self._batch_timeout_s
        while len(tasks) < size:
            if self._waiting:
                tasks.append(self._waiting.popleft())
                continue
            left = until - time.perf_counter()
            if left <= 0 or self._is_collecting or self._is_closed:
                return
            self._is_collecting = True
            self._has_more.wait(left)
            self._is_collecting = False


def _answered(served: ServedModel, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    """Give each task its answer, or the error that it met; yield those that have theirs, as soon as they have."""
    joined: list[Task] = []
    rows: list[Any] = []
    for task in tasks:
        if _read(served, task):
            question = task.question
            assert question is not None
            if len(tasks) > 1 and served.can_join and _can_join(question, rows):
                joined.append(task)
                rows.append(question.rows)
                continue
            _predict(served, task)
        yield (task,)
    if len(joined) > 1 and _predict_joined(served, joined, rows):
        yield joined
        return
    for task in joined:
        _predict(served, task)
        yield (task,)


def _can_join(question: Input, others: Sequence[Any]) -> bool:
    rows = question.rows
    if rows is None or question.params:
        return False
    return not others or bool(rows.shape[1:] == others[0].shape[1:] and rows.dtype == others[0].dtype)


def _read(served: ServedModel, task: Task) -> bool:
    if task.future.done():
        # It was given up while it waited for others of its batch.
        return False
    # What is logged on the way belongs to the request.
    current_exchange.set(task.exchange)
    try:
        task.question = task.read(served)
    except BaseException as error:  # noqa: BLE001 - told to who asked
        task.answer = _raisable(error)
        return False
    return True


def _raisable(error: BaseException) -> Exception:
    """Return what may be raised on the event loop: what ends a program or an iteration may not."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RunyardError(f"{type(error).__name__}: {clipped(error, _SHOWN)}")


def _predict(served: ServedModel, task: Task) -> None:
    assert task.question is not None
    current_exchange.set(task.exchange)
    try:
        found = served.predict(task.question)
    except RunyardError as error:
        task.answer = error
        return
    except BaseException as error:
        logger.warning("the model failed on this request", exc_info=error)
        task.answer = BadRequest(
            "the model failed on this input; see that it is what the model takes. "
            f"{type(error).__name__}: {clipped(error, _SHOWN)}"
        )
        return
    _write(served, task, found)


def _write(served: ServedModel, task: Task, found: Any) -> None:
    try:
        task.answer = task.write(served, found)
    except BaseException as error:  # noqa: BLE001 - as in _read
        task.answer = _raisable(error)


def _predict_joined(served: ServedModel, tasks: Sequence[Task], rows: Sequence[Any]) -> bool:
    """Score the rows of several requests at once; False where each has to be scored by itself."""
    import numpy as np

    try:
        found = served.predict(Input(rows=np.concatenate(rows)))
    except BaseException:  # noqa: BLE001 - one of them may be wrong, which is told when it is asked alone
        return False
    parts = _parts(found, [len(each) for each in rows])
    if parts is None:
        served.can_join = False
        logger.warning("%s does not answer row by row: requests are scored one by one", served.title)
        return False
    for task, part in zip(tasks, parts, strict=True):
        current_exchange.set(task.exchange)
        _write(served, task, part)
    return True


def _parts(found: Any, sizes: Sequence[int]) -> list[Any] | None:
    """Return the model's answer cut into as many rows as each request has; None where it is no answer by row."""
    if isinstance(found, (str, bytes, dict)):
        return None
    try:
        # A sparse matrix has a shape and no length.
        if (found.shape[0] if hasattr(found, "shape") else len(found)) != sum(sizes):
            return None
        # Frames and series are cut by position, whatever their index says.
        cut = getattr(found, "iloc", found)
        return [cut[end - size : end] for size, end in zip(sizes, itertools.accumulate(sizes), strict=True)]
    except Exception:  # noqa: BLE001 - a set, a single number, or whatever a model of the user's own answers
        return None
