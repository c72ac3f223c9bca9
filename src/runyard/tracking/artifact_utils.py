"""Where artifacts are, and how they are fetched, by the names that older programs use."""

from __future__ import annotations

from typing import Any

from runyard.client.artifact_calls import download_artifacts
from runyard.client.client import MlflowClient

__all__ = ["get_artifact_uri"]


def get_artifact_uri(run_id: str, artifact_path: str | None = None, tracking_uri: str | None = None) -> str:
    """Return where a run's artifacts are kept, or one of them."""
    root = MlflowClient(tracking_uri).get_run(run_id).info.artifact_uri or ""
    return root if artifact_path is None else f"{root.rstrip('/')}/{artifact_path}"


def _download_artifact_from_uri(
    artifact_uri: str,
    output_path: str | None = None,
    lineage_header_info: dict[str, Any] | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    return download_artifacts(artifact_uri, dst_path=output_path, tracking_uri=tracking_uri, registry_uri=registry_uri)
