from __future__ import annotations

import dataclasses

import pytest
from click.testing import CliRunner

from runyard import __version__
from runyard.cli import main
from runyard.cli.server import SHORT_OPTIONS, option_name
from runyard.settings import Settings
from tests.cli.conftest import Shell

SETTINGS = dataclasses.fields(Settings)


@pytest.mark.parametrize("command", ["server", "ui"])
def test_every_setting_has_an_option_that_names_its_variables(command: str) -> None:
    shown = " ".join(CliRunner().invoke(main, [command, "--help"]).stdout.split())
    for setting in SETTINGS:
        if setting.metadata.get("is_secret"):
            # Everyone on the machine can read a command line.
            assert f"--{option_name(setting)} " not in shown
            continue
        assert f"--{option_name(setting)} " in shown or f"--{option_name(setting)}/" in shown.replace(" / ", "/")
        for variable in setting.metadata["variables"]:
            assert variable in shown


def test_every_short_option_belongs_to_a_setting() -> None:
    assert SHORT_OPTIONS.keys() <= {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "70000"), ("port", "65535", "70000")),
        (("--workers", "0"), ("workers", "1", "0")),
        (("--log-level", "loud"), ("log_level", "'loud'", "debug")),
        (("--log-format", "xml"), ("log_format", "'xml'", "json")),
        (("--static-prefix", "mlflow"), ("static_prefix", "'mlflow'", "'/'")),
        (("--backend-store-uri", "mysql://host/name"), ("mysql",)),
        (("--artifacts-destination", "ftp://host/path"), ("ftp", "expected a folder, s3://")),
        (("--host", "no.such.host.invalid"), ("no.such.host.invalid",)),
    ],
)
def test_a_value_that_cannot_be_is_told_in_a_line(
    command: Shell, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    error = command.refused("server", "--port", "0", *arguments, status=2)
    for word in words:
        assert word in error


def test_a_variable_that_cannot_be_is_named(command: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_PORT", "many")
    error = command.refused("server", status=2)
    assert "MLFLOW_PORT" in error
    assert "'many'" in error


def test_the_version_is_told(command: Shell) -> None:
    assert __version__ in command("--version").stdout


def test_help_shows_every_group_of_commands(command: Shell) -> None:
    shown = command("--help").stdout
    for name in ("server", "db", "experiments", "runs", "artifacts"):
        assert f"\n  {name} " in shown
