"""Experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runyard.entities.base import Entity


@dataclass(frozen=True, repr=False)
class ExperimentTag(Entity):
    key: str
    value: str


class Experiment(Entity):
    DEFAULT_EXPERIMENT_NAME = "Default"

    def __init__(
        self,
        experiment_id: str,
        name: str,
        artifact_location: str,
        lifecycle_stage: str,
        tags: list[ExperimentTag] | None = None,
        creation_time: int | None = None,
        last_update_time: int | None = None,
        workspace: str | None = None,
        trace_location: Any = None,
        effective_trace_archival_retention: str | None = None,
    ) -> None:
        self.experiment_id = experiment_id
        self.name = name
        self.artifact_location = artifact_location
        self.lifecycle_stage = lifecycle_stage
        self.tags = {tag.key: tag.value for tag in tags or ()}
        self.creation_time = creation_time
        self.last_update_time = last_update_time
        self.workspace = workspace or "default"
        self.trace_location = trace_location
        self.effective_trace_archival_retention = effective_trace_archival_retention
