"""Executes projects as Jobs of Kubernetes, each made of a template of the user's.

The Job is followed and its end recorded by the process that made it; the Job itself needs that process no more.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from runyard.entities import Run
from runyard.exceptions import ExecutionException
from runyard.projects import execution, records
from runyard.projects.backend import docker
from runyard.projects.backend.abstract_backend import AbstractBackend
from runyard.projects.execution import Downloads
from runyard.projects.mlproject import Project
from runyard.projects.submitted_run import SubmittedRun
from runyard.projects.telling import tell
from runyard.settings import variable

TEMPLATE: Final = "kube-job-template-path"
CONTEXT: Final = "kube-context"
REPOSITORY: Final = "repository-uri"
# Where pods reach the tracking server, where that is another address than from here.
TRACKING_URI_VARIABLE: Final = "KUBE_MLFLOW_TRACKING_URI"
JOB_TAG: Final = "runyard.kubernetes.job"

_MAX_NAME_LENGTH: Final = 63
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
# In a row; the API may be upgraded while a Job runs.
_TRIES: Final = 5


class KubernetesBackend(AbstractBackend):
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
        _, project = execution.fetch_and_check(project_uri, version, entry_point, params)
        if project.docker is None:
            raise ExecutionException(
                "a project runs on Kubernetes in an image, and this one names none: say docker_env in its MLproject"
            )
        template = read_template(backend_config)
        is_built = bool(backend_config.get(execution.BUILD_IMAGE))
        if is_built:
            if not backend_config.get(REPOSITORY):
                raise ExecutionException(
                    f"Could not find '{REPOSITORY}' in backend_config: the image that --build-image makes goes there"
                )
            docker.check(project)
        cluster = Cluster(backend_config.get(CONTEXT))
        run = execution.get_or_create_run(
            backend_config.get(execution.RUN_ID), project_uri, experiment_id, project, version, entry_point, params
        )
        with records.ended_when_interrupted(run.info.run_id):
            records.set_tags(run.info.run_id, {records.ENVIRONMENT: "docker"})
            downloads = Downloads(backend_config.get(execution.STORAGE_DIR))
            command = execution.command_line(project, entry_point, params, downloads)
            image = _image(project, run, backend_config, is_built=is_built)
            job = job_of(template, project, run, image, command)
            name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
            # Before it is there: from then on nothing may come between, or it would run without anybody to follow it.
            records.set_tags(run.info.run_id, {JOB_TAG: f"{namespace}/{name}"})
            cluster.create(job)
            tell(f"made Job {namespace}/{name} for run {run.info.run_id}")
            return KubernetesSubmittedRun(run.info.run_id, name, namespace, cluster)


class KubernetesSubmittedRun(SubmittedRun):
    """A Job, asked now and then how it is."""

    POLL_STATUS_INTERVAL = 5.0

    def __init__(self, run_id: str, name: str, namespace: str, cluster: Cluster) -> None:
        self._run_id = run_id
        self._name = name
        self._namespace = namespace
        self._cluster = cluster
        self._status = records.RUNNING

    @property
    def run_id(self) -> str:
        return self._run_id

    def wait(self) -> bool:
        while self.get_status() == records.RUNNING:
            time.sleep(self.POLL_STATUS_INTERVAL)
        return self._status == records.FINISHED

    def get_status(self) -> str:
        if self._status == records.RUNNING:
            found = self._cluster.find(self._name, self._namespace)
            self._status = status_of(found)
            if self._status != records.RUNNING:
                records.end(self._run_id, self._status)
        return self._status

    def cancel(self) -> None:
        if self.get_status() != records.RUNNING:
            return
        tell(f"deleting Job {self._namespace}/{self._name}")
        self._cluster.delete(self._name, self._namespace)
        self._status = records.KILLED
        records.end(self._run_id, records.KILLED)


class Cluster:
    """The Jobs of a cluster, by Kubernetes' own client: where it is and who asks, the usual configuration says."""

    def __init__(self, context: str | None) -> None:
        try:
            import kubernetes
        except ImportError:
            raise ExecutionException(
                "the backend kubernetes needs the package of that name: pip install 'runyard[kubernetes]'"
            ) from None
        try:
            kubernetes.config.load_kube_config(context=context)
        except (OSError, kubernetes.config.ConfigException) as error:
            if context is not None:
                raise ExecutionException(
                    f"there is no context {context!r} in Kubernetes' configuration: {error}"
                ) from None
            try:
                kubernetes.config.load_incluster_config()
            except kubernetes.config.ConfigException:
                raise ExecutionException(
                    f"no Kubernetes cluster is configured: {error}, and this process runs in none"
                ) from None
        self._jobs = kubernetes.client.BatchV1Api()
        self._failed = kubernetes.client.exceptions.ApiException

    def create(self, job: Mapping[str, Any]) -> None:
        namespace = job["metadata"]["namespace"]
        self._call("create", lambda: self._jobs.create_namespaced_job(namespace, job, _preload_content=False))

    def find(self, name: str, namespace: str) -> dict[str, Any] | None:
        """Return a Job, or None where it is there no more."""
        return self._call(
            "read", lambda: self._jobs.read_namespaced_job(name, namespace, _preload_content=False), tries=_TRIES
        )

    def delete(self, name: str, namespace: str) -> None:
        """Delete a Job with its pods, which would go on without it."""
        self._call(
            "delete",
            lambda: self._jobs.delete_namespaced_job(
                name, namespace, propagation_policy="Background", _preload_content=False
            ),
            tries=_TRIES,
        )

    def _call(self, what: str, call: Any, *, tries: int = 1) -> dict[str, Any] | None:
        for left in reversed(range(tries)):
            try:
                answer: dict[str, Any] = json.loads(call().data)
                return answer
            except self._failed as error:
                if error.status == 404 and what != "create":
                    return None
                wrong, may_pass = f"{error.status} {_said(error.body) or error.reason}", error.status >= 500
            except Exception as error:  # noqa: BLE001 - its client lets through what each layer below raises
                wrong, may_pass = str(error), True
            if not left or not may_pass:
                raise ExecutionException(f"Kubernetes did not {what} the Job: {wrong}")
            time.sleep(1)
        return None


