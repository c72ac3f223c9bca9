"""The commands that operators know, run with the real Helm, helmfile and kubectl against an API of ours."""

from __future__ import annotations

import base64
import functools
import gzip
import http.server
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy.fake_api import FakeApi, Resource
from tests.deploy.tools import DEPLOY, ENVIRONMENT, ROOT, program
from tests.ports import free_port
from tests.servers import ServerProcess

pytestmark = pytest.mark.deploy

# Where helm-diff would print what changes; helmfile only wants to know whether something does.
DIFF_PLUGIN = """
name: diff
version: 3.9.11
usage: diff
description: tells helmfile that there are changes
command: $HELM_PLUGIN_DIR/diff.sh
"""


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """An empty cluster."""
    api = FakeApi()
    yield api
    api.stop()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the chart repository that `make helm-repo` makes."""
    folder = tmp_path_factory.mktemp("repository")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    subprocess.run(
        # The tools are there; make is not to make them anew.
        ["make", "--assume-old", ".venvs/deploy/.ready", "helm-repo", f"HELM_REPO={folder}", f"HELM_REPO_URL={url}"],
        cwd=ROOT,
        check=True,
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    server.server_close()
    thread.join()


class Shell:
    """Runs lines as an operator would type them, in a checkout where the kit is `ml/mlflow/`."""

    def __init__(self, folder: Path, api: FakeApi, helm_version: int) -> None:
        self.folder = folder
        (folder / "ml").mkdir()
        (folder / "ml" / "mlflow").symlink_to(DEPLOY)
        api.write_kubeconfig(folder / "kubeconfig")
        plugin = folder / "plugins" / "diff"
        plugin.mkdir(parents=True)
        (plugin / "plugin.yaml").write_text(DIFF_PLUGIN)
        (plugin / "diff.sh").write_text("#!/bin/sh\nexit 2\n")
        (plugin / "diff.sh").chmod(0o755)
        program("helm", f"helm-{helm_version}")
        paths = [ENVIRONMENT / f"helm-{helm_version}", ENVIRONMENT / "bin"]
        self.environment = {
            "PATH": f"{':'.join(map(str, paths))}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(folder / "kubeconfig"),
            "HELM_CACHE_HOME": str(folder / "cache"),
            "HELM_CONFIG_HOME": str(folder / "config"),
            "HELM_DATA_HOME": str(folder / "data"),
            "HELM_PLUGINS": str(folder / "plugins"),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }

    def run(self, line: str, folder: str = ".") -> str:
        answer = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder / folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, f"{line}\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout


@pytest.fixture(params=[3, 4], ids=["Helm 3", "Helm 4"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, api: FakeApi) -> Shell:
    return Shell(tmp_path, api, request.param)


@pytest.fixture
def shell_3(tmp_path: Path, api: FakeApi) -> Shell:
    """With Helm 3, the only one that this helmfile knows."""
    return Shell(tmp_path, api, 3)


@pytest.fixture
def shell_4(tmp_path: Path, api: FakeApi) -> Shell:
    """Where the version of Helm is of no matter, and kubectl's newest is."""
    return Shell(tmp_path, api, 4)


def kept_values(api: FakeApi) -> dict[str, object]:
    """Return the values of the newest release, as Helm keeps them."""
    names = sorted(
        (key[3] for key in api.objects if key[3].startswith("sh.helm.release.v1.mlflow.v")),
        key=lambda name: int(name.rpartition("v")[2]),
    )
    secret = api.find("Secret", names[-1])
    assert secret is not None
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    values: dict[str, object] = json.loads(gzip.decompress(packed))["config"]
    return values


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_chart_is_installed_from_its_repository(
    shell: Shell, api: FakeApi, repository: str, environment: str
) -> None:
    shell.run(f"helm repo add mlflow {repository}")
    shell.run("helm repo update")
    notes = shell.run(
        f"""helm install mlflow mlflow/mlflow \\
  --namespace ml \\
  --create-namespace \\
  -f ml/mlflow/values.yaml \\
  -f ml/mlflow/values-{environment}.yaml"""
    )
    assert "mlflow.example.com" in notes
    assert api.find("Namespace", "ml", "") is not None
    assert "mlflow-" in shell.run("kubectl get pods -n ml")
    assert "mlflow-" in shell.run("kubectl get pods -n ml -l app=mlflow")
    assert "mlflow" in shell.run("kubectl get ingress -n ml mlflow")
    assert "mlflow" in shell.run("kubectl get svc -n ml mlflow")
    host = shell.run("kubectl get ingress -n ml mlflow -o jsonpath='{.spec.rules[0].host}'")
    assert host == "mlflow.example.com"
    if environment == "prod":
        shell.run("kubectl get servicemonitor -n ml mlflow")
    shell.run("kubectl get externalsecrets -n ml")
    shell.run("kubectl rollout status -n ml deployment/mlflow")
    assert api.find("Secret", "mlflow-postgres-secret") is None


