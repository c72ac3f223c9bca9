"""A process of its own that runs a project's command, and records how it ended.

It outlives who started it: where that process is gone, the command is ended and its run KILLED. Who started it looks
after it in turn, so a run is left RUNNING only where both are killed at once. See `LocalSubmittedRun`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final

from runyard.projects.telling import tell

# Its exit status says what it recorded; any other is that of a watcher that was killed or broke.
EXIT_STATUSES: Final = {"FINISHED": 0, "FAILED": 80, "KILLED": 81}

# From a request to end to the next more forceful one. Containers are given ten seconds in all.
GRACE_S: Final = 5
# How often it looks whether its parent is still there.
LOOK_S: Final = 0.5

# A program that dies of one of these was killed; one of any other, such as SIGSEGV, broke.
_KILLING: Final = frozenset(
    getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM") if hasattr(signal, name)
)


def main(told: str) -> int:
    """Run what a JSON object says, which `LocalSubmittedRun` makes; return the exit status."""
    task = json.loads(told)
    watcher = _Watcher()
    watcher.listen()
    try:
        process = subprocess.Popen(task["command"], cwd=task["folder"], start_new_session=True)
    except OSError as error:
        tell(f"{task['command'][0]} cannot be run: {error.strerror}")
        return _record(task["run_id"], "FAILED")
    with contextlib.suppress(OSError), os.fdopen(task["pipe"], "w") as pipe:
        pipe.write(str(process.pid))
    code = watcher.watch(process, task["parent"])
    for folder in task["remove"]:
        shutil.rmtree(folder, ignore_errors=True)
    if not (watcher.is_ending or was_killed(code)):
        return _record(task["run_id"], "FINISHED" if code == 0 else "FAILED")
    run_quietly(task["when_killed"])
    return _record(task["run_id"], "KILLED")


def watcher_command(task: dict[str, Any]) -> list[str]:
    """Return the command of a watcher, which finds this package where it is found here."""
    found_in = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {found_in!r}); from runyard.projects.watching import main; "
    return [sys.executable, "-c", f"{code}sys.exit(main(sys.argv[1]))", json.dumps(task)]


def was_killed(code: int) -> bool:
    """Return whether an exit status is that of a program, or of a shell whose program, was killed by a signal."""
    return -code in _KILLING or code - 128 in _KILLING


def run_quietly(command: list[str]) -> None:
    """Run a command, if there is any, whose end is all that matters."""
    if command:
        with contextlib.suppress(OSError):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process that leads a group, and to all of that group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class _Watcher:
    """Waits for one process, and ends it when it is told to or its own parent is gone."""

    def __init__(self) -> None:
        self.is_ending = False
        self._asked: int | None = None
        self._awake, self._wake = os.pipe()

    def listen(self) -> None:
        """Take the signals that end a process as requests; and any, the end of the child too, as a reason to look."""
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def watch(self, process: subprocess.Popen[bytes], parent: int) -> int:
        """Return the exit status of the process, once it has one."""
        forceful = iter((signal.SIGTERM, signal.SIGKILL))
        next_at = float("inf")
        while True:
            code = process.poll()
            if code is not None:
                # What it started and left behind may go on after a program that ended, not after one that was killed.
                if self.is_ending or was_killed(code):
                    signal_group(process.pid, signal.SIGKILL)
                return code
            if not self.is_ending and (self._asked is not None or os.getppid() != parent):
                self.is_ending = True
                first = signal.SIGINT if self._asked == signal.SIGINT else next(forceful)
                signal_group(process.pid, first)
                next_at = time.monotonic() + GRACE_S
            elif time.monotonic() >= next_at:
                signal_group(process.pid, next(forceful, signal.SIGKILL))
                next_at = time.monotonic() + GRACE_S
            if select.select([self._awake], [], [], LOOK_S)[0]:
                os.read(self._awake, 4096)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or number


def _record(run_id: str, status: str) -> int:
    from runyard.projects import records

    records.try_to_end(run_id, status)
    return EXIT_STATUSES[status]
