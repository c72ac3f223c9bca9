"""What every handler is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from runyard.artifacts.store import ArtifactStore
from runyard.server.observability.monitoring import Monitoring
from runyard.server.readiness import Readiness
from runyard.settings import Settings
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.run_json import RunCache


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    ingest: Ingest
    run_cache: RunCache
    # Where proxied artifacts are kept; None where the server does not serve them.
    artifacts: ArtifactStore | None
    monitoring: Monitoring
    readiness: Readiness = field(default_factory=Readiness)
