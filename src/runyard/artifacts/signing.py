"""Requests that clients may send to an object store themselves, signed with the server's credentials."""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import obstore
import urllib3
from obstore.exceptions import BaseError, NotSupportedError

from runyard.artifacts.clouds import PUBLIC_AZURE, Bucket, upload_arguments
from runyard.artifacts.store import MultipartUpload, SentPart, SignedRequest, Signer, unsigned
from runyard.errors import InvalidParameter, NotImplementedHere, Unavailable

T = TypeVar("T")
_logger: Final = logging.getLogger(__name__)

# What an object store takes at most, S3 and Azure by their documents.
MAX_PARTS: Final = 10_000
_TIMEOUT_S: Final = 60.0
# After which it is tried again whether the credentials may sign.
_ASKED_AGAIN_S: Final = 300.0
_SAS_VERSION: Final = "2021-12-02"
# Of the metadata of an object; Amazon and Azure put their own names before it.
_DIGEST_KEY: Final = "sha256"
# The answers to what a client got wrong: parts that are not there, too small, in another order.
_CLIENT_ERRORS: Final = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


def signer_of(bucket: Bucket) -> Signer | None:
    """Return what signs for a bucket; None where its credentials cannot."""
    if bucket.store.config.get("skip_signature") or "sas_key" in bucket.store.config:
        return None
    if bucket.cloud == "azure":
        return _AzureSigner(bucket)
    if bucket.cloud == "gcs":
        # What is signed is an address at Google's own host; another would not be compared with it.
        return _GoogleSigner(bucket) if bucket.settings.gcs_endpoint_url is None else None
    if bucket.session is not None:
        return _AmazonSigner(bucket)
    # S3 wants its own headers in the signature, and obstore signs none.
    return None if upload_arguments(bucket.settings) else _PlainSigner(bucket)


async def remove_stale_parts(bucket: Bucket, older_than: timedelta) -> int:
    """Remove the parts of uploads that began longer ago and never ended; return how many uploads they were of.

    Azure does so itself, after a week. Google Cloud's, and S3's without Amazon's library, cannot be found from here; a
    rule of the bucket's lifecycle removes them.
    """
    if bucket.cloud != "s3" or bucket.session is None:
        return 0
    return await asyncio.to_thread(_remove_stale_parts, _amazon_client(bucket), bucket, older_than)


class _PlainSigner(Signer):
    """Whole files, of any cloud."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        # Whether it could, and until when that is taken for so.
        self._could: tuple[bool, float] = (False, 0.0)

    async def can_sign(self) -> bool:
        could, until = self._could
        if time.monotonic() >= until:
            try:
                # Without a key of its own the server asks the cloud for each signature, which may refuse.
                await self.sign_read("readiness-check", timedelta(minutes=1))
            except (Unavailable, NotImplementedHere) as error:
                _logger.warning("artifacts go through the server, which may sign no addresses: %s", error)
                could = False
            else:
                could = True
            self._could = could, time.monotonic() + _ASKED_AGAIN_S
        return could

    async def sign_read(self, path: str, lifetime: timedelta) -> SignedRequest:
        return SignedRequest(await self._sign("GET", path, lifetime), {})

    async def sign_write(self, path: str, lifetime: timedelta) -> SignedRequest:
        return SignedRequest(await self._sign("PUT", path, lifetime), {})

    async def _sign(self, method: Any, path: str, lifetime: timedelta) -> str:
        with _signing():
            url: str = await obstore.sign_async(self._bucket.store, method, path, lifetime)
        return url


class _GoogleSigner(_PlainSigner):
    """Google Cloud."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        known = bucket.store
        # Without the prefix, which may hold a % too.
        self._store = obstore.store.GCSStore(
            config=known.config, client_options=known.client_options, retry_config=known.retry_config
        )

    async def _sign(self, method: Any, path: str, lifetime: timedelta) -> str:
        # obstore writes a name into an address as it is: a ? in it would begin the query.
        name = quote(self._bucket.key(path))
        with _signing():
            url: str = await obstore.sign_async(self._store, method, name, lifetime)
        return url


