"""Deleting for good: what is named, or all that a policy names; and the task that does the latter now and then.

A pass goes in batches. Each is claimed, then its artifacts are deleted, then its rows: whenever it ends, by an error, a
signal or a power cut, what is left is in the trash and claimed, and the next pass goes on there.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import random
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from runyard.artifacts.store import ArtifactStore, Usage, open_store
from runyard.artifacts.uris import PROXY_SCHEME, scheme_of
from runyard.errors import NotFound, RunyardError
from runyard.server.routes.artifacts import folder_of
from runyard.server.services import Services
from runyard.settings import Settings
from runyard.store import leases, retention, trash
from runyard.store.clock import now_ms
from runyard.store.leases import LEASE_MS, Lease, LeaseLost
from runyard.store.retention import DAY_MS, MODEL, RUN, Judged, Kept, Kind, Owner, Policy
from runyard.store.trash import MAX_OWNERS, MAX_POINTS, Freed

T = TypeVar("T")

logger = logging.getLogger(__name__)
audit = logging.getLogger("runyard.audit")

LEASE_NAME: Final = "cleanup"
UPLOADS_LEASE_NAME: Final = "uploads"
# For how long nothing comes of an upload that is given up.
MIN_STALE_S: Final = 24 * 3600
# How often a process looks whether it is time for a pass.
POLL_S: Final = 60.0
UPLOADS_POLL_S: Final = 3600.0
# How long the server waits at its end for the batch at work.
STOP_S: Final = 15.0
# Object stores answer slowly and many at once.
_FOLDERS_AT_ONCE: Final = 16
_DELETE_ATTEMPTS: Final = 3
_LISTED: Final = 100
_PAUSE_S: Final = 0.1
_NUMBER: Final = re.compile(r"[0-9]+")
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}")


@dataclass
class Report:
    """What a pass did, or would do; ``kept`` and ``failures`` hold the first hundred."""

    moved_run_count: int = 0
    moved_model_count: int = 0
    run_count: int = 0
    model_count: int = 0
    experiment_count: int = 0
    orphan_count: int = 0
    file_count: int = 0
    size_bytes: int = 0
    kept_count: int = 0
    failure_count: int = 0
    kept: list[Kept] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # Whether it came to its end; else the next goes on.
    is_complete: bool = False

    def keep(self, kept: Sequence[Kept]) -> None:
        self.kept_count += len(kept)
        self.kept += kept[: _LISTED - len(self.kept)]

    def fail(self, reason: str) -> None:
        self.failure_count += 1
        if len(self.failures) < _LISTED:
            self.failures.append(reason)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in dataclasses.asdict(self).items() if name.endswith(("_count", "_bytes"))}


@dataclass
class Totals:
    """What this process deleted for good since it started, by whomever it was asked; for whoever reads counters."""

    run_count: int = 0
    model_count: int = 0
    experiment_count: int = 0
    orphan_count: int = 0
    moved_run_count: int = 0
    moved_model_count: int = 0
    file_count: int = 0
    size_bytes: int = 0
    kept_count: int = 0
    failure_count: int = 0
    pass_count: int = 0
    # When the last pass ended, in milliseconds since the epoch, and how long it took.
    last_pass_time: int = 0
    last_pass_s: float = 0.0

    def add(self, counts: Mapping[str, int]) -> None:
        for name, value in counts.items():
            setattr(self, name, getattr(self, name) + value)


TOTALS: Final = Totals()


class Folders(Protocol):
    """As much of an artifact store as deleting takes."""

    async def usage(self, path: str) -> Usage: ...
    async def delete(self, path: str) -> None: ...
    async def ping(self) -> None: ...


# Finds the folder that holds the artifacts of a run or a logged model by its id and its artifact URI; see `folder_of`.
FindFolder = Callable[[str, str], "tuple[Folders, str] | None"]


class Interrupted(Exception):
    """A pass was told to stop, or has to."""


def actor_of(name: str) -> str:
    """Return how the record of purges names this process."""
    return f"{name} {socket.gethostname()}:{os.getpid()}"


def policy_of(settings: Settings) -> Policy:
    finished = settings.cleanup_finished_days
    return Policy(
        deleted_ms=settings.cleanup_deleted_days * DAY_MS, finished_ms=finished * DAY_MS if finished > 0 else None
    )


class Cleaner:
    """One pass.

    Args:
        actor: who the record of purges says it was.
        lease: has to be held in each transaction that writes.
        is_dry_run: nothing is written or deleted; the report says what would be.
        max_per_second: runs, models and folders, on average; 0 is no limit.
        moves_finished: whether runs that ended long ago move to the trash.
        orphan_ms: how long a folder that belongs to nothing has to have been left alone; None leaves them all.
        should_stop: asked between batches.
        on_progress: told how much of how much is looked at.
        on_item: told of each thing that goes: its kind, its name and a few words.
        find_folder: where artifacts are, if not where the server has them.
    """

    def __init__(
        self,
        services: Services,
        policy: Policy,
        actor: str,
        *,
        lease: Lease | None = None,
        is_dry_run: bool = False,
        max_per_second: int = 0,
        moves_finished: bool = True,
        orphan_ms: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
        on_item: Callable[[str, str, str], None] = lambda _kind, _name, _words: None,
        find_folder: FindFolder | None = None,
    ) -> None:
        self.report = Report()
        self._services = services
        self._policy = policy
        self._actor = actor
        self._lease = lease
        self._is_dry_run = is_dry_run
        self._max_per_second = max_per_second
        self._moves_finished = moves_finished
        self._orphan_ms = orphan_ms
        self._should_stop = should_stop
        self._on_progress = on_progress
        self._on_item = on_item
        self._find_folder = find_folder or (lambda name, uri: folder_of(services, name, uri))
        self._batch_size = min(MAX_OWNERS, max_per_second) if max_per_second else MAX_OWNERS
        self._now = now_ms()
        self._started = time.monotonic()
        self._done = self._total = self._paced = 0

    async def clean(self) -> Report:
        """Delete all that the policy names."""
        with self._recorded():
            moved = []
            if self._moves_finished:
                moved = await self._read(retention.list_finished_runs, self._policy, self._now)
            experiments = await self._read(retention.list_expired_experiments, self._policy, self._now)
            self._total = len(moved) + len(experiments)
            for batch in self._batches(moved):
                await self._move(batch)
            claimed = [number for number in experiments if await self._claim_experiment(number)]
            found = {}
            for kind in (RUN, MODEL):
                ids = dict.fromkeys(await self._read(retention.list_in_trash, kind, self._policy, self._now))
                if self._is_dry_run:
                    for number in claimed:
                        ids.update(dict.fromkeys(await self._read(retention.list_of_experiment, kind, number)))
                found[kind] = list(ids)
                self._total += len(ids)
            await self._purge(found, claimed)
            if self._orphan_ms is not None:
                await self._purge_orphans(self._orphan_ms)
        return self.report

    async def purge(
        self, *, runs: Sequence[int] = (), models: Sequence[int] = (), experiments: Sequence[int] = ()
    ) -> Report:
        """Delete what is named by its row id and due, experiments with all that is in them."""
        with self._recorded():
            claimed = [number for number in experiments if await self._claim_experiment(number)]
            found = {}
            for kind, named in ((RUN, runs), (MODEL, models)):
                ids = dict.fromkeys(named)
                for number in claimed:
                    ids.update(dict.fromkeys(await self._read(retention.list_of_experiment, kind, number)))
                found[kind] = list(ids)
                self._total += len(ids)
            self._total += len(experiments)
            await self._purge(found, claimed)
        return self.report

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        try:
            yield
            self.report.is_complete = True
        except Interrupted:
            pass
        finally:
            if not self._is_dry_run:
                counts = self.report.counts()
                TOTALS.add(counts)
                if any(counts.values()):
                    audit.info(
                        "%s", json.dumps({"actor": self._actor, "is_complete": self.report.is_complete, **counts})
                    )

    async def _purge(self, found: Mapping[Kind, Sequence[int]], experiments: Sequence[int]) -> None:
        gone: dict[Kind, set[int]] = {RUN: set(), MODEL: set()}
        for kind, ids in found.items():
            for batch in self._batches(ids):
                judged = await self._claim(kind, batch)
                self.report.keep(judged.kept)
                await self._purge_owners(kind, judged.expired)
                if self._is_dry_run:
                    gone[kind].update(owner.row_id for owner in judged.expired)
                await self._step(len(batch), len(judged.expired))
        for number in experiments:
            if self._is_dry_run:
                is_gone = all([gone[kind].issuperset(await self._all_in(kind, number)) for kind in gone])
            else:
                is_gone = await self._write(trash.delete_experiment, number, self._actor)
            if is_gone:
                self.report.experiment_count += 1
                self._on_item("experiment", str(number), "")
            await self._step(1, 0)

    async def _all_in(self, kind: Kind, experiment_id: int) -> list[int]:
        return await self._read(retention.list_of_experiment, kind, experiment_id)

    async def _move(self, batch: Sequence[int]) -> None:
        if self._is_dry_run:
            judged = await self._read(retention.judge_finished, batch, self._policy, self._now)
            model_count = 0
        else:
            judged, model_count = await self._write(retention.move_finished, batch, self._policy, self._now)
        self.report.keep(judged.kept)
        self.report.moved_run_count += len(judged.expired)
        self.report.moved_model_count += model_count
        for owner in judged.expired:
            self._on_item("run", owner.name, "to the trash")
        await self._step(len(batch), len(judged.expired))

    async def _claim(self, kind: Kind, batch: Sequence[int]) -> Judged:
        if self._is_dry_run:
            return await self._read(retention.judge_trash, kind, batch, self._policy, self._now)
        return await self._write(retention.claim, kind, batch, self._policy, self._now)

    async def _claim_experiment(self, number: int) -> bool:
        if self._is_dry_run:
            return True
        try:
            reason = await self._write(retention.claim_experiment, number, self._policy, self._now)
        except NotFound:
            # Another was quicker.
            return False
        if reason is not None:
            self.report.keep([Kept(f"experiment {number}", reason)])
        return reason is None

    async def _purge_owners(self, kind: Kind, owners: Sequence[Owner]) -> None:
        """Delete the artifacts and the rows of what is claimed; what cannot go is left to the next pass."""
        freed = [each for each in await self._free(owners) if each is not None]
        if owners and not freed:
            await self._check_store(owners[0])
        for each in freed:
            self._on_item(kind.label, each.owner.name, f"{each.file_count} files, {each.size_bytes} bytes")
        if self._is_dry_run:
            gone = freed
        else:
            gone = []
            for part in await self._parts(kind, freed):
                gone += await self._write(trash.delete_owners, kind, part, self._actor)
        if kind is RUN:
            self.report.run_count += len(gone)
        else:
            self.report.model_count += len(gone)
        self.report.file_count += sum(each.file_count for each in gone)
        self.report.size_bytes += sum(each.size_bytes for each in gone)

    async def _parts(self, kind: Kind, freed: Sequence[Freed]) -> list[list[Freed]]:
        """Return what each transaction deletes; of a run with very many points, the first go before it."""
        if kind is not RUN or not freed:
            return [list(freed)] if freed else []
        points = await self._read(trash.count_points, [each.owner.row_id for each in freed])
        parts: list[list[Freed]] = []
        size = 0
        for each in freed:
            count = points.get(each.owner.row_id, 0)
            while count > MAX_POINTS and await self._write(trash.delete_points, each.owner.row_id):
                self._check_stop()
            size += min(count, MAX_POINTS)
            if not parts or size > MAX_POINTS:
                parts.append([])
                size = min(count, MAX_POINTS)
            parts[-1].append(each)
        return parts

    async def _check_store(self, owner: Owner) -> None:
        """Go no further where the store is away; one that only holds on to some of its files is no reason to stop."""
        try:
            place = self._find_folder(owner.name, owner.artifact_uri)
            if place is not None:
                await place[0].ping()
        except (OSError, RunyardError):
            raise Interrupted from None

    async def _free(self, owners: Sequence[Owner]) -> list[Freed | None]:
        places = asyncio.Semaphore(_FOLDERS_AT_ONCE)

        async def free(owner: Owner) -> Freed | None:
            async with places:
                try:
                    place = self._find_folder(owner.name, owner.artifact_uri)
                    usage = None if place is None else await self._delete_folder(*place)
                except (OSError, RunyardError) as error:
                    reason = error.message if isinstance(error, RunyardError) else error.strerror or str(error)
                    self.report.fail(
                        f"the artifacts of {owner.name} cannot be deleted: {reason}; it stays in the trash"
                    )
                    return None
            return Freed(owner, usage.file_count if usage else 0, usage.size_bytes if usage else 0)

        return await asyncio.gather(*map(free, owners))

    async def _delete_folder(self, store: Folders, path: str) -> Usage:
        usage = await store.usage(path)
        if self._is_dry_run or (usage.file_count == 0 and usage.modified is None):
            return usage
        for attempt in range(1, _DELETE_ATTEMPTS + 1):
            try:
                await store.delete(path)
                break
            except (FileNotFoundError, NotFound):
                # Somebody else deletes the same folder.
                if attempt == _DELETE_ATTEMPTS:
                    raise
        return usage

    async def _purge_orphans(self, orphan_ms: int) -> None:
        """Delete folders that are named like those of runs and models, where there is no such run or model."""
        for store in _roots(self._services):
            async for folder, names in _owner_folders(store):
                for start in range(0, len(names), MAX_OWNERS):
                    batch = names[start : start + MAX_OWNERS]
                    known = await self._read(retention.list_known, batch)
                    for name in batch:
                        if name not in known:
                            await self._purge_orphan(store, folder, name, orphan_ms)

    async def _purge_orphan(self, store: ArtifactStore, folder: str, name: str, orphan_ms: int) -> None:
        path = f"{folder}/{name}"
        try:
            usage = await store.usage(path)
            if usage.modified is None or self._now - usage.modified.timestamp() * 1000 < orphan_ms:
                return
            if not self._is_dry_run:
                await self._delete_folder(store, path)
        except (OSError, RunyardError) as error:
            self.report.fail(f"the folder {path} cannot be deleted: {error}")
            return
        if not self._is_dry_run:
            size = {"file_count": usage.file_count, "size_bytes": usage.size_bytes}
            await self._write(trash.record_purge, "orphan", path, folder.partition("/")[0], self._actor, **size)
        self._on_item("orphan", path, f"{usage.file_count} files, {usage.size_bytes} bytes")
        self.report.orphan_count += 1
        self.report.file_count += usage.file_count
        self.report.size_bytes += usage.size_bytes
        await self._step(0, 1)

    def _batches(self, ids: Sequence[int]) -> Iterator[Sequence[int]]:
        for start in range(0, len(ids), self._batch_size):
            # Not before the first: however short the time is, something is done in it.
            if start > 0:
                self._check_stop()
            yield ids[start : start + self._batch_size]

    def _check_stop(self) -> None:
        if self._should_stop():
            raise Interrupted

    async def _step(self, looked_at: int, changed: int) -> None:
        self._done += looked_at
        self._on_progress(self._done, self._total)
        if self._is_dry_run or not self._max_per_second:
            return
        self._paced += changed
        due = self._started + self._paced / self._max_per_second
        while (left := due - time.monotonic()) > 0:
            self._check_stop()
            await asyncio.sleep(min(left, _PAUSE_S))

    async def _read(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.to_thread(self._services.database.read, function, *args)

    async def _write(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        write: Callable[..., T] = self._services.database.write
        return await asyncio.to_thread(write, leases.fenced, self._lease, function, *args, **kwargs)


@contextlib.asynccontextmanager
async def held(services: Services, lease: Lease) -> AsyncIterator[Callable[[], bool]]:
    """Hold a lease; give a function that tells whether it was lost."""
    lost = threading.Event()

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_MS / 3000)
            try:
                await asyncio.to_thread(services.database.write, leases.renew, lease)
            except LeaseLost:
                lost.set()
                return
            except RunyardError as error:
                logger.warning("the lease of the clean-up could not be renewed: %s", error.message)

    task = asyncio.create_task(renew())
    try:
        yield lost.is_set
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.contextmanager
def cleaning(services: Services) -> Iterator[None]:
    """Clean up in the background until this ends: what broken uploads left always, the rest if the settings say so."""
    if services.settings.read_only:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_clean_now_and_then, args=(services, stop), name="runyard-cleanup", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_S)


async def clean_if_due(services: Services, should_stop: Callable[[], bool] = lambda: False) -> Report | None:
    """Make a pass if it is time for one and nobody else makes it; return None if not."""
    settings = services.settings
    database = services.database
    actor = actor_of("cleanup")
    interval_ms = settings.cleanup_interval_s * 1000
    lease = await asyncio.to_thread(database.write, leases.acquire, LEASE_NAME, actor, ready_after_ms=interval_ms)
    if lease is None:
        return None
    started = time.monotonic()
    is_done = False
    try:
        async with held(services, lease) as is_lost:
            cleaner = Cleaner(
                services,
                policy_of(settings),
                actor,
                lease=lease,
                is_dry_run=settings.cleanup_dry_run,
                max_per_second=settings.cleanup_max_per_second,
                orphan_ms=settings.cleanup_orphan_days * DAY_MS if settings.cleanup_orphan_days > 0 else None,
                should_stop=lambda: should_stop() or is_lost(),
                on_progress=_progress_log(),
                on_item=_log_would if settings.cleanup_dry_run else lambda _kind, _name, _words: None,
            )
            report = await cleaner.clean()
        # A pass that the store cut short waits for the next time, one that was told to stop for nobody.
        is_done = report.is_complete or report.failure_count > 0
    finally:
        await asyncio.to_thread(database.write, leases.release, lease, is_done=is_done)
    TOTALS.pass_count += 1
    TOTALS.last_pass_time = now_ms()
    TOTALS.last_pass_s = time.monotonic() - started
    _log_report(report, is_dry_run=settings.cleanup_dry_run)
    return report


async def remove_stale_uploads_if_due(services: Services) -> int | None:
    """Remove what uploads left that broke off with their server or client, once a day; return how many, or None."""
    stores = list(_roots(services))
    if not stores:
        return None
    database, actor = services.database, actor_of("uploads")
    lease = await asyncio.to_thread(database.write, leases.acquire, UPLOADS_LEASE_NAME, actor, ready_after_ms=DAY_MS)
    if lease is None:
        return None
    is_done = False
    try:
        # An address that is still good may still be used.
        age_s = max(MIN_STALE_S, services.settings.signed_upload_s)
        removed = sum([await store.remove_stale_uploads(timedelta(seconds=age_s)) for store in stores])
        is_done = True
    finally:
        await asyncio.to_thread(database.write, leases.release, lease, is_done=is_done)
    if removed:
        logger.info("removed what was left of %d broken uploads", removed)
    return removed


def _clean_now_and_then(services: Services, stop: threading.Event) -> None:
    settings = services.settings
    period_s = min(POLL_S, settings.cleanup_interval_s) if settings.cleanup_enabled else UPLOADS_POLL_S
    uploads_at = 0.0
    # Many processes start at once, and are not to ask at once.
    while not stop.wait(random.uniform(0, min(POLL_S, period_s) / 10)):
        try:
            if time.monotonic() >= uploads_at:
                uploads_at = time.monotonic() + UPLOADS_POLL_S
                asyncio.run(remove_stale_uploads_if_due(services))
            if settings.cleanup_enabled:
                asyncio.run(clean_if_due(services, stop.is_set))
        except LeaseLost:
            logger.warning("another process took over the clean-up")
        except RunyardError as error:
            logger.warning("the clean-up could not go on: %s", error.message)
        except Exception:
            logger.exception("the clean-up failed; it is tried again")
        if stop.wait(period_s):
            return


def _progress_log() -> Callable[[int, int], None]:
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= POLL_S:
            told = time.monotonic()
            logger.info("clean-up: looked at %d of %d", done, total)

    return tell


def _log_would(kind: str, name: str, words: str) -> None:
    logger.info("clean-up (dry run) would take %s %s %s", kind, name, words)


def _log_report(report: Report, *, is_dry_run: bool) -> None:
    for reason in report.failures[:10]:
        logger.warning("clean-up: %s", reason)
    counts = {name: value for name, value in report.counts().items() if value}
    if counts:
        logger.info("clean-up%s: %s", " (dry run)" if is_dry_run else "", json.dumps(counts))


def _roots(services: Services) -> Iterator[ArtifactStore]:
    if services.artifacts is not None:
        yield services.artifacts
    root = services.settings.artifact_root
    if scheme_of(root) != PROXY_SCHEME:
        yield open_store(root)


async def _owner_folders(store: ArtifactStore) -> AsyncIterator[tuple[str, list[str]]]:
    """Give folders and, of what is directly in each, the names that runs or logged models have."""
    for experiment in await store.list_folder(""):
        if not experiment.is_dir or _NUMBER.fullmatch(experiment.path) is None:
            continue
        for folder, form in ((experiment.path, _RUN_ID), (f"{experiment.path}/models", _MODEL_ID)):
            found: list[Any] = await store.list_folder(folder)
            names = [entry.path.rpartition("/")[2] for entry in found if entry.is_dir]
            yield folder, [name for name in names if form.fullmatch(name) is not None]
