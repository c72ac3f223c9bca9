"""What clients see of failures: `python -m benchmarks.failover` breaks things under load and looks for what is missing.

Two servers, one of them with two workers, on one PostgreSQL behind nginx. Clients log points and make runs, each
waiting for its answer, and try again as MLflow's client does. The pause is the longest that one request took, tries and
all; lost is what was acknowledged and is not stored, doubled what is stored twice. Upstream's server, alone on its
PostgreSQL and without nginx, has that restarted too.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import urllib3

from benchmarks.results import RESULTS, measured_by, put
from benchmarks.servers import KINDS, install, running
from tests.nginx import Nginx
from tests.postgres import PostgresServer
from tests.server.http import history, post
from tests.servers import ServerProcess, start_runyard

API: Final = "/api/2.0/mlflow/"
CONNECTIONS: Final = 8
# MLflow's own: what it sends again, how often, and after how long (2, 4, 8 … seconds; here without jitter).
RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
MAX_RETRIES: Final = 7
BACKOFF_S: Final = 2.0
RUN_EVERY: Final = 20


@dataclass
class Seen:
    """What the clients saw; times in seconds."""

    longest_s: float = 0.0
    request_count: int = 0
    again_count: int = 0
    failure_count: int = 0
    points: set[tuple[int, int]] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Row:
    seen: Seen
    lost_count: int
    doubled_count: int


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="A smoke run: one fault, no peer, nothing is written.")
@click.option("--seconds", default=4.0, show_default=True, help="How long the load lasts before and after a fault.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, help="Where the results go.")
def main(quick: bool, seconds: float, output: Path) -> None:
    rows = dict(_ours(seconds=0.5 if quick else seconds, is_quick=quick))
    if not quick:
        rows["PostgreSQL killed, its standby promoted"] = _fail_over(seconds)
        install(KINDS["upstream"])
        rows["upstream: PostgreSQL restarted"] = _upstream(seconds)
    how = (
        f"Two servers, one with 2 workers, behind nginx on one PostgreSQL; {CONNECTIONS} connections, each with one "
        f"request at a time, of which every {RUN_EVERY}th makes a run. All on the same cores. The standby is "
        "synchronous, and one server with 2 workers is before it and its primary, without nginx."
    )
    lines = ["| | longest pause, s | requests | sent again | failed for good | lost | doubled |", "|---" * 7 + "|"]
    for name, row in rows.items():
        seen = row.seen
        lines.append(
            f"| {name} | {seen.longest_s:.2f} | {seen.request_count:,} | {seen.again_count} | {seen.failure_count} "
            f"| {row.lost_count} | {row.doubled_count} |"
        )
    table = "\n".join(lines)
    notes = (
        "A client that sends the making of a run again, because what was in between does not say whether it was made, "
        f"may make two; the protocol has no key for it. Peer: {', '.join(KINDS['upstream'].packages)}."
    )
    text = "\n\n".join([measured_by("python -m benchmarks.failover"), how, table, notes])
    click.echo(text)
    if not quick:
        put("Faults", text, output)
    if any(row.lost_count for name, row in rows.items() if not name.startswith("upstream")):
        raise SystemExit("writes that were acknowledged are not there")


def _ours(seconds: float, *, is_quick: bool) -> Iterator[tuple[str, Row]]:
    with _database() as postgres, tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        uri, folder = postgres.create_database(), Path(name)
        servers = [_start(uri, folder / "a", workers=1), _start(uri, folder / "b", workers=2)]

        def stop() -> None:
            for server in servers:
                server.stop()

        stack.callback(stop)
        balancer = Nginx([server.port for server in servers])
        stack.callback(balancer.stop)

        def restart() -> None:
            postgres.shut_down()
            postgres.start()

        def crash() -> None:
            postgres.kill()
            postgres.start()

        def replace(number: int, end: Callable[[ServerProcess], object]) -> None:
            old = servers[number]
            end(old)
            folder_of, workers = (folder / "a", 1) if number == 0 else (folder / "b", 2)
            servers[number] = _start(uri, folder_of, workers=workers, port=old.port)

        def roll() -> None:
            for number in range(2):
                replace(number, ServerProcess.terminate)
                # As Kubernetes does between pods (minReadySeconds), and nginx before it asks one again.
                time.sleep(2)

        faults: dict[str, Callable[[], None]] = {
            "PostgreSQL restarted": restart,
            "PostgreSQL crashed (kill -9) and started": crash,
            "a replica killed (kill -9) and started": lambda: replace(1, ServerProcess.kill),
            "both replicas restarted in turn (SIGTERM)": roll,
        }
        for title, fault in list(faults.items())[: 1 if is_quick else None]:
            click.echo(title, err=True)
            yield title, _measured(balancer.port, fault, seconds)


def _fail_over(seconds: float) -> Row:
    """A primary that is killed, and its standby, which has every commit before its client hears of it."""
    click.echo("PostgreSQL failed over", err=True)
    with _database() as primary, _database(primary) as standby, tempfile.TemporaryDirectory() as folder:
        name = primary.create_database().rpartition("/")[2]
        primary.wait_for_standbys()
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        uri = f"postgresql://postgres@{hosts}/{name}?target_session_attrs=read-write"
        server = _start(uri, Path(folder), workers=2)

        def fail_over() -> None:
            primary.kill()
            standby.promote()

        try:
            return _measured(server.port, fail_over, seconds)
        finally:
            server.stop()


def _upstream(seconds: float) -> Row:
    click.echo("upstream: PostgreSQL restarted", err=True)
    with _database() as postgres, running(KINDS["upstream"], postgres.create_database()) as server:
        server.settle()

        def restart() -> None:
            postgres.shut_down()
            postgres.start()

        return _measured(server.port, restart, seconds)


def _start(uri: str, folder: Path, *, workers: int, port: int | None = None) -> ServerProcess:
    folder.mkdir(exist_ok=True)
    return start_runyard(uri, folder, "--drain", "1", workers=workers, port=port)


@contextmanager
def _database(primary: PostgresServer | None = None) -> Iterator[PostgresServer]:
    server = PostgresServer(is_durable=True, primary=primary)
    try:
        yield server
    finally:
        server.stop()


def _measured(port: int, fault: Callable[[], None], seconds: float) -> Row:
    """Return what clients saw of a fault, and what is missing after it."""
    experiment_id = post(port, "experiments/create", {"name": f"fault {time.time_ns()}"}).json["experiment_id"]
    run_id = post(port, "runs/create", {"experiment_id": experiment_id, "run_name": "points"}).json["run"]["info"][
        "run_id"
    ]
    seen, lock, is_over = Seen(), threading.Lock(), threading.Event()
    threads = [
        threading.Thread(target=_client, args=(port, number, experiment_id, run_id, seen, lock, is_over))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    fault()
    time.sleep(seconds)
    is_over.set()
    for thread in threads:
        thread.join()
    stored = [(point["timestamp"], point["step"]) for point in history(port, run_id, "m")]
    found: list[dict[str, Any]] = post(
        port, "runs/search", {"experiment_ids": [experiment_id], "max_results": 50_000}
    ).json["runs"]
    names = [run["info"]["run_name"] for run in found]
    return Row(
        seen,
        lost_count=len(seen.points - set(stored)) + len(seen.runs - set(names)),
        doubled_count=len(stored) - len(set(stored)) + len(names) - len(set(names)),
    )


def _client(
    port: int,
    number: int,
    experiment_id: str,
    run_id: str,
    seen: Seen,
    lock: threading.Lock,
    is_over: threading.Event,
) -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1)
    n = 0
    while not is_over.is_set():
        n += 1
        name = f"{number}-{n}"
        path = "runs/create" if n % RUN_EVERY == 0 else "runs/log-metric"
        body: dict[str, Any] = {"experiment_id": experiment_id, "run_name": name}
        if path == "runs/log-metric":
            body = {"run_id": run_id, "key": "m", "value": n, "timestamp": number, "step": n}
        began = time.perf_counter()
        tries, was_stored = _send(pool, path, json.dumps(body).encode())
        took_s = time.perf_counter() - began
        with lock:
            seen.request_count += 1
            seen.again_count += tries - 1
            seen.longest_s = max(seen.longest_s, took_s)
            if not was_stored:
                seen.failure_count += 1
            elif n % RUN_EVERY == 0:
                seen.runs.add(name)
            else:
                seen.points.add((number, n))


def _send(pool: urllib3.HTTPConnectionPool, path: str, body: bytes) -> tuple[int, bool]:
    """Return how often a request was sent, and whether it was acknowledged in the end."""
    headers = {"Content-Type": "application/json"}
    for attempt in range(MAX_RETRIES + 1):
        try:
            answer = pool.request("POST", API + path, body=body, headers=headers, retries=False, timeout=120)
        except urllib3.exceptions.HTTPError:
            status = 0
        else:
            status = answer.status
        if status == 200:
            return attempt + 1, True
        if status not in {0, *RETRIED}:
            break
        if attempt < MAX_RETRIES:
            # The first comes at once, as urllib3 does it.
            time.sleep(BACKOFF_S * 2 ** (attempt - 1) if attempt else 0)
    return attempt + 1, False


if __name__ == "__main__":
    main()
