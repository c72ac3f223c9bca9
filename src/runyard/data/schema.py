"""What a dataset of tensors looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runyard.errors import InvalidParameter
from runyard.models.signature import Schema


@dataclass(frozen=True)
class TensorDatasetSchema:
    """The schemas of features and of targets, if there are such."""

    features: Schema
    targets: Schema | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "mlflow_tensorspec": {
                "features": self.features.to_json(),
                "targets": None if self.targets is None else self.targets.to_json(),
            }
        }

    @classmethod
    def from_dict(cls, schema_dict: dict[str, Any]) -> TensorDatasetSchema:
        told = schema_dict.get("mlflow_tensorspec")
        if told is None:
            raise InvalidParameter(f"a schema of tensors needs mlflow_tensorspec, got {schema_dict!r}")
        targets = told.get("targets")
        return cls(Schema.from_json(told["features"]), None if targets is None else Schema.from_json(targets))
