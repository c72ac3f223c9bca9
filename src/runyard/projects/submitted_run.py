"""What `projects.run` returns: a project that runs somewhere, and the run that it is recorded in."""

from __future__ import annotations

from abc import abstractmethod


class SubmittedRun:
    """A project's execution; each backend has a class of its own.

    Calls are for one thread at a time. ``get_status`` asks and never waits; ``wait`` may be called again after it
    returned, and ``cancel`` when the execution is over, where it does nothing.
    """

    @abstractmethod
    def wait(self) -> bool:
        """Wait until the execution is over, and return whether it succeeded."""
        raise NotImplementedError

    @abstractmethod
    def get_status(self) -> str:
        """Return RUNNING, or how it ended: FINISHED, FAILED or KILLED."""
        raise NotImplementedError

    @abstractmethod
    def cancel(self) -> None:
        """End the execution and wait until it has ended."""
        raise NotImplementedError

    @property
    @abstractmethod
    def run_id(self) -> str:
        """The run that the execution is recorded in; '' where a backend records none."""
        raise NotImplementedError
