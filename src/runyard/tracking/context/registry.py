"""The tags of the context, where libraries that make runs themselves look for them."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.client import context

__all__ = ["resolve_tags"]


def resolve_tags(tags: Mapping[str, str] | None = None, ignore: object = None) -> dict[str, str]:
    """Return the tags of a run that is started here and now, with ``tags`` before what is found.

    Args:
        ignore: kinds of contexts to leave out elsewhere; there are none of that kind here.
    """
    return {**context.tags(), **(tags or {})}
