"""``runyard artifacts``: files to and from runs and models."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from runyard.cli.connection import connected, opened
from runyard.cli.printing import output_option, print_json, print_table, printable, size_text
from runyard.settings import registry_uri

if TYPE_CHECKING:
    from runyard.client.artifacts import ArtifactFolder, Progress
    from runyard.client.transport import Transport

# What moves in a moment needs no bar.
PROGRESS_FROM_BYTES: Final = 16 * 1024 * 1024

_INTO = click.option(
    "-a", "--artifact-path", metavar="PATH", help="Folder of the run's artifacts to put it in; by default their root."
)


@click.group()
def artifacts() -> None:
    """Send, list and fetch the files of runs and models.

    \b
      runyard artifacts log-artifact -l model.onnx -r 3f1c…
      runyard artifacts list -r 3f1c…
      runyard artifacts download -r 3f1c… -d results
    """


@artifacts.command()
@click.option("-l", "--local-file", required=True, metavar="FILE", help="File to send.")
@click.option("-r", "--run-id", required=True, metavar="ID", help="Run to which it belongs.")
@_INTO
@connected
def log_artifact(transport: Transport, local_file: str, run_id: str, artifact_path: str | None) -> None:
    """Send a file to a run.

    \b
      runyard artifacts log-artifact -l model.onnx -r 3f1c… -a models
    """
    source = Path(local_file)
    if not source.is_file():
        raise click.BadParameter(f"there is no file {local_file!r}", param_hint="--local-file")
    folder = _folder_of_run(transport, run_id)
    path = _joined(artifact_path, source.name)
    with _progress(source.stat().st_size, f"Sending {printable(source.name)}") as progress:
        folder.upload(source, path, progress)
    click.echo(printable(f"Logged artifact from local file {local_file} to artifact_path={path}"), err=True)


@artifacts.command()
@click.option("-l", "--local-dir", required=True, metavar="FOLDER", help="Folder whose files to send.")
@click.option("-r", "--run-id", required=True, metavar="ID", help="Run to which they belong.")
@_INTO
@connected
def log_artifacts(transport: Transport, local_dir: str, run_id: str, artifact_path: str | None) -> None:
    """Send all files of a folder, and of the folders in it, to a run.

    \b
      runyard artifacts log-artifacts -l plots -r 3f1c… -a plots
    """
    from runyard.client.artifacts import files_below

    source = Path(local_dir)
    if not source.is_dir():
        raise click.BadParameter(f"there is no folder {local_dir!r}", param_hint="--local-dir")
    files = list(files_below(source))
    folder = _folder_of_run(transport, run_id)
    with _progress(sum(file.stat().st_size for file, _ in files), f"Sending {len(files)} files") as progress:
        for file, path in files:
            folder.upload(file, _joined(artifact_path, path), progress)
    place = _joined(artifact_path, "")
    click.echo(printable(f"Logged {len(files)} files from local dir {local_dir} to artifact_path={place}"), err=True)


@artifacts.command("list")
@click.option("-r", "--run-id", required=True, metavar="ID", help="Run whose artifacts to list.")
@click.option("-a", "--artifact-path", metavar="PATH", help="Folder to list; by default their root.")
@output_option("json")
@connected
def list_artifacts(transport: Transport, run_id: str, artifact_path: str | None, output: str) -> None:
    """List the artifacts directly in a folder of a run.

    \b
      runyard artifacts list -r 3f1c… --output table
      runyard artifacts list -r 3f1c… -a model
    """
    found = _folder_of_run(transport, run_id).list(_joined(artifact_path, ""))
    if output == "json":
        print_json(found)
    else:
        print_table(
            ["Path", "Size"],
            [[f"{file.path}/" if file.is_dir else file.path, size_text(file.file_size)] for file in found],
        )


@artifacts.command("download")
@click.option("-r", "--run-id", metavar="ID", help="Run from which to download.")
@click.option(
    "-a", "--artifact-path", metavar="PATH", help="With --run-id: file or folder to download; by default all."
)
@click.option(
    "-u",
    "--artifact-uri",
    metavar="URI",
    help="File or folder to download, instead of --run-id: runs:/RUN_ID/PATH, models:/NAME/VERSION, "
    "models:/NAME@ALIAS, mlflow-artifacts:/PATH, or where it is kept, such as s3://BUCKET/PATH.",
)
@click.option("-d", "--dst-path", metavar="FOLDER", help="Local folder to write to; by default a new temporary one.")
@connected
def download_artifacts(
    transport: Transport, run_id: str | None, artifact_path: str | None, artifact_uri: str | None, dst_path: str | None
) -> None:
    """Fetch a file, or a folder with all that is in it; print where it is now.

    \b
      runyard artifacts download -r 3f1c… -a model -d .
      runyard artifacts download -u models:/iris-classifier@champion -d model
      ls $(runyard artifacts download -r 3f1c…)
    """
    from runyard.client import artifacts as client
    from runyard.client.sources import find_source

    if (run_id is None) == (artifact_uri is None):
        raise click.UsageError("Either --run-id or --artifact-uri must be provided.")
    if artifact_uri is not None:
        if artifact_path is not None:
            raise click.UsageError("--artifact-path goes with --run-id; with --artifact-uri it is part of the URI.")
        with contextlib.ExitStack() as stack:
            named = registry_uri() if artifact_uri.startswith("models:") else None
            registry = transport if named is None else stack.enter_context(opened(named))
            folder, path = find_source(transport, artifact_uri, registry)
    else:
        assert run_id is not None
        folder, path = _folder_of_run(transport, run_id), _joined(artifact_path, "")
    files = client.find_files(folder, path)
    size_bytes = sum(file.file_size or 0 for file in files)
    with _target_folder(dst_path) as target, _progress(size_bytes, f"Fetching {len(files)} files") as progress:
        client.download(folder, files, target, progress)
        if not files:
            client.make_folder(target / path)
    click.echo((target / path).absolute())


def _folder_of_run(transport: Transport, run_id: str) -> ArtifactFolder:
    from runyard.client import tracking
    from runyard.client.artifacts import open_folder

    return open_folder(transport, tracking.get_run(transport, run_id).info.artifact_uri)


def _joined(folder: str | None, path: str) -> str:
    """Return a path below a folder of artifacts; raise InvalidParameter where the folder is none."""
    from runyard.artifacts.uris import check_artifact_path

    return "/".join(part for part in (check_artifact_path(folder or "", "artifact_path"), path) if part)


@contextlib.contextmanager
def _target_folder(dst_path: str | None) -> Iterator[Path]:
    """Give the folder to download to; a temporary one stays where all went well, for its path is the result."""
    if dst_path is not None:
        yield Path(dst_path)
        return
    folder = Path(tempfile.mkdtemp(prefix="runyard-"))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextlib.contextmanager
def _progress(total_bytes: int, label: str) -> Iterator[Progress]:
    if total_bytes < PROGRESS_FROM_BYTES or not sys.stderr.isatty():
        yield lambda _bytes: None
        return
    with click.progressbar(length=total_bytes, label=label, file=sys.stderr, show_eta=True) as bar:
        yield bar.update
