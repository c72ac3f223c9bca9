"""``runyard sync``: send what programs could not."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.cli.printing import printable
from runyard.errors import ConfigurationError, RunyardError
from runyard.settings import load_client_settings

if TYPE_CHECKING:
    from runyard.client.spool import Spool


@click.command()
@click.option(
    "--spool",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the spools.  [default: that of RUNYARD_SPOOL]",
)
@click.option(
    "--tracking-uri", "uri", metavar="URI", help="Send to this server, instead of the one each was meant for."
)
@click.option("--list", "is_listing", is_flag=True, help="Show what waits, and send nothing.")
@click.option("--retry-refused", is_flag=True, help="Send what the server refused once more.")
@click.option("--drop-refused", is_flag=True, help="Remove what the server refused: it is lost.")
def sync(folder: Path | None, uri: str | None, is_listing: bool, retry_refused: bool, drop_refused: bool) -> None:
    """Send to the server what programs logged while it was away, or had no time to send.

    With RUNYARD_SPOOL set to a folder, programs keep what they log there until the server has it. Each program has a
    file of its own; this sends those of programs that have ended, each write once, however often it is run.

    Ends with status 1 while anything is left.

    \b
    Train without a network, and send the results later:
      RUNYARD_SPOOL=~/spool MLFLOW_TRACKING_URI=https://runs.example.com python train.py
      RUNYARD_SPOOL=~/spool runyard sync
    """
    from runyard.client.spool import InUse, Spool, left_in

    if folder is None:
        told = load_client_settings().spool
        if told is None:
            raise ConfigurationError("which folder? Name it with --spool, or set RUNYARD_SPOOL")
        folder = Path(told).expanduser()
    if retry_refused and drop_refused:
        raise ConfigurationError("--retry-refused and --drop-refused: choose one")
    left = 0
    found = list(left_in(folder))
    if not found:
        click.echo(f"nothing waits in {folder}")
    for path in found:
        try:
            spool = Spool(path)
        except InUse:
            click.echo(f"{path.name}: its program still runs, and sends it itself")
            continue
        with closing(spool):
            if drop_refused:
                spool.remove(spool.refused())
            if retry_refused:
                spool.retry_refused()
            if not is_listing:
                _send(spool, uri)
            waiting, refused = spool.count()
            left += waiting + refused
            _tell(spool, waiting, refused)
    if left:
        raise SystemExit(1)


def _send(spool: Spool, uri: str | None) -> None:
    from runyard.client.spooling import drain
    from runyard.client.transport import open_transport

    waiting, _ = spool.count()
    if not waiting:
        return
    uri = uri or spool.about["uri"]
    click.echo(f"{spool.path.name}: {waiting:,} writes of {_program(spool)} to {printable(uri)}")
    try:
        with (
            closing(open_transport(uri)) as transport,
            click.progressbar(length=waiting, label="sending", show_pos=True) as bar,
        ):
            drain(spool, transport, bar.update)
    except RunyardError as error:
        click.echo(f"Error: {printable(error.message)}", err=True)


def _tell(spool: Spool, waiting: int, refused: int) -> None:
    parts = [f"{waiting:,} writes wait"] if waiting else []
    if refused:
        parts.append(f"{refused:,} were refused")
    click.echo(f"{spool.path.name}: {', '.join(parts) or 'all sent'} ({_program(spool)})")
    for entry in spool.refused()[:_SHOWN]:
        click.echo(f"  run {entry.run_id}: {printable(entry.refusal or '')}")
    if refused > _SHOWN:
        click.echo(f"  and {refused - _SHOWN:,} more")
    if refused:
        click.echo("  --retry-refused sends these once more, --drop-refused removes them")


_SHOWN = 10


def _program(spool: Spool) -> str:
    about = spool.about
    return f"{printable(os.path.basename(about.get('source', 'a program')))}, process {about.get('pid', 'unknown')}"
