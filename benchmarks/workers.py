"""How runyard goes with more workers: `python -m benchmarks.workers` runs the harness on PostgreSQL with 1, 2 and 4.

The load, the workers and PostgreSQL share the machine's cores, so more workers show what a worker costs, and bring more
only where there are cores for them.
"""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.results import RESULTS, measured_by, put
from benchmarks.rows import GROUPS, Figures, Scale, measure, shown
from benchmarks.servers import KINDS, running
from tests.postgres import PostgresServer


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="A smoke run: everything once and small; nothing is written.")
@click.option("--workers", default="1,2,4", show_default=True, help="How many, by commas.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each load lasts.")
@click.option("--runs", default=5000, show_default=True, help="How many runs are searched.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, help="Where the results go.")
def main(quick: bool, workers: str, seconds: float, runs: int, output: Path) -> None:
    scale = Scale(seconds=0.7, runs=120, points=3000, repeats=2) if quick else Scale(seconds=seconds, runs=runs)
    found: dict[str, Figures] = {}
    for count in workers.split(","):
        server = PostgresServer(is_durable=True)
        try:
            with running(KINDS["runyard"], server.create_database(), int(count)) as process:
                found[count] = measure(process, scale, GROUPS, lambda what: click.echo(what, err=True))
        finally:
            server.stop()
    titles = list(dict.fromkeys(title for figures in found.values() for title in figures.values))
    lines = [f"| workers | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    lines += [
        f"| {title} | {' | '.join(shown(figures.values[title]) for figures in found.values())} |" for title in titles
    ]
    how = (
        "PostgreSQL with fsync; the load, the workers and PostgreSQL share the machine's cores, so more workers show "
        "what a worker costs, and bring more only where there are cores for them."
    )
    text = "\n\n".join([measured_by("python -m benchmarks.workers"), how, "\n".join(lines)])
    click.echo(text)
    if not quick:
        put("Workers", text, output)
    failures = [value for figures in found.values() for value in figures.values.values() if isinstance(value, str)]
    if failures:
        raise SystemExit(f"{len(failures)} figures failed; the first: {failures[0]}")


if __name__ == "__main__":
    main()
