"""The trash: what was deleted and can be restored, and deleting it for good. Not of the MLflow protocol."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool

from runyard.errors import Unavailable
from runyard.server.endpoints import Routes
from runyard.server.routes.artifacts import delete_folder_of
from runyard.server.services import Services
from runyard.store import trash
from runyard.store.trash import Owner
from runyard.wire.names import check_no_nul
from runyard.wire.trash import EmptyTrash, EmptyTrashResponse, SummarizeTrash, TrashSummary

# Object stores answer slowly and many at once.
_FOLDERS_AT_ONCE: Final = 16

routes = Routes("trash", api="runyard", version="1.0")


@routes.get("trash/summary")
def summarize_trash(services: Services, request: SummarizeTrash) -> TrashSummary:
    """Count what is in the trash."""
    return services.database.read(trash.summarize_trash)


@routes.post("trash/empty")
async def empty_trash(services: Services, request: EmptyTrash) -> EmptyTrashResponse:
    """Delete experiments and runs in the trash for good, with all that was logged to them and their artifacts.

    If one of them does not exist or is not in the trash, nothing is deleted. Artifacts go before the rows that name
    them: after an error, such as of a store that does not answer, what is left is still in the trash, and the same
    request may be sent again. Artifacts that are not the server's to delete, such as those in a folder outside of its
    own, stay where they are, and the rows go. Model versions that came from a run stay.
    """
    for run_id in request.run_ids:
        check_no_nul("run_ids", run_id)
    for experiment_id in request.experiment_ids:
        check_no_nul("experiment_ids", experiment_id)
    read = services.database.read
    numbers = await run_in_threadpool(read, trash.get_deleted_experiments, request.experiment_ids)
    named_runs = await run_in_threadpool(read, trash.get_deleted_runs, request.run_ids)
    run_count = 0
    for batch in _batches(named_runs):
        run_count += await _delete_runs(services, batch, None)
    for number in numbers:
        run_count += await _delete_experiment(services, number)
    return EmptyTrashResponse(experiment_count=len(numbers), run_count=run_count)


async def _delete_experiment(services: Services, experiment_id: int) -> int:
    database = services.database
    run_count = 0
    while batch := await run_in_threadpool(database.read, trash.next_runs, experiment_id):
        run_count += await _delete_runs(services, batch, experiment_id)
    while batch := await run_in_threadpool(database.read, trash.next_models, experiment_id):
        await _delete_folders(services, batch)
        row_ids = [model.row_id for model in batch]
        await run_in_threadpool(database.write, trash.delete_models, row_ids, experiment_id)
    await run_in_threadpool(database.write, trash.delete_experiment, experiment_id)
    return run_count


async def _delete_runs(services: Services, batch: Sequence[Owner], experiment_id: int | None) -> int:
    await _delete_folders(services, batch)
    row_ids = [run.row_id for run in batch]
    points = await run_in_threadpool(services.database.read, trash.count_points, row_ids)
    write = services.database.write
    run_count = 0
    for part in _parts(row_ids, points):
        if points.get(part[0], 0) > trash.MAX_POINTS:
            while await run_in_threadpool(write, trash.delete_points, part[0], experiment_id):
                pass
        run_count += await run_in_threadpool(write, trash.delete_runs, part, experiment_id)
    return run_count


def _parts(row_ids: Sequence[int], points: Mapping[int, int]) -> Iterator[list[int]]:
    """Give the runs of each transaction; one with very many points is alone."""
    part: list[int] = []
    size = 0
    for row_id in row_ids:
        size += points.get(row_id, 0)
        if part and size > trash.MAX_POINTS:
            yield part
            part, size = [], points.get(row_id, 0)
        part.append(row_id)
    if part:
        yield part


async def _delete_folders(services: Services, owners: Sequence[Owner]) -> None:
    places = asyncio.Semaphore(_FOLDERS_AT_ONCE)

    async def delete(owner: Owner) -> None:
        async with places:
            try:
                await delete_folder_of(services, owner.name, owner.artifact_uri)
            except OSError as error:
                raise Unavailable(
                    f"the artifacts of {owner.name} cannot be deleted: {error.strerror}; it stays in the trash"
                ) from error

    # All are waited for: none is to go on by itself after the answer.
    for result in await asyncio.gather(*map(delete, owners), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _batches(owners: Sequence[Owner]) -> Iterator[list[Owner]]:
    left = iter(owners)
    while batch := list(itertools.islice(left, trash.MAX_OWNERS)):
        yield batch
