"""A dataset of Hugging Face's hub, or files that its library reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runyard.client.datasets import DatasetSource


class HuggingFaceDatasetSource(DatasetSource):
    """What `datasets.load_dataset` is told; its ``name`` is ``config_name`` here."""

    def __init__(
        self,
        path: str,
        config_name: str | None = None,
        data_dir: str | None = None,
        data_files: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        split: Any = None,
        revision: Any = None,
        trust_remote_code: bool | None = None,
    ) -> None:
        self.path = path
        self.config_name = config_name
        self.data_dir = data_dir
        self.data_files = data_files
        self.split = split
        self.revision = revision
        self.trust_remote_code = trust_remote_code

    @staticmethod
    def _get_source_type() -> str:
        return "hugging_face"

    def load(self, **kwargs: Any) -> Any:
        """Return the dataset, by `datasets.load_dataset`, which ``kwargs`` are for too.

        Raises:
            KeyError: one of ``kwargs`` is what the source says already.
        """
        import datasets

        told = {
            "path": self.path,
            "name": self.config_name,
            "data_dir": self.data_dir,
            "data_files": self.data_files,
            "split": self.split,
            "revision": self.revision,
        }
        twice = told.keys() & kwargs.keys()
        if twice:
            raise KeyError(f"the source says already what is given again: {', '.join(sorted(twice))}")
        # Given on only where it was said: the newest versions of the library know it no more.
        if self.trust_remote_code is not None:
            told["trust_remote_code"] = self.trust_remote_code
        return datasets.load_dataset(**told, **kwargs)

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "config_name": self.config_name,
            "data_dir": self.data_dir,
            "data_files": self.data_files,
            "split": str(self.split),
            "revision": self.revision,
        }

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> HuggingFaceDatasetSource:
        names = ("path", "config_name", "data_dir", "data_files", "split", "revision")
        told = {name: source_dict.get(name) for name in names}
        # How a dataset that is not split is written.
        if told["split"] == "None":
            told["split"] = None
        return cls(**told)  # type: ignore[arg-type] # as it was written
