"""Runs and what is logged to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from typing_extensions import Self

from runyard.entities.base import Entity
from runyard.errors import InvalidParameter


class RunStatus:
    """Statuses of runs, as the numbers and the names that they have."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5

    _NAMES: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}

    @staticmethod
    def from_string(status_str: str) -> int:
        for number, name in RunStatus._NAMES.items():
            if name == status_str:
                return number
        raise InvalidParameter(f"there is no run status {status_str!r}; there are {list(RunStatus._NAMES.values())}")

    @staticmethod
    def to_string(status: int) -> str:
        if status not in RunStatus._NAMES:
            raise InvalidParameter(f"there is no run status {status!r}; there are {list(RunStatus._NAMES)}")
        return RunStatus._NAMES[status]

    @staticmethod
    def is_terminated(status: int) -> bool:
        return status in {RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED}

    @staticmethod
    def all_status() -> list[int]:
        return list(RunStatus._NAMES)


class ViewType:
    """Which of the deleted and the others a search looks at."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    _NAMES: Final = {1: "active_only", 2: "deleted_only", 3: "all"}

    @classmethod
    def from_string(cls, view_str: str) -> int:
        for number, name in cls._NAMES.items():
            if name == view_str:
                return number
        raise InvalidParameter(f"there is no view type {view_str!r}; there are {list(cls._NAMES.values())}")

    @classmethod
    def to_string(cls, view_type: int) -> str:
        if view_type not in cls._NAMES:
            raise InvalidParameter(f"there is no view type {view_type!r}; there are {list(cls._NAMES)}")
        return cls._NAMES[view_type]


class LifecycleStage:
    ACTIVE = "active"
    DELETED = "deleted"

    @classmethod
    def is_valid(cls, lifecycle_stage: str) -> bool:
        return lifecycle_stage in {cls.ACTIVE, cls.DELETED}

    @classmethod
    def view_type_to_stages(cls, view_type: int = ViewType.ALL) -> list[str]:
        return {
            ViewType.ACTIVE_ONLY: [cls.ACTIVE],
            ViewType.DELETED_ONLY: [cls.DELETED],
            ViewType.ALL: [cls.ACTIVE, cls.DELETED],
        }[view_type]

    @classmethod
    def matches_view_type(cls, view_type: int, lifecycle_stage: str) -> bool:
        return lifecycle_stage in cls.view_type_to_stages(view_type)


class SourceType:
    """What started a run, as numbers; the tag `mlflow.source.type` holds the name."""

    NOTEBOOK = 1
    JOB = 2
    PROJECT = 3
    LOCAL = 4
    UNKNOWN = 1000

    SOURCETYPE_TO_STRING: Final = {1: "NOTEBOOK", 2: "JOB", 3: "PROJECT", 4: "LOCAL", 1000: "UNKNOWN"}

    @staticmethod
    def to_string(status: int) -> str:
        return SourceType.SOURCETYPE_TO_STRING[status]

    @staticmethod
    def from_string(status_str: str) -> int:
        return {name: number for number, name in SourceType.SOURCETYPE_TO_STRING.items()}[status_str]


@dataclass(frozen=True, repr=False)
class Metric(Entity):
    key: str
    value: float
    timestamp: int
    step: int
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None

    def to_dictionary(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_dictionary(cls, metric_dict: Mapping[str, Any]) -> Self:
        return cls(**metric_dict)


@dataclass(frozen=True, repr=False)
class Param(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class RunTag(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class InputTag(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class Dataset(Entity):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None

    def to_dictionary(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(repr=False, eq=False)
class DatasetInput(Entity):
    dataset: Dataset
    tags: list[InputTag] = field(default_factory=list)

    def __init__(self, dataset: Dataset, tags: list[InputTag] | None = None) -> None:
        self.dataset = dataset
        self.tags = tags or []

    def to_dictionary(self) -> dict[str, Any]:
        return {"dataset": self.dataset.to_dictionary(), "tags": {tag.key: tag.value for tag in self.tags}}


@dataclass(frozen=True, repr=False)
class LoggedModelInput(Entity):
    model_id: str


@dataclass(frozen=True, repr=False)
class LoggedModelOutput(Entity):
    model_id: str
    step: int

    def to_dictionary(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True, repr=False)
class RunInfo(Entity):
    run_id: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None
    lifecycle_stage: str
    artifact_uri: str | None = None
    run_name: str | None = None


class RunData(Entity):
    """The latest value of each metric, the params and the tags of a run, by key."""

    def __init__(
        self,
        metrics: Sequence[Metric] | None = None,
        params: Sequence[Param] | None = None,
        tags: Sequence[RunTag] | None = None,
    ) -> None:
        self._metric_objs = list(metrics or ())
        self.metrics = {metric.key: metric.value for metric in self._metric_objs}
        self.params = {param.key: param.value for param in params or ()}
        self.tags = {tag.key: tag.value for tag in tags or ()}

    def to_dictionary(self) -> dict[str, Any]:
        return {"metrics": self.metrics, "params": self.params, "tags": self.tags}


class RunInputs(Entity):
    def __init__(self, dataset_inputs: list[DatasetInput], model_inputs: list[LoggedModelInput] | None = None) -> None:
        self.dataset_inputs = dataset_inputs
        self.model_inputs = model_inputs or []

    def to_dictionary(self) -> dict[str, Any]:
        return {
            "model_inputs": self.model_inputs,
            "dataset_inputs": [given.to_dictionary() for given in self.dataset_inputs],
        }


class RunOutputs(Entity):
    def __init__(self, model_outputs: list[LoggedModelOutput]) -> None:
        self.model_outputs = model_outputs

    def to_dictionary(self) -> dict[str, Any]:
        return {"model_outputs": [made.to_dictionary() for made in self.model_outputs]}


class Run(Entity):
    def __init__(
        self,
        run_info: RunInfo,
        run_data: RunData,
        run_inputs: RunInputs | None = None,
        run_outputs: RunOutputs | None = None,
    ) -> None:
        self.info = run_info
        self.data = run_data
        self.inputs = run_inputs
        self.outputs = run_outputs

    def to_dictionary(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"info": dict(self.info), "data": self.data.to_dictionary()}
        if self.inputs is not None:
            parts["inputs"] = self.inputs.to_dictionary()
        if self.outputs is not None:
            parts["outputs"] = self.outputs.to_dictionary()
        return parts


@dataclass(frozen=True, repr=False)
class FileInfo(Entity):
    path: str
    is_dir: bool
    file_size: int | None
