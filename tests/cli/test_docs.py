"""docs/cli.md says what there is: each command under a heading of its own, with its options in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from runyard.cli import main

PAGE = Path(__file__).parent.parent.parent / "docs" / "cli.md"
# Spelled by the first row of cells only: what an option says may name another.
OPTION = re.compile(r"`(--?[a-zA-Z][a-z-]*)`")
ALSO = re.compile(r"every option of \[`(runyard [a-z -]+)`\]")
SAME_AS = re.compile(r"Another name of `(runyard [a-z -]+)`, with the same options\.")


def commands(group: click.Group, path: str = "runyard") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def options_of(command: click.Command) -> set[str]:
    return {
        spelling
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    }


def documented() -> dict[str, str]:
    """Return the text under each heading that names a command."""
    parts = re.split(r"^##+ `(runyard [^`]+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented_options(text: str) -> set[str]:
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `-")]
    return {option for row in rows for option in OPTION.findall(row)}


def test_every_command_and_no_other_has_a_heading() -> None:
    groups = {f"runyard {name}" for name, command in main.commands.items() if isinstance(command, click.Group)}
    assert documented().keys() == {path for path, _ in commands(main)} | groups


def test_every_option_and_no_other_is_in_its_commands_table() -> None:
    texts = documented()
    for path, command in commands(main):
        same = SAME_AS.search(texts[path])
        text = texts[same[1]] if same is not None else texts[path]
        beside = ALSO.search(text)
        if beside is not None:
            text += texts[beside[1]]
        # What every command under experiments, runs and artifacts takes is told once, at the top.
        assert documented_options(text) == options_of(command) - {"--tracking-uri"}, path
