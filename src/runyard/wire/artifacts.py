"""Listings of artifacts on the wire; their bytes travel as plain HTTP bodies."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runyard.wire.base import Request, Response
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


PartNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
# What clouds allow: a week.
Expiration = Annotated[int, msgspec.Meta(ge=1, le=604_800, description="Seconds.")]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="Of the whole file, in hexadecimal.")]


class TransferRequest(Request, kw_only=True):
    """About a file that is sent in parts: ``artifact_path`` is its folder, in the request's address."""

    artifact_path: str
    # Of which the last step is the file's name.
    path: str


class CreateMultipartUpload(TransferRequest, kw_only=True):
    num_parts: PartNumber = 1
    # Ours; the protocol has no place for it.
    sha256: Sha256 | None = None


class MultipartUploadPart(msgspec.Struct, kw_only=True):
    part_number: PartNumber
    etag: str | None = None
    url: str | None = None


class CompleteMultipartUpload(TransferRequest, kw_only=True):
    upload_id: str
    parts: list[MultipartUploadPart]
    sha256: Sha256 | None = None


class AbortMultipartUpload(TransferRequest, kw_only=True):
    upload_id: str


class MultipartUploadCredential(Response, kw_only=True):
    url: str
    part_number: int
    headers: dict[str, str] = {}


class CreateMultipartUploadResponse(Response):
    upload_id: str
    credentials: list[MultipartUploadCredential]


class GetPresignedDownloadUrl(Request):
    artifact_path: str


class PresignedDownload(Response, kw_only=True):
    url: str
    headers: dict[str, str] = {}
    file_size: int
    # Ours, where it is known.
    sha256: str | None = None


class CreatePresignedDownloadUrl(RunRequest, kw_only=True):
    path: str
    expiration: Expiration | None = None


class CreatePresignedUploadUrl(Request, kw_only=True):
    path: str
    run_id: str | None = None
    model_id: str | None = None
    expiration: Expiration | None = None


class PresignedUrl(Response, kw_only=True):
    presigned_url: str
    headers: dict[str, str] = {}
    file_size: int | None = None
