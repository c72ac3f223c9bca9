"""Where a run comes from: who started it, from which source, at which commit."""

from runyard.tracking.context import registry

__all__ = ["registry"]
