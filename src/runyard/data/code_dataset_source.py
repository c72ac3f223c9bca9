"""Data that a program made itself: what is known of them is the program."""

from __future__ import annotations

from typing import Any

from runyard.client import context
from runyard.client.datasets import DatasetSource
from runyard.errors import InvalidParameter


class CodeDatasetSource(DatasetSource):
    """The program, told by the tags of a run's context."""

    def __init__(self, tags: dict[str, str]) -> None:
        self._tags = tags

    @staticmethod
    def _get_source_type() -> str:
        return "code"

    @classmethod
    def here(cls) -> CodeDatasetSource:
        """Return the program that runs."""
        return cls(context.tags())

    def load(self) -> Any:
        raise InvalidParameter("the data were made by a program, which names no files to load")

    def to_dict(self) -> dict[str, Any]:
        return {"tags": self._tags}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> CodeDatasetSource:
        return cls(source_dict.get("tags") or {})
