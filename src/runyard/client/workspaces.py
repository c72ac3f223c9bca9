"""Workspaces of a server that has them: made, changed and deleted there, and chosen for what this process asks for.

The chosen one goes along with every request, as a header. A server without workspaces would take no notice of it, and
put what is logged where it is not looked for: so it is asked first.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar
from urllib.parse import quote

from runyard import settings
from runyard.client.answers import Json
from runyard.client.connections import NOT_WITH_SPOOL, connect
from runyard.entities.workspaces import TraceArchivalConfig, Workspace, WorkspaceDeletionMode
from runyard.errors import ConfigurationError, EndpointNotFound, InvalidParameter, MethodNotAllowed, RunyardError
from runyard.wire.base import Empty, Response
from runyard.wire.names import shown

R = TypeVar("R", bound=Response)

DEFAULT: Final = "default"
_PATH: Final = "/api/3.0/mlflow/workspaces"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RESERVED: Final = frozenset({"workspaces", "api", "ajax-api", "static-files"})


class _Answer(Response):
    workspace: Json


class _Answers(Response):
    workspaces: list[Json] = []


def set_workspace(workspace: str | None) -> None:
    """Have everything asked for from now on be of a workspace; None is the server's default one."""
    if workspace is not None:
        check_name(workspace)
        if settings.load_client_settings().spool:
            raise ConfigurationError(NOT_WITH_SPOOL)
    settings.hand_down("RUNYARD_WORKSPACE", None)
    settings.hand_down("MLFLOW_WORKSPACE", workspace)


def check_name(name: str) -> str:
    """Return the name of a workspace, which is 2 to 63 of a-z, 0-9 and '-', with no '-' at its ends.

    Raises:
        InvalidParameter: it is none.
    """
    if not 2 <= len(name) <= 63 or _NAME.fullmatch(name) is None:
        raise InvalidParameter(
            f"Workspace name {shown(name)} must be 2 to 63 lowercase letters, digits and '-', without '-' at its ends"
        )
    if name in _RESERVED:
        raise InvalidParameter(f"Workspace name {shown(name)} is reserved and cannot be used")
    return name


class WorkspaceCalls:
    """What `MlflowClient` does with workspaces."""

    _workspace_store_uri: str

    def get_workspace_store_uri(self) -> str:
        """Return the URI of the server whose workspaces are meant."""
        return self._workspace_store_uri

    def list_workspaces(self) -> list[Workspace]:
        return [Workspace.from_dict(each) for each in self._call("GET", "", None, _Answers).workspaces]

    def create_workspace(
        self,
        name: str,
        description: str | None = None,
        default_artifact_root: str | None = None,
        trace_archival_config: TraceArchivalConfig | None = None,
    ) -> Workspace:
        content = {"name": check_name(name), **_told(description, default_artifact_root, trace_archival_config)}
        return Workspace.from_dict(self._call("POST", "", content, _Answer).workspace)

    def get_workspace(self, name: str) -> Workspace:
        return Workspace.from_dict(self._call("GET", _below(name), None, _Answer).workspace)

    def update_workspace(
        self,
        name: str,
        description: str | None = None,
        default_artifact_root: str | None = None,
        trace_archival_config: TraceArchivalConfig | None = None,
    ) -> Workspace:
        """Change a workspace; None leaves what is there, '' clears it."""
        content = _told(description, default_artifact_root, trace_archival_config)
        return Workspace.from_dict(self._call("PATCH", _below(name), content, _Answer).workspace)

    def delete_workspace(self, name: str, mode: str = WorkspaceDeletionMode.RESTRICT) -> None:
        """Delete a workspace.

        Args:
            mode: RESTRICT refuses while anything is in it, SET_DEFAULT moves that to the default workspace, CASCADE
                deletes it too.
        """
        try:
            chosen = WorkspaceDeletionMode(mode)
        except ValueError:
            known = ", ".join(each.value for each in WorkspaceDeletionMode)
            raise InvalidParameter(f"Invalid deletion mode {shown(mode)}: expected one of {known}") from None
        query = "" if chosen is WorkspaceDeletionMode.RESTRICT else f"?mode={chosen.value}"
        self._call("DELETE", _below(name) + query, None, Empty)

    def _call(self, method: str, path: str, content: Json | None, kind: type[R]) -> R:
        transport = connect(self._workspace_store_uri)
        try:
            return transport.call(method, _PATH + path, content, kind)
        except (EndpointNotFound, MethodNotAllowed):
            raise RunyardError(
                f"{transport.uri} has no workspaces: an MLflow server has them that was started with "
                "--enable-workspaces",
                "FEATURE_DISABLED",
            ) from None


def _told(
    description: str | None, default_artifact_root: str | None, trace_archival_config: TraceArchivalConfig | None
) -> Json:
    archival = trace_archival_config or TraceArchivalConfig()
    workspace = Workspace("", description, default_artifact_root, archival.location, archival.retention).to_dict()
    return {name: value for name, value in workspace.items() if name != "name" and value is not None}


def _below(name: str) -> str:
    return f"/{quote(name if name == DEFAULT else check_name(name), safe='')}"
