"""A dataset of which a program holds no data, but knows where they are."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from runyard.client.datasets import Dataset, DatasetSource
from runyard.models.signature import Schema


class MetaDataset(Dataset):
    """A source, and a schema where one is given. Its digest is of these, for the data are not looked at."""

    def __init__(
        self,
        source: DatasetSource,
        name: str | None = None,
        digest: str | None = None,
        schema: Schema | None = None,
    ) -> None:
        self._schema = schema
        super().__init__(source, name, digest)

    @property
    def schema(self) -> Schema | None:
        return self._schema

    @property
    def profile(self) -> Any | None:
        return None

    def _compute_digest(self) -> str:
        told = {
            "name": self.name,
            "source": self.source.to_json(),
            "source_type": self._get_source_type(),
            "schema": self._schema.to_dict() if self._schema else "",
        }
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]

    def to_dict(self) -> dict[str, str | None]:
        told = super().to_dict()
        if self._schema:
            told["schema"] = json.dumps({self._COLUMNS: self._schema.to_dict()})
        return told
