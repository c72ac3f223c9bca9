"""Logged models: what a run made, before anyone registers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from runyard.entities.base import Entity
from runyard.entities.runs import Metric


class LoggedModelStatus(str, Enum):
    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"

    def __str__(self) -> str:
        return self.value

    @staticmethod
    def is_finalized(status: LoggedModelStatus) -> bool:
        return status in {LoggedModelStatus.READY, LoggedModelStatus.FAILED}

    def to_int(self) -> int:
        return _NUMBERS[self.value]

    @classmethod
    def from_int(cls, status_int: int) -> LoggedModelStatus:
        return cls(next(name for name, number in _NUMBERS.items() if number == status_int))


_NUMBERS: Final = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}


@dataclass(frozen=True, repr=False)
class LoggedModelParameter(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class LoggedModelTag(Entity):
    key: str
    value: str


class LoggedModel(Entity):
    def __init__(
        self,
        experiment_id: str,
        model_id: str,
        name: str,
        artifact_location: str,
        creation_timestamp: int,
        last_updated_timestamp: int,
        model_type: str | None = None,
        source_run_id: str | None = None,
        status: LoggedModelStatus | int = LoggedModelStatus.READY,
        status_message: str | None = None,
        tags: Sequence[LoggedModelTag] | Mapping[str, str] | None = None,
        params: Sequence[LoggedModelParameter] | Mapping[str, str] | None = None,
        metrics: list[Metric] | None = None,
    ) -> None:
        self.experiment_id = experiment_id
        self.model_id = model_id
        self.name = name
        self.artifact_location = artifact_location
        self.creation_timestamp = creation_timestamp
        self.last_updated_timestamp = last_updated_timestamp
        self.model_type = model_type
        self.source_run_id = source_run_id
        is_status = isinstance(status, LoggedModelStatus)
        self.status = status if is_status else LoggedModelStatus.from_int(int(status))
        self.status_message = status_message
        self.tags = _by_key(tags)
        self.params = _by_key(params)
        self.metrics = metrics

    @property
    def model_uri(self) -> str:
        return f"models:/{self.model_id}"

    def to_dictionary(self) -> dict[str, Any]:
        values = dict(self)
        del values["model_uri"]
        return {**values, "status": LoggedModelStatus(self.status).to_int()}


def _by_key(pairs: Sequence[LoggedModelTag | LoggedModelParameter] | Mapping[str, str] | None) -> dict[str, str]:
    if isinstance(pairs, Mapping):
        return dict(pairs)
    return {pair.key: pair.value for pair in pairs or ()}
