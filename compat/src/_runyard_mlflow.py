"""Answers a program that asks for the version of the distribution `mlflow`: some libraries log nothing without one.

It answers in the running program and only to who asks for `mlflow` by name. What lists the installed distributions, as
pip does, sees runyard-mlflow and nothing else, and installs upstream's where a package requires it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


class Finder:
    """Comes after what is really installed, so that upstream's own word counts where it is there."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> None:
        """Find no module: it is asked because it is among those that find."""

    @staticmethod
    def find_distributions(context: Any = None) -> Iterable[Any]:
        if getattr(context, "name", None) != "mlflow":
            return []
        return [_answer()]


def _answer() -> Any:
    # Imported by those who ask, so that no interpreter starts more slowly for this.
    import importlib.metadata

    from runyard.models.model import FORMAT_VERSION

    class Answer(importlib.metadata.Distribution):
        is_runyards = True

        def read_text(self, filename: str) -> str | None:
            if filename != "METADATA":
                return None
            return (
                f"Metadata-Version: 2.1\nName: mlflow\nVersion: {FORMAT_VERSION}\n"
                "Summary: Runyard under the name mlflow; the distribution is runyard-mlflow.\n"
            )

        def locate_file(self, path: Any) -> Any:
            raise NotImplementedError("runyard-mlflow holds the files")

    return Answer()


def install() -> None:
    if not any(getattr(finder, "__module__", None) == __name__ for finder in sys.meta_path):
        sys.meta_path.append(Finder)


install()
