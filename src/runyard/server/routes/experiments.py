"""Experiments: create, find, change, delete, restore, tag."""

from __future__ import annotations

from runyard.artifacts.uris import check_artifact_location
from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.services import Services
from runyard.store import experiments
from runyard.wire.base import EMPTY, Empty, Tag, TagInput
from runyard.wire.experiments import (
    CreateExperiment,
    CreateExperimentResponse,
    DeleteExperimentTag,
    ExperimentId,
    GetExperiment,
    GetExperimentByName,
    GetExperimentResponse,
    SearchDatasets,
    SearchDatasetsResponse,
    SearchExperiments,
    SearchExperimentsResponse,
    SetExperimentTag,
    UpdateExperiment,
)
from runyard.wire.names import (
    MAX_EXPERIMENT_NAME_LENGTH,
    MAX_EXPERIMENT_TAG_KEY_LENGTH,
    MAX_EXPERIMENT_TAG_VALUE_LENGTH,
    check_key,
    check_length,
    check_present,
)

MAX_PAGE = 50_000

routes = Routes("experiments")


@routes.post("experiments/create")
def create_experiment(services: Services, request: CreateExperiment) -> CreateExperimentResponse:
    """Create an experiment; its name must be free among the active ones."""
    _check_name("name", request.name)
    if request.artifact_location:
        check_artifact_location(request.artifact_location)
    experiment_id = services.database.write(
        experiments.create_experiment,
        request.name,
        artifact_location=request.artifact_location,
        artifact_root=services.settings.artifact_root,
        tags=[_checked_tag(tag) for tag in request.tags or ()],
    )
    return CreateExperimentResponse(experiment_id=str(experiment_id))


@routes.get("experiments/get")
def get_experiment(services: Services, request: GetExperiment) -> GetExperimentResponse:
    """Get an experiment by its id, deleted or not."""
    check_present("experiment_id", request.experiment_id)
    return GetExperimentResponse(experiment=services.database.read(experiments.get_experiment, request.experiment_id))


@routes.get("experiments/get-by-name")
def get_experiment_by_name(services: Services, request: GetExperimentByName) -> GetExperimentResponse:
    """Get the active experiment of a name, or else the one of that name deleted last."""
    check_present("experiment_name", request.experiment_name)
    return GetExperimentResponse(
        experiment=services.database.read(experiments.get_experiment_by_name, request.experiment_name)
    )


@routes.route(("POST", "GET"), "experiments/search")
def search_experiments(services: Services, request: SearchExperiments) -> SearchExperimentsResponse:
    """Search experiments by a filter, a page at a time."""
    if request.max_results is None or not 1 <= request.max_results <= MAX_PAGE:
        raise InvalidParameter(
            f"Invalid value {request.max_results} for parameter 'max_results' supplied: "
            f"it must be a positive integer, at most {MAX_PAGE}"
        )
    found, next_page_token = services.database.search(
        experiments.search_experiments,
        view_type=request.view_type,
        filter_text=request.filter,
        order_by=request.order_by or (),
        max_results=request.max_results,
        page_token=request.page_token,
    )
    return SearchExperimentsResponse(experiments=found, next_page_token=next_page_token)


@routes.post("experiments/update")
def update_experiment(services: Services, request: UpdateExperiment) -> Empty:
    """Rename an experiment."""
    check_present("experiment_id", request.experiment_id)
    if request.new_name:
        _check_name("new_name", request.new_name)
        services.database.write(experiments.rename_experiment, request.experiment_id, request.new_name)
    return EMPTY


@routes.post("experiments/delete")
def delete_experiment(services: Services, request: ExperimentId) -> Empty:
    """Move an experiment and its runs to the trash; its name becomes free."""
    check_present("experiment_id", request.experiment_id)
    services.database.write(experiments.delete_experiment, request.experiment_id)
    return EMPTY


@routes.post("experiments/restore")
def restore_experiment(services: Services, request: ExperimentId) -> Empty:
    """Take an experiment, and the runs deleted with it, out of the trash."""
    check_present("experiment_id", request.experiment_id)
    services.database.write(experiments.restore_experiment, request.experiment_id)
    return EMPTY


@routes.post("experiments/set-experiment-tag")
def set_experiment_tag(services: Services, request: SetExperimentTag) -> Empty:
    """Set a tag of an experiment; the last write wins."""
    check_present("experiment_id", request.experiment_id)
    tag = _checked_tag(request)
    services.database.write(experiments.set_experiment_tag, request.experiment_id, tag.key, tag.value)
    return EMPTY


@routes.post("experiments/delete-experiment-tag")
def delete_experiment_tag(services: Services, request: DeleteExperimentTag) -> Empty:
    """Delete a tag of an experiment."""
    check_present("experiment_id", request.experiment_id)
    check_key("key", request.key)
    services.database.write(experiments.delete_experiment_tag, request.experiment_id, request.key)
    return EMPTY


@routes.post("experiments/search-datasets", reads=True, surfaces=("/ajax-api",))
def search_datasets(services: Services, request: SearchDatasets) -> SearchDatasetsResponse:
    """List the datasets that the runs of some experiments used."""
    if not request.experiment_ids:
        raise InvalidParameter("SearchDatasets request must specify at least one experiment_id.")
    return SearchDatasetsResponse(
        dataset_summaries=services.database.read(experiments.search_dataset_summaries, request.experiment_ids)
    )


def _check_name(field: str, name: str) -> None:
    if not name.strip():
        raise InvalidParameter(f"Invalid experiment name for {field}: a name may not be blank")
    check_length(field, name, MAX_EXPERIMENT_NAME_LENGTH)


def _checked_tag(tag: TagInput | SetExperimentTag) -> Tag:
    value = tag.value or ""
    check_key("key", tag.key)
    check_length("key", tag.key, MAX_EXPERIMENT_TAG_KEY_LENGTH)
    check_length("value", value, MAX_EXPERIMENT_TAG_VALUE_LENGTH)
    return Tag(tag.key, value)
