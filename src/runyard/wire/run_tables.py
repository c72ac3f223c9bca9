"""Runs as tables: the columns that are asked for, by column; what the UI and exports read instead of whole runs.

A column is named as in a filter: `attributes.status`, `metrics.loss`, `params.lr`, `tags.team`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from runyard.wire.base import JsonFloat, Request, Response

MAX_TABLE_ROWS = 5000
MAX_TABLE_COLUMNS = 1000
MAX_RUN_IDS = 250_000
MAX_GROUPS = 1000
MAX_SUMMARIES = 500
# Of how many runs list-column-values looks at the values.
MAX_VALUE_RUNS = 5000

# Text, a number, the names of datasets or models, or nothing.
Cell = str | float | int | list[str] | None

ColumnNames = Annotated[list[str], msgspec.Meta(max_length=MAX_TABLE_COLUMNS)]


class RunScope(Request):
    """Which runs: those of the experiments that meet the filter."""

    experiment_ids: list[str] | None = None
    filter: str | None = None
    run_view_type: str | int | None = None


class GetRunTable(RunScope, kw_only=True):
    """Rows by search, a page at a time; or, with run_ids, those of these runs, in their order, whatever the scope."""

    columns: ColumnNames
    run_ids: Annotated[list[str], msgspec.Meta(max_length=MAX_TABLE_ROWS)] | None = None
    order_by: list[str] | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=MAX_TABLE_ROWS)] = 100
    page_token: str | None = None


class RunTable(Response, omit_defaults=False):
    """Each column has one cell a run, in the order of run_ids; a run without a value has null."""

    run_ids: list[str]
    columns: dict[str, list[Cell]]
    next_page_token: str | None = None


class ListRunIds(RunScope, kw_only=True):
    order_by: list[str] | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=MAX_RUN_IDS)] = MAX_RUN_IDS
    # To count all is, with a filter, to read all: the first hundred are there at once without it.
    count: bool = True


class RunIds(Response, omit_defaults=False):
    """The ids of the runs in their order, at most max_results, and how many runs there are in all.

    The count is null where there are max_results or more and the request asked not to count.
    """

    run_ids: list[str]
    total_count: int | None


class GroupRuns(RunScope, kw_only=True):
    """Aggregates of metrics over the runs that have the same values of some params, tags or attributes."""

    group_by: Annotated[list[str], msgspec.Meta(min_length=1, max_length=4)]
    metrics: Annotated[list[str], msgspec.Meta(max_length=100)] = []


class MetricAggregate(Response, omit_defaults=False):
    """One entry a group; null where no run of the group has the metric. NaN counts as having none.

    An infinity counts as any value: the mean is then an infinity, or NaN where there are both, and the deviation NaN.
    """

    counts: list[int]
    means: list[JsonFloat | None]
    # The standard deviation of the sample; null for fewer than two values.
    deviations: list[JsonFloat | None]
    minima: list[JsonFloat | None]
    maxima: list[JsonFloat | None]


class RunGroups(Response, omit_defaults=False):
    """The groups, the largest first, at most 1,000."""

    # One list a group: the value of each of group_by, null where the runs have none.
    values: list[list[str | None]]
    run_counts: list[int]
    # By the metric's name, without "metrics.".
    metrics: dict[str, MetricAggregate]
    # How many groups there are in all.
    total_count: int


class ListRunColumns(Request):
    experiment_ids: list[str]


class RunColumns(Response, omit_defaults=False):
    """The names of what was ever logged to the experiments' runs, each list sorted; also if those are gone since."""

    metrics: list[str]
    params: list[str]
    tags: list[str]


class ListColumnValues(Request):
    """The different values of a param, a tag or an attribute, such as `params.optimizer`.

    Of the newest 5,000 active runs that have it; what only older ones have is not listed.
    """

    experiment_ids: list[str]
    column: str
    # Only values that contain this, in any case.
    contains: str = ""
    max_results: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class ColumnValues(Response, omit_defaults=False):
    values: list[str]


class FindRuns(Request):
    """Runs of any experiment by a part of their name, or by the start of their id; the newest first."""

    text: str
    max_results: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10


class FoundRun(Response):
    run_id: str
    run_name: str
    experiment_id: str
    experiment_name: str
    status: str
    start_time: int


class FoundRuns(Response, omit_defaults=False):
    runs: list[FoundRun]


class SummarizeMetrics(Request):
    """What there is of metrics of a run; without metric_keys, of its first 500 by name."""

    run_id: str
    metric_keys: Annotated[list[str], msgspec.Meta(max_length=MAX_SUMMARIES)] | None = None


class MetricSummary(Response, omit_defaults=False):
    key: str
    # Points, NaN among them.
    count: int
    first_step: int
    last_step: int
    last: JsonFloat
    # Of what is not NaN; null where everything is. The step is the first that has the value.
    minimum: JsonFloat | None
    minimum_step: int | None
    maximum: JsonFloat | None
    maximum_step: int | None


class MetricSummaries(Response, omit_defaults=False):
    metrics: list[MetricSummary]


class SummarizeExperiments(Request):
    experiment_ids: Annotated[list[str], msgspec.Meta(max_length=1000)]


class ExperimentSummary(Response, omit_defaults=False):
    experiment_id: str
    # Runs that are not in the trash, those of them that are RUNNING, and those in the trash.
    run_count: int
    running_count: int
    deleted_run_count: int
    model_count: int
    # When something last happened: a run was started or ended, or the experiment itself changed.
    last_activity_time: int


class ExperimentSummaries(Response, omit_defaults=False):
    experiments: list[ExperimentSummary]
