"""Examining what a server would run with: its settings, its database, its artifact store."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import statistics
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from runyard import __version__
from runyard.artifacts.store import ArtifactStore, SignedRequest, open_store
from runyard.artifacts.uris import local_path
from runyard.errors import ConfigurationError, NotFound, RunyardError, SchemaMismatch
from runyard.server.opening import open_database
from runyard.server.rates import parse_networks
from runyard.settings import Settings
from runyard.store import migrate
from runyard.store.clock import now_ms
from runyard.store.diagnosis import LONG_TRANSACTION_S, read_postgres_facts, read_sqlite_facts
from runyard.store.engine import Database
from runyard.wire.findings import Finding, Verdict

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM

SLOW_DATABASE_MS: Final = 20.0
SLOW_STORE_S: Final = 2.0
SIGNED_TIMEOUT_S: Final = 10
MAX_CLOCK_DIFFERENCE_MS: Final = 5_000
# Stores tell whole seconds, and when a write was begun or ended.
MAX_CLOCK_DIFFERENCE_S: Final = 10.0
MAX_REPLICA_LAG_S: Final = 30.0
MIN_FREE_BYTES: Final = 1024**3
OLDEST_POSTGRESQL: Final = 130_000
SAMPLE_BYTES: Final = 256 * 1024
_RESCUE: Final = "stop the server and restore a backup, or save what can be read: sqlite3 FILE .recover"
_LIBRARIES: Final = ("sqlalchemy", "psycopg", "obstore", "botocore", "uvicorn", "starlette")
_PRIVATE_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def examine(settings: Settings) -> Iterator[Finding]:
    """Give what is found, area after area; nothing is changed but one small artifact, which is removed again."""
    yield from _versions()
    yield from _configuration(settings)
    yield from _database(settings)
    if settings.serve_artifacts:
        yield from _artifacts(settings)


def _versions() -> Iterator[Finding]:
    installed = [name for name in _LIBRARIES if importlib.util.find_spec(name) is not None]
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in installed)
    found = f"runyard {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding(area="configuration", check="versions", verdict=OK, found=f"{found}; {libraries}")


def _configuration(settings: Settings) -> Iterator[Finding]:
    def finding(check: str, verdict: Verdict, found: str, cure: str = "") -> Finding:
        return Finding(area="configuration", check=check, verdict=verdict, found=found, cure=cure)

    if settings.host in _PRIVATE_HOSTS:
        yield finding("address", OK, f"{settings.host}:{settings.port}, for programs on this machine alone")
    elif settings.allowed_hosts is None:
        yield finding(
            "address",
            WARNING,
            f"{settings.host}:{settings.port}, and names other than localhost are answered with 403",
            "name those by which it is reached: --allowed-hosts mlflow.example.com,*.svc.cluster.local",
        )
    else:
        yield finding("address", OK, f"{settings.host}:{settings.port}, known as {settings.allowed_hosts}")
    if settings.allowed_hosts is not None and "*" in [item.strip() for item in settings.allowed_hosts.split(",")]:
        yield finding(
            "allowed hosts",
            WARNING,
            "* lets any page point a name of its own at this server",
            "list the names that it is reached by",
        )
    if settings.rate_limit and not settings.trusted_proxies and settings.host not in _PRIVATE_HOSTS:
        yield finding(
            "rate limit",
            WARNING,
            f"{settings.rate_limit} requests a second of each address: behind a proxy that is all clients together",
            "name the proxy, whose X-Forwarded-For tells them apart: --trusted-proxies 10.0.0.0/8",
        )
    try:
        trusts_all = any(network.prefixlen == 0 for network in parse_networks(settings.trusted_proxies))
    except ConfigurationError as error:
        yield finding("trusted proxies", PROBLEM, error.message, "correct --trusted-proxies")
        trusts_all = False
    if trusts_all:
        yield finding(
            "trusted proxies",
            WARNING,
            "every address is one: a client may say that it is another, each time anew, and has no limit",
            "name the addresses of the proxies alone",
        )
    root = settings.default_artifact_root
    if root is not None and local_path(root) is not None and settings.host not in _PRIVATE_HOSTS:
        yield finding(
            "artifact root",
            WARNING,
            f"new experiments keep artifacts at {root}, a folder that clients on other machines do not have",
            "leave --default-artifact-root out, so that they go through the server, or name an object store",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    def finding(check: str, verdict: Verdict, found: str, cure: str = "") -> Finding:
        return Finding(area="database", check=check, verdict=verdict, found=found, cure=cure)

    try:
        # Read-only, so that a SQLite file stays as it is; and without waiting: it is a finding.
        database = open_database(dataclasses.replace(settings, read_only=True, outage_s=0))
    except ConfigurationError as error:
        yield finding("address", PROBLEM, error.message, "correct --backend-store-uri")
        return
    with contextlib.closing(database):
        path = Path(str(database.engine.url.database)) if database.is_sqlite else None
        if path is not None and not path.exists():
            yield finding("schema", WARNING, f"{database.uri} is not there yet", "the server's first start makes it")
            return
        try:
            latency_ms = _latency_ms(database)
        except RunyardError as error:
            yield finding(
                "connection",
                PROBLEM,
                f"{database.uri}: {error.message}",
                "is the server up, its address right, this machine let in (pg_hba.conf, firewall), the password set?",
            )
            return
        slow = latency_ms > SLOW_DATABASE_MS
        yield finding(
            "latency",
            WARNING if slow else OK,
            f"{latency_ms:.1f} ms a statement",
            "each write waits for a few: bring server and database closer, or look at the database's load"
            if slow
            else "",
        )
        try:
            yield _schema(database, finding)
            if path is None:
                yield from _postgres(database, settings, finding)
                if settings.read_replica_uri is not None:
                    yield _replica(settings, settings.read_replica_uri, finding)
            else:
                yield from _sqlite(database, path, finding)
        except RunyardError as error:
            yield finding("reading", PROBLEM, error.message, "the error above this has the database's own words")


Maker = Callable[..., Finding]


def _latency_ms(database: Database) -> float:
    times = []
    for _ in range(6):
        began = time.perf_counter()
        database.ping()
        times.append((time.perf_counter() - began) * 1e3)
    # The first made the connection.
    return statistics.median(times[1:])


def _schema(database: Database, finding: Maker) -> Finding:
    try:
        status = migrate.status(database)
    except SchemaMismatch as error:
        return finding("schema", PROBLEM, error.message, "name another database")
    if status.is_current:
        return finding("schema", OK, f"revision {status.head}, current")
    if status.current is None:
        return finding("schema", WARNING, "empty", "the server's first start fills it, or: runyard db upgrade")
    try:
        migrate.check(database)
    except SchemaMismatch as error:
        if status.current < status.head:
            return finding(
                "schema",
                WARNING,
                error.message,
                "the server migrates at its start; to do it before: runyard db upgrade",
            )
        return finding("schema", PROBLEM, error.message, "start the newer version")
    raise AssertionError("unreachable")


def _postgres(database: Database, settings: Settings, finding: Maker) -> Iterator[Finding]:
    facts = database.read(read_postgres_facts)
    is_old = facts.version_number < OLDEST_POSTGRESQL
    yield finding(
        "version",
        WARNING if is_old else OK,
        f"PostgreSQL {facts.version}, {'encrypted' if facts.is_encrypted else 'not encrypted'}, "
        f"{_gigabytes(facts.size_bytes)}",
        "its makers have stopped mending it: upgrade it" if is_old else "",
    )
    if facts.encoding != "UTF8":
        yield finding(
            "encoding",
            PROBLEM,
            f"{facts.encoding}: names in other alphabets cannot be kept",
            "make the database anew with ENCODING 'UTF8' and restore a dump into it",
        )
    if facts.is_standby:
        yield finding("role", PROBLEM, "a standby, which takes no writes", "name the primary in --backend-store-uri")
    yield _connections(facts.max_connections, facts.open_connections, settings, finding)
    for pid, seconds, text in facts.long_transactions:
        yield finding(
            "long transaction",
            WARNING,
            f"session {pid}, {seconds} s: {text}",
            f"it keeps VACUUM from cleaning, and locks held; where it is forgotten: SELECT pg_terminate_backend({pid})",
        )
    if not facts.long_transactions:
        yield finding("long transactions", OK, f"none over {LONG_TRANSACTION_S} s that this user may see")
    for pid, by in facts.blocked:
        yield finding(
            "waiting for a lock",
            WARNING,
            f"session {pid} waits for {', '.join(map(str, by))}",
            f"if that goes on, see what session {by[0]} does: pg_stat_activity",
        )
    difference = abs(facts.clock_ms - now_ms())
    yield finding(
        "clock",
        WARNING if difference > MAX_CLOCK_DIFFERENCE_MS else OK,
        f"{difference / 1000:.1f} s apart from this machine's",
        "set both by NTP: times of runs come from one, of clean-up from the other"
        if difference > MAX_CLOCK_DIFFERENCE_MS
        else "",
    )


def _replica(settings: Settings, uri: str, finding: Maker) -> Finding:
    """Look at the read replica as at a database of its own."""
    replica_only = dataclasses.replace(
        settings, backend_store_uri=uri, read_replica_uri=None, read_only=True, outage_s=0
    )
    check = "read replica"
    try:
        with contextlib.closing(open_database(replica_only)) as replica:
            facts = replica.read(read_postgres_facts)
    except RunyardError as error:
        cure = "searches go to the primary meanwhile: is it up, its address right, this machine let in?"
        return finding(check, PROBLEM, error.message, cure)
    if facts.replica_lag_s is None:
        cure = "name a standby of the primary that streams from it; what is written is not there otherwise"
        return finding(check, PROBLEM, "it receives nothing from a primary", cure)
    is_late = facts.replica_lag_s > MAX_REPLICA_LAG_S
    return finding(
        check,
        WARNING if is_late else OK,
        f"{facts.replica_lag_s:.1f} s behind",
        "searches, tables and charts show what was then: look at its load and the network between" if is_late else "",
    )


def _connections(most: int, opened: int, settings: Settings, finding: Maker) -> Finding:
    wanted = settings.workers * (settings.pool_size + settings.max_overflow)
    sum_text = (
        f"{settings.workers} workers may open {wanted} (pool {settings.pool_size} + overflow {settings.max_overflow} "
        f"each), the server allows {most}, {opened} are open"
    )
    if wanted > most:
        return finding(
            "connections",
            PROBLEM,
            sum_text,
            f"lower --pool-size and --max-overflow to {max(1, most // settings.workers)} together, "
            "raise max_connections, or put PgBouncer between; each replica counts again",
        )
    return finding("connections", OK, sum_text)


def _sqlite(database: Database, path: Path, finding: Maker) -> Iterator[Finding]:
    try:
        facts = database.read(read_sqlite_facts)
    except RunyardError:
        yield finding("integrity", PROBLEM, "the file is damaged", _RESCUE)
        return
    yield finding(
        "version", OK, f"SQLite {facts.version}, journal {facts.journal_mode}, {_gigabytes(facts.size_bytes)}"
    )
    if facts.integrity != "ok":
        yield finding(
            "integrity",
            PROBLEM,
            facts.integrity,
            _RESCUE,
        )
    else:
        yield finding("integrity", OK, "the file is whole")
    yield _free_space(path.absolute().parent, finding)


def _artifacts(settings: Settings) -> Iterator[Finding]:
    def finding(check: str, verdict: Verdict, found: str, cure: str = "") -> Finding:
        return Finding(area="artifacts", check=check, verdict=verdict, found=found, cure=cure)

    uri = settings.artifacts_destination
    folder = local_path(uri)
    cure = (
        "may this user write there, and is the disk mounted?"
        if folder is not None
        else "are credentials, region, endpoint and the bucket's name right? The cloud's own tool tells more"
    )
    if folder is not None and not folder.exists():
        yield finding("folder", WARNING, f"{folder} is not there yet", "the server's first start makes it")
        return
    try:
        store = open_store(uri)
        steps, clock_s, can_sign = asyncio.run(_try_store(store, is_direct=settings.direct_transfers))
    except (RunyardError, OSError) as error:
        yield finding("write, read, delete", PROBLEM, f"{uri}: {error}", cure)
        return
    slow = sum(steps.values()) > SLOW_STORE_S
    yield finding(
        "write, read, delete",
        WARNING if slow else OK,
        f"{uri}: " + ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in steps.items()),
        "bring the server nearer to the store's region" if slow else "",
    )
    if folder is not None:
        yield _free_space(folder, finding)
        return
    is_far = clock_s > MAX_CLOCK_DIFFERENCE_S
    yield finding(
        "clock",
        WARNING if is_far else OK,
        f"{clock_s:.0f} s apart from this machine's",
        "set this machine's by NTP: signed requests and addresses are refused where it is far off" if is_far else "",
    )
    yield _direct_transfers(settings, store, can_sign, finding)


def _direct_transfers(settings: Settings, store: ArtifactStore, can_sign: bool, finding: Maker) -> Finding:
    check = "straight to the store"
    if not settings.direct_transfers:
        return finding(check, OK, "switched off (--no-direct-transfers): all goes through the server")
    if store.signer is None or not can_sign:
        cure = (
            "give the server credentials that can sign (a key or a role, not a shared access signature), and a Google "
            "service account the role Service Account Token Creator on itself"
        )
        return finding(check, WARNING, "these credentials cannot sign, so all goes through the server", cure)
    ways = {"fetched": store.signer.signs_reads, "sent in parts": store.signer.signs_parts}
    found = f"large files are {' and '.join(way for way, is_there in ways.items() if is_there)} without the server"
    if not ways["sent in parts"] and settings.artifacts_destination.startswith("s3"):
        return finding(check, WARNING, found, "pip install 'runyard[s3]' has them sent so too")
    return finding(check, OK, found)


async def _try_store(store: ArtifactStore, *, is_direct: bool) -> tuple[dict[str, float], float, bool]:
    """Return how long each thing took and how far the store's clock is from ours, in seconds, and whether it can sign.

    Args:
        is_direct: whether addresses are signed for clients.

    Raises:
        RunyardError: one of them failed, or what was read is not what was written.
    """
    path = f"readiness-check/{uuid.uuid4().hex}"
    content = os.urandom(SAMPLE_BYTES)
    times: dict[str, float] = {}

    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        times[name] = time.perf_counter() - began

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    signer = store.signer if is_direct else None
    can_sign = signer is not None and await signer.can_sign()
    try:
        with timed("write"):
            await store.write(path, chunks())
        written_at = _now_s()
        with timed("read"):
            found = await store.head(path)
            read = b"".join([part async for part in await store.read(path, 0, found.size_bytes)])
        if signer is not None and can_sign:
            minute = timedelta(minutes=1)
            with timed("write by a signed address"):
                await asyncio.to_thread(_ask_signed, "PUT", await signer.sign_write(path, minute), content)
            if signer.signs_reads:
                with timed("read by a signed address"):
                    await asyncio.to_thread(_ask_signed, "GET", await signer.sign_read(path, minute))
        if read != content:
            raise RunyardError(f"what was read of {path} is not what was written: {len(read)} of {len(content)} bytes")
    finally:
        with timed("delete"):
            await store.delete(path)
    try:
        await store.head(path)
    except NotFound:
        return times, abs(found.modified.timestamp() - written_at), can_sign
    raise RunyardError(f"{path} was deleted and is still there")


def _now_s() -> float:
    return time.time()


def _ask_signed(method: str, signed: SignedRequest, content: bytes | None = None) -> None:
    request = urllib.request.Request(signed.url, content, signed.headers, method=method)  # noqa: S310 - the store's own address
    try:
        with urllib.request.urlopen(request, timeout=SIGNED_TIMEOUT_S) as answer:  # noqa: S310 - as above
            answer.read()
    except OSError as error:
        # Not with the address, which lets anybody in who has it.
        raise RunyardError(
            f"the store does not take a {method} at an address that the server signed ({error}); are the clocks of "
            "both right, and the credentials allowed to do so? --no-direct-transfers has clients go through the server"
        ) from None


def _free_space(folder: Path, finding: Maker) -> Finding:
    usage = shutil.disk_usage(folder)
    is_low = usage.free < MIN_FREE_BYTES or usage.free < usage.total * 0.05
    return finding(
        "free space",
        WARNING if is_low else OK,
        f"{_gigabytes(usage.free)} of {_gigabytes(usage.total)} at {folder}",
        "make room, or runyard writes will be refused" if is_low else "",
    )


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:,.1f} MB"
