"""The programs of the environment `.venvs/deploy`, and charts rendered by them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "chart"
ENVIRONMENT = ROOT / ".venvs" / "deploy"
TIMEOUT_S = 120

Document = dict[str, Any]


def program(name: str, folder: str = "bin") -> Path:
    """Return a program's path; fail where it is missing."""
    path = ENVIRONMENT / folder / name
    assert path.exists(), f"{path} is missing: make environments installs it"
    return path


def helm(*arguments: str, version: int = 4, environment: Mapping[str, str] | None = None) -> str:
    """Run Helm and return what it printed; raise HelmFailed with what it complained of."""
    answer = subprocess.run(
        [program("helm", f"helm-{version}"), *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if answer.returncode != 0:
        raise HelmFailed(answer.stderr)
    return answer.stdout


class HelmFailed(Exception):
    """What Helm said is its text."""


@dataclass(frozen=True)
class Rendered:
    """What a chart became."""

    text: str
    documents: Sequence[Document]

    def find(self, kind: str, name: str = "mlflow") -> Document | None:
        found = [
            document for document in self.documents if document["kind"] == kind and document["metadata"]["name"] == name
        ]
        assert len(found) <= 1, f"{kind} {name} is there {len(found)} times"
        return found[0] if found else None

    def get(self, kind: str, name: str = "mlflow") -> Document:
        found = self.find(kind, name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def pod(self, kind: str = "Deployment", name: str = "mlflow") -> Document:
        """Return the pod's specification of a workload."""
        return pod_spec(self.get(kind, name))

    def server(self) -> Document:
        """Return the server's container."""
        return next(container for container in self.pod()["containers"] if container["name"] == "mlflow")

    def environment(self) -> dict[str, str]:
        """Return the variables of the server that have a value, and the pod's address put in."""
        variables = {entry["name"]: entry["value"] for entry in self.server()["env"] if "value" in entry}
        return {name: value.replace("$(POD_IP)", "10.2.3.4") for name, value in variables.items()}


def pod_spec(document: Document) -> Document:
    """Return the pod's specification that a workload holds."""
    if document.get("kind") == "Pod":
        return cast("Document", document["spec"])
    if document.get("kind") == "CronJob":
        return pod_spec(document["spec"]["jobTemplate"])
    return cast("Document", document["spec"]["template"]["spec"])


def render(
    values: Mapping[str, Any] | None = None,
    *files: str,
    release: str = "mlflow",
    namespace: str = "ml",
    version: int = 4,
) -> Rendered:
    """Return the chart as Helm renders it with the values of those files of deploy/, and then with ``values``."""
    return _render(yaml.safe_dump(dict(values or {})), files, release, namespace, version)


@cache
def _render(values: str, files: tuple[str, ...], release: str, namespace: str, version: int) -> Rendered:
    options = [argument for file in files for argument in ("--values", str(DEPLOY / file))]
    answer = subprocess.run(
        [
            program("helm", f"helm-{version}"),
            *("template", release, str(CHART), "--namespace", namespace),
            *options,
            *("--values", "-"),
        ],
        input=values,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if answer.returncode != 0:
        raise HelmFailed(answer.stderr)
    documents = [document for document in yaml.safe_load_all(answer.stdout) if document is not None]
    return Rendered(answer.stdout, documents)
