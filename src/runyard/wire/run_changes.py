"""Doing one thing to many runs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from runyard.wire.base import Request, Response, TagInput


class ChangeRuns(Request):
    """What is to be done to each of the runs: exactly one of `lifecycle_stage`, `set_tag` and `delete_tag`."""

    run_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1000)]
    # "deleted" moves the runs to the trash, "active" takes them out of it.
    lifecycle_stage: Literal["active", "deleted"] | None = None
    set_tag: TagInput | None = None
    # A run without the tag stays as it is.
    delete_tag: str | None = None


class FailedRun(Response, omit_defaults=False):
    run_id: str
    error_code: str
    message: str


class ChangeRunsResponse(Response, omit_defaults=False):
    """How many runs are now as asked, and the others each with its error: one does not keep the rest from it."""

    changed_count: int
    failed: list[FailedRun]
