"""What a backend of projects is, ours and those of other packages."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from runyard.projects.submitted_run import SubmittedRun


class AbstractBackend:
    """Executes projects somewhere.

    A package offers one under a name by an entry point of the group ``mlflow.project_backend``, or
    ``runyard.project_backend``, whose object makes it when called without arguments.
    """

    @abstractmethod
    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: dict[str, Any] | None,
        version: str | None,
        backend_config: dict[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> SubmittedRun:
        """Begin an execution, and return it without waiting for its end.

        Args:
            project_uri: as it was given; `fetch_and_validate_project` makes a folder of it.
            backend_config: what the caller told this backend, and what `projects.run` was told for all of them, under
                the keys that `runyard.projects.utils` names.
        """
        raise NotImplementedError
