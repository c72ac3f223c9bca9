"""Which server a command asks, and the option that says so."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from runyard.cli.databases import opened_database
from runyard.settings import load_settings, tracking_uri

if TYPE_CHECKING:
    from runyard.client.transport import Transport


def connected(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --tracking-uri, and the transport to that server as its first argument."""

    @click.option(
        "--tracking-uri",
        "uri",
        metavar="URI",
        help="Server or database to ask: http://HOST:PORT, sqlite:///FILE, postgresql://USER@HOST/NAME.  "
        "[default: the database that runyard server would use here; env: RUNYARD_TRACKING_URI, MLFLOW_TRACKING_URI]",
    )
    @functools.wraps(function)
    def command(uri: str | None, **options: Any) -> None:
        with opened(uri) as transport:
            function(transport, **options)

    return command


@contextlib.contextmanager
def opened(uri: str | None) -> Iterator[Transport]:
    """Give the transport to the server that was named, or else to the database of this folder."""
    from runyard.client.transport import open_transport

    with contextlib.closing(open_transport(choose(uri))) as transport:
        yield transport


def choose(uri: str | None) -> str:
    """Return the URI of the server that was named, or else of the database of this folder, which is then looked at."""
    from runyard.client.transport import DATABASE_SCHEMES

    chosen = uri or tracking_uri()
    if chosen is None:
        chosen = load_settings().backend_store_uri
        path = chosen.removeprefix("sqlite:///")
        if path != chosen and not os.path.exists(path):
            click.echo(
                f"note: making the database {path!r}, for there is none; "
                "to ask a server, say --tracking-uri or set MLFLOW_TRACKING_URI",
                err=True,
            )
    if chosen.startswith(DATABASE_SCHEMES):
        # What is wrong with a file is told in a line here, and with a traceback by what would run into it.
        with opened_database(load_settings(backend_store_uri=chosen)):
            pass
    return chosen
