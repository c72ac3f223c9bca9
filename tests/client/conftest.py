"""A place for runs without a server, and no run left active."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.client import connections, fluent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is the tracking URI; all that a test sets for the process is gone after it."""
    monkeypatch.chdir(tmp_path)
    connections.set_tracking_uri(str(tmp_path / "runs"))
    yield tmp_path
    while fluent.active_run() is not None:
        fluent.end_run()
    connections.set_tracking_uri("")
    connections.close_all()
