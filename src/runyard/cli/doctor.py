"""``runyard doctor``: what is wrong, and what to do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from runyard.cli.printing import print_json, printable
from runyard.cli.server import settings_options
from runyard.settings import load_client_settings, load_settings

if TYPE_CHECKING:
    from runyard.wire.findings import Finding

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@settings_options
@click.option("--url", metavar="URL", help="Examine the server that clients reach there, instead of what is here.")
@click.option("--json", "as_json", is_flag=True, help="JSON for programs: a list of what was looked at.")
@click.pass_context
def doctor(context: click.Context, /, url: str | None, as_json: bool, **chosen: Any) -> None:
    """Examine what a server runs with, and say what is wrong and what to do.

    Takes the options and the variables of runyard server and looks at them, at the database (latency, schema,
    connections, long transactions, clock, read replica) and at the artifact store, where it writes, reads and deletes
    one small file, by signed addresses too. With --url it asks a running server instead, the way a client does: through
    its name and its proxies.

    \b
    Exit status: 0 where nothing is wrong (there may be warnings), 1 where something is.
      runyard doctor
      runyard doctor --backend-store-uri postgresql://mlflow@db.example.com/mlflow --workers 4
      runyard doctor --url https://mlflow.example.com
    """
    if url is not None:
        from runyard.client.diagnosis import examine_server

        found: Iterable[Finding] = examine_server(url, load_client_settings())
    else:
        from runyard.server.diagnosis import examine

        found = examine(load_settings(**chosen))
    findings = []
    for area, members in itertools.groupby(found, key=lambda finding: finding.area):
        if not as_json:
            click.secho(area, bold=True)
        for finding in members:
            findings.append(finding)
            if not as_json:
                _print(finding)
    if as_json:
        print_json(findings)
    problems = sum(finding.verdict == "problem" for finding in findings)
    warnings = sum(finding.verdict == "warning" for finding in findings)
    if not as_json:
        click.echo(f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}.")
    context.exit(1 if problems else 0)


def _print(finding: Finding) -> None:
    mark, color = _MARKS[finding.verdict.value]
    click.echo(f"  {click.style(mark, fg=color)} {finding.check}: {printable(finding.found)}")
    if finding.cure:
        click.echo(f"      → {printable(finding.cure)}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
