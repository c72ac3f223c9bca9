"""Where artifacts are: their URIs, and one interface over the places that keep them.

To users it offers the client's calls on artifacts by their URIs: `download_artifacts`, `load_text` and the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runyard.client.artifact_calls import download_artifacts, list_artifacts, load_dict, load_image, load_text

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def __getattr__(name: str) -> Any:
    # The client is above this package, and only who asks for it loads it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.client import artifact_calls

    return getattr(artifact_calls, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
