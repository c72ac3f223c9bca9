"""``runyard runs``."""

from __future__ import annotations

import getpass
import itertools
import time
from typing import TYPE_CHECKING, Any

import click

from runyard.cli.connection import connected
from runyard.cli.experiments import VIEW, VIEWS, find
from runyard.cli.printing import duration_text, output_option, print_fields, print_json, print_table, time_text
from runyard.settings import load_client_settings

if TYPE_CHECKING:
    from runyard.client.transport import Transport
    from runyard.wire.runs import Run

RUN_ID = click.option("--run-id", required=True, metavar="ID", help="The run's id.")
_EXPERIMENT_VARIABLES = "[env: RUNYARD_EXPERIMENT_ID, MLFLOW_EXPERIMENT_ID]"


@click.group()
def runs() -> None:
    """Create, find and change runs.

    \b
      runyard runs list --experiment-id 1
      runyard runs list --experiment-id 1 --filter "metrics.loss < 0.1" --order-by "metrics.loss"
      runyard runs describe --run-id 3f1c…
    """


@runs.command("list")
@click.option("--experiment-id", metavar="ID", help=f"Experiment whose runs to list.  {_EXPERIMENT_VARIABLES}")
@VIEW
@click.option("--filter", "filter_text", metavar="TEXT", help='Only those that match, such as "metrics.loss < 0.1".')
@click.option("--order-by", multiple=True, metavar="FIELD", help='Such as "metrics.loss ASC"; may be repeated.')
@click.option(
    "--max-results", type=click.IntRange(1), default=1000, show_default=True, metavar="N", help="At most so many."
)
@output_option("table")
@connected
def list_runs(
    transport: Transport,
    experiment_id: str | None,
    view: str,
    filter_text: str | None,
    order_by: tuple[str, ...],
    max_results: int,
    output: str,
) -> None:
    """List the runs of an experiment, the latest first.

    \b
      runyard runs list --experiment-id 1
      runyard runs list --experiment-id 1 --filter "params.model = 'cnn' AND metrics.accuracy > 0.9"
      runyard runs list --experiment-id 1 --view deleted_only --output json
    """
    from runyard.client import tracking

    experiment_id = experiment_id or load_client_settings().experiment_id
    if experiment_id is None:
        raise click.UsageError("Missing option '--experiment-id'.")
    tracking.get_experiment(transport, experiment_id)
    found = tracking.search_runs(
        transport,
        [experiment_id],
        view_type=VIEWS[view],  # type: ignore[arg-type]
        filter_text=filter_text,
        order_by=order_by,
        max_results=max_results + 1,
    )
    shown = list(itertools.islice(found, max_results))
    if output == "json":
        print_json([_plain(run) for run in shown])
    else:
        print_table(
            ["Date (UTC)", "Name", "ID", "Status", "Duration"],
            [
                [
                    time_text(run.info.start_time),
                    run.info.run_name,
                    run.info.run_id,
                    run.info.status,
                    duration_text(run.info.start_time, run.info.end_time),
                ]
                for run in shown
            ],
        )
    if next(found, None) is not None:
        click.echo(f"note: there are more than {max_results}; see --max-results and --filter", err=True)


@runs.command()
@RUN_ID
@output_option("json")
@connected
def describe(transport: Transport, run_id: str, output: str) -> None:
    """Show all of a run: params, tags, the latest value of each metric, inputs.

    \b
      runyard runs describe --run-id 3f1c… --output table
      runyard runs describe --run-id 3f1c… | jq .data.metrics.accuracy
    """
    from runyard.client import tracking

    run = tracking.get_run(transport, run_id)
    if output == "json":
        print_json(_plain(run))
        return
    info = run.info
    print_fields(
        [
            ("Run Id", info.run_id),
            ("Name", info.run_name),
            ("Experiment Id", info.experiment_id),
            ("Status", info.status),
            ("User", info.user_id),
            ("Start (UTC)", time_text(info.start_time)),
            ("End (UTC)", time_text(info.end_time)),
            ("Duration", duration_text(info.start_time, info.end_time)),
            ("Lifecycle Stage", info.lifecycle_stage),
            ("Artifacts", info.artifact_uri),
        ]
    )
    if run.data.params:
        click.echo()
        print_table(["Param", "Value"], [[param.key, param.value] for param in run.data.params])
    if run.data.metrics:
        click.echo()
        print_table(
            ["Metric", "Latest", "Step", "At (UTC)"],
            [[metric.key, metric.value, metric.step, time_text(metric.timestamp)] for metric in run.data.metrics],
        )
    if run.data.tags:
        click.echo()
        print_table(["Tag", "Value"], [[tag.key, tag.value] for tag in run.data.tags])
    if run.inputs.dataset_inputs:
        click.echo()
        print_table(
            ["Dataset", "Digest", "Source"],
            [
                [given.dataset.name, given.dataset.digest, given.dataset.source_type]
                for given in run.inputs.dataset_inputs
            ],
        )


