"""How far an upload or download has come, on a terminal, where it takes longer than a moment."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TextIO

from runyard.settings import load_client_settings

# What is done sooner shows nothing.
APPEARS_AFTER_S: Final = 1.0
_REDRAWN_EVERY_S: Final = 0.1
_MEBIBYTE: Final = 1024 * 1024

# A terminal has room for one: others that are under way at the same time stay silent.
_terminal: Final = threading.Lock()


class _Bar:
    """A line on ``stream`` that is drawn again and again; its methods may be called from several threads."""

    def __init__(self, stream: TextIO, what: str, total_bytes: int | None, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._what = what
        self._total_bytes = total_bytes
        self._clock = clock
        self._moved_bytes = 0
        self._began_s = clock()
        self._drawn_s: float | None = None
        self._lock = threading.Lock()

    def move(self, moved_bytes: int) -> None:
        with self._lock:
            self._moved_bytes += moved_bytes
            now_s = self._clock()
            next_s = self._began_s + APPEARS_AFTER_S if self._drawn_s is None else self._drawn_s + _REDRAWN_EVERY_S
            if now_s >= next_s:
                self._drawn_s = now_s
                self._draw(now_s)

    def close(self) -> None:
        with self._lock:
            if self._drawn_s is not None:
                self._draw(self._clock())
                self._write("\n")

    def _draw(self, now_s: float) -> None:
        columns = shutil.get_terminal_size().columns
        self._write(f"\r{self._line(now_s, columns - 1)}")

    def _line(self, now_s: float, columns: int) -> str:
        moved, seconds = self._moved_bytes / _MEBIBYTE, max(now_s - self._began_s, 0.001)
        speed = f"{moved / seconds:.1f} MiB/s"
        if not self._total_bytes:
            return f"{self._what}  {moved:.1f} MiB  {speed}"[:columns].ljust(columns)
        # A file that grows while it is sent, and what is sent a second time, count no further than to the end.
        share = min(max(self._moved_bytes / self._total_bytes, 0.0), 1.0)
        told = f"{share:4.0%}  {moved:.1f}/{self._total_bytes / _MEBIBYTE:.1f} MiB  {speed}"
        room = columns - len(self._what) - len(told) - 6
        bar = f"  [{('#' * round(share * room)).ljust(room, '-')}]" if room >= 10 else ""
        return f"{self._what}{bar}  {told}"[:columns].ljust(columns)

    def _write(self, text: str) -> None:
        # A terminal that has gone away stops no transfer.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


@contextlib.contextmanager
def shown_progress(
    verb: str,
    files: int,
    total_bytes: int | None,
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int], None]]:
    """Give what is told how many more bytes were moved; it shows that on standard error, if that is a terminal.

    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR=false has it show nothing.

    Args:
        verb: what is done, such as Sending.
        files: to how many files.
        total_bytes: how large they are together; None where that is not known.
    """
    stream = stream or sys.stderr
    # There is none where a program has no console.
    is_terminal = bool(stream is not None and stream.isatty())
    if not is_terminal or not load_client_settings().artifacts_progress_bar or not _terminal.acquire(blocking=False):
        yield lambda _bytes: None
        return
    bar = _Bar(stream, f"{verb} {files} file{'' if files == 1 else 's'}", total_bytes, clock)
    try:
        yield bar.move
    finally:
        _terminal.release()
        bar.close()
