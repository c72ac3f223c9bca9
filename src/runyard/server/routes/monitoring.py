"""The page that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runyard.errors import RunyardError
from runyard.server.observability.monitoring import Monitoring
from runyard.server.services import Services
from runyard.store.engine import Database
from runyard.store.totals import Totals, count_created

logger = logging.getLogger(__name__)

# The totals are asked for by a scrape, at most this often, and waited for no longer than that.
_TOTALS_AGE_S: Final = 1.0
_TOTALS_TIMEOUT_S: Final = 2.0


class TotalsReader:
    """Asks the database for its totals, and lets no scrape wait long or ask twice at once."""

    def __init__(self, database: Database, monitoring: Monitoring) -> None:
        self._database = database
        self._monitoring = monitoring
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Bring the totals up to date, or leave the last known where the database does not answer."""
        if self._reading is None:
            if time.monotonic() - self._read_at < _TOTALS_AGE_S:
                return
            self._reading = asyncio.create_task(self._read())
        await asyncio.wait([self._reading], timeout=_TOTALS_TIMEOUT_S)

    async def _read(self) -> None:
        try:
            totals: Totals = await run_in_threadpool(self._database.read, count_created)
        except RunyardError as error:
            logger.warning("the totals are not up to date: %s", error)
        except Exception:
            logger.exception("the totals are not up to date")
        else:
            self._monitoring.set("mlflow_experiments_total", totals.experiments)
            self._monitoring.set("mlflow_runs_total", totals.runs)
            self._read_at = time.monotonic()
        finally:
            self._reading = None


async def metrics(request: Request) -> Response:
    """Send the metrics of all workers, whichever of them is asked."""
    # Only those who are scraped need the library.
    from runyard.server.observability.exposition import expose

    services: Services = request.app.state.services
    await request.app.state.totals.refresh()
    services.monitoring.sample()
    content, media_type = await run_in_threadpool(
        expose, services.monitoring.counters, request.headers.get("accept", "")
    )
    return Response(content, media_type=media_type, headers={"cache-control": "no-store"})


monitoring_routes: Final = [Route("/metrics", metrics)]
