"""How the server is: for load balancers, orchestrators and clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runyard.errors import RunyardError
from runyard.server.services import Services

logger = logging.getLogger(__name__)

# Clients ask the version to know which calls they may make, so it is the version of the protocol that is spoken here.
PROTOCOL_VERSION: Final = "3.17.2"
READY_TIMEOUT_S: Final = 5.0


async def health(_request: Request) -> Response:
    """The process answers; asks nothing else of anything."""
    return PlainTextResponse("OK")


async def version(_request: Request) -> Response:
    return PlainTextResponse(PROTOCOL_VERSION)


async def ready(request: Request) -> Response:
    """Database and artifact store answer, so requests can be sent here."""
    services: Services = request.app.state.services
    if services.readiness.refusal is not None:
        return JSONResponse({"ready": False, "server": services.readiness.refusal}, status_code=503)
    checks = {"database": await _checked(run_in_threadpool(services.database.ping))}
    if services.artifacts is not None:
        checks["artifact_store"] = await _checked(services.artifacts.ping())
    is_ready = all(result == "ok" for result in checks.values())
    return JSONResponse({"ready": is_ready, **checks}, status_code=200 if is_ready else 503)


async def _checked(check: Coroutine[Any, Any, object]) -> str:
    try:
        await asyncio.wait_for(check, READY_TIMEOUT_S)
    except asyncio.TimeoutError:
        return f"no answer in {READY_TIMEOUT_S:g} seconds"
    except RunyardError as error:
        return error.message
    except Exception:
        logger.exception("readiness check failed")
        return "failed; the server's log has the details"
    return "ok"


health_routes: Final = [
    Route("/health", health),
    Route("/livez", health),
    Route("/readyz", ready),
    Route("/version", version),
]
