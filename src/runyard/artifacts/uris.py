"""Artifact URIs and the paths below them: joining, and refusing what climbs out."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from runyard.errors import InvalidParameter
from runyard.wire.names import MAX_ARTIFACT_LOCATION_LENGTH, check_length, check_no_nul, shown

PROXY_SCHEME: Final = "mlflow-artifacts"
S3_SCHEMES: Final = frozenset({"s3", "s3a"})
AZURE_SCHEMES: Final = frozenset({"az", "adl", "azure", "abfs", "abfss", "wasb", "wasbs"})
GCS_SCHEMES: Final = frozenset({"gs"})
# What object stores are named by.
BUCKET_SCHEMES: Final = S3_SCHEMES | AZURE_SCHEMES | GCS_SCHEMES
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_MAX_ENCODINGS: Final = 5
_MAX_PATH_LENGTH: Final = 4096
_MAX_NAME_BYTES: Final = 255


def scheme_of(uri: str) -> str:
    """Return the scheme of ``uri`` in lower case; '' for a bare path."""
    found = _SCHEME.match(uri)
    return found[1].lower() if found is not None else ""


def join_uri(root: str, *parts: str) -> str:
    """Return the URI below ``root``; a bare relative root becomes absolute, so that it means one place for everyone."""
    if not scheme_of(root):
        root = str(Path(root).absolute())
    # A query, such as a bucket's options, stays at the end.
    base, mark, query = root.partition("?")
    joined = "/".join([base.rstrip("/"), *parts])
    if joined.startswith(f"{PROXY_SCHEME}:") and not joined.startswith(f"{PROXY_SCHEME}:/"):
        joined = joined.replace(":", ":/", 1)
    return f"{joined}{mark}{query}"


def check_artifact_location(uri: str) -> None:
    """Raise InvalidParameter unless ``uri`` may be an experiment's artifact location."""
    field = "artifact_location"
    check_length(field, uri, MAX_ARTIFACT_LOCATION_LENGTH)
    check_no_nul(field, uri)
    if "#" in uri or "?" in uri.removeprefix("?"):
        raise InvalidParameter(f"Invalid {field} {shown(uri)}: it may not contain '#' or '?'")
    if ".." in _decoded(uri).replace("\\", "/").split("/"):
        raise InvalidParameter(f"Invalid {field} {shown(uri)}: it may not contain '..'")


def check_artifact_path(path: str, field: str = "path") -> str:
    """Return ``path`` in its normal form, without empty steps; '' is the root itself.

    Raises:
        InvalidParameter: it is absolute or climbs out, in any encoding, or is no name a file system takes.
    """
    if len(path) > _MAX_PATH_LENGTH:
        raise InvalidParameter(f"Invalid {field}: it may have at most {_MAX_PATH_LENGTH} characters, got {len(path)}")
    decoded = _decoded(path)
    for form in (path, decoded):
        if form.startswith(("/", "\\")) or _DRIVE.match(form) is not None or scheme_of(form) == "file":
            raise InvalidParameter(f"Invalid {field} {shown(path)}: it must be relative")
        if ".." in form.replace("\\", "/").split("/"):
            raise InvalidParameter(f"Invalid {field} {shown(path)}: it may not contain '..'")
    # Not in other encodings of it: `50%18.png` is a name, and a keyed image's may hold `%00`.
    check_no_nul(field, path)
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise InvalidParameter(f"Invalid {field} {shown(path)}: it may not contain control characters")
    if "\\" in path:
        raise InvalidParameter(f"Invalid {field} {shown(path)}: its steps are separated by '/', not by a backslash")
    steps = [step for step in path.split("/") if step not in {"", "."}]
    for step in steps:
        if len(step.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES:
            raise InvalidParameter(f"Invalid {field} {shown(path)}: a name may have at most {_MAX_NAME_BYTES} bytes")
    return "/".join(steps)


def proxied_path(uri: str) -> str:
    """Return where below the server's own artifacts a `mlflow-artifacts:` URI points."""
    return urlsplit(uri).path.strip("/")


def local_path(uri: str) -> Path | None:
    """Return the path that a `file:` URI or a bare path means; None for any other URI."""
    scheme = scheme_of(uri)
    if scheme == "file":
        return Path(unquote(urlsplit(uri).path))
    if scheme and not (os.name == "nt" and _DRIVE.match(uri)):
        return None
    return Path(uri).absolute()


def _decoded(text: str) -> str:
    for _ in range(_MAX_ENCODINGS):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text