def test_an_upgrade_migrates_first_and_can_be_rolled_back(shell: Shell, api: FakeApi) -> None:
    install = "helm upgrade --install mlflow ml/mlflow/chart -n ml --create-namespace -f ml/mlflow/values-dev.yaml"
    shell.run(f"{install} --set image.tag=1.0.0")
    assert not any("/jobs" in request for request in api.requests)
    before = len(api.requests)
    shell.run(f"{install} --set image.tag=1.1.0 --wait --timeout 60s")
    writes = [request for request in api.requests[before:] if request.startswith(('"POST', '"PATCH', '"PUT'))]
    migrated = next(number for number, request in enumerate(writes) if "/jobs" in request)
    replaced = next(number for number, request in enumerate(writes) if "/deployments" in request)
    assert migrated < replaced
    assert image_of(api) == "runyard:1.1.0"
    # It went well, so it is gone.
    assert api.find("Job", "mlflow-migrate") is None
    shell.run("helm rollback mlflow 1 -n ml")
    assert image_of(api) == "runyard:1.0.0"
    shell.run("helm uninstall mlflow -n ml")
    assert api.find("Deployment", "mlflow") is None


def image_of(api: FakeApi) -> str:
    deployment = api.find("Deployment", "mlflow")
    assert deployment is not None
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def test_the_script_brings_the_password_that_the_pods_of_production_wait_for(shell: Shell, api: FakeApi) -> None:
    """It reads as the service account that the chart makes, so it comes after; nothing that it makes is the chart's."""
    shell.run("helm install mlflow ml/mlflow/chart -n ml --create-namespace -f ml/mlflow/values-prod.yaml")
    assert api.find("Secret", "mlflow-postgres-secret") is None
    shell.run("ml/mlflow/scripts/setup-external-secrets.sh --provider aws --region us-east-1 --timeout 20")
    assert "mlflow-postgres-secret" in shell.run("kubectl get externalsecrets -n ml")
    assert "mlflow-postgres-secret" in shell.run("kubectl get secrets -n ml | grep mlflow")
    deployment = api.find("Deployment", "mlflow")
    assert deployment is not None
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    wanted = next(volume["secret"] for volume in volumes if volume["name"] == "postgres-password")
    made = api.find("Secret", wanted["secretName"])
    assert made is not None
    assert wanted["items"][0]["key"] in made["data"]
    shell.run("helm upgrade mlflow ml/mlflow/chart -n ml -f ml/mlflow/values-prod.yaml")


@pytest.mark.parametrize(
    ("release", "extra"), [("mlflow", ""), ("team-a", ""), ("b", "--set fullnameOverride=tracking")]
)
def test_the_health_check_finds_a_release_by_its_name(
    shell_4: Shell, running_server: Callable[..., ServerProcess], release: str, extra: str
) -> None:
    """Its questions are asked by a real kubectl here; the server is one of this machine."""
    server = running_server()
    shell_4.run(f"helm install {release} ml/mlflow/chart -n ml --create-namespace -f ml/mlflow/values-dev.yaml {extra}")
    check = f"MLFLOW_NAMESPACE=ml ml/mlflow/scripts/health-check.sh --url {server.url} --json"
    told = json.loads(shell_4.run(f"{check} --release {release}"))
    found = {each["name"]: (each["status"], each["detail"]) for each in told["checks"]}
    assert found == {
        "deployment": ("ok", "1 of 1 replicas are available"),
        "pods": ("ok", "1 ready"),
        "service": ("ok", "ports 5000 80"),
        "endpoints": ("ok", "1 ready"),
        "ingress": ("ok", "mlflow.example.com at 192.0.2.10"),
        "external secrets": ("skipped", "there are none"),
        **dict.fromkeys(("/health", "/readyz", "/metrics"), ("ok", "200")),
    }
    other = json.loads(shell_4.run(f"{check} --release other || test $? -eq 1"))
    assert [each["status"] for each in other["checks"][:3]] == ["failed"] * 3


ROLE = "artifactStore.s3.roleArn=arn:aws:iam::123456789012:role/mlflow"
IDENTITY = ",".join(
    f"artifactStore.adls.{each}" for each in ("workloadIdentity.clientId=i", "storageAccount=a", "container=c")
)
ACCOUNT = "artifactStore.gcs.serviceAccountEmail=mlflow@biz-ml.iam.gserviceaccount.com,artifactStore.gcs.bucket=b"


