"""What an examination found: the words in which the doctor speaks."""

from __future__ import annotations

from enum import Enum

import msgspec


class Verdict(str, Enum):
    OK = "ok"
    # It works, and there is something to know or to do before it does not.
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        area: what it is part of: configuration, database, artifacts, server.
        check: what was looked at, in a few words that stay the same.
        found: what there is.
        cure: what to do, where there is something.
    """

    area: str
    check: str
    verdict: Verdict
    found: str
    cure: str = ""
