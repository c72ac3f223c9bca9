"""``runyard server``: its options are the settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import click

from runyard.cli.databases import opened_database
from runyard.settings import Settings, load_settings

SHORT_OPTIONS: Final = {"host": "-h", "port": "-p", "workers": "-w"}
# What comes after an option in its help, where it says more than TEXT.
_METAVARS: Final = {
    "host": "ADDRESS",
    "backend_store_uri": "URI",
    "artifacts_destination": "URI",
    "default_artifact_root": "URI",
    "signed_upload_s": "SECONDS",
    "signed_download_s": "SECONDS",
    "allowed_hosts": "HOSTS",
    "cors_allowed_origins": "ORIGINS",
    "static_prefix": "PATH",
    "pool_recycle_s": "SECONDS",
    "db_ssl_mode": "MODE",
    "db_ssl_root_cert": "FILE",
    "db_password_file": "FILE",
    "read_replica_uri": "URI",
    "drain_s": "SECONDS",
    "statement_timeout_s": "SECONDS",
    "lock_timeout_s": "SECONDS",
    "outage_s": "SECONDS",
    "max_body_bytes": "BYTES",
    "max_head_bytes": "BYTES",
    "client_timeout_s": "SECONDS",
    "rate_limit": "NUMBER",
    "trusted_proxies": "ADDRESSES",
    "log_level": "LEVEL",
    "log_format": "FORMAT",
    "expose_prometheus": "FOLDER",
    "model_uri": "URI",
    "name": "NAME",
    "timeout_s": "SECONDS",
    "watch_interval_s": "SECONDS",
    "batch_timeout_ms": "MILLISECONDS",
}


def option_name(setting: dataclasses.Field[Any]) -> str:
    """Return the long option of a setting, without dashes before it; units are told in its help."""
    return setting.name.removesuffix("_s").replace("_", "-")


def _help_of(setting: dataclasses.Field[Any], *, is_flag: bool) -> str:
    default = setting.default
    if is_flag:
        default = "on" if default else "off"
    shown = "" if default is None or default == "" else f"default: {default}; "
    return f"{setting.metadata['help']}  [{shown}env: {', '.join(setting.metadata['variables'])}]"


def settings_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each of the server's settings."""
    return options_of(Settings, SHORT_OPTIONS)(function)


def options_of(
    kind: type, short: Mapping[str, str], *, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what gives a command an option for each setting of a kind, but for secrets and those left out."""
    settings = [
        each for each in dataclasses.fields(kind) if not each.metadata.get("is_secret") and each.name not in without
    ]

    def with_options(function: Callable[..., None]) -> Callable[..., None]:
        for setting in reversed(settings):
            function = _with_option(function, setting, short.get(setting.name))
        return function

    return with_options


def _with_option(
    function: Callable[..., None], setting: dataclasses.Field[Any], short: str | None
) -> Callable[..., None]:
    name, is_flag = option_name(setting), str(setting.type) == "bool"
    names = [f"--{name}/--no-{name}" if is_flag else f"--{name}", setting.name]
    if short is not None:
        names.insert(0, short)
    # Not click's own default and envvar: only settings.py reads the environment, for programs as for commands.
    return click.option(
        *names,
        type=int if str(setting.type) == "int" else None,
        default=None,
        metavar=None if is_flag else _METAVARS.get(setting.name),
        help=_help_of(setting, is_flag=is_flag),
    )(function)


@click.command()
@settings_options
def server(**chosen: Any) -> None:
    """Start the tracking server and model registry.

    What an option does not say is taken from its environment variable, the first of those named beside it that is set.
    Ctrl-C, or SIGTERM, finishes what was begun and stops.

    \b
    Try it; the database and the artifacts are kept in this folder:
      runyard server
    A database server, artifacts in a bucket, four processes, behind a name:
      runyard server --host 0.0.0.0 --workers 4 \\
        --backend-store-uri postgresql://mlflow@db.example.com/mlflow \\
        --artifacts-destination s3://models/artifacts \\
        --allowed-hosts mlflow.example.com
    Behind a proxy that serves it at https://example.com/mlflow:
      runyard server --static-prefix /mlflow --allowed-hosts example.com
    """
    from runyard.server.run import serve

    settings = load_settings(**chosen)
    # What goes wrong while it serves is told to the client that asked; what arrives here kept it from starting.
    with opened_database(settings):
        serve(settings)


ui = click.Command("ui", params=server.params, callback=server.callback, help="Another name of runyard server.")
