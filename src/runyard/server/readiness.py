"""Whether more requests should be sent to this process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Readiness:
    """One for a process."""

    # Why not: told to stop, for one. The requests that come all the same are answered.
    refusal: str | None = None
