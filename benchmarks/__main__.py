"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks.results import RESULTS, measured_by, put
from benchmarks.rows import GROUPS, NOT_OFFERED, Figures, Scale, measure, shown
from benchmarks.servers import KINDS, Kind, install, running
from tests.postgres import PostgresServer

TITLE = "The server beside its peers"
LOWER_IS_BETTER = ("(ms)", "(s)", "(MB)", "processes")


@click.command()
@click.option("--quick", is_flag=True, help="A smoke run of runyard alone: everything once and small, answers checked.")
@click.option("--servers", default="runyard,upstream,fasttrackml", show_default=True, help="Which, by commas.")
@click.option("--databases", default="sqlite,postgresql", show_default=True, help="Which, by commas.")
@click.option("--rows", default=",".join(GROUPS), show_default=True, help="Which groups of rows, by commas.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each load lasts.")
@click.option("--runs", default=5000, show_default=True, help="How many runs are searched.")
@click.option("--workers", default=1, show_default=True, help="Workers of runyard; its peers have their defaults.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the results go (default: RESULTS.md here).")
def main(
    quick: bool, servers: str, databases: str, rows: str, seconds: float, runs: int, workers: int, output: Path | None
) -> None:
    """Measure runyard beside its peers, on this machine in this run, and write the results as a table.

    The exit status is 1 where a row of any server failed.
    """
    scale = Scale(seconds=seconds, runs=runs)
    names = servers.split(",")
    if quick:
        scale, names = Scale(seconds=0.7, runs=120, points=3000, repeats=2), ["runyard"]
    kinds = [KINDS[name] for name in names]
    for kind in kinds:
        install(kind)
    found: dict[tuple[str, str], Figures] = {}
    for database in databases.split(","):
        for kind in kinds:
            found[database, kind.name] = _measure(kind, database, scale, rows.split(","), workers)
    text = _report(found, kinds, databases.split(","))
    click.echo(text)
    if not quick or output is not None:
        put(TITLE, text, output or RESULTS)
    failures = [
        value
        for figures in found.values()
        for value in figures.values.values()
        if isinstance(value, str) and value != NOT_OFFERED
    ]
    if failures:
        raise SystemExit(f"{len(failures)} figures failed; the first: {failures[0]}")


def _measure(kind: Kind, database: str, scale: Scale, rows: Sequence[str], workers: int) -> Figures:
    label = f"{kind.name} on {database}"
    click.echo(f"{label}: starting", err=True)
    with _database(database) as uri, running(kind, uri, workers) as server:
        return measure(server, scale, rows, lambda what: click.echo(f"{label}: {what}", err=True))


@contextlib.contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            yield f"sqlite:///{folder}/tracking.db"
    else:
        server = PostgresServer(is_durable=True)
        try:
            yield server.create_database()
        finally:
            server.stop()


def _report(found: dict[tuple[str, str], Figures], kinds: Sequence[Kind], databases: Sequence[str]) -> str:
    lines = [
        measured_by("python -m benchmarks"),
        "",
        "Each server and the load share the machine's cores. Peers: "
        + "; ".join(f"{kind.name} is {', '.join(kind.packages)}" for kind in kinds if kind.packages)
        + ". Upstream runs with its default 4 workers, the others with one process. A ratio says how many times better"
        " ours is. On one connection, 40 ms of upstream's log-metric are a TCP stall of its multi-worker start (a"
        " socket without TCP_NODELAY), not work: compare the CPU per request as well.",
    ]
    for database in databases:
        columns = [kind.name for kind in kinds if (database, kind.name) in found]
        peers = [name for name in columns if name != "runyard"]
        titles = [*columns, *(f"times {name}" for name in peers if "runyard" in columns)]
        lines += ["", f"## {database}", "", f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
        names = list(dict.fromkeys(name for kind in columns for name in found[database, kind].values))
        for name in names:
            values = {kind: found[database, kind].values.get(name, "") for kind in columns}
            cells = [shown(values[kind]) for kind in columns]
            cells += [_ratio(name, values["runyard"], values[peer]) for peer in peers if "runyard" in values]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _ratio(name: str, ours: float | str, theirs: float | str) -> str:
    if isinstance(ours, str) or isinstance(theirs, str) or not ours or not theirs:
        return ""
    return f"{theirs / ours if name.endswith(LOWER_IS_BETTER) else ours / theirs:.1f}"


if __name__ == "__main__":
    main()
