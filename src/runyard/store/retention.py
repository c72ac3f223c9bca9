"""What is old enough to go, and what nothing may delete.

The age at which something goes is told by its own tag, else by its experiment's, else by the policy. What carries the
tag ``keep``, what is in an experiment that does, and what a model version came from stay, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.store.dialect import fetch, is_one_of, is_sqlite
from runyard.store.experiments import lock_experiment
from runyard.store.schema import ACTIVE, DELETED, experiments, logged_models, runs

KEEP_TAG: Final = "keep"
DELETED_DAYS_TAG: Final = "runyard.retention.deleted_days"
FINISHED_DAYS_TAG: Final = "runyard.retention.finished_days"
NEVER: Final = "never"
DAY_MS: Final = 24 * 60 * 60 * 1000
MAX_DAYS: Final = 36_500
# How many of a kind one pass takes; the next goes on.
MAX_CANDIDATES: Final = 500_000


@dataclass(frozen=True)
class Policy:
    """How long things stay, in milliseconds; None is for ever, 0 not at all.

    Attributes:
        deleted_ms: in the trash, until they are deleted for good.
        finished_ms: runs outside of it, from their end until they move there.
        heeds_tags: whether the tags of runs, logged models and experiments may say otherwise. ``keep`` always counts.
    """

    deleted_ms: int | None
    finished_ms: int | None = None
    heeds_tags: bool = True


# What is named by somebody who has seen it goes whatever its age.
BY_HAND: Final = Policy(deleted_ms=0, heeds_tags=False)


class Owner(NamedTuple):
    """A run or a logged model that may go, with where its artifacts are; ``name`` is its id on the wire."""

    row_id: int
    name: str
    experiment_id: int
    artifact_uri: str
    deleted_time: int | None


class Kept(NamedTuple):
    """What is old enough to go and stays all the same."""

    name: str
    reason: str


class Judged(NamedTuple):
    expired: list[Owner]
    kept: list[Kept]
    # Neither: too young, not in the trash, or not there.
    others: int


@dataclass(frozen=True)
class Kind:
    """Runs or logged models: both own a folder of artifacts and may be in the trash."""

    label: str
    table: sa.Table
    # Holds the id on the wire.
    id_column: str
    candidates: str
    tags: str


_CANDIDATES: Final = (
    "SELECT o.id, o.{name}, o.experiment_id, o.artifact_uri, o.lifecycle_stage, o.deleted_time, o.purge_time, "
    "e.lifecycle_stage, e.last_update_time, {source_run}, {end_time} "
    "FROM {table} o JOIN experiments e ON e.id = o.experiment_id WHERE o.id {{ids}} ORDER BY o.id"
)
RUN: Final = Kind(
    "run",
    runs,
    "run_id",
    _CANDIDATES.format(
        name="run_id",
        table="runs",
        source_run="NULL",
        end_time="CASE WHEN o.status IN ('FINISHED', 'FAILED', 'KILLED') THEN o.end_time END",
    ),
    "SELECT t.run, k.name, t.value FROM keys k JOIN run_tags t ON t.key = k.id WHERE k.name {texts} AND t.run {ids}",
)
MODEL: Final = Kind(
    "logged model",
    logged_models,
    "model_id",
    _CANDIDATES.format(name="model_id", table="logged_models", source_run="o.source_run_id", end_time="NULL"),
    "SELECT model, key, value FROM logged_model_tags WHERE key {texts} AND model {ids}",
)


class _Candidate(NamedTuple):
    row_id: int
    name: str
    experiment_id: int
    artifact_uri: str
    lifecycle_stage: str
    deleted_time: int | None
    purge_time: int | None
    experiment_stage: str
    experiment_update_time: int
    source_run_id: str | None
    end_time: int | None

    @property
    def in_trash_since(self) -> int | None:
        # What is active in a deleted experiment goes with that.
        return self.deleted_time if self.lifecycle_stage == DELETED else self.experiment_update_time

    def is_in_trash(self) -> bool:
        return DELETED in {self.lifecycle_stage, self.experiment_stage}


def parse_days(value: str) -> int | None:
    """Return the age that a tag says, in milliseconds; None for never, and for what says nothing that is understood."""
    text = value.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > MAX_DAYS:
        return None
    return int(text) * DAY_MS


def list_in_trash(connection: Connection, kind: Kind, policy: Policy, now: int) -> list[int]:
    """Return the row ids of what may be old enough to be deleted for good, and of what that was begun with."""
    table = kind.table
    found: dict[int, None] = {}
    bound = _bound(connection, policy, policy.deleted_ms, DELETED_DAYS_TAG, kind)
    if bound is not None:
        statement = sa.select(table.c.id).where(table.c.deleted_time.is_not(None))
        if bound > 0:
            statement = statement.where(table.c.deleted_time <= now - bound)
        statement = statement.order_by(table.c.deleted_time, table.c.id).limit(MAX_CANDIDATES)
        found.update(dict.fromkeys(connection.execute(statement).scalars()))
    begun = sa.select(table.c.id).where(table.c.purge_time.is_not(None)).order_by(table.c.id)
    found.update(dict.fromkeys(connection.execute(begun).scalars()))
    # What is active in a deleted experiment is in the trash too.
    concerned: sa.ColumnElement[bool] = experiments.c.purge_time.is_not(None)
    if bound is not None:
        is_deleted = experiments.c.lifecycle_stage == DELETED
        concerned |= sa.and_(is_deleted, experiments.c.last_update_time <= now - bound) if bound > 0 else is_deleted
    within = sa.select(experiments.c.id).where(concerned)
    of_experiments = sa.select(table.c.id).where(table.c.experiment_id.in_(within)).order_by(table.c.id)
    found.update(dict.fromkeys(connection.execute(of_experiments.limit(MAX_CANDIDATES)).scalars()))
    return list(found)


def list_of_experiment(connection: Connection, kind: Kind, experiment_id: int) -> list[int]:
    """Return the row ids of all that is in an experiment, deleted or not."""
    table = kind.table
    statement = sa.select(table.c.id).where(table.c.experiment_id == experiment_id).order_by(table.c.id)
    return list(connection.execute(statement).scalars())


def list_expired_experiments(connection: Connection, policy: Policy, now: int) -> list[int]:
    """Return the experiments that are to be deleted for good, and those that this was begun with."""
    statement = sa.select(experiments.c.id, experiments.c.last_update_time, experiments.c.purge_time)
    rows = connection.execute(
        statement.where(experiments.c.lifecycle_stage == DELETED).order_by(experiments.c.id)
    ).all()
    tags = _experiment_tags(connection, [row.id for row in rows])
    return [
        row.id
        for row in rows
        if not _is_keep(tags.get(row.id, {}))
        and (
            row.purge_time is not None
            or _is_over(
                row.last_update_time, _limit(policy, policy.deleted_ms, DELETED_DAYS_TAG, tags.get(row.id)), now
            )
        )
    ]


def list_finished_runs(connection: Connection, policy: Policy, now: int) -> list[int]:
    """Return the row ids of active runs that may have ended long enough ago to move to the trash."""
    bound = _bound(connection, policy, policy.finished_ms, FINISHED_DAYS_TAG, RUN)
    if bound is None:
        return []
    active = sa.select(experiments.c.id).where(experiments.c.lifecycle_stage == ACTIVE)
    statement = sa.select(runs.c.id).where(
        runs.c.lifecycle_stage == ACTIVE,
        runs.c.end_time <= now - bound,
        runs.c.status.in_(("FINISHED", "FAILED", "KILLED")),
        runs.c.experiment_id.in_(active),
    )
    return list(connection.execute(statement.order_by(runs.c.id).limit(MAX_CANDIDATES)).scalars())


def judge_trash(
    connection: Connection, kind: Kind, row_ids: Sequence[int], policy: Policy, now: int, *, locks: bool = False
) -> Judged:
    """Tell what of ``row_ids`` is to be deleted for good.

    Args:
        locks: whether nobody may write to them, or make a model version of them, until the transaction ends.
    """

    def is_expired(candidate: _Candidate, *tags: Mapping[str, str]) -> bool:
        # What was begun with is finished: its artifacts may be gone.
        return candidate.is_in_trash() and (
            candidate.purge_time is not None
            or _is_over(candidate.in_trash_since, _limit(policy, policy.deleted_ms, DELETED_DAYS_TAG, *tags), now)
        )

    return _judge(connection, kind, row_ids, is_expired, locks=locks)


def judge_finished(
    connection: Connection, row_ids: Sequence[int], policy: Policy, now: int, *, locks: bool = False
) -> Judged:
    """Tell which runs of ``row_ids`` are to move to the trash."""

    def is_expired(candidate: _Candidate, *tags: Mapping[str, str]) -> bool:
        limit = _limit(policy, policy.finished_ms, FINISHED_DAYS_TAG, *tags)
        return (
            not candidate.is_in_trash() and candidate.end_time is not None and _is_over(candidate.end_time, limit, now)
        )

    return _judge(connection, RUN, row_ids, is_expired, locks=locks)


def move_finished(connection: Connection, row_ids: Sequence[int], policy: Policy, now: int) -> tuple[Judged, int]:
    """Move runs to the trash whose time has come, with the logged models they made; return also how many of those."""
    judged = judge_finished(connection, row_ids, policy, now, locks=True)
    moved = {"lifecycle_stage": DELETED, "deleted_time": now}
    ids = [owner.row_id for owner in judged.expired]
    connection.execute(sa.update(runs).where(is_one_of(connection, runs.c.id, ids)).values(moved))
    made = fetch(
        connection,
        "SELECT id FROM logged_models WHERE source_run_id {texts} AND lifecycle_stage = 'active' ORDER BY id",
        [owner.name for owner in judged.expired],
    )
    models = _judge(connection, MODEL, [row_id for (row_id,) in made], lambda *_: True, locks=True).expired
    model_ids = [model.row_id for model in models]
    connection.execute(
        sa.update(logged_models).where(is_one_of(connection, logged_models.c.id, model_ids)).values(moved)
    )
    return judged, len(models)


def claim(connection: Connection, kind: Kind, row_ids: Sequence[int], policy: Policy, now: int) -> Judged:
    """Begin to delete for good what of ``row_ids`` is due: from the commit on nothing brings it back."""
    judged = judge_trash(connection, kind, row_ids, policy, now, locks=True)
    table = kind.table
    ids = [owner.row_id for owner in judged.expired]
    connection.execute(
        sa.update(table)
        .where(is_one_of(connection, table.c.id, ids), table.c.purge_time.is_(None))
        .values(purge_time=now, lifecycle_stage=DELETED, deleted_time=sa.func.coalesce(table.c.deleted_time, now))
    )
    return judged


def claim_experiment(connection: Connection, experiment_id: int, policy: Policy, now: int) -> str | None:
    """Begin to delete an experiment for good, if it is due; return why it stays."""
    row = lock_experiment(connection, str(experiment_id))
    tags = _experiment_tags(connection, [row.id]).get(row.id, {})
    if _is_keep(tags):
        return _KEEP
    limit = _limit(policy, policy.deleted_ms, DELETED_DAYS_TAG, tags)
    if row.lifecycle_stage != DELETED or (row.purge_time is None and not _is_over(row.last_update_time, limit, now)):
        return "it is not in the trash, or not for long enough"
    connection.execute(sa.update(experiments).where(experiments.c.id == row.id).values(purge_time=now))
    return None


_KEEP: Final = f"it carries the tag {KEEP_TAG!r}"
_EXPERIMENT_KEEP: Final = f"its experiment carries the tag {KEEP_TAG!r}"
_RUN_KEEP: Final = f"the run that made it carries the tag {KEEP_TAG!r}"
_SOURCE: Final = "a model version came from it"


def _judge(
    connection: Connection,
    kind: Kind,
    row_ids: Sequence[int],
    is_expired: Callable[..., bool],
    *,
    locks: bool,
) -> Judged:
    if not row_ids:
        return Judged([], [], 0)
    # In the order of the ids, as everybody locks them.
    lock = " FOR UPDATE OF o" if locks and not is_sqlite(connection) else ""
    found = [_Candidate._make(row) for row in fetch(connection, kind.candidates + lock, list(row_ids))]
    names = [KEEP_TAG, DELETED_DAYS_TAG, FINISHED_DAYS_TAG]
    own_tags = _grouped(fetch(connection, kind.tags, names, [row.row_id for row in found]))
    experiment_tags = _experiment_tags(connection, {row.experiment_id for row in found})
    due = [
        row
        for row in found
        if is_expired(row, own_tags.get(row.row_id, {}), experiment_tags.get(row.experiment_id, {}))
    ]
    sources = _version_sources(connection, kind, due)
    kept_runs = _kept_runs(connection, due)
    judged = Judged([], [], len(row_ids) - len(due))
    for row in due:
        if _is_keep(own_tags.get(row.row_id, {})):
            judged.kept.append(Kept(row.name, _KEEP))
        elif _is_keep(experiment_tags.get(row.experiment_id, {})):
            judged.kept.append(Kept(row.name, _EXPERIMENT_KEEP))
        elif row.source_run_id in kept_runs:
            judged.kept.append(Kept(row.name, _RUN_KEEP))
        elif row.name in sources:
            judged.kept.append(Kept(row.name, _SOURCE))
        else:
            since = row.in_trash_since if row.is_in_trash() else None
            judged.expired.append(Owner(row.row_id, row.name, row.experiment_id, row.artifact_uri, since))
    return judged


def _version_sources(connection: Connection, kind: Kind, owners: Sequence[_Candidate]) -> set[str]:
    """Return the names of those that a model version came from, or whose folder it has files in or is above."""
    if not owners:
        return set()
    names = [owner.name for owner in owners]
    column = kind.id_column
    found = {
        name for (name,) in fetch(connection, f"SELECT {column} FROM model_versions WHERE {column} {{texts}}", names)
    }
    wanted = set(names)
    folders = {f"{owner.artifact_uri.partition('?')[0]}/": owner.name for owner in owners}
    for (location,) in fetch(connection, "SELECT DISTINCT storage_location FROM model_versions"):
        # Whatever the scheme: what the server reaches by one, a client may have named by another.
        found.update(wanted.intersection(location.split("/")))
        above = f"{location.partition('?')[0].rstrip('/')}/"
        found.update(name for folder, name in folders.items() if folder.startswith(above))
    return found


def _kept_runs(connection: Connection, owners: Sequence[_Candidate]) -> set[str | None]:
    run_ids = [owner.source_run_id for owner in owners if owner.source_run_id is not None]
    if not run_ids:
        return set()
    statement = (
        "SELECT r.run_id, k.name, t.value FROM runs r JOIN run_tags t ON t.run = r.id JOIN keys k ON k.id = t.key "
        "WHERE r.run_id {texts} AND k.name = ?"
    )
    return {
        run_id for run_id, tags in _grouped(fetch(connection, statement, run_ids, KEEP_TAG)).items() if _is_keep(tags)
    }


def _experiment_tags(connection: Connection, experiment_ids: Iterable[int]) -> dict[Any, dict[str, str]]:
    statement = "SELECT experiment_id, key, value FROM experiment_tags WHERE key {texts} AND experiment_id {ids}"
    names = [KEEP_TAG, DELETED_DAYS_TAG, FINISHED_DAYS_TAG]
    return _grouped(fetch(connection, statement, names, list(experiment_ids)))


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[Any, dict[str, str]]:
    tags: dict[Any, dict[str, str]] = {}
    for owner, name, value in rows:
        tags.setdefault(owner, {})[name] = value
    return tags


def _is_keep(tags: Mapping[str, str]) -> bool:
    return tags.get(KEEP_TAG, "false").strip().lower() != "false"


def _limit(policy: Policy, default_ms: int | None, tag: str, *tags: Mapping[str, str] | None) -> int | None:
    """Return the age at which something goes; the first of ``tags`` that says one counts."""
    if policy.heeds_tags:
        for pairs in tags:
            if pairs is not None and tag in pairs:
                return parse_days(pairs[tag])
    return default_ms


def _is_over(since: int | None, limit: int | None, now: int) -> bool:
    if limit is None:
        return False
    # Nothing is too young for 0, not even by the clock of another machine.
    return limit == 0 or (since is not None and now - since >= limit)


def _bound(connection: Connection, policy: Policy, default_ms: int | None, tag: str, kind: Kind) -> int | None:
    """Return the least age that anything may go at; None where nothing goes."""
    limits = [] if default_ms is None else [default_ms]
    if policy.heeds_tags:
        values = fetch(connection, "SELECT DISTINCT value FROM experiment_tags WHERE key = ?", tag)
        if kind is RUN:
            # To look at the tags of all runs would take longer than to look at the runs in the trash.
            if fetch(connection, "SELECT 1 FROM keys WHERE name = ?", tag):
                return 0
        else:
            values += fetch(connection, "SELECT DISTINCT value FROM logged_model_tags WHERE key = ?", tag)
        limits += [limit for (value,) in values if (limit := parse_days(value)) is not None]
    return min(limits, default=None)


def list_known(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return those of ``names`` that are ids of runs or logged models, or that a model version's files are below."""
    known: set[str] = set()
    for kind in (RUN, MODEL):
        statement = f"SELECT {kind.id_column} FROM {kind.table.name} WHERE {kind.id_column} {{texts}}"
        known.update(name for (name,) in fetch(connection, statement, list(names)))
    wanted = set(names)
    for (location,) in fetch(connection, "SELECT DISTINCT storage_location FROM model_versions"):
        known.update(wanted.intersection(location.split("/")))
    return known
