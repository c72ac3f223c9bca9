"""Listings of artifacts on the wire; their bytes travel as plain HTTP bodies."""

from __future__ import annotations

from runyard.wire.base import Response
from runyard.wire.model_versions import VersionRequest
from runyard.wire.runs import RunRequest


class FileInfo(Response):
    path: str
    is_dir: bool
    file_size: int | None = None


class ListArtifacts(RunRequest):
    path: str | None = None
    page_token: str | None = None


class ListVersionArtifacts(VersionRequest):
    path: str | None = None


class ListArtifactsResponse(Response):
    root_uri: str
    files: list[FileInfo] = []
    next_page_token: str | None = None
