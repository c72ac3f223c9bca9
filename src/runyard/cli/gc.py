"""``runyard gc``: deleting for good what is in the trash."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from runyard.cli.databases import opened_database, sqlite_path
from runyard.cli.printing import print_table, printable, size_text
from runyard.errors import ConfigurationError, InvalidParameter, Unavailable
from runyard.settings import Settings, load_settings, tracking_uri

if TYPE_CHECKING:
    from runyard.server.retention import Cleaner, FindFolder, Report
    from runyard.server.services import Services
    from runyard.store.leases import Lease
    from runyard.store.retention import Policy

_NUMBER: Final = r"(\d+(?:\.\d*)?|\.\d+)"
_AGE: Final = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in "dhms"), re.ASCII)
_UNITS_MS: Final = (86_400_000, 3_600_000, 60_000, 1_000)
_MAX_AGE_MS: Final = 36_500 * 86_400_000


def _age(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Return an age such as 1d2h3m4s or 1.5d in milliseconds."""
    if value is None:
        return None
    text = value.replace(" ", "")
    found = _AGE.fullmatch(text)
    if not text or found is None:
        raise click.BadParameter(f"{value!r} is no age; expected one such as 1d2h3m4s or 1.5d")
    age = sum(float(part) * unit for part, unit in zip(found.groups(), _UNITS_MS, strict=True) if part)
    if age > _MAX_AGE_MS:
        raise click.BadParameter(f"{value!r} is more than a hundred years")
    return int(age)


def _ids(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str] | None:
    """Return ids that have commas between them."""
    if value is None:
        return None
    ids = [part.strip() for part in value.split(",") if part.strip()]
    if not ids:
        raise click.BadParameter("it names nothing")
    return ids


@click.command()
@click.option(
    "--older-than", callback=_age, metavar="AGE", help="Only what is in the trash for longer, such as 30d or 1d12h."
)
@click.option("--run-ids", callback=_ids, metavar="IDS", help="Only these runs, with commas between them.")
@click.option(
    "--experiment-ids", callback=_ids, metavar="IDS", help="Only these experiments, with all that is in them."
)
@click.option("--logged-model-ids", callback=_ids, metavar="IDS", help="Only these logged models.")
@click.option(
    "--orphans-older-than",
    callback=_age,
    metavar="AGE",
    help="Also artifact folders that belong to no run and no logged model of the database and were last written to so "
    "long ago. Never where another server keeps its artifacts below the same root.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only list what would be deleted.")
