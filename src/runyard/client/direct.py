"""Large files straight to and from an object store, at addresses that the server signs: in parts, several at once.

A part that breaks off is sent, or fetched on from where it broke, by itself. What the store has is checked: each part
that is sent by its MD5, which stores compare, and a file that was fetched by the SHA-256 that is kept with it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError, SSLError

from runyard.client.codec import content_of
from runyard.errors import RunyardError, Unavailable
from runyard.wire.artifacts import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    CreateMultipartUploadResponse,
    MultipartUploadCredential,
    MultipartUploadPart,
    PresignedDownload,
)
from runyard.wire.base import Empty
from runyard.wire.server import ServerInfo

if TYPE_CHECKING:
    from runyard.client.artifacts import Progress
    from runyard.client.http import HttpTransport

A = TypeVar("A")
T = TypeVar("T")

# Smaller ones are through the server before an address for them is signed.
MIN_BYTES: Final = 16 * 1024 * 1024
PART_BYTES: Final = 16 * 1024 * 1024
# A store takes 10,000.
MAX_PARTS: Final = 9_000
PARTS_AT_ONCE: Final = 4
TRIES: Final = 5
# Then the file goes through the server.
TRIES_WHERE_AWAY: Final = 2
_BACKOFF_S: Final = 0.5
_BLOCK_BYTES: Final = 1024 * 1024
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
_MPU: Final = "/api/2.0/mlflow-artifacts/mpu"
_PRESIGNED: Final = "/api/2.0/mlflow-artifacts/presigned"


class Unreachable(Exception):
    """The store does not let this machine in, or is not to be reached from it; the server may be."""


class DirectTransfers:
    """Transfers for one server. Its methods may be called from several threads."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        # Without the server's headers: its password is none of the store's business.
        self._http = transport.plain_pool()
        self._info: ServerInfo | None = None

    def can_upload(self, size_bytes: int) -> bool:
        """Whether a file of that size should go straight to the store."""
        return size_bytes >= MIN_BYTES and self._capabilities().multipart_uploads_enabled

    def can_download(self, size_bytes: int) -> bool:
        """Whether a file of that size should come straight from the store."""
        return size_bytes >= MIN_BYTES and self._capabilities().multipart_downloads_enabled

    def upload(self, source: Path, size_bytes: int, sha256: str, path: str, progress: Progress) -> None:
        """Send a file in parts.

        Raises:
            Unreachable: the store cannot be reached from here; nothing is left of the upload.
            NotImplementedHere: this file has to go through the server.
        """
        folder, _, name = path.rpartition("/")
        part_bytes = max(PART_BYTES, -(-size_bytes // MAX_PARTS))
        create = CreateMultipartUpload(
            artifact_path=folder, path=name, num_parts=max(1, -(-size_bytes // part_bytes)), sha256=sha256
        )
        begun = self._transport.call(
            "POST", f"{_MPU}/create/{quote(folder)}", content_of(create), CreateMultipartUploadResponse
        )
        told = _Told(progress)

        def send(credential: MultipartUploadCredential) -> MultipartUploadPart:
            with source.open("rb") as file:
                file.seek((credential.part_number - 1) * part_bytes)
                content = file.read(part_bytes)
            etag = self._put(credential, content)
            told(len(content))
            return MultipartUploadPart(part_number=credential.part_number, etag=etag, url=credential.url)

        upload_id = begun.upload_id
        try:
            parts = _at_once(send, begun.credentials)
            complete = CompleteMultipartUpload(
                artifact_path=folder, path=name, upload_id=upload_id, parts=parts, sha256=sha256
            )
            self._transport.call("POST", f"{_MPU}/complete/{quote(folder)}", content_of(complete), Empty)
        except BaseException:
            told.take_back()
            abort = AbortMultipartUpload(artifact_path=folder, path=name, upload_id=upload_id)
            # Where this fails too, the server removes what is left later.
            with contextlib.suppress(RunyardError):
                self._transport.call("POST", f"{_MPU}/abort/{quote(folder)}", content_of(abort), Empty)
            raise

    def download(self, path: str, target: Path, progress: Progress) -> str | None:
        """Fetch a file in parts into ``target``, which is there; return its SHA-256 if that is known.

        Raises:
            NotFound: there is no such file.
            Unreachable: the store cannot be reached from here.
            NotImplementedHere: this file has to go through the server.
        """
        signed = self._sign(path)
        size_bytes = signed.file_size
        os.truncate(target, size_bytes)
        told = _Told(progress)
        address = _Address(signed.url, lambda: self._sign(path).url)

        def fetch(start: int) -> None:
            with target.open("r+b") as file:
                self._fetch(address, start, min(start + PART_BYTES, size_bytes), file, told)

        try:
            _at_once(fetch, range(0, size_bytes, PART_BYTES))
        except BaseException:
            told.take_back()
            raise
        return signed.sha256

    def _capabilities(self) -> ServerInfo:
        if self._info is None:
            self._info = self._transport.server_info()
        return self._info

    def _sign(self, path: str) -> PresignedDownload:
        return self._transport.call("GET", f"{_PRESIGNED}/{quote(path)}", None, PresignedDownload)

    def _put(self, credential: MultipartUploadCredential, content: bytes) -> str:
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        headers = {**credential.headers, "Content-MD5": digest}

        def send() -> str:
            answer = self._http.request(
                "PUT", credential.url, body=content, headers=headers, timeout=_TIMEOUT, retries=False
            )
            _check(answer.status)
            return answer.headers.get("ETag", "")

        return _tried(send)

    def _fetch(self, address: _Address, start: int, end: int, file: IO[bytes], told: _Told) -> None:
        file.seek(start)

        def fetch() -> None:
            url = address.url
            headers = {"Range": f"bytes={file.tell()}-{end - 1}"}
            with self._http.request(
                "GET", url, headers=headers, timeout=_TIMEOUT, retries=False, preload_content=False
            ) as answer:
                if answer.status == 403:
                    address.renew(url)
                # The whole of it would not belong where this part does.
                _check(answer.status, expected=(206,))
                for block in answer.stream(_BLOCK_BYTES):
                    file.write(block)
                    told(len(block))

        _tried(fetch)


class _Refused(Exception):
    """An answer that another try may change."""


def _check(status: int, expected: tuple[int, ...] = (200, 201)) -> None:
    if status not in expected:
        raise _Refused(f"status {status}")


def _tried(send: Callable[[], T]) -> T:
    """Return what ``send`` returns, after as many tries as it may take."""
    for attempt in range(1, TRIES + 1):
        try:
            return send()
        except (_Refused, HTTPError) as error:
            is_away = isinstance(error, (_Refused, NewConnectionError, ConnectTimeoutError, SSLError, ProxyError))
            if attempt >= (TRIES_WHERE_AWAY if is_away else TRIES):
                if is_away:
                    raise Unreachable(str(error)) from error
                raise Unavailable(f"the transfer to the artifact store broke off {attempt} times: {error}") from error
        time.sleep(_BACKOFF_S * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _at_once(work: Callable[[A], T], items: Iterable[A]) -> list[T]:
    """Return what ``work`` gives for each item, in their order; the first error ends what has not begun."""
    with ThreadPoolExecutor(PARTS_AT_ONCE, "runyard-transfer") as threads:
        futures = [threads.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


class _Told:
    """Progress of several threads, which can be taken back."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._total = 0

    def __call__(self, byte_count: int) -> None:
        with self._lock:
            self._total += byte_count
            self._progress(byte_count)

    def take_back(self) -> None:
        self(-self._total)


class _Address:
    """A signed address, and another one when it is too old."""

    def __init__(self, url: str, sign: Callable[[], str]) -> None:
        self.url = url
        self._sign = sign
        self._lock = threading.Lock()

    def renew(self, refused: str) -> None:
        with self._lock:
            if self.url == refused:
                self.url = self._sign()
