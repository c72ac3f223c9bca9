"""Addresses at which clients move artifacts straight to and from an object store, without this server in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.concurrency import run_in_threadpool

from runyard.artifacts.store import ArtifactStore, SentPart, Signer, unsigned
from runyard.artifacts.uris import PROXY_SCHEME, check_artifact_path, scheme_of
from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.routes.artifacts import below, proxied_store, store_of
from runyard.server.routes.runs import run_id_of
from runyard.server.services import Services
from runyard.store import logged_models, runs
from runyard.wire.artifacts import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    CreateMultipartUploadResponse,
    CreatePresignedDownloadUrl,
    CreatePresignedUploadUrl,
    GetPresignedDownloadUrl,
    MultipartUploadCredential,
    PresignedDownload,
    PresignedUrl,
    TransferRequest,
)
from runyard.wire.base import EMPTY, Empty
from runyard.wire.names import check_present

# The protocol's own, for one signed on its own.
DEFAULT_UPLOAD_S: Final = 900

_proxied = Routes("artifacts", api="mlflow-artifacts")
_protocol = Routes("artifacts")


@_proxied.post("mpu/create/{artifact_path:path}")
async def create_multipart_upload(services: Services, request: CreateMultipartUpload) -> CreateMultipartUploadResponse:
    """Begin an artifact that is sent in parts; the answer holds an address for each."""
    signer = await _signer(services, proxied_store(services), "Multipart upload")
    lifetime = timedelta(seconds=services.settings.signed_upload_s)
    begun = await signer.start_upload(_target(request), request.num_parts, lifetime, request.sha256)
    return CreateMultipartUploadResponse(
        upload_id=begun.upload_id,
        credentials=[
            MultipartUploadCredential(url=part.url, part_number=number, headers=part.headers)
            for number, part in enumerate(begun.parts, 1)
        ],
    )


@_proxied.post("mpu/complete/{artifact_path:path}")
async def complete_multipart_upload(services: Services, request: CompleteMultipartUpload) -> Empty:
    """Make an artifact of the parts that were sent."""
    if not request.parts:
        raise InvalidParameter("Missing value for required parameter 'parts': name the parts that were sent")
    numbers = [part.part_number for part in request.parts]
    if len(set(numbers)) < len(numbers):
        raise InvalidParameter("Invalid parts: a part_number is there twice")
    parts = sorted(
        (SentPart(part.part_number, part.etag or "") for part in request.parts), key=lambda part: part.number
    )
    signer = await _signer(services, proxied_store(services), "Multipart upload")
    await signer.finish_upload(_target(request), request.upload_id, parts, request.sha256)
    return EMPTY


@_proxied.post("mpu/abort/{artifact_path:path}")
async def abort_multipart_upload(services: Services, request: AbortMultipartUpload) -> Empty:
    """Give an upload up; its parts go."""
    signer = await _signer(services, proxied_store(services), "Multipart upload")
    await signer.abort_upload(_target(request), request.upload_id)
    return EMPTY


@_proxied.get("presigned/{artifact_path:path}")
async def get_presigned_download_url(services: Services, request: GetPresignedDownloadUrl) -> PresignedDownload:
    """Return an address at which an artifact can be fetched from the store itself."""
    store = proxied_store(services)
    signer = await _signer(services, store, "Presigned download")
    path = check_artifact_path(request.artifact_path)
    found = await store.head(path)
    signed = await signer.sign_read(path, timedelta(seconds=services.settings.signed_download_s))
    return PresignedDownload(url=signed.url, headers=signed.headers, file_size=found.size_bytes, sha256=found.sha256)


@_protocol.post("artifacts/presigned-upload-url")
async def create_presigned_upload_url(services: Services, request: CreatePresignedUploadUrl) -> PresignedUrl:
    """Return an address to which an artifact of a run or a logged model can be sent whole."""
    if bool(request.run_id) == bool(request.model_id):
        raise InvalidParameter("Exactly one of run_id and model_id must be provided.")
    if request.run_id:
        root = await run_in_threadpool(services.database.read, runs.get_artifact_uri, request.run_id)
    else:
        root = await run_in_threadpool(services.database.read, logged_models.get_artifact_uri, request.model_id or "")
    store, path = _direct(services, root, request.path)
    signer = await _signer(services, store, "Presigned upload")
    lifetime = timedelta(seconds=DEFAULT_UPLOAD_S if request.expiration is None else request.expiration)
    signed = await signer.sign_write(path, lifetime)
    return PresignedUrl(presigned_url=signed.url, headers=signed.headers)


@_protocol.post("artifacts/presigned-download-url", reads=True)
async def create_presigned_download_url(services: Services, request: CreatePresignedDownloadUrl) -> PresignedUrl:
    """Return an address at which an artifact of a run can be fetched from the store itself."""
    root = await run_in_threadpool(services.database.read, runs.get_artifact_uri, run_id_of(request))
    store, path = _direct(services, root, request.path)
    signer = await _signer(services, store, "Presigned download")
    found = await store.head(path)
    seconds = services.settings.signed_download_s if request.expiration is None else request.expiration
    signed = await signer.sign_read(path, timedelta(seconds=seconds))
    return PresignedUrl(presigned_url=signed.url, headers=signed.headers, file_size=found.size_bytes)


routes: Final = (*_proxied, *_protocol)


async def _signer(services: Services, store: ArtifactStore, what: str) -> Signer:
    if store.signer is None or not services.settings.direct_transfers or not await store.signer.can_sign():
        raise unsigned(what)
    return store.signer


def _target(request: TransferRequest) -> str:
    check_present("path", request.path)
    # The client's own path, of whichever system it runs on.
    name = request.path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return check_artifact_path(below(check_artifact_path(request.artifact_path), name))


def _direct(services: Services, root: str, path: str) -> tuple[ArtifactStore, str]:
    if scheme_of(root) in {PROXY_SCHEME, "http", "https"}:
        raise InvalidParameter(
            f"presigned addresses are for artifact roots that clients reach themselves, and this one ({root}) is "
            "reached through the server: its clients ask mlflow-artifacts/presigned and mlflow-artifacts/mpu"
        )
    checked = check_artifact_path(path)
    check_present("path", checked)
    store, prefix = store_of(services, root)
    return store, below(prefix, checked)
