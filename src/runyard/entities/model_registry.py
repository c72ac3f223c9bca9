"""Registered models and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from runyard.entities.base import Entity
from runyard.entities.logged_models import LoggedModelParameter
from runyard.entities.runs import Metric
from runyard.errors import InvalidParameter

# Programs import `mlflow.entities.model_registry.model_version` and others below this module, which are all this one.
__path__: list[str] = []

STAGE_NONE: Final = "None"
STAGE_STAGING: Final = "Staging"
STAGE_PRODUCTION: Final = "Production"
STAGE_ARCHIVED: Final = "Archived"
ALL_STAGES: Final = [STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED]


def get_canonical_stage(stage: str) -> str:
    """Return a stage as it is spelled, of one in any case."""
    for known in ALL_STAGES:
        if known.lower() == stage.lower():
            return known
    raise InvalidParameter(f"there is no stage {stage!r}; there are {ALL_STAGES}")


class ModelVersionStatus:
    """Statuses of model versions, as the numbers and the names that they have."""

    PENDING_REGISTRATION = 1
    FAILED_REGISTRATION = 2
    READY = 3

    _NAMES: Final = {1: "PENDING_REGISTRATION", 2: "FAILED_REGISTRATION", 3: "READY"}

    @staticmethod
    def from_string(status_str: str) -> int:
        for number, name in ModelVersionStatus._NAMES.items():
            if name == status_str:
                return number
        raise InvalidParameter(
            f"there is no status of model versions {status_str!r}; there are {list(ModelVersionStatus._NAMES.values())}"
        )

    @staticmethod
    def to_string(status: int) -> str:
        if status not in ModelVersionStatus._NAMES:
            raise InvalidParameter(
                f"there is no status of model versions {status!r}; there are {list(ModelVersionStatus._NAMES)}"
            )
        return ModelVersionStatus._NAMES[status]

    @staticmethod
    def all_status() -> list[int]:
        return list(ModelVersionStatus._NAMES)


@dataclass(frozen=True, repr=False)
class ModelVersionTag(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class RegisteredModelTag(Entity):
    key: str
    value: str


@dataclass(frozen=True, repr=False)
class RegisteredModelAlias(Entity):
    alias: str
    version: str


class ModelVersion(Entity):
    def __init__(
        self,
        name: str,
        version: str,
        creation_timestamp: int,
        last_updated_timestamp: int | None = None,
        description: str | None = None,
        user_id: str | None = None,
        current_stage: str | None = None,
        source: str | None = None,
        run_id: str | None = None,
        status: str = "READY",
        status_message: str | None = None,
        tags: Sequence[ModelVersionTag] | None = None,
        run_link: str | None = None,
        aliases: list[str] | None = None,
        model_id: str | None = None,
        params: list[LoggedModelParameter] | None = None,
        metrics: list[Metric] | None = None,
        deployment_job_state: Any = None,
        workspace: str | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.creation_timestamp = creation_timestamp
        self.last_updated_timestamp = last_updated_timestamp
        self.description = description
        self.user_id = user_id
        self.current_stage = current_stage
        self.source = source
        self.run_id = run_id
        self.status = status
        self.status_message = status_message
        self.tags = {tag.key: tag.value for tag in tags or ()}
        self.run_link = run_link
        self.aliases = aliases or []
        self.model_id = model_id
        self.params = params
        self.metrics = metrics
        self.deployment_job_state = deployment_job_state
        self.workspace = workspace or "default"


class RegisteredModel(Entity):
    def __init__(
        self,
        name: str,
        creation_timestamp: int | None = None,
        last_updated_timestamp: int | None = None,
        description: str | None = None,
        latest_versions: list[ModelVersion] | None = None,
        tags: Sequence[RegisteredModelTag] | None = None,
        aliases: Sequence[RegisteredModelAlias] | None = None,
        deployment_job_id: str | None = None,
        deployment_job_state: Any = None,
        workspace: str | None = None,
    ) -> None:
        self.name = name
        self.creation_timestamp = creation_timestamp
        self.last_updated_timestamp = last_updated_timestamp
        self.description = description
        self.latest_versions = latest_versions or []
        self.tags = {tag.key: tag.value for tag in tags or ()}
        self.aliases = {alias.alias: alias.version for alias in aliases or ()}
        self.deployment_job_id = deployment_job_id
        self.deployment_job_state = deployment_job_state
        self.workspace = workspace or "default"
