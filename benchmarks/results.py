"""RESULTS.md: a part for each command that measures, each written anew by its command alone."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def put(title: str, text: str, path: Path = RESULTS) -> None:
    """Replace the part under the heading ``title`` by ``text``, or add it at the end."""
    parts = re.split(r"^(?=# )", path.read_text(encoding="utf-8") if path.exists() else "", flags=re.MULTILINE)
    part = f"# {title}\n\n{text.strip()}\n"
    old = f"# {title}\n"
    if any(each.startswith(old) for each in parts):
        parts = [part if each.startswith(old) else each for each in parts]
    else:
        parts.append(part)
    path.write_text("\n".join(each.strip() + "\n" for each in parts if each.strip()), encoding="utf-8")


def measured_by(command: str) -> str:
    """Return the sentence that says when, how and on what: what reproduces the figures."""
    words = " ".join([command, *map(shlex.quote, sys.argv[1:])])
    return f"Measured on {datetime.now(timezone.utc):%Y-%m-%d} by `{words}`: {_machine()}."


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    postgres = subprocess.run(["scripts/find-postgres"], capture_output=True, text=True, check=False).stdout.strip()
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}, "
        f"PostgreSQL {postgres.rpartition('/bin')[0].rpartition('/')[2] or 'unknown'}"
    )