@runs.command()
@click.option("--experiment-id", metavar="ID", help=f"Experiment of the new run, or its name.  {_EXPERIMENT_VARIABLES}")
@click.option("--experiment-name", metavar="NAME", help="Name of the experiment; it is created where there is none.")
@click.option("--run-name", metavar="NAME", help="Name of the run; by default the server invents one.")
@click.option("--description", metavar="TEXT", help="What the run is.")
@click.option("-t", "--tags", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
@click.option(
    "--status",
    type=click.Choice(["FINISHED", "FAILED", "KILLED"], case_sensitive=False),
    default="FINISHED",
    show_default=True,
    help="How it ended.",
)
@click.option("--parent-run-id", metavar="ID", help="Run that the new one is a part of.")
@connected
def create(
    transport: Transport,
    experiment_id: str | None,
    experiment_name: str | None,
    run_name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    status: str,
    parent_run_id: str | None,
) -> None:
    """Record a run that is over: create it and end it at once; print it as JSON.

    \b
      runyard runs create --experiment-id 1 --run-name baseline -t env=prod -t model=cnn
      runyard runs create --experiment-name nightly --status FAILED
    """
    from runyard.client import tracking
    from runyard.errors import NotFound

    named_tags = _parse_tags(tags)
    if experiment_id is None and experiment_name is None:
        experiment_id = load_client_settings().experiment_id
    try:
        experiment_id = find(transport, experiment_id, experiment_name).experiment_id
    except NotFound:
        if experiment_name is None:
            raise
        experiment_id = tracking.create_experiment(transport, experiment_name)
    user = _user()
    context = {
        "mlflow.user": user,
        "mlflow.source.name": "runyard runs create",
        "mlflow.source.type": "LOCAL",
        "mlflow.parentRunId": parent_run_id,
        "mlflow.note.content": description,
    }
    now_ms = time.time_ns() // 1_000_000
    run = tracking.create_run(
        transport,
        experiment_id,
        start_time=now_ms,
        user_id=user,
        run_name=run_name,
        tags={**{key: value for key, value in context.items() if value}, **named_tags},
    )
    tracking.update_run(transport, run.info.run_id, status=status.upper(), end_time=now_ms)
    print_json(
        {
            "run_id": run.info.run_id,
            "experiment_id": run.info.experiment_id,
            "status": status.upper(),
            "run_name": run.info.run_name,
        }
    )


@runs.command()
@RUN_ID
@connected
def delete(transport: Transport, run_id: str) -> None:
    """Move a run to the trash. Nothing is lost: restore brings it back.

    \b
      runyard runs delete --run-id 3f1c…
    """
    from runyard.client import tracking

    tracking.delete_run(transport, run_id)
    click.echo(f"Run with ID {run_id} has been deleted.")


@runs.command()
@RUN_ID
@connected
def restore(transport: Transport, run_id: str) -> None:
    """Take a run out of the trash.

    \b
      runyard runs restore --run-id 3f1c…
    """
    from runyard.client import tracking

    tracking.restore_run(transport, run_id)
    click.echo(f"Run with id {run_id} has been restored.")


def _plain(run: Run) -> dict[str, Any]:
    """Return a run as upstream's command prints it: metrics, params and tags by key."""
    import msgspec

    content: dict[str, Any] = msgspec.to_builtins(run)
    content["data"] = {
        "metrics": {metric.key: metric.value for metric in run.data.metrics},
        "params": {param.key: param.value for param in run.data.params},
        "tags": {tag.key: tag.value for tag in run.data.tags},
    }
    return content


def _parse_tags(tags: tuple[str, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not key or not equals:
            raise click.UsageError(f"Invalid tag format: '{tag}'. Tags must be in key=value format.")
        if key in named:
            raise click.UsageError(f"Duplicate tag key: '{key}'")
        named[key] = value
    return named


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has no name.
        return ""
