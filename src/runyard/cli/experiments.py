"""``runyard experiments``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import click

from runyard.cli.connection import connected
from runyard.cli.printing import output_option, print_fields, print_json, print_table, printable, time_text

if TYPE_CHECKING:
    from runyard.client.transport import Transport
    from runyard.wire.experiments import Experiment
    from runyard.wire.runs import Run

VIEWS: Final = {"active_only": "ACTIVE_ONLY", "deleted_only": "DELETED_ONLY", "all": "ALL"}

EXPERIMENT_ID = click.option("-x", "--experiment-id", required=True, metavar="ID", help="The experiment's id.")
VIEW = click.option(
    "-v",
    "--view",
    type=click.Choice(list(VIEWS)),
    default="active_only",
    show_default=True,
    help="Whether to show what is active, what was deleted, or all.",
)


@click.group()
def experiments() -> None:
    """Create, find and change experiments.

    \b
      runyard experiments create -n mnist
      runyard experiments search
      runyard experiments csv -x 1 -o runs.csv
    """


@experiments.command()
@click.option("-n", "--experiment-name", required=True, metavar="NAME", help="Name of the new experiment.")
@click.option(
    "-l",
    "--artifact-location",
    metavar="URI",
    help="Where the artifacts of its runs are to be kept; by default where the server chooses.",
)
@connected
def create(transport: Transport, experiment_name: str, artifact_location: str | None) -> None:
    """Create an experiment.

    \b
      runyard experiments create -n mnist
      runyard experiments create -n mnist -l s3://models/mnist
    """
    from runyard.client import tracking

    experiment_id = tracking.create_experiment(transport, experiment_name, artifact_location)
    click.echo(f"Created experiment '{printable(experiment_name)}' with id {experiment_id}")


@experiments.command()
@VIEW
@click.option("--filter", "filter_text", metavar="TEXT", help="Only those that match, such as \"name LIKE 'mn%'\".")
@click.option("--order-by", multiple=True, metavar="FIELD", help='Such as "name DESC"; may be repeated.')
@click.option("--max-results", type=click.IntRange(0), metavar="N", help="At most so many; by default all.")
@output_option("table")
@connected
def search(
    transport: Transport,
    view: str,
    filter_text: str | None,
    order_by: tuple[str, ...],
    max_results: int | None,
    output: str,
) -> None:
    """List experiments, the newest first.

    \b
      runyard experiments search
      runyard experiments search --filter "tags.team = 'vision'" --order-by name
      runyard experiments search --view all --output json
    """
    from runyard.client import tracking

    found = list(
        tracking.search_experiments(
            transport,
            view_type=VIEWS[view],  # type: ignore[arg-type]
            filter_text=filter_text,
            order_by=order_by,
            max_results=max_results,
        )
    )
    if output == "json":
        print_json([_plain(experiment) for experiment in found])
        return
    # What it says first is as upstream prints it.
    headers = ["Experiment Id", "Name", "Artifact Location", "Created (UTC)"]
    rows = [[e.experiment_id, e.name, e.artifact_location, time_text(e.creation_time)] for e in found]
    if view == "active_only":
        print_table(headers, rows)
    else:
        print_table([*headers, "Stage"], [[*row, e.lifecycle_stage] for row, e in zip(rows, found, strict=True)])


experiments.add_command(
    click.Command("list", params=search.params, callback=search.callback, help="Another name of experiments search.")
)


@experiments.command()
@click.option("-x", "--experiment-id", metavar="ID", help="Its id; either this or its name.")
@click.option("-n", "--experiment-name", metavar="NAME", help="Its name.")
@output_option("table")
@connected
def get(transport: Transport, experiment_id: str | None, experiment_name: str | None, output: str) -> None:
    """Show an experiment.

    \b
      runyard experiments get -x 1
      runyard experiments get -n mnist --output json
    """

    experiment = find(transport, experiment_id, experiment_name)
    if output == "json":
        print_json(_plain(experiment))
        return
    print_fields(
        [
            ("Experiment Id", experiment.experiment_id),
            ("Name", experiment.name),
            ("Artifact Location", experiment.artifact_location),
            ("Lifecycle Stage", experiment.lifecycle_stage),
            ("Created (UTC)", time_text(experiment.creation_time)),
            ("Last Update (UTC)", time_text(experiment.last_update_time)),
            *((f"Tag {tag.key}", tag.value) for tag in experiment.tags),
        ]
    )


@experiments.command("csv")
@EXPERIMENT_ID
@click.option("-o", "--filename", metavar="FILE", help="File to write; by default the standard output.")
@connected
def write_csv(transport: Transport, experiment_id: str, filename: str | None) -> None:
    """Write the runs of an experiment as CSV: a row a run, a column each metric, param and tag.

    \b
      runyard experiments csv -x 1 -o runs.csv
    """
    from runyard.client import tracking

    tracking.get_experiment(transport, experiment_id)
    found = list(tracking.search_runs(transport, [experiment_id]))
    with _opened_for_text(filename) as file:
        _write_runs(file, found)
    if filename is not None:
        click.echo(f"Experiment with ID {experiment_id} has been exported as a CSV to file: {filename}.")


@experiments.command()
@EXPERIMENT_ID
@click.option("--new-name", required=True, metavar="NAME", help="Its name from now on.")
@connected
def rename(transport: Transport, experiment_id: str, new_name: str) -> None:
    """Give an active experiment another name.

    \b
      runyard experiments rename -x 1 --new-name mnist-v2
    """
    from runyard.client import tracking

    tracking.rename_experiment(transport, experiment_id, new_name)
    click.echo(f"Experiment with id {experiment_id} has been renamed to '{printable(new_name)}'.")


@experiments.command()
@EXPERIMENT_ID
@connected
def delete(transport: Transport, experiment_id: str) -> None:
    """Move an experiment and its runs to the trash; its name becomes free.

    Nothing is lost: restore brings it back.

    \b
      runyard experiments delete -x 1
    """
    from runyard.client import tracking

    tracking.delete_experiment(transport, experiment_id)
    click.echo(f"Experiment with ID {experiment_id} has been deleted.")


@experiments.command()
@EXPERIMENT_ID
@connected
def restore(transport: Transport, experiment_id: str) -> None:
    """Take an experiment, and the runs deleted with it, out of the trash.

    \b
      runyard experiments restore -x 1
    """
    from runyard.client import tracking

    tracking.restore_experiment(transport, experiment_id)
    click.echo(f"Experiment with id {experiment_id} has been restored.")


def find(transport: Transport, experiment_id: str | None, experiment_name: str | None) -> Experiment:
    """Return the experiment that one of two options names."""
    from runyard.client import tracking

    if (experiment_id is None) == (experiment_name is None):
        raise click.UsageError("Must specify exactly one of --experiment-id or --experiment-name.")
    if experiment_id is not None:
        return tracking.get_experiment(transport, experiment_id)
    assert experiment_name is not None
    return tracking.get_experiment_by_name(transport, experiment_name)


def _plain(experiment: Experiment) -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(experiment), "tags": {tag.key: tag.value for tag in experiment.tags}}


def _write_runs(file: IO[str], found: list[Run]) -> None:
    metrics = sorted({metric.key for run in found for metric in run.data.metrics})
    params = sorted({param.key for run in found for param in run.data.params})
    tags = sorted({tag.key for run in found for tag in run.data.tags})
    writer = csv.writer(file, lineterminator="\n")
    # A file keeps what was logged; a terminal would obey it.
    shown = printable if file.isatty() else str
    writer.writerow(
        [
            *("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"),
            *(f"metrics.{shown(key)}" for key in metrics),
            *(f"params.{shown(key)}" for key in params),
            *(f"tags.{shown(key)}" for key in tags),
        ]
    )
    for run in found:
        info = run.info
        row = [
            *(info.run_id, info.experiment_id, info.status, info.artifact_uri),
            *(_zoned(info.start_time), _zoned(info.end_time)),
            *_cells(metrics, ((metric.key, metric.value) for metric in run.data.metrics)),
            *_cells(params, ((param.key, param.value) for param in run.data.params)),
            *_cells(tags, ((tag.key, tag.value) for tag in run.data.tags)),
        ]
        writer.writerow([shown(cell) for cell in row])


def _cells(keys: list[str], pairs: Iterable[tuple[str, object]]) -> list[object]:
    values = dict(pairs)
    return [values.get(key, "") for key in keys]


def _zoned(timestamp_ms: int | None) -> str:
    return f"{time_text(timestamp_ms)}.{timestamp_ms % 1000:03d}+00:00" if timestamp_ms else ""


@contextmanager
def _opened_for_text(filename: str | None) -> Iterator[IO[str]]:
    if filename is None:
        yield sys.stdout
        return
    try:
        with open(filename, "w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise click.ClickException(f"cannot write {filename!r}: {error.strerror}") from None
