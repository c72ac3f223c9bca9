"""The scripts of the deployment kit: a cluster in JSON, a kubectl that answers from it, and a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import fake_kubectl
from tests.servers import ServerProcess, start_runyard

SCRIPTS = Path(__file__).parent.parent.parent / "deploy/scripts"
NAMES = ["health-check.sh", "setup-external-secrets.sh"]
TIMEOUT_S = 60

Objects = dict[str, Any]

LABELS = {"app": "mlflow", "app.kubernetes.io/instance": "mlflow"}


def condition(status: str, **more: str) -> Objects:
    return {"conditions": [{"type": "Ready", "status": status, **more}]}


def pod(name: str, *, status: Objects | None = None, restarts: int = 0) -> Objects:
    running = {
        "phase": "Running",
        **condition("True"),
        "containerStatuses": [{"name": "mlflow", "restartCount": restarts, "state": {"running": {}}}],
    }
    return {"metadata": {"name": name, "labels": LABELS}, "status": status or running}


CRASHING = {
    "phase": "Running",
    "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}],
    "containerStatuses": [
        {"name": "mlflow", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "…"}}}
    ],
}


def deployment(name: str = "mlflow", **status: int) -> Objects:
    return {"metadata": {"name": name, "labels": LABELS}, "spec": {"replicas": 2}, "status": status}


def slices(*ready: bool) -> Objects:
    return {
        "metadata": {"name": "mlflow-x7", "labels": {"kubernetes.io/service-name": "mlflow"}},
        "endpoints": [{"addresses": [f"10.0.0.{n}"], "conditions": {"ready": each}} for n, each in enumerate(ready)],
    }


def ingress(address: Objects | None = None, **spec: Any) -> Objects:
    return {
        "metadata": {"name": "mlflow"},
        "spec": {"rules": [{"host": "mlflow.example.com"}], **spec},
        "status": {"loadBalancer": {"ingress": [address] if address else []}},
    }


def external_secret(name: str = "mlflow-postgres-secret", *, synced: str = "1-abc", **status: Any) -> Objects:
    return {
        "metadata": {"name": name, "generation": 1},
        "status": {"syncedResourceVersion": synced, **condition("True", reason="SecretSynced"), **status},
    }


def crd(kind: str, *versions: str) -> Objects:
    listed = [{"name": "v1alpha1", "served": False}, *({"name": name, "served": True} for name in versions)]
    return {"metadata": {"name": f"{kind}.external-secrets.io"}, "spec": {"versions": listed}}


@dataclass
class Cluster:
    """What a cluster holds, and a way to run a script on it."""

    folder: Path
    server_port: int
    objects: dict[str, list[list[Objects]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def holds(self, kind: str, *objects: Objects) -> None:
        self.objects[kind] = [list(objects)]

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        described = {"objects": self.objects, "errors": self.errors, "server_port": self.server_port}
        (self.folder / "cluster.json").write_text(json.dumps(described))
        program = self.folder / "bin/kubectl"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake_kubectl.__file__}" "$@"\n')
        program.chmod(0o755)
        environment = {
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "FAKE_CLUSTER": str(self.folder / "cluster.json"),
            **variables,
        }
        return subprocess.run(
            [SCRIPTS / script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def calls(self) -> str:
        path = self.folder / "calls"
        return path.read_text() if path.exists() else ""

    def applied(self) -> list[Objects]:
        path = self.folder / "applied"
        return [each for each in yaml.safe_load_all(path.read_text()) if each] if path.exists() else []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    started = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield started
    started.stop()


@pytest.fixture
def cluster(tmp_path: Path, server: ServerProcess) -> Cluster:
    """A cluster in which everything is well."""
    cluster = Cluster(tmp_path, server.port)
    cluster.holds("namespace", {"metadata": {"name": "ml"}}, {"metadata": {"name": "other"}})
    cluster.holds("deployment", deployment(availableReplicas=2, updatedReplicas=2))
    job = pod("mlflow-cleanup-1", status={"phase": "Succeeded", **condition("False", reason="PodCompleted")})
    cluster.holds("pods", pod("mlflow-a"), pod("mlflow-b", restarts=1), job)
    cluster.holds("service", {"metadata": {"name": "mlflow"}, "spec": {"ports": [{"port": 80}, {"port": 5000}]}})
    cluster.holds("endpointslices", slices(True, True))
    tls = [{"secretName": "mlflow-tls", "hosts": ["mlflow.example.com"]}]
    cluster.holds("ingress", ingress({"ip": "203.0.113.7"}, tls=tls))
    cluster.holds(
        "secret",
        {"metadata": {"name": "mlflow-tls"}},
        {"metadata": {"name": "mlflow-postgres-secret"}, "data": {"password": "c2VjcmV0"}},
    )
    cluster.holds("externalsecrets", external_secret())
    cluster.holds("secretstores")
    cluster.holds("crd", crd("externalsecrets", "v1beta1", "v1"), crd("secretstores", "v1beta1", "v1"))
    cluster.holds(
        "deployments",
        {
            "metadata": {
                "name": "external-secrets",
                "namespace": "external-secrets",
                "labels": {"app.kubernetes.io/name": "external-secrets"},
            },
            "status": {"availableReplicas": 1},
        },
    )
    cluster.holds("serviceaccount", {"metadata": {"name": "mlflow"}})
    return cluster


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    assert shutil.which("shellcheck") is not None, "shellcheck is missing: make environments installs it"
    checked = subprocess.run(
        ["shellcheck", "--shell=sh", "--enable=all", "--exclude=SC2250,SC2310,SC2311,SC2312,SC2249", SCRIPTS / name],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert checked.stdout == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_script_may_be_run_and_explains_itself(name: str, cluster: Cluster) -> None:
    assert os.access(SCRIPTS / name, os.X_OK)
    helped = cluster.run(name, "--help")
    assert helped.returncode == 0
    assert helped.stdout.startswith(f"Usage: {name}")
    assert "Exit status: 0" in helped.stdout
    assert cluster.calls() == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", [["--wrong", "x"], ["--namespace"], ["what"]])
def test_a_wrong_option_is_refused(name: str, arguments: list[str], cluster: Cluster) -> None:
    refused = cluster.run(name, *arguments)
    assert refused.returncode == 2
    assert arguments[0] in refused.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_cluster_that_does_not_answer_is_not_a_result(name: str, cluster: Cluster) -> None:
    cluster.errors["get namespace"] = "The connection to the server 127.0.0.1:6443 was refused"
    stopped = cluster.run(name)
    assert stopped.returncode == 2
    assert "was refused" in stopped.stderr


def test_a_healthy_server_is_well(cluster: Cluster) -> None:
    told = cluster.run("health-check.sh", MLFLOW_NAMESPACE="ml")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "ok       deployment        2 of 2 replicas are available",
        "ok       pods              2 ready",
        "ok       service           ports 80 5000",
        "ok       endpoints         2 ready",
        "ok       ingress           mlflow.example.com at 203.0.113.7",
        "ok       external secrets  1 synced",
        "ok       /health           200",
        "ok       /readyz           200",
        "ok       /metrics          200",
        "The tracking server ml/mlflow is well.",
    ]


def test_the_namespace_is_the_options_else_the_variables_else_ml(cluster: Cluster) -> None:
    for arguments, variables, namespace in (
        ([], {}, "ml"),
        ([], {"MLFLOW_NAMESPACE": "other"}, "other"),
        (["-n", "ml"], {"MLFLOW_NAMESPACE": "other"}, "ml"),
    ):
        (cluster.folder / "calls").unlink(missing_ok=True)
        cluster.run("health-check.sh", *arguments, **variables)
        assert set(re.findall(r"^--namespace (\S+)", cluster.calls(), re.MULTILINE)) == {namespace}


def test_json_is_for_programs(cluster: Cluster) -> None:
    cluster.errors["get ingress"] = 'a "quoted" \\ reason\twith a tab'
    told = cluster.run("health-check.sh", "--json")
    assert told.returncode == 1
    parsed = json.loads(told.stdout)
    assert {key: parsed[key] for key in ("namespace", "release", "ok")} == {
        "namespace": "ml",
        "release": "mlflow",
        "ok": False,
    }
    by_name = {check["name"]: check for check in parsed["checks"]}
    assert by_name["ingress"] == {
        "name": "ingress",
        "status": "failed",
        "detail": 'a "quoted" \\ reason with a tab',
    }
    assert [name for name, check in by_name.items() if check["status"] == "ok"] == [
        *("deployment", "pods", "service", "endpoints", "external secrets", "/health", "/readyz", "/metrics")
    ]
    cluster.errors.clear()
    assert json.loads(cluster.run("health-check.sh", "--json").stdout)["ok"] is True


Change = Callable[[Cluster], None]

TROUBLE: dict[str, tuple[Change, str, str]] = {
    "no deployment": (lambda c: c.holds("deployment"), "deployment", 'deployment "mlflow" not found'),
    "nothing available": (
        lambda c: c.holds("deployment", deployment(updatedReplicas=2)),
        "deployment",
        "0 of 2 replicas are available",
    ),
    "scaled to zero": (
        lambda c: c.holds("deployment", {**deployment(), "spec": {"replicas": 0}}),
        "deployment",
        "scaled to 0",
    ),
    "no pods": (lambda c: c.holds("pods"), "pods", "there is none"),
    "crash loop": (
        lambda c: c.holds("pods", pod("mlflow-a", status=CRASHING)),
        "pods",
        "mlflow-a (CrashLoopBackOff)",
    ),
    "pending": (
        lambda c: c.holds("pods", pod("mlflow-a", status={"phase": "Pending"})),
        "pods",
        "mlflow-a (Pending)",
    ),
    "no service": (lambda c: c.holds("service"), "service", "not found"),
    "no slices": (lambda c: c.holds("endpointslices"), "endpoints", "no ready endpoint"),
    "no endpoint ready": (lambda c: c.holds("endpointslices", slices(False, False)), "endpoints", "no ready endpoint"),
    "no address": (lambda c: c.holds("ingress", ingress()), "ingress", "has no address"),
    "no certificate": (
        lambda c: c.holds("ingress", ingress({"hostname": "lb.example.com"}, tls=[{"secretName": "gone"}])),
        "ingress",
        "mlflow.example.com at lb.example.com: its certificate is not there: gone",
    ),
    "not allowed": (
        lambda c: c.errors.update({"get ingress": 'Error from server (Forbidden): ingresses "mlflow" is forbidden'}),
        "ingress",
        "is forbidden",
    ),
    "not synced": (
        lambda c: c.holds(
            "externalsecrets", external_secret(), external_secret("b", **condition("False", reason="SecretSyncedError"))
        ),
        "external secrets",
        "not synced: b (SecretSyncedError)",
    ),
    "never synced": (
        lambda c: c.holds("externalsecrets", {"metadata": {"name": "new"}}),
        "external secrets",
        "new (never synced)",
    ),
    "no exec": (
        lambda c: c.errors.update({"exec": "error: unable to upgrade connection: container not found"}),
        "/readyz",
        "unable to upgrade connection",
    ),
    "nothing listens": (lambda c: setattr(c, "server_port", 1), "/health", "no answer"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_fails_and_is_named(name: str, cluster: Cluster) -> None:
    change, check, words = TROUBLE[name]
    change(cluster)
    told = cluster.run("health-check.sh")
    assert told.returncode == 1, told.stdout
    (line,) = [line for line in told.stdout.splitlines() if line[9:].startswith(f"{check} ")]
    assert line.startswith("failed")
    assert words in line
    assert told.stdout.endswith("The tracking server ml/mlflow is NOT well.\n")


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (
            lambda c: c.holds("deployment", deployment(availableReplicas=1, updatedReplicas=2)),
            "warning",
            "1 of 2 replicas",
        ),
        (
            lambda c: c.holds("deployment", deployment(availableReplicas=2, updatedReplicas=1)),
            "warning",
            "1 of them are of the newest version",
        ),
        (
            lambda c: c.holds("pods", pod("mlflow-a"), pod("mlflow-b", status=CRASHING)),
            "warning",
            "1 ready, and not: mlflow-b (CrashLoopBackOff)",
        ),
        (lambda c: c.holds("pods", pod("mlflow-a", restarts=9)), "warning", "often restarted: mlflow-a (9)"),
        (
            lambda c: c.holds("service", {"metadata": {"name": "mlflow"}, "spec": {"ports": [{"port": 80}]}}),
            "warning",
            "no port 5000",
        ),
        (lambda c: c.holds("ingress"), "skipped", "there is none"),
        (lambda c: c.holds("externalsecrets"), "skipped", "there are none"),
        (lambda c: c.objects.pop("externalsecrets"), "skipped", "not installed"),
    ],
)
def test_what_is_no_trouble_yet_does_not_fail(change: Change, status: str, words: str, cluster: Cluster) -> None:
    change(cluster)
    told = cluster.run("health-check.sh")
    assert told.returncode == 0, told.stdout
    (line,) = [line for line in told.stdout.splitlines() if words in line]
    assert line.startswith(status)


def test_the_server_can_be_asked_from_outside(cluster: Cluster, server: ServerProcess) -> None:
    told = cluster.run("health-check.sh", "--url", f"{server.url}/")
    assert told.returncode == 0, told.stdout
    assert "exec" not in cluster.calls()
    for wrong, words in ((f"{server.url}/nothing", "404"), ("http://127.0.0.1:1", "000")):
        told = cluster.run("health-check.sh", MLFLOW_URL=wrong)
        assert told.returncode == 1
        assert [words in line for line in told.stdout.splitlines() if line.startswith("failed")] == [True] * 3


def test_a_server_without_metrics_is_noticed(
    cluster: Cluster, running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    cluster.server_port = running_server(None, "--no-metrics").port
    told = cluster.run("health-check.sh")
    assert told.returncode == 1
    assert [line.split()[:3] for line in told.stdout.splitlines() if line.startswith("failed")] == [
        ["failed", "/metrics", "404"]
    ]


PROVIDERS = {
    "aws": (
        ["--region", "eu-west-1"],
        {
            "aws": {
                "service": "SecretsManager",
                "region": "eu-west-1",
                "auth": {"jwt": {"serviceAccountRef": {"name": "mlflow"}}},
            }
        },
        {"key": "mlflow/postgres", "property": "password"},
    ),
    "azure": (
        ["--vault-url", "https://ml.vault.azure.net"],
        {
            "azurekv": {
                "authType": "WorkloadIdentity",
                "vaultUrl": "https://ml.vault.azure.net",
                "serviceAccountRef": {"name": "mlflow"},
            }
        },
        {"key": "mlflow-postgres"},
    ),
    "gcp": (
        ["--project", "biz-ml", "--cluster", "prod", "--cluster-location", "europe-west1"],
        {
            "gcpsm": {
                "projectID": "biz-ml",
                "auth": {
                    "workloadIdentity": {
                        "serviceAccountRef": {"name": "mlflow"},
                        "clusterName": "prod",
                        "clusterLocation": "europe-west1",
                    }
                },
            }
        },
        {"key": "mlflow-postgres"},
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_store_and_a_secret_are_made_for_each_provider(provider: str, cluster: Cluster) -> None:
    arguments, store, remote = PROVIDERS[provider]
    made = cluster.run("setup-external-secrets.sh", "--provider", provider, *arguments)
    assert (made.returncode, made.stderr) == (0, ""), made.stdout
    assert made.stdout.splitlines()[-2:] == [
        "externalsecret mlflow-postgres-secret: synced",
        "secret mlflow-postgres-secret: has the key password",
    ]
    labels = {"app.kubernetes.io/part-of": "mlflow"}
    assert cluster.applied() == [
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "SecretStore",
            "metadata": {"name": "mlflow-secret-store", "namespace": "ml", "labels": labels},
            "spec": {"provider": store},
        },
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": "mlflow-postgres-secret", "namespace": "ml", "labels": labels},
            "spec": {
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "SecretStore", "name": "mlflow-secret-store"},
                "target": {"name": "mlflow-postgres-secret", "creationPolicy": "Owner"},
                "data": [{"secretKey": "password", "remoteRef": remote}],
            },
        },
    ]


def test_a_dry_run_prints_the_same_and_asks_no_cluster(cluster: Cluster) -> None:
    arguments = ["--provider", "aws", "--region", "us-east-1"]
    printed = cluster.run("setup-external-secrets.sh", *arguments, "--dry-run")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert cluster.calls() == ""
    assert cluster.run("setup-external-secrets.sh", *arguments).returncode == 0
    assert list(yaml.safe_load_all(printed.stdout)) == cluster.applied()
    refused = cluster.run("setup-external-secrets.sh", "--dry-run")
    assert (refused.returncode, "--provider" in refused.stderr) == (2, True)


def test_run_twice_it_does_the_same_again(cluster: Cluster) -> None:
    for _ in range(2):
        again = cluster.run("setup-external-secrets.sh", AWS_REGION="us-east-1", MLFLOW_SECRETS_PROVIDER="aws")
        assert again.returncode == 0, again.stderr
    applied = cluster.applied()
    assert applied[:2] == applied[2:]


def test_what_helm_made_is_left_to_helm(cluster: Cluster) -> None:
    made = external_secret()
    made["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    cluster.holds("externalsecrets", made)
    told = cluster.run("setup-external-secrets.sh", "--provider", "aws", "--region", "us-east-1")
    assert told.returncode == 0, told.stderr
    assert [each["kind"] for each in cluster.applied()] == ["SecretStore"]
    assert "made by Helm" in told.stdout


def test_an_older_operator_gets_its_own_version(cluster: Cluster) -> None:
    cluster.holds("crd", crd("externalsecrets", "v1beta1"), crd("secretstores", "v1beta1"))
    told = cluster.run("setup-external-secrets.sh", "--provider", "gcp", GOOGLE_CLOUD_PROJECT="biz-ml")
    assert told.returncode == 0, told.stderr
    assert {each["apiVersion"] for each in cluster.applied()} == {"external-secrets.io/v1beta1"}


def test_it_waits_until_the_operator_has_seen_this_generation(cluster: Cluster) -> None:
    changed = external_secret()
    changed["metadata"]["generation"] = 2
    seen = external_secret(synced="2-def")
    seen["metadata"]["generation"] = 2
    cluster.objects["externalsecrets"] = [[external_secret()], [changed], [seen]]
    told = cluster.run("setup-external-secrets.sh", "--provider", "aws", "--region", "us-east-1")
    assert told.returncode == 0, told.stderr
    assert cluster.calls().count("get externalsecrets") == 3


def test_without_a_provider_it_looks_at_what_is_there_and_makes_nothing(cluster: Cluster) -> None:
    told = cluster.run("setup-external-secrets.sh", MLFLOW_NAMESPACE="ml")
    assert (told.returncode, told.stdout.splitlines()) == (
        0,
        ["operator: external-secrets/external-secrets, API v1", "externalsecret mlflow-postgres-secret: synced"],
    )
    cluster.holds("externalsecrets")
    told = cluster.run("setup-external-secrets.sh")
    assert (told.returncode, "no ExternalSecret" in told.stderr) == (1, True)
    assert "mlflow has no identity of a cloud" in told.stderr
    cluster.holds("serviceaccount")
    assert cluster.run("setup-external-secrets.sh").returncode == 1
    assert cluster.applied() == []


def test_a_provider_that_was_found_may_need_more(cluster: Cluster) -> None:
    cluster.holds("externalsecrets")
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/mlflow"}
    cluster.holds("serviceaccount", {"metadata": {"name": "mlflow", "annotations": role}})
    cluster.errors["get nodes"] = "Error from server (Forbidden): nodes is forbidden"
    told = cluster.run("setup-external-secrets.sh")
    assert (told.returncode, "aws needs --region" in told.stderr) == (2, True)
    told = cluster.run("setup-external-secrets.sh", AWS_REGION="x'\n  evil: 'y")
    assert (told.returncode, "must be letters, digits" in told.stderr) == (2, True)
    assert cluster.applied() == []


def deny_access(cluster: Cluster) -> None:
    cluster.holds("externalsecrets", external_secret(**condition("False", message="could not get secret data")))
    denied = {"metadata": {"name": "mlflow-secret-store"}, "status": condition("False", message="AccessDenied")}
    cluster.holds("secretstores", denied)


BROKEN: dict[str, tuple[Change, list[str], int, str]] = {
    "no operator": (lambda c: c.holds("crd"), [], 2, "is not installed"),
    "no known version": (
        lambda c: c.holds("crd", crd("externalsecrets", "v9"), crd("secretstores", "v9")),
        [],
        2,
        "needs v1 or v1beta1",
    ),
    "operator stopped": (
        lambda c: c.objects["deployments"][0][0].update(status={}),
        [],
        2,
        "no pod of external-secrets/external-secrets is available",
    ),
    "no service account": (lambda c: c.holds("serviceaccount"), [], 2, "the chart makes it"),
    "refused": (
        lambda c: c.errors.update({"apply": 'Error from server: admission webhook "validate" denied the request'}),
        [],
        2,
        "denied the request",
    ),
    "not synced": (
        deny_access,
        ["--timeout", "1"],
        1,
        "could not get secret data (store mlflow-secret-store: AccessDenied)",
    ),
    "key missing": (
        lambda c: c.holds("secret", {"metadata": {"name": "mlflow-postgres-secret"}, "data": {}}),
        [],
        1,
        "has no key password",
    ),
    "not quotable": (lambda _: None, ["--store", "a'b"], 2, "--store"),
    "no such provider": (lambda _: None, ["--provider", "oracle"], 2, "'oracle'"),
    "timeout is no number": (lambda _: None, ["--timeout", "soon"], 2, "'soon'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_keeps_the_secret_from_being_made_is_named(name: str, cluster: Cluster) -> None:
    change, arguments, status, words = BROKEN[name]
    change(cluster)
    told = cluster.run("setup-external-secrets.sh", "--provider", "aws", "--region", "us-east-1", *arguments)
    assert told.returncode == status, told.stdout + told.stderr
    assert words in told.stderr


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_says_what_it_needs(provider: str, cluster: Cluster) -> None:
    told = cluster.run("setup-external-secrets.sh", "--provider", provider)
    assert told.returncode == 2
    assert f"{provider} needs {PROVIDERS[provider][0][0]}" in told.stderr


def test_no_password_is_ever_printed(cluster: Cluster) -> None:
    told = cluster.run("setup-external-secrets.sh", "--provider", "aws", "--region", "us-east-1")
    assert "c2VjcmV0" not in told.stdout + told.stderr + cluster.calls()
