"""What a server tells of, as objects: experiments, runs, models, versions and what belongs to them."""

from runyard.entities.base import PagedList
from runyard.entities.experiments import Experiment, ExperimentTag
from runyard.entities.logged_models import LoggedModel, LoggedModelParameter, LoggedModelStatus, LoggedModelTag
from runyard.entities.runs import (
    Dataset,
    DatasetInput,
    FileInfo,
    InputTag,
    LifecycleStage,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    RunTag,
    SourceType,
    ViewType,
)
from runyard.entities.workspaces import TraceArchivalConfig, Workspace, WorkspaceDeletionMode

__all__ = [
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Metric",
    "PagedList",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "SourceType",
    "TraceArchivalConfig",
    "ViewType",
    "Workspace",
    "WorkspaceDeletionMode",
]