class _AzureSigner(_PlainSigner):
    """A shared access signature is for a blob and what may be done to it: it covers its blocks and their list too."""

    signs_parts = True

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        self._http = urllib3.PoolManager(maxsize=4)
        key = bucket.store.config.get("account_key")
        self._key = base64.b64decode(key) if key is not None else None
        # Without a key obstore signs, by what it asks Azure for; what a name is in an address it takes for the name.
        self.signs_reads = self._key is not None

    async def sign_write(self, path: str, lifetime: timedelta) -> SignedRequest:
        return SignedRequest(await self._sign("PUT", path, lifetime), {"x-ms-blob-type": "BlockBlob"})

    async def start_upload(
        self, path: str, part_count: int, lifetime: timedelta, sha256: str | None = None
    ) -> MultipartUpload:
        upload_id = uuid.uuid4().hex
        url = await self._sign("PUT", path, lifetime)
        numbers = range(1, part_count + 1)
        return MultipartUpload(
            upload_id, [SignedRequest(f"{url}&comp=block&blockid={quote(_block(upload_id, n))}", {}) for n in numbers]
        )

    async def finish_upload(self, path: str, upload_id: str, parts: list[SentPart], sha256: str | None = None) -> None:
        blocks = "".join(f"<Uncommitted>{_block(upload_id, part.number)}</Uncommitted>" for part in parts)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'
        url = await self._sign("PUT", path, timedelta(minutes=5))
        headers = {"Content-Type": "application/xml"}
        if sha256 is not None:
            headers[f"x-ms-meta-{_DIGEST_KEY}"] = sha256
        try:
            answer = await asyncio.to_thread(
                self._http.request, "PUT", f"{url}&comp=blocklist", body=body, headers=headers, timeout=_TIMEOUT_S
            )
        except urllib3.exceptions.HTTPError as error:
            raise _silent(error) from error
        if answer.status == 400:
            raise _wrong_parts(upload_id, answer.headers.get("x-ms-error-code", "400"))
        if answer.status >= 300:
            raise Unavailable(f"the artifact store refused to put the parts together: status {answer.status}")

    async def abort_upload(self, path: str, upload_id: str) -> None:
        """Do nothing: Azure forgets blocks that nobody asked for within a week, and there is no request for it."""

    async def _sign(self, method: Any, path: str, lifetime: timedelta) -> str:
        if self._key is not None:
            return self._signed_by_key("r" if method == "GET" else "cw", path, lifetime, self._key)
        if quote(self._bucket.key(path)) != self._bucket.key(path):
            raise unsigned("Multipart upload" if method == "PUT" else "Presigned download")
        return await super()._sign(method, path, lifetime)

    def _signed_by_key(self, permissions: str, path: str, lifetime: timedelta, key: bytes) -> str:
        """Return a blob's address with a shared access signature for the account's key.

        Source: Azure's "Create a service SAS", the string to sign of version 2020-12-06 and later.
        """
        config = self._bucket.store.config
        account, name = config["account_name"], f"{self._bucket.name}/{self._bucket.key(path)}"
        end = (datetime.now(timezone.utc) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        # From now on, for this blob, nobody in particular, and with the headers that it was stored with.
        signed = [permissions, "", end, f"/blob/{account}/{name}", "", "", "", _SAS_VERSION, "b", *[""] * 7]
        signature = base64.b64encode(hmac.digest(key, "\n".join(signed).encode(), "sha256")).decode()
        query = urlencode({"sv": _SAS_VERSION, "sr": "b", "sp": permissions, "se": end, "sig": signature})
        endpoint = config.get("endpoint") or f"https://{account}.blob.{PUBLIC_AZURE}"
        return f"{endpoint}/{quote(name)}?{query}"


class _AmazonSigner(Signer):
    """All of S3, by Amazon's own library."""

    signs_parts = True

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._arguments = upload_arguments(bucket.settings)
        self._client = _amazon_client(bucket)

    async def sign_read(self, path: str, lifetime: timedelta) -> SignedRequest:
        return SignedRequest(await _called(self._sign, "get_object", path, lifetime), {})

    async def sign_write(self, path: str, lifetime: timedelta) -> SignedRequest:
        url = await _called(self._sign, "put_object", path, lifetime, **self._arguments)
        return SignedRequest(url, self._headers())

    async def start_upload(
        self, path: str, part_count: int, lifetime: timedelta, sha256: str | None = None
    ) -> MultipartUpload:
        return await _called(self._start, path, part_count, lifetime, sha256)

    async def finish_upload(self, path: str, upload_id: str, parts: list[SentPart], sha256: str | None = None) -> None:
        sent = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        await _called(
            self._client.complete_multipart_upload,
            UploadId=upload_id,
            MultipartUpload={"Parts": sent},
            **self._object(path),
        )

    async def abort_upload(self, path: str, upload_id: str) -> None:
        try:
            await _called(self._client.abort_multipart_upload, UploadId=upload_id, **self._object(path))
        except InvalidParameter:
            # It is not there any more.
            return

    def _start(self, path: str, part_count: int, lifetime: timedelta, sha256: str | None) -> MultipartUpload:
        metadata = {_DIGEST_KEY: sha256} if sha256 is not None else {}
        begun = self._client.create_multipart_upload(**self._object(path), Metadata=metadata, **self._arguments)
        upload_id: str = begun["UploadId"]
        numbers = range(1, part_count + 1)
        parts = [self._sign("upload_part", path, lifetime, UploadId=upload_id, PartNumber=n) for n in numbers]
        return MultipartUpload(upload_id, [SignedRequest(url, {}) for url in parts])

    def _sign(self, operation: str, path: str, lifetime: timedelta, **arguments: Any) -> str:
        parameters = {**self._object(path), **arguments}
        url: str = self._client.generate_presigned_url(
            operation, Params=parameters, ExpiresIn=int(lifetime.total_seconds())
        )
        return url

    def _headers(self) -> dict[str, str]:
        names = {
            "ServerSideEncryption": "x-amz-server-side-encryption",
            "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
            "BucketKeyEnabled": "x-amz-server-side-encryption-bucket-key-enabled",
            "RequestPayer": "x-amz-request-payer",
        }
        return {
            names[name]: str(value).lower() if value is True else str(value) for name, value in self._arguments.items()
        }

    def _object(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._bucket.key(path)}


def _amazon_client(bucket: Bucket) -> Any:
    from botocore.config import Config

    settings = bucket.settings
    assert bucket.session is not None
    return bucket.session.create_client(
        "s3",
        region_name=bucket.store.config.get("region") or "us-east-1",
        endpoint_url=settings.s3_endpoint_url,
        verify=False if settings.s3_ignore_tls else settings.s3_ca_bundle,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if settings.s3_endpoint_url is not None else "auto"},
            # Else it asks for checksums that clients who were given only a URL do not know of.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=5,
            read_timeout=_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )


