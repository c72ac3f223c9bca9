"""What experiments hold, in numbers, and when something last happened there."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from runyard.store.dialect import fetch
from runyard.store.experiments import parse_experiment_id
from runyard.store.schema import ACTIVE
from runyard.wire.run_tables import ExperimentSummaries, ExperimentSummary, SummarizeExperiments

_RUNS = (
    "SELECT experiment_id, lifecycle_stage, count(*), sum(CASE WHEN status = 'RUNNING' THEN 1 ELSE 0 END), "
    "max(start_time), max(end_time) FROM runs WHERE experiment_id {ids} GROUP BY experiment_id, lifecycle_stage"
)
_MODELS = (
    "SELECT experiment_id, count(*) FROM logged_models WHERE experiment_id {ids} AND lifecycle_stage = 'active' "
    "GROUP BY experiment_id"
)


def summarize_experiments(connection: Connection, request: SummarizeExperiments) -> ExperimentSummaries:
    """Return a summary of each experiment, in the order asked for; one that is not there is left out."""
    numbers = list(dict.fromkeys(parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids))
    changed = fetch(connection, "SELECT id, last_update_time FROM experiments WHERE id {ids}", numbers)
    summaries = {
        number: ExperimentSummary(
            experiment_id=str(number),
            run_count=0,
            running_count=0,
            deleted_run_count=0,
            model_count=0,
            last_activity_time=last_update_time,
        )
        for number, last_update_time in changed
    }
    for number, stage, count, running_count, start_time, end_time in fetch(connection, _RUNS, numbers):
        summary = summaries[number]
        if stage == ACTIVE:
            summary.run_count, summary.running_count = count, running_count
        else:
            summary.deleted_run_count = count
        summary.last_activity_time = max(summary.last_activity_time, start_time, end_time or 0)
    for number, count in fetch(connection, _MODELS, numbers):
        summaries[number].model_count = count
    return ExperimentSummaries(experiments=[summaries[number] for number in numbers if number in summaries])
