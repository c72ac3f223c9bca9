"""The trash: what was deleted and can be restored, and deleting it for good. Not of the MLflow protocol."""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool

from runyard.errors import Unavailable
from runyard.server.endpoints import Routes
from runyard.server.retention import Cleaner, actor_of
from runyard.server.services import Services
from runyard.store import trash
from runyard.store.retention import BY_HAND, RUN
from runyard.wire.names import check_no_nul
from runyard.wire.trash import EmptyTrash, EmptyTrashResponse, KeptInTrash, SummarizeTrash, TrashSummary

routes = Routes("trash", api="runyard", version="1.0")


@routes.get("trash/summary")
def summarize_trash(services: Services, request: SummarizeTrash) -> TrashSummary:
    """Count what is in the trash."""
    return services.database.read(trash.summarize_trash)


@routes.post("trash/empty")
async def empty_trash(services: Services, request: EmptyTrash) -> EmptyTrashResponse:
    """Delete experiments and runs in the trash for good, with all that was logged to them and their artifacts.

    If one of them does not exist or is not in the trash, nothing is deleted. What carries the tag `keep`, what is in an
    experiment that does, and what a model version came from stays, and is told. Artifacts go before the rows that name
    them: after an error, such as of a store that does not answer, what is left is still in the trash, and the same
    request may be sent again. Artifacts that are not the server's to delete, such as those in a folder outside of its
    own, stay where they are, and the rows go.
    """
    for run_id in request.run_ids:
        check_no_nul("run_ids", run_id)
    for experiment_id in request.experiment_ids:
        check_no_nul("experiment_ids", experiment_id)
    read = services.database.read
    numbers = await run_in_threadpool(read, trash.get_deleted_experiments, request.experiment_ids)
    row_ids = await run_in_threadpool(read, trash.get_deleted, RUN, request.run_ids)
    end = None if request.max_seconds is None else time.monotonic() + request.max_seconds
    actor = actor_of("trash")
    # Of these there are few; and when they are named again they are gone, which would be an error.
    of_runs = await Cleaner(services, BY_HAND, actor).purge(runs=row_ids)
    cleaner = Cleaner(services, BY_HAND, actor, should_stop=lambda: end is not None and time.monotonic() > end)
    of_experiments = await cleaner.purge(experiments=numbers)
    for reason in (*of_runs.failures, *of_experiments.failures):
        raise Unavailable(reason)
    remaining = [] if of_experiments.is_complete else await run_in_threadpool(read, trash.list_begun, numbers)
    return EmptyTrashResponse(
        experiment_count=of_experiments.experiment_count,
        run_count=of_runs.run_count + of_experiments.run_count,
        kept_count=of_runs.kept_count + of_experiments.kept_count,
        kept=[KeptInTrash(id=kept.name, reason=kept.reason) for kept in (*of_runs.kept, *of_experiments.kept)[:100]],
        remaining_experiment_ids=list(map(str, remaining)),
    )
