"""Files, on this machine or in an object store."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, TypeVar

from typing_extensions import Self

from runyard.artifacts.uris import local_path, scheme_of
from runyard.client.datasets import DatasetSource
from runyard.errors import InvalidParameter

S = TypeVar("S", bound="FileSystemDatasetSource")


class FileSystemDatasetSource(DatasetSource):
    """A file or a folder, by its URI; each scheme is a kind of its own."""

    scheme: ClassVar[str]

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @property
    def uri(self) -> str:
        return self._uri

    @classmethod
    def _get_source_type(cls) -> str:
        return cls.scheme

    def load(self, dst_path: str | None = None) -> str:
        """Fetch the files into ``dst_path``, by default a new temporary folder; return where they are now."""
        from runyard.client.artifact_calls import download_artifacts

        return download_artifacts(artifact_uri=self._uri, dst_path=dst_path)

    @classmethod
    def _can_resolve(cls, raw_source: Any) -> bool:
        return isinstance(raw_source, (str, Path)) and scheme_of(str(raw_source)) == cls.scheme

    @classmethod
    def _resolve(cls, raw_source: Any) -> Self:
        return cls(str(raw_source))

    def to_dict(self) -> dict[str, Any]:
        return {"uri": self._uri}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        if source_dict.get("uri") is None:
            raise InvalidParameter(f"a source of the kind {cls._get_source_type()!r} needs uri, got {source_dict!r}")
        return cls(source_dict["uri"])


class LocalArtifactDatasetSource(FileSystemDatasetSource):
    """A file or a folder of this machine."""

    scheme = "local"

    @classmethod
    def _can_resolve(cls, raw_source: Any) -> bool:
        return isinstance(raw_source, (str, Path)) and local_path(str(raw_source)) is not None

    def load(self, dst_path: str | None = None) -> str:
        """Return the path, or that of a copy in ``dst_path`` where that is given."""
        path = local_path(self._uri)
        if dst_path is None and path is not None and Path(path).exists():
            return str(Path(path).absolute())
        return super().load(dst_path)
