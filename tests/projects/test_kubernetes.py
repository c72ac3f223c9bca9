"""Projects as Jobs: by Kubernetes' own client on an API that keeps what it is given, and against the real schemas."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import runyard as mlflow
from runyard import projects
from runyard.entities import Run, RunData, RunInfo
from runyard.exceptions import ExecutionException
from runyard.projects.backend import kubernetes
from runyard.projects.mlproject import load_project
from tests.deploy import fake_api, tools
from tests.deploy.fake_api import FakeApi, Object, Resource
from tests.projects.conftest import write

VERSIONS = ["1.29.0", "1.33.0", "1.37.0"]
TEMPLATE = """
apiVersion: batch/v1
kind: Job
metadata:
  name: "{replaced with MLflow Project name}"
  namespace: ml
spec:
  ttlSecondsAfterFinished: 100
  backoffLimit: 0
  template:
    spec:
      containers:
        - name: "{replaced with MLflow Project name}"
          image: "{replaced with URI of Docker image}"
          command: ["{replaced with MLflow Project entry point command}"]
          env:
            - {name: MODE, value: fast}
            - {name: MLFLOW_TRACKING_URI, value: http://old}
          resources:
            limits: {memory: 512Mi}
      restartPolicy: Never
"""


class Jobs(FakeApi):
    """Jobs that run until the test says how they end."""

    def __init__(self) -> None:
        self.status: Object = {"active": 1}
        super().__init__()

    def save(self, resource: Resource, given: Object) -> Object:
        kept = super().save(resource, given)
        if resource.kind == "Job":
            kept["status"] = self.status
        return kept

    def jobs(self) -> list[Object]:
        with self.lock:
            return [copy.deepcopy(found) for found in self.objects.values() if found["kind"] == "Job"]

    def end(self, kind: str, message: str = "") -> None:
        with self.lock:
            for found in self.objects.values():
                if found["kind"] == "Job":
                    found["status"] = {"conditions": [{"type": kind, "status": "True", "message": message}]}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    api = Jobs()
    api.write_kubeconfig(tmp_path / "kubeconfig")
    # Its client reads where the configuration is when it is imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(kubernetes.KubernetesSubmittedRun, "POLL_STATUS_INTERVAL", 0.05)
    yield api
    api.stop()


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    template = tmp_path / "job.yaml"
    template.write_text(TEMPLATE)
    return {"kube-context": "fake", "kube-job-template-path": str(template), "repository-uri": "registry/dock"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(
        tmp_path / "project",
        MLproject="""
            name: Wine Quality
            docker_env: {image: "trainer:1"}
            entry_points:
              main:
                parameters: {alpha: {type: float, default: 0.5}, note: {default: "a b"}}
                command: "python train.py {alpha} {note}"
            """,
    )


def submitted(project: Path, config: dict[str, Any], **more: Any) -> projects.SubmittedRun:
    return projects.run(str(project), backend="kubernetes", backend_config=config, synchronous=False, **more)


def test_the_job_is_the_template_with_the_projects_command(place, project, api, config, monkeypatch):
    monkeypatch.setenv("KUBE_MLFLOW_TRACKING_URI", "http://mlflow.ml:5000")
    run = submitted(project, config, parameters={"alpha": 1})
    (job,) = api.jobs()
    name = job["metadata"]["name"]
    assert name.startswith("wine-quality-20")
    assert len(name) <= 63
    assert job["metadata"]["namespace"] == "ml"
    assert job["spec"]["backoffLimit"] == 0
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container == {
        "name": "wine-quality",
        "image": "trainer:1",
        "command": ["python", "train.py", "1", "a b"],
        "env": [
            {"name": "MODE", "value": "fast"},
            {"name": "MLFLOW_RUN_ID", "value": run.run_id},
            {"name": "MLFLOW_TRACKING_URI", "value": "http://mlflow.ml:5000"},
            {"name": "MLFLOW_EXPERIMENT_ID", "value": "0"},
        ],
        "resources": {"limits": {"memory": "512Mi"}},
    }
    tags = mlflow.get_run(run.run_id).data.tags
    assert tags["mlflow.project.backend"] == "kubernetes"
    assert tags["mlflow.project.env"] == "docker"
    assert tags["mlflow.docker.image.uri"] == "trainer:1"
    assert tags["runyard.kubernetes.job"] == f"ml/{name}"
    run.cancel()


@pytest.mark.parametrize(("kind", "status", "succeeded"), [("Complete", "FINISHED", True), ("Failed", "FAILED", False)])
def test_the_run_ends_as_the_job_does(place, project, api, config, kind, status, succeeded, capsys):
    run = submitted(project, config)
    assert run.get_status() == mlflow.get_run(run.run_id).info.status == "RUNNING"
    api.end(kind, "BackoffLimitExceeded")
    assert run.wait() == succeeded
    assert run.get_status() == mlflow.get_run(run.run_id).info.status == status
    assert ("the Job failed: BackoffLimitExceeded" in capsys.readouterr().err) != succeeded


def test_who_waits_is_told_of_the_failure(place, project, api, config):
    ending = threading.Timer(0.5, api.end, ["Failed"])
    ending.start()
    with pytest.raises(ExecutionException, match="failed"):
        projects.run(str(project), backend="kubernetes", backend_config=config)
    ending.join()


def test_what_is_cancelled_goes_with_its_pods_and_is_killed(place, project, api, config):
    run = submitted(project, config)
    run.cancel()
    assert api.jobs() == []
    assert any("DELETE" in line and "propagationPolicy=Background" in line for line in api.requests)
    assert run.get_status() == mlflow.get_run(run.run_id).info.status == "KILLED"
    run.cancel()


def test_a_job_that_somebody_deleted_was_killed(place, project, api, config):
    run = submitted(project, config)
    (job,) = api.jobs()
    api.delete(Resource("batch/v1", "jobs", "Job", "ml", job["metadata"]["name"]))
    assert not run.wait()
    assert mlflow.get_run(run.run_id).info.status == "KILLED"


def test_an_outage_of_the_api_is_waited_for(place, project, api, config, monkeypatch):
    run = submitted(project, config)
    cluster = run._cluster  # type: ignore[attr-defined]
    asked = cluster._jobs.read_namespaced_job
    left = iter([True, True])

    def sometimes(*arguments: Any, **named: Any) -> Any:
        if next(left, False):
            raise OSError("connection refused")
        return asked(*arguments, **named)

    monkeypatch.setattr(cluster._jobs, "read_namespaced_job", sometimes)
    api.end("Complete")
    assert run.wait()


def test_what_the_cluster_refuses_is_told_and_the_run_failed(place, project, api, config):
    experiment = mlflow.create_experiment("refused by the cluster")
    api.stop()
    with pytest.raises(ExecutionException, match=r"Kubernetes did not create the Job: .*refused"):
        submitted(project, config, experiment_id=experiment)
    (run,) = mlflow.search_runs([experiment], output_format="list")
    assert run.info.status == "FAILED"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kube-job-template-path": None}, "'kube-job-template-path' attribute must be specified"),
        ({"kube-job-template-path": "gone.yaml"}, "Could not find 'kube-job-template-path': gone.yaml"),
        ({"kube-context": "elsewhere"}, "there is no context 'elsewhere'"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_told(place, project, api, config, change, told):
    with pytest.raises(ExecutionException, match=told):
        submitted(project, {**config, **change})


def test_an_image_is_built_only_where_it_can_be_pushed(place, project, api, config):
    with pytest.raises(ExecutionException, match="Could not find 'repository-uri' in backend_config"):
        submitted(project, {**config, "repository-uri": ""}, build_image=True)


@pytest.mark.parametrize(
    "text", ["kind: Pod", "[]", "kind: Job\nspec: {template: {spec: {containers: []}}}", "", "a: ["]
)
def test_a_template_that_is_no_job_is_told(place, project, api, config, tmp_path, text):
    (tmp_path / "job.yaml").write_text(text)
    with pytest.raises(ExecutionException, match=r"job\.yaml (must be a Job with a container|is no YAML)"):
        submitted(project, config)


def test_a_project_without_an_image_does_not_run_on_kubernetes(place, tmp_path, api, config):
    with pytest.raises(ExecutionException, match="runs on Kubernetes in an image, and this one names none"):
        submitted(write(tmp_path / "bare", a_py=""), config, entry_point="a.py")


def test_without_kubernetes_client_what_to_install_is_told(place, project, config, monkeypatch):
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    with pytest.raises(ExecutionException, match=r"pip install 'runyard\[kubernetes\]'"):
        submitted(project, config)


@pytest.mark.deploy
def test_the_job_is_what_kubernetes_takes(place, project):
    info = RunInfo("r" * 32, "1", "ada", "RUNNING", 1, None, "active", "mlflow-artifacts:/1", "n")
    run = Run(info, RunData([], [], []))
    jobs = [
        kubernetes.job_of(template, load_project(project), run, "trainer:1", "python train.py && true")
        for template in (
            yaml.safe_load(TEMPLATE),
            # The least that a template can say.
            {"spec": {"template": {"spec": {"containers": [{"name": "x"}], "restartPolicy": "Never"}}}},
        )
    ]
    answer = subprocess.run(
        [tools.program("python"), Path(fake_api.__file__).parent / "validate_kinds.py"],
        input=json.dumps({"documents": jobs, "versions": VERSIONS}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == []
    assert jobs[1]["metadata"]["namespace"] == "default"
    assert jobs[1]["spec"]["template"]["spec"]["containers"][0]["command"] == ["sh", "-c", "python train.py && true"]
