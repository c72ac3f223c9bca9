"""What the chart renders is run: its commands and variables, on a real PostgreSQL and a real S3."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.tools import CHART, Document, Rendered, pod_spec, render
from tests.object_stores import SeaweedFS
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment

# Where `aws` is, as in the image.
IMAGE_PROGRAMS = CHART.parent.parent / ".venvs" / "image" / "bin"

pytestmark = [pytest.mark.deploy, pytest.mark.postgres, pytest.mark.cloud]


class Machine:
    """Runs the chart's containers as processes here, with what they mount in a folder."""

    def __init__(self, folder: Path, database: str, s3: SeaweedFS) -> None:
        self.folder = folder
        self.database = database
        self.s3 = s3
        root = urlsplit(s3.new_root())
        parts = urlsplit(database)
        self.rendered: Rendered = render(
            {
                "backendStore": {
                    "postgres": {
                        "host": parts.hostname,
                        "port": parts.port,
                        "username": parts.username,
                        "database": parts.path.strip("/"),
                        "cleanupRunsDays": 1,
                    }
                },
                "artifactStore": {
                    "s3": {
                        "bucket": root.netloc,
                        "path": f"{root.path.strip('/')}/artifacts",
                        "endpoint": s3.url,
                        "credentialsFromSecret": {"enabled": True},
                    }
                },
                "backup": {"enabled": True, "path": f"{root.path.strip('/')}/backups"},
            }
        )
        (folder / "postgres").mkdir()
        # Any will do, but it has to be there.
        (folder / "postgres" / "password").write_text("p@ss:w/rd%")
        (folder / "backup").mkdir()
        (folder / "backup" / "backup.py").write_text((CHART / "files" / "backup.py").read_text())
        programs = folder / "bin"
        programs.mkdir()
        for name, command in (("runyard", f"{sys.executable} -m runyard"), ("python", sys.executable)):
            (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            (programs / name).chmod(0o755)

    def container(self, kind: str, name: str, *, is_first: bool = False) -> Document:
        pod = pod_spec(self.rendered.get(kind, name))
        found: Document = pod["initContainers" if is_first else "containers"][0]
        return found

    def environment(self, container: Document) -> dict[str, str]:
        """Return the variables of a container, with the Secrets' values and this machine's paths."""
        secrets = {"access-key-id": "AWS_ACCESS_KEY_ID", "secret-access-key": "AWS_SECRET_ACCESS_KEY"}
        variables = {}
        for entry in container["env"]:
            if "value" in entry:
                variables[entry["name"]] = self._here(entry["value"]).replace("$(POD_IP)", "10.2.3.4")
            elif "secretKeyRef" in entry["valueFrom"]:
                key = entry["valueFrom"]["secretKeyRef"]["key"]
                variables[entry["name"]] = self.s3.environment[secrets[key]]
        return {**variables, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def command(self, container: Document) -> list[str]:
        return [self._here(part) for part in [*container["command"], *container.get("args", [])]]

    def run(self, container: Document) -> str:
        answer = subprocess.run(
            self.command(container),
            env=clean_environment(self.environment(container)),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def _here(self, text: str) -> str:
        return text.replace("/etc/mlflow/", f"{self.folder}/").replace("/backup/mlflow", f"{self.folder}/mlflow")


@pytest.fixture
def machine(tmp_path: Path, postgres_url: str, seaweedfs: SeaweedFS) -> Machine:
    return Machine(tmp_path, postgres_url, seaweedfs)


def status_of(url: str, host: str | None = None, body: bytes | None = None, method: str = "GET") -> int:
    headers = {"Content-Type": "application/json", **({"Host": host} if host else {})}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_of_the_chart_runs_on_a_database_that_its_job_migrated(machine: Machine) -> None:
    assert "Upgraded" in machine.run(machine.container("Job", "mlflow-migrate"))
    assert "is current" in machine.run(machine.container("Job", "mlflow-migrate"))
    container = machine.rendered.server()
    port = free_port()
    # The drain is for a load balancer, which is not here.
    environment = {**machine.environment(container), "RUNYARD_PORT": str(port), "RUNYARD_DRAIN": "0"}
    command: list[str | Path] = [machine.folder / "bin" / "runyard", "server", "--host", "127.0.0.1"]
    assert machine.command(container) == ["runyard", "server"]
    server = ServerProcess(command, port=port, folder=machine.folder, environment=environment)
    try:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert status_of(f"{server.url}{container[probe]['httpGet']['path']}", host=f"10.2.3.4:{port}") == 200
        search = f"{server.url}/api/2.0/mlflow/experiments/search?max_results=1"
        assert status_of(search, host="mlflow.example.com") == 200
        assert status_of(search, host="mlflow.ml.svc.cluster.local:5000") == 200
        assert status_of(search, host="elsewhere.example.net") == 403
        monitor = machine.rendered.get("ServiceMonitor")["spec"]["endpoints"][0]
        assert status_of(f"{server.url}{monitor['path']}", host="10.2.3.4:5000") == 200
        upload = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/model.bin"
        assert status_of(upload, body=b"weights", method="PUT") == 200
        assert status_of(upload) == 200
        machine.run({**container, "command": ["runyard", "doctor"]})
        helm_test = machine.container("Pod", "mlflow-test")
        asked = [argument.replace("http://mlflow:5000", server.url) for argument in helm_test["args"]]
        assert asked != helm_test["args"]
        machine.run({**helm_test, "args": asked, "env": []})
    finally:
        server.stop()


def test_the_jobs_of_the_chart_clean_up_and_back_up_and_the_drill_restores_it(machine: Machine) -> None:
    machine.run(machine.container("Job", "mlflow-migrate"))
    machine.run(machine.container("CronJob", "mlflow-cleanup"))
    machine.run(machine.container("CronJob", "mlflow-backup", is_first=True))
    store = machine.container("CronJob", "mlflow-backup")
    assert "stored mlflow-" in machine.run(store)
    place = next(argument for argument in store["args"] if argument.startswith("--to=")).replace("--to=", "--from=")
    listing: dict[str, Any] = {**store, "args": ["list", place]}
    assert machine.run(listing).startswith("mlflow-")

    # The drill of the page, word for word, but for where things are here.
    page = (CHART.parent.parent / "docs" / "kubernetes.md").read_text()
    block = re.search(r"^### A drill.+?```sh\n(.+?)```", page, re.MULTILINE | re.DOTALL)
    assert block is not None
    folder, database = place.removeprefix("--from="), urlsplit(machine.database)
    lines = block[1]
    for there, here in (
        ("s3://biz-datalake-prod/mlflow/backups", folder),
        ("mlflow-20260301T013000Z.dump", machine.run(listing).strip()),
        ("-h postgres.example.com -U mlflow", f"-h {database.hostname} -p {database.port} -U {database.username}"),
        ("mlflow@postgres.example.com", f"{database.username}@{database.hostname}:{database.port}"),
        ("mlflow_drill", f"{database.path.strip('/')}_drill"),
    ):
        assert there in lines
        lines = lines.replace(there, here)
    environment = machine.environment(store)
    drilled = subprocess.run(
        ["sh", "-eux", "-c", lines],
        env=clean_environment({**environment, "PATH": f"{environment['PATH']}:{IMAGE_PROGRAMS}"}),
        cwd=machine.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert drilled.returncode == 0, drilled.stderr
    assert "is current" in drilled.stdout
    assert "Default" in drilled.stdout
