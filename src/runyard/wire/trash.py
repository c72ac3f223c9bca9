"""The trash: what was deleted and can be restored, and deleting it for good."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runyard.wire.base import Request, Response


class SummarizeTrash(Request):
    pass


class TrashSummary(Response, omit_defaults=False):
    experiment_count: int
    # Deleted runs of experiments that are not themselves in the trash.
    run_count: int


class EmptyTrash(Request):
    """What to delete for good, with its artifacts: each must be in the trash. At most 1,000 of each in one request.

    With ``max_seconds``, the answer comes after about so long, and tells which experiments are left to be sent again.
    """

    experiment_ids: Annotated[list[str], msgspec.Meta(max_length=1000)] = []
    run_ids: Annotated[list[str], msgspec.Meta(max_length=1000)] = []
    max_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None


class KeptInTrash(Response, omit_defaults=False):
    """What stays, by its id, and why."""

    id: str
    reason: str


class EmptyTrashResponse(Response, omit_defaults=False):
    """What is gone, the runs of the experiments counted too; ``kept`` holds the first hundred of what stays."""

    experiment_count: int
    run_count: int
    kept_count: int
    kept: list[KeptInTrash]
    # Those that time was too short for.
    remaining_experiment_ids: list[str]
