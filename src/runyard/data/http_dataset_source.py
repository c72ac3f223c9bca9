"""A file at an address of the web."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from runyard.client.datasets import DatasetSource
from runyard.errors import InvalidParameter, Unavailable
from runyard.settings import load_client_settings
from runyard.wire.names import shown

_FILENAME: Final = re.compile(r"filename=\"?([^\";]+)")
_BLOCK_BYTES: Final = 1024 * 1024


class HTTPDatasetSource(DatasetSource):
    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    @staticmethod
    def _get_source_type() -> str:
        return "http"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        return isinstance(raw_source, str) and raw_source.startswith(("http://", "https://"))

    @classmethod
    def _resolve(cls, raw_source: Any) -> HTTPDatasetSource:
        return cls(raw_source)

    def load(self, dst_path: str | None = None) -> str:
        """Fetch the file into the folder ``dst_path``, by default a new temporary one; return its path.

        Raises:
            InvalidParameter: the server gives the file a name that leads out of the folder.
            Unavailable: the file cannot be fetched.
        """
        import urllib3

        from runyard.client.http import new_pool

        told = load_client_settings()
        # The address is anybody's: it gets nothing that says who we are.
        pool = new_pool(self._url, dataclasses.replace(told, client_cert_path=None))
        try:
            with pool.request("GET", self._url, preload_content=False, timeout=told.request_timeout_s) as answer:
                if answer.status != 200:
                    raise Unavailable(f"{shown(self._url)} answered with status {answer.status}")
                folder = Path(dst_path or tempfile.mkdtemp(prefix="runyard-"))
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / self._name(answer.headers.get("Content-Disposition", ""))
                with path.open("wb") as file:
                    for block in answer.stream(_BLOCK_BYTES):
                        file.write(block)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"cannot fetch {shown(self._url)}: {error}") from error
        finally:
            pool.clear()
        return str(path)

    def _name(self, disposition: str) -> str:
        found = _FILENAME.search(disposition)
        name = found[1].strip("' ") if found else unquote(Path(urlsplit(self._url).path).name) or "dataset_source"
        if Path(name).name != name or name in {".", ".."} or "\\" in name:
            raise InvalidParameter(f"{shown(self._url)} names its file {shown(name)}, which is a path and no name")
        return name

    def to_dict(self) -> dict[str, Any]:
        return {"url": self._url}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> HTTPDatasetSource:
        if source_dict.get("url") is None:
            raise InvalidParameter(f"a source of the kind 'http' needs url, got {source_dict!r}")
        return cls(source_dict["url"])
