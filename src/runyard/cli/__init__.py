"""The command ``runyard``; one module a group of commands.

Starting quickly is a feature: these modules import click and the settings, and the rest where a command needs it.
"""

from __future__ import annotations

from typing import Any

import click

from runyard import __version__
from runyard.cli.artifacts import artifacts
from runyard.cli.db import db
from runyard.cli.doctor import doctor
from runyard.cli.experiments import experiments
from runyard.cli.gc import gc
from runyard.cli.models import models
from runyard.cli.printing import printable
from runyard.cli.run import run
from runyard.cli.runs import runs
from runyard.cli.server import server, ui
from runyard.cli.sync import sync
from runyard.errors import ConfigurationError, RunyardError


class _Commands(click.Group):
    """Commands whose errors are told in a line: status 2 where the command could not start, else 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RunyardError as error:
            # Of several lines where a filter is shown with the place that is wrong.
            lines = [printable(line) for line in error.message.split("\n")]
            click.echo("Error: " + "\n".join(lines), err=True)
            ctx.exit(2 if isinstance(error, ConfigurationError) else 1)


@click.group(cls=_Commands, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="runyard")
def main() -> None:
    """Track experiments, keep models, and serve both to every MLflow client.

    \b
    Start a server, with everything it keeps in this folder:
      runyard server
    Then, in your program:
      mlflow.set_tracking_uri("http://127.0.0.1:5000")
    And from a shell:
      runyard experiments search
      runyard runs list --experiment-id 1
      runyard run .
    When something does not work:
      runyard doctor

    The commands about experiments, runs and artifacts ask the server that --tracking-uri or the variable
    MLFLOW_TRACKING_URI names; without one they use the database of this folder directly.
    """


for _command in (server, ui, doctor, db, gc, experiments, runs, artifacts, models, run, sync):
    main.add_command(_command)
