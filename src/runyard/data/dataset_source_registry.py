"""Which kinds of sources there are, and which one a program or a run means."""

# The methods that a kind of source has for this module alone begin with an underscore, as MLflow's do.
# ruff: noqa: SLF001

from __future__ import annotations

from typing import Any, Final

from runyard.client.datasets import DatasetSource
from runyard.data import sources
from runyard.data.code_dataset_source import CodeDatasetSource
from runyard.errors import InvalidParameter, NotFound
from runyard.wire.names import shown

_registered: Final[list[type[DatasetSource]]] = [
    kind
    for kind in vars(sources).values()
    if isinstance(kind, type) and issubclass(kind, DatasetSource) and kind is not sources.FileSystemDatasetSource
]


def register_dataset_source(source: type[DatasetSource]) -> None:
    """Add a kind of source; it counts before those that were there."""
    _registered.append(source)


def get_registered_sources() -> list[type[DatasetSource]]:
    return list(_registered)


def resolve_dataset_source(
    raw_source: Any, candidate_sources: list[type[DatasetSource]] | None = None
) -> DatasetSource:
    """Return the source that a path, a URI or whatever a kind of source knows stands for.

    Raises:
        InvalidParameter: no kind knows it.
    """
    wanted = tuple(candidate_sources) if candidate_sources else (DatasetSource,)
    for kind in reversed(_registered):
        if issubclass(kind, wanted) and kind._can_resolve(raw_source):
            return kind._resolve(raw_source)
    raise InvalidParameter(
        f"source: no kind is known for {shown(raw_source)}; expected a path, http(s)://… or the URI of an object store "
        "such as s3://BUCKET/PATH"
    )


def get_dataset_source_from_json(source_json: str, source_type: str) -> DatasetSource:
    """Return the source that a run names.

    Raises:
        NotFound: the kind is not known here; register it with `register_dataset_source`.
    """
    for kind in reversed(_registered):
        if kind._get_source_type() == source_type:
            return kind.from_json(source_json)
    known = ", ".join(sorted({kind._get_source_type() for kind in _registered}))
    raise NotFound(f"no kind of dataset source is called {shown(source_type)}; there are {known}")


def source_or_code(source: Any) -> DatasetSource:
    """Return the source that a program gave, or the program itself where it gave none."""
    if source is None:
        return CodeDatasetSource.here()
    return source if isinstance(source, DatasetSource) else resolve_dataset_source(source)
