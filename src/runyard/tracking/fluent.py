"""The calls on the active run, where programs look for them."""

from __future__ import annotations

from collections.abc import Iterator

from runyard.client import fluent
from runyard.client.fluent import *  # noqa: F403 - these are exactly its public names


class _ActiveRuns:
    """The active runs of the thread that asks, the outermost first."""

    def get(self) -> list[fluent.ActiveRun]:
        return fluent.active_runs()

    def __iter__(self) -> Iterator[fluent.ActiveRun]:
        return iter(self.get())

    def __len__(self) -> int:
        return len(self.get())

    def __getitem__(self, index: int) -> fluent.ActiveRun:
        return self.get()[index]


# Libraries look into it to see whether a run is active.
_active_run_stack = _ActiveRuns()
