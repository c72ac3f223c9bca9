"""What an artifact URI given by a user means: which folder, and what in it."""

from __future__ import annotations

from typing import Final

from runyard.artifacts.uris import PROXY_SCHEME, check_artifact_path, local_path, proxied_path, scheme_of
from runyard.client import tracking
from runyard.client.artifacts import ArtifactFolder, open_folder
from runyard.client.transport import Transport
from runyard.errors import InvalidParameter
from runyard.wire.names import shown

_FORMS: Final = "runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME@ALIAS or models:/MODEL_ID"


def find_source(transport: Transport, uri: str) -> tuple[ArtifactFolder, str]:
    """Return a folder and the path in it of the file or folder that ``uri`` names.

    The path is the URI's last step, so that what is downloaded keeps that name; '' where a root was named.

    Raises:
        InvalidParameter: the URI is of no form that is known.
        NotFound: there is no such run, model or version.
    """
    scheme = scheme_of(uri)
    if scheme == "runs":
        run_id, path = _split(uri)
        return _below(transport, tracking.get_run(transport, run_id).info.artifact_uri, path)
    if scheme == PROXY_SCHEME:
        return _below(transport, f"{PROXY_SCHEME}:/", proxied_path(uri))
    folder, _, name = uri.rstrip("/").rpartition("/")
    if local_path(uri) is not None and not folder:
        folder = "/" if uri.startswith("/") else "."
    return open_folder(transport, folder), name


def _split(uri: str) -> tuple[str, str]:
    """Return the first step after the scheme, and the path after it."""
    first, _, path = uri.partition(":")[2].strip("/").partition("/")
    if not first:
        raise InvalidParameter(f"Invalid artifact URI {shown(uri)}: expected {_FORMS}")
    return first, path


def _below(transport: Transport, root_uri: str, path: str) -> tuple[ArtifactFolder, str]:
    parent, _, name = check_artifact_path(path).rpartition("/")
    return open_folder(transport, f"{root_uri.rstrip('/')}/{parent}" if parent else root_uri), name
