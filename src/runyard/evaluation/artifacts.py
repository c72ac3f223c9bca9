"""Files that an evaluation leaves beside its metrics: where each is, and what it holds."""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from runyard.client.artifact_calls import download_artifacts
from runyard.errors import InvalidParameter
from runyard.models import pickles

# In place of a content that was not read yet; None is one.
_UNREAD: Final = object()


class EvaluationArtifact(ABC):
    """A file of an evaluation; its content is fetched when it is asked for."""

    suffix: ClassVar[str]

    def __init__(self, uri: str, content: Any = None) -> None:
        self._uri = uri
        self._content = _UNREAD if content is None else content

    @property
    def uri(self) -> str:
        return self._uri

    @property
    def content(self) -> Any:
        """What the file holds, as an object of its kind."""
        if self._content is _UNREAD:
            self._load()
        return self._content

    def __repr__(self) -> str:
        return f"{type(self).__name__}(uri={self._uri!r})"

    def _load(self, local_artifact_path: str | Path | None = None) -> Any:
        if local_artifact_path is not None:
            self._content = self._load_content_from_file(local_artifact_path)
        else:
            with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
                self._content = self._load_content_from_file(download_artifacts(self._uri, dst_path=folder))
        return self._content

    @abstractmethod
    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        """Return what a file holds."""

    @abstractmethod
    def _save(self, output_artifact_path: str | Path) -> None:
        """Write the content to a file."""


class ImageEvaluationArtifact(EvaluationArtifact):
    """A picture, of Pillow."""

    suffix = ".png"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        from PIL import Image

        image = Image.open(local_artifact_path)
        image.load()
        return image

    def _save(self, output_artifact_path: str | Path) -> None:
        self.content.save(output_artifact_path)


class CsvEvaluationArtifact(EvaluationArtifact):
    """A table, of pandas."""

    suffix = ".csv"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        import pandas as pd

        return pd.read_csv(local_artifact_path)

    def _save(self, output_artifact_path: str | Path) -> None:
        self.content.to_csv(output_artifact_path, index=False)


class ParquetEvaluationArtifact(EvaluationArtifact):
    """A table, of pandas."""

    suffix = ".parquet"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        import pandas as pd

        return pd.read_parquet(local_artifact_path)

    def _save(self, output_artifact_path: str | Path) -> None:
        self.content.to_parquet(output_artifact_path)


class NumpyEvaluationArtifact(EvaluationArtifact):
    """An array."""

    suffix = ".npy"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        import numpy as np

        return np.load(local_artifact_path, allow_pickle=False)

    def _save(self, output_artifact_path: str | Path) -> None:
        import numpy as np

        np.save(output_artifact_path, self.content, allow_pickle=False)


class JsonEvaluationArtifact(EvaluationArtifact):
    """What JSON holds."""

    suffix = ".json"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        return json.loads(Path(local_artifact_path).read_text(encoding="utf-8"))

    def _save(self, output_artifact_path: str | Path) -> None:
        Path(output_artifact_path).write_text(json.dumps(self.content, default=plain), encoding="utf-8")


class TextEvaluationArtifact(EvaluationArtifact):
    """A text."""

    suffix = ".txt"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        return Path(local_artifact_path).read_text(encoding="utf-8")

    def _save(self, output_artifact_path: str | Path) -> None:
        Path(output_artifact_path).write_text(self.content, encoding="utf-8")


class PickleEvaluationArtifact(EvaluationArtifact):
    """Any object, where pickles are allowed."""

    suffix = ".pickle"

    def _load_content_from_file(self, local_artifact_path: str | Path) -> Any:
        return pickles.load(Path(local_artifact_path))

    def _save(self, output_artifact_path: str | Path) -> None:
        pickles.dump(self.content, Path(output_artifact_path), by_value=False)


KINDS: Final[tuple[type[EvaluationArtifact], ...]] = (
    ImageEvaluationArtifact,
    CsvEvaluationArtifact,
    ParquetEvaluationArtifact,
    NumpyEvaluationArtifact,
    JsonEvaluationArtifact,
    TextEvaluationArtifact,
    PickleEvaluationArtifact,
)
_OF_FILES: Final[Mapping[str, type[EvaluationArtifact]]] = {
    **{kind.suffix: kind for kind in KINDS if kind is not PickleEvaluationArtifact},
    ".jpg": ImageEvaluationArtifact,
    ".jpeg": ImageEvaluationArtifact,
}


def kind_named(name: str) -> type[EvaluationArtifact]:
    """Return the kind that a saved result names by its class, MLflow's or ours.

    Raises:
        InvalidParameter: there is none of that name.
    """
    for kind in KINDS:
        if kind.__name__ == name.rpartition(".")[2]:
            return kind
    raise InvalidParameter(f"class_name in artifacts_metadata.json must be one of ours, got {name!r}")


def write(value: Any, name: str, folder: Path) -> tuple[Path, type[EvaluationArtifact]]:
    """Write what a program's own function made as a file of a folder; return it and its kind.

    Args:
        value: the path of a file, a text that is JSON, a table, an array, a figure of matplotlib, what JSON holds, or
            any object, which becomes a pickle.
    Raises:
        InvalidParameter: a text is neither a path nor JSON, or a file is of no known kind.
        PermissionDenied: it would be a pickle, and those are forbidden.
    """
    if isinstance(value, (str, Path)):
        return _write_path(value, name, folder)
    kind = _kind_of(value)
    file = folder / f"{name}{kind.suffix}"
    if kind is ImageEvaluationArtifact:
        value.savefig(file)
    else:
        made = kind("")
        made._content = value  # noqa: SLF001 - the kinds are of this module
        made._save(file)  # noqa: SLF001 - as above
    return file, kind


def plain(value: Any) -> Any:
    """Return numpy's numbers and arrays as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write_path(value: str | Path, name: str, folder: Path) -> tuple[Path, type[EvaluationArtifact]]:
    source = Path(value)
    try:
        is_file = source.is_file()
    except OSError:
        # Longer than a path may be.
        is_file = False
    if is_file:
        kind = _OF_FILES.get(source.suffix)
        if kind is None:
            raise InvalidParameter(
                f"artifact {name!r} is the file {source.name!r}, which must end in one of {', '.join(_OF_FILES)}"
            )
        file = folder / f"{name}{source.suffix}"
        file.write_bytes(source.read_bytes())
        return file, kind
    try:
        json.loads(str(value))
    except ValueError:
        raise InvalidParameter(f"artifact {name!r} must be the path of a file or JSON, got {value!r}") from None
    file = folder / f"{name}.json"
    file.write_text(str(value), encoding="utf-8")
    return file, JsonEvaluationArtifact


def _kind_of(value: Any) -> type[EvaluationArtifact]:
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return CsvEvaluationArtifact
    if isinstance(value, np.ndarray):
        return NumpyEvaluationArtifact
    if hasattr(value, "savefig"):
        return ImageEvaluationArtifact
    try:
        json.dumps(value, default=plain)
    except (TypeError, ValueError):
        return PickleEvaluationArtifact
    return JsonEvaluationArtifact
