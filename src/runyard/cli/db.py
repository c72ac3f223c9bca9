"""``runyard db``: the schema of a database."""

from __future__ import annotations

import click

from runyard.cli.databases import opened_database, sqlite_path
from runyard.settings import load_settings

_URI = click.argument("uri", required=False)


@click.group()
def db() -> None:
    """Look after the database's schema.

    A server migrates its database by itself when it starts; these commands are for doing it before, and for asking.
    """


@db.command()
@_URI
def upgrade(uri: str | None) -> None:
    """Bring the schema of the database at URI to what this version needs.

    Does nothing where it is current. Several at once are safe: one migrates, the others wait. Back up first. Without
    URI, the database is what RUNYARD_BACKEND_STORE_URI or MLFLOW_BACKEND_STORE_URI names, else that of this folder.

    \b
      runyard db upgrade postgresql://mlflow@db.example.com/mlflow
      runyard db upgrade sqlite:///runyard.db
    """
    from runyard.store import migrate

    with opened_database(load_settings(backend_store_uri=uri)) as database:
        applied = migrate.upgrade(database)
        if applied:
            click.echo(f"Upgraded {database.uri} to schema {migrate.HEAD} (applied {', '.join(applied)}).")
        else:
            click.echo(f"{database.uri} is current: schema {migrate.HEAD}.")


@db.command()
@_URI
@click.pass_context
def check(context: click.Context, uri: str | None) -> None:
    """Tell whether the schema of the database at URI is what this version needs; change nothing.

    \b
    Exit status:
      0  it is current
      1  it is empty or older: runyard db upgrade will make it current
      2  it cannot be used: newer than this version, another program's, or not there to be asked

    Without URI, the database is chosen as by runyard db upgrade.

    \b
      runyard db check postgresql://mlflow@db.example.com/mlflow && runyard server
    """
    from runyard.store import migrate

    with opened_database(load_settings(backend_store_uri=uri), is_read_only=True) as database:
        path = sqlite_path(database)
        # To connect would make a file that is not there, and begin to fill an empty one.
        if path is not None and not path.exists():
            click.echo(f"{database.uri} is not there yet; make it with: runyard db upgrade {database.uri}")
            context.exit(1)
        is_blank = path is not None and path.stat().st_size == 0
        found = migrate.Status(None, migrate.HEAD) if is_blank else migrate.status(database)
        if found.is_current:
            click.echo(f"{database.uri} is current: schema {found.head}.")
        elif found.current is None:
            click.echo(f"{database.uri} is empty; fill it with: runyard db upgrade {database.uri}")
            context.exit(1)
        elif found.current < found.head:
            click.echo(
                f"{database.uri} has schema {found.current}, this version needs {found.head}; "
                f"back it up, then: runyard db upgrade {database.uri}"
            )
            context.exit(1)
        else:
            migrate.check(database)
