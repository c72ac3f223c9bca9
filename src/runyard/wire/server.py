"""What a server says of itself."""

from __future__ import annotations

from runyard.wire.base import Request, Response


class GetServerInfo(Request):
    pass


class ServerInfo(Response):
    store_type: str
    workspaces_enabled: bool
    trace_archival_enabled: bool
    multipart_uploads_enabled: bool
    multipart_downloads_enabled: bool
    presigned_upload_run_id_supported: bool
    presigned_upload_model_id_supported: bool
    features_enabled: dict[str, bool]
