"""Artifacts in an object store (S3 and its like, Azure, Google Cloud), with the credentials of the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError

from runyard.artifacts.store import ArtifactStore, Entry, Metadata, Usage, artifact_not_found
from runyard.artifacts.uris import scheme_of
from runyard.errors import ConfigurationError, InvalidParameter, Unavailable

CHUNK_BYTES: Final = 1024 * 1024
# An object store takes at most 10,000 parts: with these, a file may have 80 GiB.
PART_BYTES: Final = 8 * 1024 * 1024


class ObjectStore(ArtifactStore):
    """Objects below the bucket and prefix that ``uri`` names."""

    def __init__(self, uri: str) -> None:
        try:
            # Another Azure spelling of what obstore knows by the newer one.
            self._store: Any = obstore.store.from_url(
                uri.replace("wasbs://", "abfss://", 1) if scheme_of(uri) == "wasbs" else uri
            )
        except (BaseError, ValueError) as error:
            # After its first line it shows its own data structures.
            reason = str(error).partition("\n")[0]
            raise ConfigurationError(
                f"artifacts cannot be kept at {uri!r}: {reason}; expected a folder, s3://BUCKET/PATH, gs://BUCKET/PATH "
                "or abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"
            ) from None

    async def write(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        if not path:
            raise InvalidParameter("Missing value for required parameter 'path': name the file to write")
        with _translated(path):
            writer = obstore.open_writer_async(self._store, path, buffer_size=PART_BYTES)
            # Not its context manager: leaving that on an error would complete the upload.
            async for chunk in chunks:
                await writer.write(chunk)
            await writer.close()

    async def head(self, path: str) -> Metadata:
        with _translated(path):
            found = await obstore.head_async(self._store, path)
        etag = found["e_tag"] or f"{found['last_modified'].timestamp():.6f}-{found['size']}"
        return Metadata(found["size"], etag if etag.startswith('"') else f'"{etag}"', found["last_modified"])

    async def read(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start == end:
            return _nothing()
        with _translated(path):
            found = await obstore.get_async(self._store, path, options={"range": (start, end)})
        return _read(found, path)

    async def list_folder(self, path: str) -> list[Entry]:
        with _translated(path):
            found = await obstore.list_with_delimiter_async(self._store, f"{path}/" if path else None)
        folders = [Entry(prefix.rstrip("/"), True, None) for prefix in found["common_prefixes"]]
        files = [Entry(item["path"], False, item["size"]) for item in found["objects"] if item["path"] != path]
        return sorted([*folders, *files], key=lambda entry: entry.path)

    async def delete(self, path: str) -> None:
        if not path:
            raise InvalidParameter("Missing value for required parameter 'path': name the file or folder to delete")
        with _translated(path):
            async for page in obstore.list(self._store, f"{path}/"):
                await obstore.delete_async(self._store, [item["path"] for item in page])
            try:
                await obstore.delete_async(self._store, path)
            except FileNotFoundError:
                return

    async def usage(self, path: str) -> Usage:
        file_count = size_bytes = 0
        modified: datetime | None = None
        with _translated(path):
            async for page in obstore.list(self._store, f"{path}/"):
                for item in page:
                    file_count += 1
                    size_bytes += item["size"]
                    modified = item["last_modified"] if modified is None else max(modified, item["last_modified"])
        return Usage(file_count, size_bytes, modified)

    async def ping(self) -> None:
        with _translated(""):
            await obstore.list_with_delimiter_async(self._store, "readiness-check/")


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise artifact_not_found(path) from None
    except BaseError as error:
        raise Unavailable(f"the artifact store does not answer: {type(error).__name__}") from error


async def _read(found: Any, path: str) -> AsyncIterator[bytes]:
    with _translated(path):
        async for block in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(block)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
