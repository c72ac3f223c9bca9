"""Names for runs that were given none, where other libraries look for them."""

from __future__ import annotations

from runyard.store.run_names import random_run_name


def _generate_random_name(sep: str = "-", integer_scale: int = 3, max_length: int = 20) -> str:
    """Return a name such as ``brisk-heron-412``, of at most ``max_length`` characters, which must be 20 or more.

    Args:
        integer_scale: taken for the sake of those who call this; the number has up to three digits.
    """
    return random_run_name().replace("-", sep)[:max_length]
