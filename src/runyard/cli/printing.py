"""What commands print: aligned tables for people, JSON for programs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_UNUSUAL: Final = re.compile(r"[^\n -~]")


def output_option(default: str) -> Callable[[F], F]:
    """Return the option ``--output table|json``."""
    return click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default=default,
        show_default=True,
        help="A table to read, or JSON for programs.",
    )


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below headers, in columns as wide as they need to be."""
    lines = [list(headers), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headers))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        click.echo("  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    pairs = [(name, printable(value)) for name, value in fields]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name.ljust(width)}  {value}".rstrip())


def print_json(content: object) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    # Only strings hold such characters, and in a string the escape means the same.
    click.echo(_UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else _json_escape(found[0]), text))


def time_text(timestamp_ms: int | None) -> str:
    """Return a time as ``2026-01-31 09:05:00``, in UTC; '' for none."""
    if not timestamp_ms:
        return ""
    try:
        moment = datetime.fromtimestamp(timestamp_ms / 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f"{timestamp_ms} ms"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def duration_text(start_ms: int | None, end_ms: int | None) -> str:
    """Return how long something took, to two units: ``1h 2m``, ``3.4s``; '' where it is not over."""
    if not start_ms or not end_ms or end_ms < start_ms:
        return ""
    seconds = (end_ms - start_ms) / 1000
    # Rounded before it is compared, so that nothing takes "60.0s".
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s"


def size_text(size_bytes: int | None) -> str:
    """Return a size as ``812 B`` or ``1.4 MiB``; '' for none."""
    if size_bytes is None:
        return ""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if round(size, 1) < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def printable(value: object) -> str:
    """Return ``value`` on one line, with nothing in it that moves a terminal's cursor or colours its text."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
