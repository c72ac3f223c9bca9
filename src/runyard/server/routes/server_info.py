"""What clients ask about the server before they use it."""

from __future__ import annotations

from runyard.server.endpoints import Routes
from runyard.server.services import Services
from runyard.wire.server import GetServerInfo, ServerInfo

routes = Routes("server")


@routes.get("server-info", version="3.0")
async def get_server_info(services: Services, request: GetServerInfo) -> ServerInfo:
    """Tell which optional parts of the protocol this server has."""
    signer = None
    if services.artifacts is not None and services.settings.direct_transfers:
        signer = services.artifacts.signer
        # Clients rely on what they are told here, and go through the server where they are told nothing.
        if signer is not None and not await signer.can_sign():
            signer = None
    return ServerInfo(
        store_type="SqlStore",
        workspaces_enabled=False,
        trace_archival_enabled=False,
        multipart_uploads_enabled=signer is not None and signer.signs_parts,
        multipart_downloads_enabled=signer is not None and signer.signs_reads,
        presigned_upload_run_id_supported=True,
        presigned_upload_model_id_supported=True,
        features_enabled={"gateway": False},
    )