def read_template(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Job that the configuration names a file of.

    Raises:
        ExecutionException: it names none, or what is there is no Job with a container.
    """
    if not config.get(TEMPLATE):
        raise ExecutionException(f"'{TEMPLATE}' attribute must be specified in backend_config.")
    import yaml

    path = Path(config[TEMPLATE])
    try:
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ExecutionException(f"Could not find '{TEMPLATE}': {path}: {error}") from None
    except yaml.YAMLError as error:
        raise ExecutionException(f"the Job's template {path} is no YAML: {error}") from None
    try:
        containers = template["spec"]["template"]["spec"]["containers"]
        is_job = template.get("kind", "Job") == "Job" and isinstance(containers[0], dict)
    except (TypeError, KeyError, IndexError, AttributeError):
        is_job = False
    if not is_job:
        raise ExecutionException(f"{path} must be a Job with a container in spec.template.spec.containers")
    return dict(template)


def job_of(template: Mapping[str, Any], project: Project, run: Run, image: str, command: str) -> dict[str, Any]:
    """Return the Job of an execution: the template with its first container running the project's command."""
    job = copy.deepcopy(dict(template))
    job.setdefault("apiVersion", "batch/v1")
    job.setdefault("kind", "Job")
    name = _NOT_IN_NAMES.sub("-", (project.name or "mlflow-project").lower()).strip("-") or "mlflow-project"
    stamp = datetime.now(timezone.utc).strftime("%Y-%m-%d-%H-%M-%S-%f")
    metadata = job.setdefault("metadata", {})
    metadata["name"] = f"{name[: _MAX_NAME_LENGTH - len(stamp) - 1].rstrip('-')}-{stamp}"
    metadata.setdefault("namespace", "default")
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["name"] = name[:_MAX_NAME_LENGTH].rstrip("-")
    container["image"] = image
    container["command"] = execution.words_of(command)
    variables = execution.run_variables(run)
    elsewhere = variable(TRACKING_URI_VARIABLE)
    if elsewhere is not None:
        variables["MLFLOW_TRACKING_URI"] = elsewhere
    # A name may be there once.
    kept = [each for each in container.get("env") or [] if each.get("name") not in variables]
    container["env"] = [*kept, *({"name": key, "value": value} for key, value in variables.items())]
    return job


def status_of(job: Mapping[str, Any] | None) -> str:
    """Return how a run is whose Job is this; KILLED where somebody deleted it."""
    if job is None:
        return records.KILLED
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("status") == "True":
            if condition["type"] == "Complete":
                return records.FINISHED
            if condition["type"] == "Failed":
                tell(f"the Job failed: {condition.get('message') or condition.get('reason') or 'it does not say why'}")
                return records.FAILED
    return records.RUNNING


def _image(project: Project, run: Run, config: Mapping[str, Any], *, is_built: bool) -> str:
    assert project.docker is not None
    if not is_built:
        records.set_tags(run.info.run_id, {records.IMAGE_URI: project.docker.image})
        return project.docker.image
    pushed = docker.push(docker.image_for(project, run, config, repository=str(config[REPOSITORY])))
    records.set_tags(run.info.run_id, {records.IMAGE_ID: pushed.partition("@")[2] or pushed})
    return pushed


def _said(body: Any) -> str | None:
    try:
        message = json.loads(body)["message"]
    except (TypeError, ValueError, KeyError):
        return None
    return str(message)