@click.option(
    "--max-per-second", type=click.IntRange(0), default=0, metavar="N", help="At most so many per second; 0: no limit."
)
@click.option(
    "--backend-store-uri",
    metavar="URI",
    help="Database.  [default: that of runyard server here; env: RUNYARD_BACKEND_STORE_URI, MLFLOW_BACKEND_STORE_URI]",
)
@click.option(
    "--artifacts-destination",
    metavar="URI",
    help="Where the server keeps artifacts that clients send through it.  "
    "[default: ./mlartifacts; env: RUNYARD_ARTIFACTS_DESTINATION, MLFLOW_ARTIFACTS_DESTINATION]",
)
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="Server through which to delete those artifacts, instead of --artifacts-destination; a database's URI is "
    "taken as --backend-store-uri.  [env: RUNYARD_TRACKING_URI, MLFLOW_TRACKING_URI]",
)
@click.pass_context
def gc(
    context: click.Context,
    older_than: int | None,
    run_ids: list[str] | None,
    experiment_ids: list[str] | None,
    logged_model_ids: list[str] | None,
    orphans_older_than: int | None,
    dry_run: bool,
    max_per_second: int,
    backend_store_uri: str | None,
    artifacts_destination: str | None,
    tracking_uri: str | None,
) -> None:
    """Delete for good, with their artifacts, the runs, logged models and experiments in the trash.

    Without ids, all that is there; with ids, those and nothing else. What carries the tag keep, and what a model
    version came from, stays. Tags such as runyard.retention.deleted_days on runs and experiments count before
    --older-than. Works on the database itself; servers may be running. Ctrl-C finishes what was begun; what is left is
    in the trash, and the next gc goes on.

    \b
    See what would go, then let it:
      runyard gc --older-than 30d --dry-run
      runyard gc --older-than 30d
    On a server's database, with its bucket:
      runyard gc --backend-store-uri postgresql://mlflow@db.example.com/mlflow \\
        --artifacts-destination s3://models/artifacts
    """
    settings, remote_uri = _find_places(backend_store_uri, artifacts_destination, tracking_uri)
    names = (run_ids, logged_model_ids, experiment_ids)
    if orphans_older_than is not None and (any(names) or remote_uri is not None):
        raise click.UsageError("--orphans-older-than goes neither with ids nor with a server at --tracking-uri.")
    with opened_database(settings) as database:
        path = sqlite_path(database)
        if path is not None and not path.exists():
            raise ConfigurationError(f"there is no database {str(path)!r}; name another with --backend-store-uri")
    from runyard.server.opening import opened_services
    from runyard.server.retention import Cleaner, actor_of
    from runyard.store.retention import Policy

    policy = Policy(deleted_ms=older_than or 0)
    items: list[tuple[str, str, str]] = []
    with (
        opened_services(settings, upgrades=False) as services,
        _folders(services, remote_uri) as find_folder,
        _stopping() as should_stop,
        contextlib.nullcontext() if dry_run else _leased(services, should_stop) as lease,
        _progress() as on_progress,
    ):
        cleaner = Cleaner(
            services,
            policy,
            actor_of("gc"),
            lease=lease,
            is_dry_run=dry_run,
            max_per_second=max_per_second,
            moves_finished=False,
            orphan_ms=orphans_older_than,
            should_stop=should_stop,
            on_progress=on_progress,
            on_item=lambda kind, name, words: items.append((kind, name, words)) if dry_run else None,
            find_folder=find_folder,
        )
        report = asyncio.run(_work(services, cleaner, lease, policy, names))
    if items:
        print_table(["KIND", "ID", "ARTIFACTS"], items)
    _tell(report, is_dry_run=dry_run, is_stopped=should_stop())
    if report.failure_count or not report.is_complete:
        context.exit(1)


async def _work(
    services: Services,
    cleaner: Cleaner,
    lease: Lease | None,
    policy: Policy,
    names: tuple[list[str] | None, list[str] | None, list[str] | None],
) -> Report:
    from runyard.server.retention import held
    from runyard.store.leases import LeaseLost

    try:
        async with held(services, lease) if lease is not None else contextlib.nullcontext():
            if not any(names):
                return await cleaner.clean()
            runs, models, experiments = _find(services, policy, *names)
            return await cleaner.purge(runs=runs, models=models, experiments=experiments)
    except LeaseLost as error:
        raise Unavailable(f"{error}; what is left is in the trash: try again") from error


def _find(
    services: Services,
    policy: Policy,
    run_ids: list[str] | None,
    logged_model_ids: list[str] | None,
    experiment_ids: list[str] | None,
) -> tuple[list[int], list[int], list[int]]:
    """Return the row ids of what was named; raise where one of them is not to be deleted, before anything is."""
    from runyard.store import retention, trash
    from runyard.store.clock import now_ms

    read = services.database.read
    found = []
    for kind, names in ((retention.RUN, run_ids), (retention.MODEL, logged_model_ids)):
        row_ids = read(trash.get_deleted, kind, names or [])
        judged = read(retention.judge_trash, kind, row_ids, policy, now_ms())
        for kept in judged.kept:
            raise InvalidParameter(f"The {kind.label} {kept.name} stays: {kept.reason}")
        due = {owner.name for owner in judged.expired}
        for name in names or []:
            if name not in due:
                raise InvalidParameter(f"The {kind.label} {name} is not in the trash for long enough")
        found.append(row_ids)
    experiments = read(trash.get_deleted_experiments, experiment_ids or [])
    due_experiments = set(read(retention.list_expired_experiments, policy, now_ms()))
    for number in experiments:
        if number not in due_experiments:
            raise InvalidParameter(
                f"The experiment {number} stays: it carries the tag {retention.KEEP_TAG!r}, "
                "or is not in the trash for long enough"
            )
    return found[0], found[1], experiments


