"""Workspaces: parts of one server that see nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from typing_extensions import Self


class WorkspaceDeletionMode(str, Enum):
    """What becomes of what is in a workspace that is deleted."""

    SET_DEFAULT = "SET_DEFAULT"
    CASCADE = "CASCADE"
    RESTRICT = "RESTRICT"


@dataclass(frozen=True)
class TraceArchivalConfig:
    """Where traces of a workspace are archived, and how long they are kept: None leaves it, '' clears it."""

    location: str | None = None
    retention: str | None = None


@dataclass(frozen=True)
class Workspace:
    name: str
    description: str | None = None
    default_artifact_root: str | None = None
    trace_archival_location: str | None = None
    trace_archival_retention: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a server writes it."""
        archival = {"location": self.trace_archival_location, "retention": self.trace_archival_retention}
        archival = {name: value for name, value in archival.items() if value is not None}
        return {
            "name": self.name,
            "description": self.description,
            "default_artifact_root": self.default_artifact_root,
            **({"trace_archival_config": archival} if archival else {}),
        }

    @classmethod
    def from_dict(cls, payload: dict[str, Any]) -> Self:
        archival = payload.get("trace_archival_config") or {}
        return cls(
            payload["name"],
            payload.get("description"),
            payload.get("default_artifact_root"),
            archival.get("location"),
            archival.get("retention"),
        )