@pytest.mark.parametrize(
    ("values", "environment", "expected"),
    [
        (ROLE, "AWS_REGION=eu-west-1", {"service": "SecretsManager", "region": "eu-west-1"}),
        (ROLE, "AWS_REGION=", {"service": "SecretsManager", "region": "eu-south-2"}),
        (
            f"artifactStore.s3.enabled=false,artifactStore.adls.enabled=true,{IDENTITY}",
            "AZURE_KEY_VAULT_URL=https://ml.vault.azure.net",
            {"vaultUrl": "https://ml.vault.azure.net"},
        ),
        (
            f"artifactStore.s3.enabled=false,artifactStore.gcs.enabled=true,{ACCOUNT}",
            "GOOGLE_CLOUD_PROJECT=",
            {"projectID": "biz-ml"},
        ),
    ],
    ids=["aws", "aws, region of the nodes", "azure", "gcp"],
)
def test_without_a_word_the_script_takes_the_cloud_whose_identity_the_pods_have(
    shell_4: Shell, api: FakeApi, values: str, environment: str, expected: dict[str, str]
) -> None:
    """As the manual has it: the script's name, and nothing else."""
    labels = {"topology.kubernetes.io/region": "eu-south-2"}
    api.save(Resource("v1", "nodes", "Node", None, None), {"metadata": {"name": "node-1", "labels": labels}})
    shell_4.run(f"helm install mlflow ml/mlflow/chart -n ml --create-namespace --set {values}")
    told = shell_4.run(f"{environment} ml/mlflow/scripts/setup-external-secrets.sh")
    assert "secret mlflow-postgres-secret: has the key password" in told
    store = api.find("SecretStore", "mlflow-secret-store")
    assert store is not None
    (provider,) = store["spec"]["provider"].values()
    assert expected.items() <= provider.items()
    # The second time there is an ExternalSecret to look at.
    assert "externalsecret mlflow-postgres-secret: synced" in shell_4.run("ml/mlflow/scripts/setup-external-secrets.sh")


def test_helm_test_asks_the_doctor(shell: Shell) -> None:
    shell.run("helm install mlflow ml/mlflow/chart -n ml --create-namespace")
    assert "Succeeded" in shell.run("helm test mlflow -n ml")


@pytest.mark.parametrize(("page", "version"), [("kubernetes.md", 4), ("kubernetes.es.md", 3)])
def test_the_commands_of_the_page_can_be_typed(
    tmp_path: Path, api: FakeApi, repository: str, page: str, version: int
) -> None:
    """All that need no pod to answer: those of Helm, and kubectl's that make and show things."""
    shell = Shell(tmp_path, api, version)
    for name in ("password", "client-id", "client-secret", "cookie-secret", "ca.crt"):
        (shell.folder / name).write_text("hunter2")
    text = (ROOT / "docs" / page).read_text().replace("\\\n", " ")
    text = text.replace("https://charts.example.com", repository).replace("values-dev.yaml", "values-prod.yaml")
    blocks = re.findall(r"^ *```sh\n(.+?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    # Upgraded once more than the page does, so that there is a version 3 to go back to.
    upgrade = next(line for line in lines if line.startswith("helm upgrade"))
    lines.insert(lines.index(upgrade), f"{upgrade} && {upgrade}")
    typed = [line for line in lines if re.match(r"helm |kubectl (create|get) ", line)]
    assert len(typed) > 10
    for line in typed:
        shell.run(line.split("  #")[0])
    assert api.find("Job", "mlflow-backup-now") is not None
    assert "Rollback to 3" in shell.run("helm history mlflow -n ml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("helmfile apply", {"autoscaling": {"enabled": True}}),
        ("helmfile apply --file helmfile-dev.yaml", {"autoscaling": {"enabled": False}}),
        ("helmfile apply --file helmfile-prod.yaml", {"backup": {"enabled": True}}),
    ],
)
def test_helmfile_applies_each_environment(
    shell_3: Shell, api: FakeApi, line: str, expected: dict[str, dict[str, bool]]
) -> None:
    shell_3.run(line, folder="ml/mlflow")
    assert api.find("Deployment", "mlflow") is not None
    values = kept_values(api)
    for key, inner in expected.items():
        found = values[key]
        assert isinstance(found, dict)
        assert inner.items() <= found.items()
    # A second time it is an upgrade.
    shell_3.run(line, folder="ml/mlflow")


def test_a_helmfile_uses_the_values_that_helm_would() -> None:
    for name in ("helmfile.yaml", "helmfile-dev.yaml", "helmfile-prod.yaml"):
        release = yaml.safe_load((DEPLOY / name).read_text())["releases"][0]
        assert (release["name"], release["namespace"], release["chart"]) == ("mlflow", "ml", "./chart")
        assert release["values"][0] == "values.yaml"


def test_values_that_lock_out_are_refused_before_anything_is_installed(shell: Shell, api: FakeApi) -> None:
    line = "helm install mlflow ml/mlflow/chart -n ml --create-namespace --set mlflow.workers=8"
    answer = shell.run(f"{line} 2>&1 || true")
    assert "the pods may open more connections than PostgreSQL has" in answer
    assert api.find("Deployment", "mlflow") is None


def test_the_api_of_ours_reads_what_kubectl_sends(shell: Shell, api: FakeApi) -> None:
    """Whoever makes the database's secret does it so, and kubectl sends it as protobuf."""
    shell.run("kubectl create namespace ml")
    password = "p@ss:w/rd%"
    shell.run(
        f"kubectl create secret generic mlflow-postgres-secret -n ml --from-literal=password={shlex.quote(password)}"
    )
    secret = api.find("Secret", "mlflow-postgres-secret")
    assert secret is not None
    assert base64.b64decode(secret["data"]["password"]).decode() == password