async def _called(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _CLIENT_ERRORS:
            raise _wrong_parts(str(kwargs.get("UploadId", "")), code) from None
        raise Unavailable(f"the artifact store refused the request: {code}") from error
    except BotoCoreError as error:
        raise _silent(error) from error


def _remove_stale_parts(client: Any, bucket: Bucket, older_than: timedelta) -> int:
    deadline = datetime.now(timezone.utc) - older_than
    removed = 0
    pages = client.get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=bucket.name, Prefix=bucket.key("")):
        for upload in page.get("Uploads", []):
            if upload["Initiated"] < deadline:
                client.abort_multipart_upload(Bucket=bucket.name, Key=upload["Key"], UploadId=upload["UploadId"])
                removed += 1
    return removed


@contextmanager
def _signing() -> Iterator[None]:
    try:
        yield
    except NotSupportedError as error:
        raise unsigned("Presigned transfer") from error
    except BaseError as error:
        raise _silent(error) from error


def _block(upload_id: str, number: int) -> str:
    # All of a blob's have to be equally long.
    return base64.b64encode(f"{upload_id}{number:05d}".encode()).decode()


def _wrong_parts(upload_id: str, reason: str) -> InvalidParameter:
    return InvalidParameter(
        f"the upload {upload_id!r} cannot be finished: the store does not have these parts ({reason}); "
        "it was finished or given up before, or a part did not arrive; send the file again"
    )


def _silent(error: Exception) -> Unavailable:
    return Unavailable(f"the artifact store does not answer: {type(error).__name__}")
