"""What an artifact URI given by a user means: which folder, and what in it."""

from __future__ import annotations

import re
from typing import Final

from runyard.artifacts.uris import PROXY_SCHEME, check_artifact_path, local_path, proxied_path, scheme_of
from runyard.client import registry, tracking
from runyard.client.artifacts import ArtifactFolder, open_folder
from runyard.client.transport import Transport
from runyard.errors import InvalidParameter, NotFound
from runyard.wire.names import shown

_MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}")
_FORMS: Final = "runs:/RUN_ID/PATH, models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME@ALIAS or models:/MODEL_ID"


def find_source(
    transport: Transport, uri: str, registry_transport: Transport | None = None
) -> tuple[ArtifactFolder, str]:
    """Return a folder and the path in it of the file or folder that ``uri`` names.

    The path is the URI's last step, so that what is downloaded keeps that name; '' where a root was named.

    Args:
        registry_transport: to where registered models are looked up; by default where runs are.
    Raises:
        InvalidParameter: the URI is of no form that is known.
        NotFound: there is no such run, model or version.
    """
    scheme = scheme_of(uri)
    if scheme == "runs":
        return _of_run(transport, *_split(uri))
    if scheme == "models":
        return _of_model(transport, registry_transport or transport, *_split(uri))
    if scheme == PROXY_SCHEME:
        return _below(transport, f"{PROXY_SCHEME}:/", proxied_path(uri))
    folder, _, name = uri.rstrip("/").rpartition("/")
    if local_path(uri) is not None and not folder:
        folder = "/" if uri.startswith("/") else "."
    return open_folder(transport, folder), name


def _of_run(transport: Transport, run_id: str, path: str) -> tuple[ArtifactFolder, str]:
    """Look among the run's own artifacts, then for a model that it logged by that name."""
    info = tracking.get_run(transport, run_id).info
    folder, name = _below(transport, info.artifact_uri, path)
    if name and name not in {file.path for file in folder.list("")}:
        model_name, _, below = path.partition("/")
        model = registry.find_logged_model_of_run(transport, info.experiment_id, run_id, model_name)
        if model is not None:
            return _below(transport, model.artifact_location, below)
    return folder, name


def find_version(transport: Transport, uri: str) -> tuple[str, str] | None:
    """Return the name and the version of the registered model that ``uri`` names now; None where it names none.

    Raises:
        InvalidParameter: the URI is of no form that is known.
        NotFound: there is no such model, or none with that alias or in that stage.
    """
    if scheme_of(uri) != "models":
        return None
    named, path = _split(uri)
    return None if _MODEL_ID.fullmatch(named) else _version(transport, named, path)[:2]


def _of_model(transport: Transport, registry_transport: Transport, named: str, path: str) -> tuple[ArtifactFolder, str]:
    if _MODEL_ID.fullmatch(named):
        return _below(transport, registry.get_logged_model(transport, named).artifact_location, path)
    name, version, path = _version(registry_transport, named, path)
    # The files are where the run or the logged model that the version was made of keeps them.
    uri = registry.get_download_uri(registry_transport, name, version)
    if scheme_of(uri) in {"runs", "models"}:
        return find_source(transport, f"{uri.rstrip('/')}/{path}".rstrip("/"), registry_transport)
    return _below(transport, uri, path)


def _version(transport: Transport, named: str, path: str) -> tuple[str, str, str]:
    """Return the name, the version, and the path below it."""
    name, _, alias = named.partition("@")
    if alias:
        return name, registry.get_version_by_alias(transport, name, alias).version, path
    wanted, _, path = path.partition("/")
    return name, wanted if wanted.isdecimal() else _latest_version(transport, name, wanted), path


def _latest_version(transport: Transport, name: str, stage: str) -> str:
    if not stage:
        raise InvalidParameter(f"Invalid artifact URI {shown(f'models:/{name}')}: expected {_FORMS}")
    stages = [] if stage.lower() == "latest" else [stage]
    found = registry.get_latest_versions(transport, name, stages)
    if not found:
        raise NotFound(f"Registered Model {name} has no version{f' in stage {stage}' if stages else ''}")
    return max((version.version for version in found), key=int)


def _split(uri: str) -> tuple[str, str]:
    """Return the first step after the scheme, and the path after it."""
    first, _, path = uri.partition(":")[2].strip("/").partition("/")
    if not first:
        raise InvalidParameter(f"Invalid artifact URI {shown(uri)}: expected {_FORMS}")
    return first, path


def _below(transport: Transport, root_uri: str, path: str) -> tuple[ArtifactFolder, str]:
    parent, _, name = check_artifact_path(path).rpartition("/")
    return open_folder(transport, f"{root_uri.rstrip('/')}/{parent}" if parent else root_uri), name