def _find_places(
    backend_store_uri: str | None, artifacts_destination: str | None, uri: str | None
) -> tuple[Settings, str | None]:
    """Return the settings, and the server through which artifacts are deleted, if any."""
    from runyard.artifacts.uris import local_path

    default = Settings()
    remote_uri = uri or tracking_uri()
    if remote_uri is not None and not remote_uri.startswith(("http://", "https://")):
        backend_store_uri = backend_store_uri or (remote_uri if uri else None)
        remote_uri = None
    settings = load_settings(backend_store_uri=backend_store_uri, artifacts_destination=artifacts_destination)
    is_chosen = settings.artifacts_destination != default.artifacts_destination
    # A server that only the environment names is for other commands too.
    if uri is None and is_chosen:
        remote_uri = None
    folder = local_path(settings.artifacts_destination)
    if remote_uri is None and not is_chosen and settings.backend_store_uri != default.backend_store_uri:
        assert folder is not None
        if not folder.exists():
            raise ConfigurationError(
                f"there is no folder {settings.artifacts_destination!r} here, so the artifacts would stay for ever; "
                "say where the server keeps them with --artifacts-destination, or name the server with --tracking-uri"
            )
    return settings, remote_uri


@contextlib.contextmanager
def _folders(services: Services, remote_uri: str | None) -> Iterator[FindFolder | None]:
    if remote_uri is None:
        yield None
        return
    from runyard.artifacts.uris import PROXY_SCHEME, proxied_path, scheme_of
    from runyard.client.artifacts import RemoteFolders
    from runyard.client.http import HttpTransport
    from runyard.server.routes.artifacts import folder_of
    from runyard.settings import load_client_settings

    with contextlib.closing(HttpTransport(remote_uri, load_client_settings())) as transport:
        folders = RemoteFolders(transport)

        def find(name: str, artifact_uri: str) -> Any:
            place = folder_of(services, name, artifact_uri)
            if place is None or scheme_of(artifact_uri) != PROXY_SCHEME:
                return place
            return folders, proxied_path(artifact_uri.removesuffix("/artifacts"))

        yield find


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C or SIGTERM asked to stop."""
    asked = False

    def ask(_number: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _leased(services: Services, should_stop: Callable[[], bool]) -> Iterator[Lease]:
    """Give the lease of the clean-up, when nobody else holds it any more."""
    from runyard.server.retention import LEASE_NAME, actor_of
    from runyard.store import leases

    database = services.database
    is_told = False
    while (lease := database.write(leases.acquire, LEASE_NAME, actor_of("gc"))) is None:
        if should_stop():
            raise InvalidParameter("stopped before it began: another clean-up is at work")
        if not is_told:
            holder = database.read(leases.holder_of, LEASE_NAME)
            click.echo(f"note: waiting for another clean-up ({printable(holder)}) to end", err=True)
            is_told = True
        time.sleep(0.5)
    try:
        yield lease
    finally:
        # Not done as the background task would: that has a policy of its own to follow.
        database.write(leases.release, lease, is_done=False)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1, label="Deleting for good", file=sys.stderr, show_pos=True, show_eta=True) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show


def _tell(report: Report, *, is_dry_run: bool, is_stopped: bool) -> None:
    counts = [
        (report.run_count, "run"),
        (report.model_count, "logged model"),
        (report.experiment_count, "experiment"),
        (report.orphan_count, "orphaned folder"),
    ]
    gone = ", ".join(f"{count} {label}{'' if count == 1 else 's'}" for count, label in counts if count)
    size = f"{report.file_count} file{'' if report.file_count == 1 else 's'}, {size_text(report.size_bytes)}"
    click.echo(f"{'Would delete' if is_dry_run else 'Deleted'} {gone}: {size}." if gone else "Nothing to delete.")
    if report.kept_count:
        click.echo(f"Kept {report.kept_count}:", err=True)
        for kept in report.kept:
            click.echo(f"  {printable(kept.name)}: {printable(kept.reason)}", err=True)
        if report.kept_count > len(report.kept):
            click.echo(f"  and {report.kept_count - len(report.kept)} more", err=True)
    for reason in report.failures:
        click.echo(f"Error: {printable(reason)}", err=True)
    if is_stopped and not report.is_complete:
        click.echo("Stopped; what is left is in the trash, and the next gc goes on.", err=True)
    elif not report.is_complete:
        click.echo("The artifact store does not answer; what is left is in the trash. Try again.", err=True)
