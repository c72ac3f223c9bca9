"""Writes that wait on this machine until a server has them, in a SQLite file of the process that made them.

What was added survives the end of the process, however it ends. After a power cut the last moments may be missing: the
file is whole, but not every write waits for the disk.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runyard.errors import ConfigurationError, RunyardError

SUFFIX: Final = ".spool"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    is_tried INTEGER NOT NULL DEFAULT 0,
    refusal TEXT
);
CREATE TABLE IF NOT EXISTS runs (run_id TEXT PRIMARY KEY, server_id TEXT NOT NULL, artifact_uri TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Entry:
    """One write: ``kind`` is `create`, `batch`, `file` or the path of a request."""

    seq: int
    run_id: str
    kind: str
    body: bytes
    is_tried: bool
    # Why the server would not have it, where it said so.
    refusal: str | None = None


class InUse(RunyardError):
    """The spool is that of a process that still runs."""


class Spool:
    """One file of waiting writes, which nobody else can open meanwhile. May be used by several threads."""

    def __init__(self, path: Path) -> None:
        """Raises: InUse: another process has it open; ConfigurationError: it cannot be written or is no spool."""
        self.path = path
        self.files = path.with_suffix(".files")
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
            # Nobody else reads it, and who ends gives it up; so whether it is held tells whether its process is there.
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise InUse(f"{path} is that of a process that still runs") from None
            raise ConfigurationError(f"the spool {str(path)!r} cannot be used: {error}") from None
        except sqlite3.DatabaseError as error:
            raise ConfigurationError(f"{str(path)!r} is no spool, or is damaged: {error}") from None

    @classmethod
    def create(cls, folder: Path, uri: str) -> Spool:
        """Return a new spool of this process, for the server at ``uri``."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"the folder of the spool, {str(folder)!r}, cannot be made: {error}") from None
        # By name in the order of their beginning: a process that another starts logs to runs of that.
        spool = cls(folder / f"{time.time_ns() // 1_000_000}-{uuid.uuid4().hex[:12]}{SUFFIX}")
        source = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "python"
        for name, value in (("uri", uri), ("source", source), ("pid", str(os.getpid()))):
            spool._execute("INSERT INTO about VALUES (?, ?)", name, value)
        return spool

    @property
    def about(self) -> dict[str, str]:
        """Return whose it is: the `uri` of its server, the `source` that was running, its `pid`."""
        return dict(self._execute("SELECT name, value FROM about"))

    def add(self, run_id: str, kind: str, body: bytes) -> None:
        """Keep a write."""
        self._execute("INSERT INTO entries (run_id, kind, body) VALUES (?, ?, ?)", run_id, kind, body)

    def add_file(self, run_id: str, source: Path, body: bytes) -> None:
        """Keep a copy of a file, to be sent as ``body`` says."""
        self.files.mkdir(exist_ok=True, mode=0o700)
        # The copy is there before the entry that speaks of it.
        name = uuid.uuid4().hex
        try:
            shutil.copyfile(source, self.files / name)
            self.add(run_id, "file", name.encode() + body)
        except BaseException:
            (self.files / name).unlink(missing_ok=True)
            raise

    def file_of(self, entry: Entry) -> tuple[Path, bytes]:
        """Return the copy that an entry of kind `file` speaks of, and how to send it."""
        return self.files / entry.body[:32].decode(), entry.body[32:]

    def waiting(self, limit: int, *, after: int = 0) -> list[Entry]:
        """Return the next writes to be sent, in their order."""
        rows = self._execute(
            "SELECT seq, run_id, kind, body, is_tried FROM entries "
            "WHERE refusal IS NULL AND seq > ? ORDER BY seq LIMIT ?",
            after,
            limit,
        )
        return [Entry(seq, run_id, kind, body, bool(is_tried)) for seq, run_id, kind, body, is_tried in rows]

    def refused(self) -> list[Entry]:
        """Return the writes that the server would not have, in their order."""
        rows = self._execute(
            "SELECT seq, run_id, kind, body, refusal FROM entries WHERE refusal IS NOT NULL ORDER BY seq"
        )
        return [Entry(seq, run_id, kind, body, True, refusal) for seq, run_id, kind, body, refusal in rows]

    def count(self) -> tuple[int, int]:
        """Return how many writes wait, and how many were refused."""
        [(waiting, refused)] = self._execute("SELECT count(*) - count(refusal), count(refusal) FROM entries")
        return waiting, refused

    def mark_tried(self, entry: Entry) -> None:
        """Remember that a write is being sent: should nobody see the answer, it may have arrived."""
        self._execute("UPDATE entries SET is_tried = 1 WHERE seq = ?", entry.seq)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget writes: the server has them, or nobody wants them any more."""
        gone = list(entries)
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                self._connection.executemany("DELETE FROM entries WHERE seq = ?", [(each.seq,) for each in gone])
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        for each in gone:
            if each.kind == "file":
                self.file_of(each)[0].unlink(missing_ok=True)

    def refuse(self, entry: Entry, reason: str) -> None:
        """Set a write aside that the server would not have."""
        self._execute("UPDATE entries SET refusal = ? WHERE seq = ?", reason, entry.seq)

    def retry_refused(self) -> None:
        """Have what was refused sent once more."""
        self._execute("UPDATE entries SET refusal = NULL WHERE refusal IS NOT NULL")

    def remember_run(self, run_id: str, server_id: str, artifact_uri: str) -> None:
        self._execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", run_id, server_id, artifact_uri)

    def makes(self, run_id: str) -> bool:
        """Return whether the making of a run is among what waits or was refused."""
        return bool(self._execute("SELECT 1 FROM entries WHERE run_id = ? AND kind = 'create'", run_id))

    def run(self, run_id: str) -> tuple[str, str] | None:
        """Return a run's id on the server and where its artifacts are; None while the server has not made it."""
        rows = self._execute("SELECT server_id, artifact_uri FROM runs WHERE run_id = ?", run_id)
        return (str(rows[0][0]), str(rows[0][1])) if rows else None

    def close(self) -> None:
        """Close the file, and remove it where nothing waits in it."""
        with self._lock:
            is_empty = self.count() == (0, 0)
            self._connection.close()
        if is_empty:
            shutil.rmtree(self.files, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()

    def abandon(self) -> None:
        """Leave the file to the process that forked this one: here it is neither used nor closed."""
        # Closing it would write to the parent's file. The one more reference is never given back.
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))

    def _execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            raise RunyardError(
                f"the spool {str(self.path)!r} cannot be written ({error}): nothing was recorded; make room on the "
                "disk, or name a folder elsewhere with RUNYARD_SPOOL"
            ) from error


def left_in(folder: Path) -> Iterator[Path]:
    """Give the spools in a folder, the oldest first."""
    yield from sorted(folder.glob(f"*{SUFFIX}"))
