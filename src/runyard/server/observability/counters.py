"""Numbers that every worker process writes on its own and any of them can read.

A server's workers share one nameless file in memory, in which each has a segment to write to. To count is to add to a
float in that segment: no lock, no system call, no file to remove at the end. What a dead worker counted stays, and the
worker that is started in its place counts on from there.

A segment is an array of floats: how many of them are in use, the process id of its owner, then one record a series:
the length of its name in bytes, how many values it has, its name, its values.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

# Room for some thousand series; pages that nobody wrote to take no memory.
SEGMENT_BYTES: Final = 2 * 1024 * 1024
_WORD: Final = 8
_USED, _OWNER, _FIRST = 0, 1, 2


@dataclass(frozen=True)
class Snapshot:
    """What one worker counted until now."""

    worker: int
    # 0 where no worker ever had this segment.
    pid: int
    # By the name of a series: its kind, then the values of its labels.
    series: dict[tuple[str, ...], list[float]]


class Counters:
    """One worker's own segment to write to, and all segments to read.

    Each value has one thread that writes it, and whoever reads sees its old or its new value.

    Args:
        descriptor: the file that `shared_file` made; None where this process is the only one.
        number: which segment is this process's own.
    """

    def __init__(self, descriptor: int | None = None, number: int = 0) -> None:
        if descriptor is None:
            memory = mmap.mmap(-1, SEGMENT_BYTES)
        else:
            memory = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        words = memoryview(memory).cast("d")
        size = SEGMENT_BYTES // _WORD
        self._segments = [words[start : start + size] for start in range(0, len(words), size)]
        self.number = number
        # The values of this worker's series; `series` says where each has its own.
        self.values = self._segments[number]
        self._places = {name: place for name, place, _ in _records(self.values)}
        self.values[_OWNER] = float(os.getpid())
        # Where what finds no more room is counted, and not read by anyone.
        self._spare = size - 64
        if self.values[_USED] == 0:
            self.values[_USED] = _FIRST

    @property
    def is_shared(self) -> bool:
        return len(self._segments) > 1

    def series(self, *name: str, size: int = 1) -> int:
        """Return the place in `values` of the first of a series' ``size`` values, which begin at 0."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = self._add(name, size)
        return place

    def read(self) -> list[Snapshot]:
        """Return what each worker counted, dead ones too."""
        return [
            Snapshot(number, int(segment[_OWNER]), {name: list(values) for name, _, values in _records(segment)})
            for number, segment in enumerate(self._segments)
        ]

    def _add(self, name: tuple[str, ...], size: int) -> int:
        text = msgspec.json.encode(name)
        words = -(-len(text) // _WORD)
        start = int(self.values[_USED])
        place = start + 2 + words
        if place + size > self._spare:
            return self._spare
        self.values[start] = len(text)
        self.values[start + 1] = size
        self.values[start + 2 : place] = memoryview(text.ljust(words * _WORD)).cast("d")
        # Last: until then no reader sees the record.
        self.values[_USED] = place + size
        return place


def shared_file(workers: int) -> int:
    """Return the descriptor of a new file without a name, for that many workers to share."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("runyard-counters")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, workers * SEGMENT_BYTES)
    return descriptor


def _records(segment: memoryview[float]) -> Iterator[tuple[tuple[str, ...], int, Sequence[float]]]:
    at, end = _FIRST, int(segment[_USED])
    while at < end:
        length, size = int(segment[at]), int(segment[at + 1])
        place = at + 2 + -(-length // _WORD)
        text = segment[at + 2 : place].tobytes()[:length]
        yield msgspec.json.decode(text, type=tuple[str, ...]), place, segment[place : place + size]
        at = place + size
