"""``runyard models``: saved models served and asked."""

from __future__ import annotations

from typing import Any, Final

import click

from runyard.cli.server import options_of
from runyard.settings import ServingSettings, load_serving_settings

_SERVE_SHORT: Final = {"model_uri": "-m", "host": "-h", "port": "-p", "timeout_s": "-t", "workers": "-w"}
# What the parent of workers tells them, and what has a variable only.
_INTERNAL: Final = ("fetched_folder", "fetched_version", "model_config")


@click.group()
def models() -> None:
    """Serve saved models, and ask them."""


@models.command()
@options_of(ServingSettings, _SERVE_SHORT, without=_INTERNAL)
def serve(**chosen: Any) -> None:
    """Serve a model."""
    from runyard.serving.run import serve as run

    run(load_serving_settings(**chosen))
