"""Doing one thing to many runs in one request. Not of the MLflow protocol, which knows one run a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from runyard.errors import InvalidParameter, RunyardError
from runyard.server.endpoints import Routes
from runyard.server.routes.runs import tags_of
from runyard.server.services import Services
from runyard.store import runs
from runyard.store.run_writes import LogBatch
from runyard.wire.run_changes import ChangeRuns, ChangeRunsResponse, FailedRun

routes = Routes("runs", api="runyard", version="1.0")


@routes.post("runs/change")
async def change_runs(services: Services, request: ChangeRuns) -> ChangeRunsResponse:
    """Delete or restore many runs, set a tag of theirs, or remove one."""
    change = _change(services, request)
    run_ids = list(dict.fromkeys(request.run_ids))
    # Together, so that the writer takes them in one transaction, or in few.
    outcomes = await asyncio.gather(*map(change, run_ids), return_exceptions=True)
    failed = []
    for run_id, outcome in zip(run_ids, outcomes, strict=True):
        if isinstance(outcome, RunyardError):
            failed.append(FailedRun(run_id=run_id, error_code=outcome.code, message=outcome.message))
        elif isinstance(outcome, BaseException):
            raise outcome
    return ChangeRunsResponse(changed_count=len(run_ids) - len(failed), failed=failed)


def _change(services: Services, request: ChangeRuns) -> Callable[[str], Awaitable[None]]:
    ingest = services.ingest
    stage, tag, key = request.lifecycle_stage, request.set_tag, request.delete_tag
    if sum(change is not None for change in (stage, tag, key)) != 1:
        raise InvalidParameter("Give exactly one of lifecycle_stage, set_tag and delete_tag: what to do to the runs")
    if tag is not None:
        tags = tags_of(ingest.keys, (tag,))
        return lambda run_id: ingest.log(LogBatch(run_id, tags=tags))
    if key is not None:
        ingest.keys.check("delete_tag", key)
        return lambda run_id: ingest.change(runs.tag_deletion(run_id, key, must_exist=False))
    return lambda run_id: ingest.change(runs.deletion(run_id) if stage == "deleted" else runs.restoration(run_id))
