"""What a server says of itself."""

from __future__ import annotations

from runyard.wire.base import Request, Response


class GetServerInfo(Request):
    pass


class ServerInfo(Response, omit_defaults=False):
    """What is optional in the protocol; a client takes what a server does not name for missing."""

    store_type: str = "SqlStore"
    workspaces_enabled: bool = False
    trace_archival_enabled: bool = False
    multipart_uploads_enabled: bool = False
    multipart_downloads_enabled: bool = False
    presigned_upload_run_id_supported: bool = False
    presigned_upload_model_id_supported: bool = False
    features_enabled: dict[str, bool] = {}
