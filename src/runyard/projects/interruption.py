"""Signals that end this process, as exceptions: what it was running for is to be ended and recorded first."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final, NoReturn

# Besides the interrupt, which is an exception already.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(BaseException):
    """This process was told to end. As KeyboardInterrupt, it is no Exception: nothing takes it for an error."""

    def __init__(self, number: int) -> None:
        self.number = number


@contextlib.contextmanager
def told_to_end() -> Iterator[None]:
    """Have a signal to end raise `Terminated` inside of the block, and end the process by that signal after it.

    Only in the main thread, which alone is told of signals, and only where the program does nothing about them itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _raise)
    try:
        yield
    except Terminated as told:
        _restore(taken)
        os.kill(os.getpid(), told.number)
        raise
    finally:
        _restore(taken)


def _restore(taken: list[int]) -> None:
    for number in taken:
        signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    # A second one does not disturb what the first began.
    for each in _SIGNALS:
        if signal.getsignal(each) is _raise:
            signal.signal(each, signal.SIG_IGN)
    raise Terminated(number)
