"""What the runner says while it works: lines on standard error, since standard output is the project's."""

from __future__ import annotations

import sys


def tell(text: str) -> None:
    sys.stderr.write(f"runyard: {text}\n")
    sys.stderr.flush()
