"""Artifacts by their URIs: listed, fetched and read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from runyard.client.client import MlflowClient, fetch
from runyard.client.connections import connect, get_tracking_uri, registry_beside
from runyard.client.sources import find_source
from runyard.entities import FileInfo
from runyard.errors import InvalidParameter

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """Fetch a file or a folder; return where it is now.

    Args:
        artifact_uri: runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME@ALIAS, or where the files are kept; or
            instead of it
        run_id, artifact_path: a run, and what to fetch of its artifacts; by default all.
        dst_path: local folder to write to; by default a new temporary one.
    """
    _check_one(artifact_uri, run_id, artifact_path)
    if run_id is not None:
        return MlflowClient(tracking_uri).download_artifacts(run_id, artifact_path or "", dst_path)
    assert artifact_uri is not None
    tracking_uri = tracking_uri or get_tracking_uri()
    registry = connect(registry_uri or registry_beside(tracking_uri))
    folder, path = find_source(connect(tracking_uri), str(artifact_uri), registry)
    return fetch(folder, path, dst_path)


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """Return what is directly below a folder."""
    _check_one(artifact_uri, run_id, artifact_path)
    if run_id is not None:
        return MlflowClient(tracking_uri).list_artifacts(run_id, artifact_path)
    assert artifact_uri is not None
    tracking_uri = tracking_uri or get_tracking_uri()
    folder, path = find_source(connect(tracking_uri), str(artifact_uri), connect(registry_beside(tracking_uri)))
    return [FileInfo(file.path, file.is_dir, file.file_size) for file in folder.list(path)]


def load_text(artifact_uri: str) -> str:
    """Return what a text file holds."""
    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        return Path(download_artifacts(artifact_uri, dst_path=folder)).read_text(encoding="utf-8")


def load_dict(artifact_uri: str) -> dict[str, Any]:
    """Return what a JSON file holds."""
    text = load_text(artifact_uri)
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise InvalidParameter(f"Unable to form a JSON object from file content: {error}") from None


def load_image(artifact_uri: str) -> Any:
    """Return a picture as a Pillow image."""
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        image = Image.open(download_artifacts(artifact_uri, dst_path=folder))
        # The file is gone after this.
        image.load()
        return image


def _check_one(artifact_uri: str | None, run_id: str | None, artifact_path: str | None) -> None:
    if (artifact_uri is None) == (run_id is None):
        raise InvalidParameter("Exactly one of `artifact_uri` and `run_id` must be specified")
    if artifact_uri is not None and artifact_path is not None:
        raise InvalidParameter("`artifact_path` goes with `run_id`; in `artifact_uri` it is part of the URI")
