"""Work that one process may do at a time, by a row with an expiry: it needs no session, and so no direct connection.

Whoever dies holding a lease keeps the others waiting until it expires; whoever is only slow finds out by its fence, in
each of its transactions, that another has taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.store.clock import now_ms
from runyard.store.dialect import insert_or_ignore, is_sqlite
from runyard.store.schema import leases

P = ParamSpec("P")
T = TypeVar("T")

LEASE_MS: Final = 60_000


@dataclass(frozen=True)
class Lease:
    name: str
    fence: int


class LeaseLost(Exception):
    """Another process does the work by now."""


def acquire(connection: Connection, name: str, holder: str, *, ready_after_ms: int | None = None) -> Lease | None:
    """Take a lease that nobody holds; return None where somebody does.

    Args:
        ready_after_ms: only where the work was not done to its end within the last so many milliseconds.
    """
    # There from the first time on, so that those who ask at once wait for each other at the row.
    connection.execute(
        insert_or_ignore(connection, leases).values(name=name, holder="", fence=0, expires_time=0, done_time=None)
    )
    now = _now(connection)
    row = connection.execute(sa.select(leases).where(leases.c.name == name).with_for_update()).one()
    if row.expires_time > now:
        return None
    if ready_after_ms is not None and row.done_time is not None and now - ready_after_ms < row.done_time <= now:
        return None
    _update(connection, name, holder=holder, fence=row.fence + 1, expires_time=now + LEASE_MS)
    return Lease(name, row.fence + 1)


def holder_of(connection: Connection, name: str) -> str | None:
    """Return who holds a lease."""
    row = connection.execute(sa.select(leases).where(leases.c.name == name)).first()
    return None if row is None or row.expires_time <= _now(connection) else str(row.holder)


def renew(connection: Connection, lease: Lease) -> None:
    """Hold a lease for `LEASE_MS` from now on.

    Raises:
        LeaseLost: another has it.
    """
    check(connection, lease)
    _update(connection, lease.name, expires_time=_now(connection) + LEASE_MS)


def release(connection: Connection, lease: Lease, *, is_done: bool) -> None:
    """Give a lease back, where it is still held; ``is_done`` where the work came to its end."""
    if _is_held(connection, lease):
        now = _now(connection)
        _update(connection, lease.name, expires_time=now, **({"done_time": now} if is_done else {}))


def check(connection: Connection, lease: Lease) -> None:
    """Raise LeaseLost unless the lease is held, and hold it until the transaction ends."""
    if not _is_held(connection, lease):
        raise LeaseLost(f"the lease {lease.name!r} was taken over by another process")


def fenced(
    connection: Connection,
    lease: Lease | None,
    function: Callable[Concatenate[Connection, P], T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Return what ``function`` returns in a transaction in which the lease, if any, is held."""
    if lease is not None:
        check(connection, lease)
    return function(connection, *args, **kwargs)


def _is_held(connection: Connection, lease: Lease) -> bool:
    statement = sa.select(leases.c.fence).where(leases.c.name == lease.name).with_for_update()
    return bool(connection.execute(statement).scalar() == lease.fence)


def _update(connection: Connection, name: str, **values: object) -> None:
    connection.execute(sa.update(leases).where(leases.c.name == name).values(**values))


def _now(connection: Connection) -> int:
    # One clock for all: those of two machines may differ by more than a lease.
    if is_sqlite(connection):
        return now_ms()
    milliseconds: int = connection.exec_driver_sql(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    ).scalar_one()
    return milliseconds
