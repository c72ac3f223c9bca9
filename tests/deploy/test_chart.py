"""What the chart renders, by the values that its users give."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from runyard.server.access import AccessPolicy
from runyard.settings import load_settings
from tests.deploy.golden import to_look_at
from tests.deploy.matrix import ADLS, CASES, GCS, OAUTH2, ON_DISK
from tests.deploy.tools import CHART, DEPLOY, HelmFailed, Rendered, helm, pod_spec, render

pytestmark = pytest.mark.deploy

CASE_IDS = [name for name, _, _ in CASES]
WORKLOADS = {"Deployment", "Job", "CronJob", "Pod"}


def postgres(**values: Any) -> dict[str, Any]:
    return {"backendStore": {"postgres": values}}


def peers_of(rendered: Rendered, port: int) -> list[dict[str, Any]]:
    """Return who may reach the server's pods at a port."""
    rules = rendered.get("NetworkPolicy")["spec"]["ingress"]
    return [
        peer for rule in rules if any(entry["port"] == port for entry in rule["ports"]) for peer in rule.get("from", [])
    ]


def namespace_labels(peers: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [peer["namespaceSelector"]["matchLabels"] for peer in peers if "namespaceSelector" in peer]


def egress_ports(rendered: Rendered, name: str = "mlflow") -> set[int]:
    return {entry["port"] for rule in rendered.get("NetworkPolicy", name)["spec"]["egress"] for entry in rule["ports"]}


# Names, as those who run it know them.


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Deployment", "mlflow"),
        ("Service", "mlflow"),
        ("Ingress", "mlflow"),
        ("ServiceMonitor", "mlflow"),
        ("HorizontalPodAutoscaler", "mlflow"),
        ("PodDisruptionBudget", "mlflow"),
        ("NetworkPolicy", "mlflow"),
        ("ServiceAccount", "mlflow"),
        ("CronJob", "mlflow-cleanup"),
        ("Job", "mlflow-migrate"),
    ],
)
def test_a_release_called_mlflow_names_everything_so(kind: str, name: str) -> None:
    assert render().get(kind, name)["metadata"]["namespace"] == "ml"


def test_pods_of_the_server_and_only_they_have_the_label_app() -> None:
    rendered = render({"backup": {"enabled": True}})
    assert rendered.get("Deployment")["spec"]["template"]["metadata"]["labels"]["app"] == "mlflow"
    for name in ("mlflow-cleanup", "mlflow-backup"):
        template = rendered.get("CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]
        assert "app" not in template["metadata"]["labels"]


def test_the_service_answers_at_80_and_5000() -> None:
    service = render().get("Service")
    assert {port["port"]: port["targetPort"] for port in service["spec"]["ports"]} == {80: "http", 5000: "http"}


def test_every_selector_finds_the_pods_of_the_server() -> None:
    rendered = render()
    labels = rendered.get("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    for selector in (
        rendered.get("Deployment")["spec"]["selector"]["matchLabels"],
        rendered.get("Service")["spec"]["selector"],
        rendered.get("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        rendered.get("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(constraint["labelSelector"]["matchLabels"] for constraint in rendered.pod()["topologySpreadConstraints"]),
    ):
        assert selector.items() <= labels


def test_the_service_monitor_finds_the_service() -> None:
    rendered = render()
    monitor = rendered.get("ServiceMonitor")["spec"]
    service = rendered.get("Service")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert (monitor["endpoints"][0]["interval"], monitor["endpoints"][0]["scrapeTimeout"]) == ("30s", "10s")


def test_another_release_is_named_by_its_name() -> None:
    rendered = render(release="team-a")
    assert rendered.get("Deployment", "team-a-mlflow")
    assert render({"fullnameOverride": "tracking"}).get("Deployment", "tracking")


@pytest.mark.parametrize("values", [{}, {"fullnameOverride": "a" * 53}, {"nameOverride": "a" * 53}])
def test_no_name_is_longer_than_kubernetes_takes(values: dict[str, Any]) -> None:
    for document in render({**values, "backup": {"enabled": True}}, release="b" * 53).documents:
        limit = 52 if document["kind"] == "CronJob" else 63
        assert len(document["metadata"]["name"]) <= limit


# What the server is told.


@pytest.mark.parametrize(("name", "files", "values"), CASES, ids=CASE_IDS)
def test_the_server_understands_what_it_is_told(name: str, files: tuple[str, ...], values: dict[str, Any]) -> None:
    rendered = render(values, *files)
    settings = load_settings(rendered.environment())
    assert (settings.host, settings.port) == ("0.0.0.0", 5000)  # noqa: S104 - in a pod
    known = {variable for field in settings.__dataclass_fields__.values() for variable in field.metadata["variables"]}
    ours = {variable for variable in rendered.environment() if variable.startswith(("RUNYARD_", "MLFLOW_"))}
    assert ours - known == set()


def test_the_values_of_the_database_arrive() -> None:
    settings = load_settings(
        render(postgres(poolSize=3, maxOverflow=4, poolRecycle=60, poolPrePing=False, sslMode="require")).environment()
    )
    assert settings.backend_store_uri == "postgresql://mlflow@postgres.ml.svc.cluster.local:5432/mlflow"
    assert (settings.pool_size, settings.max_overflow, settings.pool_recycle_s) == (3, 4, 60)
    assert settings.pool_pre_ping is False
    assert settings.db_ssl_mode == "require"


def test_a_user_name_with_an_at_sign_stays_one() -> None:
    uri = render(postgres(username="mlflow@server")).environment()["RUNYARD_BACKEND_STORE_URI"]
    assert uri == "postgresql://mlflow%40server@postgres.ml.svc.cluster.local:5432/mlflow"


def test_links_to_a_service_named_mlflow_do_not_become_settings() -> None:
    for document in render({"backup": {"enabled": True}}).documents:
        if document["kind"] in WORKLOADS:
            assert pod_spec(document)["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("mlflow.example.com", True),
        ("mlflow.ml.svc.cluster.local", True),
        ("mlflow.ml.svc.cluster.local:5000", True),
        ("mlflow:5000", True),
        ("localhost:5000", True),
        ("10.2.3.4:5000", True),
        ("10.2.3.4.example.net", False),
        ("10.9.9.9:5000", False),
        ("elsewhere.example.net", False),
    ],
)
def test_the_server_answers_to_its_own_names(host: str, is_answered: bool) -> None:
    settings = load_settings(render().environment())
    policy = AccessPolicy(settings)
    if is_answered:
        policy.check_host("/api/2.0/mlflow/runs/get", host.encode())
    else:
        with pytest.raises(Exception, match="Invalid Host header"):
            policy.check_host("/api/2.0/mlflow/runs/get", host.encode())


def test_prometheus_may_ask_a_pod_by_its_ipv6_address() -> None:
    patterns = render().server()["env"]
    hosts = next(entry["value"] for entry in patterns if entry["name"] == "RUNYARD_ALLOWED_HOSTS")
    allowed = hosts.replace("$(POD_IP)", "fd00::17").split(",")
    assert any(fnmatch.fnmatchcase("[fd00::17]:5000", pattern) for pattern in allowed)


def test_further_options_and_variables_reach_the_server() -> None:
    server = render(
        {"extraArgs": ["--read-only"], "extraEnv": [{"name": "OTEL_SERVICE_NAME", "value": "mlflow"}]}
    ).server()
    assert server["args"] == ["--read-only"]
    assert server["env"][-1] == {"name": "OTEL_SERVICE_NAME", "value": "mlflow"}


def test_a_variable_of_the_user_replaces_the_one_of_the_chart() -> None:
    mine = {"name": "RUNYARD_HOST", "value": "::"}
    assert [entry for entry in render({"extraEnv": [mine]}).server()["env"] if entry["name"] == "RUNYARD_HOST"] == [
        mine
    ]


@pytest.mark.parametrize(("name", "files", "values"), CASES, ids=CASE_IDS)
def test_no_list_has_an_item_twice(name: str, files: tuple[str, ...], values: dict[str, Any]) -> None:
    """Helm 4 applies on the server, which refuses that."""

    def check(items: list[dict[str, Any]], *keys: str) -> None:
        found = [tuple(item.get(key) for key in keys) for item in items]
        assert len(found) == len(set(found)), found

    for document in render(values, *files).documents:
        if document["kind"] == "Service":
            check(document["spec"]["ports"], "port", "protocol")
            check(document["spec"]["ports"], "name")
        if document["kind"] not in WORKLOADS:
            continue
        pod = pod_spec(document)
        check(pod.get("volumes", []), "name")
        check([*pod.get("initContainers", []), *pod["containers"]], "name")
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            check(container.get("env", []), "name")
            check(container.get("volumeMounts", []), "mountPath")
            check(container.get("ports", []), "containerPort", "protocol")


# The values that operators' manuals show, word for word.
MANUAL = """
mlflow:
  workers: 2
  resources:
    requests:
      cpu: 500m
      memory: 1Gi
    limits:
      cpu: 2000m
      memory: 4Gi
backendStore:
  postgres:
    enabled: true
    host: postgres.ml.svc.cluster.local
    port: 5432
    database: mlflow
    username: mlflow
    passwordFromSecret:
      enabled: true
      name: mlflow-postgres-secret
      key: password
    poolSize: 20
    maxOverflow: 40
    poolRecycle: 3600
    poolPrePing: true
    sslMode: prefer
    cleanupRunsEnabled: true
    cleanupRunsDays: 90
artifactStore:
  s3:
    enabled: true
    bucket: biz-datalake-dev
    path: mlflow/artifacts
ingress:
  enabled: true
  className: nginx
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt-prod
    nginx.ingress.kubernetes.io/rate-limit: "100"
  hosts:
    - host: mlflow.example.com
      paths:
        - path: /
  tls:
    - secretName: mlflow-tls
      hosts:
        - mlflow.example.com
serviceMonitor:
  enabled: true
  interval: 30s
  scrapeTimeout: 10s
networkPolicy:
  enabled: true
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              name: data
      ports:
        - protocol: TCP
          port: 5000
"""


def test_the_values_of_the_manual_are_the_defaults() -> None:
    assert render(yaml.safe_load(MANUAL)).documents == render().documents


def test_the_manual_s_cure_for_slowness_needs_a_larger_database_and_says_so() -> None:
    faster = {"mlflow": {"workers": 4}, **postgres(poolSize=40, maxOverflow=80)}
    with pytest.raises(HelmFailed, match=r"= 5290, and maxConnections is 1400\. .*raise max_connections of PostgreSQL"):
        render(faster)
    settings = load_settings(
        render({"mlflow": {"workers": 4}, **postgres(poolSize=40, maxOverflow=80, maxConnections=5290)}).environment()
    )
    assert (settings.workers, settings.pool_size, settings.max_overflow) == (4, 40, 80)


# Secrets.


@pytest.mark.parametrize(("name", "files", "values"), CASES, ids=CASE_IDS)
def test_the_chart_makes_no_secret(name: str, files: tuple[str, ...], values: dict[str, Any]) -> None:
    assert [document for document in render(values, *files).documents if document["kind"] == "Secret"] == []


def test_the_password_is_a_file_that_only_the_secret_knows() -> None:
    rendered = render()
    path = rendered.environment()["RUNYARD_DB_PASSWORD_FILE"]
    assert path == "/etc/mlflow/postgres/password"
    volume = next(volume for volume in rendered.pod()["volumes"] if volume["name"] == "postgres-password")
    assert volume["secret"]["secretName"] == "mlflow-postgres-secret"
    assert not any("PASSWORD" in name and name != "RUNYARD_DB_PASSWORD_FILE" for name in rendered.environment())


@pytest.mark.parametrize("name", ["RUNYARD_DB_PASSWORD", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "API_TOKEN"])
def test_a_secret_that_would_stand_in_a_manifest_is_refused(name: str) -> None:
    with pytest.raises(HelmFailed, match=f"extraEnv: {name} has its value in the manifest: put it into a Secret"):
        render({"extraEnv": [{"name": name, "value": "hunter2"}]})
    reference = {"name": name, "valueFrom": {"secretKeyRef": {"name": "mine", "key": "it"}}}
    assert render({"extraEnv": [reference]}).server()["env"][-1] == reference


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (
            {"extraEnv": [{"name": "RUNYARD_READ_REPLICA_URI", "value": "postgresql://me:hunter2@replica/mlflow"}]},
            "extraEnv: RUNYARD_READ_REPLICA_URI",
        ),
        ({"extraArgs": ["--backend-store-uri=postgresql://me:hunter2@db/mlflow"]}, "extraArgs: --backend-store-uri"),
    ],
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(values: dict[str, Any], named: str) -> None:
    with pytest.raises(HelmFailed, match=f"{named} has a password in its URI") as refused:
        render(values)
    assert "hunter2" not in str(refused.value)
    harmless = {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector.example.com:4318"}
    assert render(
        {"extraEnv": [harmless], "extraArgs": ["--read-replica-uri=postgresql://me@replica/mlflow"]}
    ).documents


def test_a_client_secret_among_the_options_of_oauth2_proxy_is_refused() -> None:
    values = {"oauth2Proxy": {**OAUTH2["oauth2Proxy"], "extraArgs": {"client-secret": "hunter2"}}}
    with pytest.raises(HelmFailed, match="client-secret would be in the manifest"):
        render(values)


def test_external_secrets_make_the_secret_that_the_server_reads() -> None:
    external = render({"externalSecrets": {"enabled": True}}).get("ExternalSecret", "mlflow-postgres-secret")
    assert external["spec"]["target"]["name"] == "mlflow-postgres-secret"
    assert [entry["secretKey"] for entry in external["spec"]["data"]] == ["password"]
    assert render().find("ExternalSecret", "mlflow-postgres-secret") is None


# Where artifacts are.


@pytest.mark.parametrize(
    ("values", "uri"),
    [
        ({}, "s3://biz-datalake-dev/mlflow/artifacts"),
        ({"artifactStore": {"s3": {"path": "/"}}}, "s3://biz-datalake-dev"),
        (ADLS, "abfss://datalake@mlaccount.dfs.core.windows.net/mlflow/artifacts"),
        (GCS, "gs://datalake/mlflow/artifacts"),
        (ON_DISK, "/data/artifacts"),
    ],
)
def test_artifacts_go_where_the_values_say(values: dict[str, Any], uri: str) -> None:
    rendered = render(values)
    assert rendered.environment()["RUNYARD_ARTIFACTS_DESTINATION"] == uri


def test_the_identity_of_each_cloud_is_on_the_service_account() -> None:
    role = "arn:aws:iam::123456789012:role/mlflow"
    annotations = [
        render(values).get("ServiceAccount")["metadata"]["annotations"]
        for values in ({"artifactStore": {"s3": {"roleArn": role}}}, ADLS, GCS)
    ]
    assert annotations == [
        {"eks.amazonaws.com/role-arn": role},
        {
            "azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000001",
            "azure.workload.identity/tenant-id": "00000000-0000-0000-0000-000000000002",
        },
        {"iam.gke.io/gcp-service-account": "mlflow@project.iam.gserviceaccount.com"},
    ]


def test_azure_gives_its_tokens_to_labelled_pods_jobs_included() -> None:
    rendered = render({**ADLS, "backup": {"enabled": True}})
    templates = [
        rendered.get("Deployment")["spec"]["template"],
        *(
            rendered.get("CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]
            for name in ("mlflow-cleanup", "mlflow-backup")
        ),
    ]
    assert {template["metadata"]["labels"]["azure.workload.identity/use"] for template in templates} == {"true"}


def test_a_store_of_another_maker_is_asked_at_its_address() -> None:
    environment = render({"artifactStore": {"s3": {"endpoint": "http://minio.ml.svc:9000"}}}).environment()
    assert environment["AWS_ENDPOINT_URL"] == "http://minio.ml.svc:9000"
    assert environment["AWS_ALLOW_HTTP"] == "true"


def test_without_the_proxy_clients_are_sent_to_the_bucket() -> None:
    settings = load_settings(render({"mlflow": {"serveArtifacts": False}}).environment())
    assert settings.artifact_root == "s3://biz-datalake-dev/mlflow/artifacts"


def test_on_disk_the_data_is_on_the_claim() -> None:
    rendered = render(ON_DISK)
    assert rendered.environment()["RUNYARD_BACKEND_STORE_URI"] == "sqlite:////data/runyard.db"
    assert {"name": "data", "mountPath": "/data"} in rendered.server()["volumeMounts"]
    assert rendered.get("PersistentVolumeClaim")["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


# Ingress.


def test_an_ingress_path_without_a_type_is_a_prefix() -> None:
    path = render().get("Ingress")["spec"]["rules"][0]["http"]["paths"][0]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")


def test_the_rate_limit_that_nginx_does_not_know_gets_its_real_name_too() -> None:
    annotations = render().get("Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/rate-limit"] == "100"
    assert annotations["nginx.ingress.kubernetes.io/limit-rps"] == "100"
    assert annotations["cert-manager.io/cluster-issuer"] == "letsencrypt-prod"


def test_an_own_limit_counts_before_the_translated_one() -> None:
    annotations = {"nginx.ingress.kubernetes.io/limit-rps": "7", "nginx.ingress.kubernetes.io/proxy-body-size": "1g"}
    rendered = render({"ingress": {"annotations": annotations}}).get("Ingress")["metadata"]["annotations"]
    assert annotations.items() <= rendered.items()


def test_uploads_have_no_limit_at_nginx_and_other_ingresses_get_no_annotation_of_nginx() -> None:
    nginx = render().get("Ingress")["metadata"]["annotations"]
    assert nginx["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
    traefik = render({"ingress": {"className": "traefik"}}).get("Ingress")["metadata"]["annotations"]
    assert set(traefik) == {"cert-manager.io/cluster-issuer", "nginx.ingress.kubernetes.io/rate-limit"}


@pytest.mark.parametrize(("name", "files", "values"), CASES, ids=CASE_IDS)
def test_nginx_knows_every_annotation_but_the_one_that_users_write(
    name: str, files: tuple[str, ...], values: dict[str, Any]
) -> None:
    """Its controller passes over what it does not know. Source: ingress-nginx, user guide, annotations."""
    prefix = "nginx.ingress.kubernetes.io/"
    ingress = render(values, *files).find("Ingress")
    written = {key.removeprefix(prefix) for key in (ingress or {"metadata": {}})["metadata"].get("annotations", {})}
    assert written - {"cert-manager.io/cluster-issuer", "rate-limit"} <= {
        *("force-ssl-redirect", "limit-rps", "proxy-body-size", "proxy-buffering", "proxy-read-timeout"),
        *("proxy-request-buffering", "proxy-send-timeout"),
    }


def test_people_who_come_by_the_ingress_meet_oauth2_proxy_first() -> None:
    rendered = render(OAUTH2)
    backend = rendered.get("Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "mlflow", "port": {"name": "oauth2-proxy"}}
    sidecar = next(container for container in rendered.pod()["initContainers"] if container["name"] == "oauth2-proxy")
    # A native sidecar, which ends after the server: requests that are under way are not cut off.
    assert sidecar["restartPolicy"] == "Always"
    assert "--oidc-issuer-url=https://login.example.com" in sidecar["args"]
    (api,) = [argument.partition("=")[2] for argument in sidecar["args"] if argument.startswith("--api-route=")]
    for path in ("/api/2.0/mlflow/runs/get", "/ajax-api/2.0/mlflow/runs/search"):
        assert re.search(api, path)
    assert not re.search(api, "/experiments/1")
    nginx = {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert nginx in namespace_labels(peers_of(rendered, 4180))
    assert nginx not in namespace_labels(peers_of(rendered, 5000))


def test_the_addresses_of_oauth2_proxy_are_below_the_prefix_that_the_ingress_sends_on() -> None:
    rendered = render({**OAUTH2, "mlflow": {"staticPrefix": "/mlflow"}})
    sidecar = next(container for container in rendered.pod()["initContainers"] if container["name"] == "oauth2-proxy")
    assert "--proxy-prefix=/mlflow/oauth2" in sidecar["args"]


# Network policy.


def test_the_network_policy_admits_whom_the_values_name() -> None:
    labels = namespace_labels(peers_of(render(), 5000))
    assert {"name": "data"} in labels
    # Kubernetes itself sets this label and no other.
    assert {"kubernetes.io/metadata.name": "data"} in labels


def test_the_network_policy_does_not_lock_out_the_ingress_and_prometheus() -> None:
    labels = namespace_labels(peers_of(render(), 5000))
    assert {"kubernetes.io/metadata.name": "ingress-nginx"} in labels
    assert {"kubernetes.io/metadata.name": "monitoring"} in labels
    alone = render({"ingress": {"enabled": False}, "serviceMonitor": {"enabled": False}})
    assert namespace_labels(peers_of(alone, 5000)) == [{"name": "data"}, {"kubernetes.io/metadata.name": "data"}]


def test_other_peers_and_rules_without_peers_stay_as_they_are() -> None:
    rules = [
        {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"podSelector": {}}]},
        {"ports": [{"protocol": "TCP", "port": 5000}]},
    ]
    ingress = render({"networkPolicy": {"ingress": rules}}).get("NetworkPolicy")["spec"]["ingress"]
    assert ingress[:2] == rules


def test_pods_reach_names_the_database_and_the_store_and_nothing_else() -> None:
    assert egress_ports(render()) == {53, 5353, 5432, 443, 80}
    assert egress_ports(render(GCS)) == {53, 5353, 5432, 443, 80, 988}
    other = render(
        {
            "artifactStore": {"s3": {"endpoint": "http://minio.ml.svc:9000"}},
            **postgres(port=6432, readReplica={"host": "replica", "port": 6433}),
        }
    )
    assert egress_ports(other) >= {6432, 6433, 9000}
    assert egress_ports(other, "mlflow-jobs") == egress_ports(other)


def test_no_way_in_leads_to_a_job() -> None:
    policy = render().get("NetworkPolicy", "mlflow-jobs")["spec"]
    assert "Ingress" in policy["policyTypes"]
    assert "ingress" not in policy


# Scaling and replacing.


def test_pods_are_scaled_between_2_and_10() -> None:
    rendered = render()
    scaler = rendered.get("HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    # Else each upgrade would set it back.
    assert "replicas" not in rendered.get("Deployment")["spec"]
    fixed = render({"autoscaling": {"enabled": False}, "replicaCount": 3})
    assert fixed.get("Deployment")["spec"]["replicas"] == 3
    assert fixed.find("HorizontalPodAutoscaler") is None


def test_the_disruption_budget_never_blocks_a_drain_for_good() -> None:
    budget = render().get("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget


def test_probes_ask_what_they_are_for() -> None:
    server = render().server()
    paths = {name: server[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    # A migration may take its time before the first answer.
    assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] >= 300


def test_a_pod_is_replaced_without_a_refused_request() -> None:
    rendered = render()
    rolling = rendered.get("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}
    sleep = int(rendered.server()["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = int(rendered.environment()["RUNYARD_DRAIN"])
    assert rendered.pod()["terminationGracePeriodSeconds"] >= sleep + drain + 30


def test_the_database_is_migrated_before_an_upgrade() -> None:
    job = render().get("Job", "mlflow-migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    container = pod_spec(job)["containers"][0]
    assert container["command"] == ["runyard", "db", "upgrade"]
    password = {"name": "RUNYARD_DB_PASSWORD_FILE", "value": "/etc/mlflow/postgres/password"}
    assert password in container["env"]
    assert render({"migration": {"enabled": False}}).find("Job", "mlflow-migrate") is None


# Clean-up and backup.


def test_clean_up_deletes_what_was_in_the_trash_for_so_many_days() -> None:
    container = render(postgres(cleanupRunsDays=45)).pod("CronJob", "mlflow-cleanup")["containers"][0]
    assert container["command"] == ["runyard", "gc"]
    assert container["args"] == ["--older-than=45d", "--max-per-second=100"]
    assert render(postgres(cleanupRunsEnabled=False)).find("CronJob", "mlflow-cleanup") is None


def test_clean_up_can_be_tried_and_takes_orphans_only_when_told_to() -> None:
    container = render({"cleanup": {"dryRun": True, "orphanDays": 30}}).pod("CronJob", "mlflow-cleanup")["containers"][
        0
    ]
    assert container["args"][-2:] == ["--orphans-older-than=30d", "--dry-run"]


def test_old_active_runs_are_left_alone_unless_told_otherwise() -> None:
    assert load_settings(render().environment()).cleanup_enabled is False
    settings = load_settings(render({"cleanup": {"finishedDays": 400}}).environment())
    assert (settings.cleanup_enabled, settings.cleanup_finished_days, settings.cleanup_deleted_days) == (True, 400, 90)


def test_a_backup_is_dumped_checked_and_stored_outside_of_the_artifacts() -> None:
    pod = render({"backup": {"enabled": True}}).pod("CronJob", "mlflow-backup")
    dump = pod["initContainers"][0]
    assert "pg_dump" in dump["args"][0]
    assert "pg_restore --list" in dump["args"][0]
    assert {"name": "PGHOST", "value": "postgres.ml.svc.cluster.local"} in dump["env"]
    assert "--to=s3://biz-datalake-dev/mlflow/backups" in pod["containers"][0]["args"]


def test_what_the_user_adds_reaches_the_jobs_too() -> None:
    """A password may come from there, or the certificate of a store."""
    source = {"secretRef": {"name": "mine"}}
    volume, mount = {"name": "ca", "configMap": {"name": "ca"}}, {"name": "ca", "mountPath": "/ca"}
    values = {"extraEnvFrom": [source], "extraVolumes": [volume], "extraVolumeMounts": [mount]}
    rendered = render({**values, "backup": {"enabled": True}})
    for kind, name in (("Job", "mlflow-migrate"), ("CronJob", "mlflow-cleanup"), ("CronJob", "mlflow-backup")):
        pod = rendered.pod(kind, name)
        assert volume in pod["volumes"], name
        assert mount in pod["containers"][0]["volumeMounts"], name
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["envFrom"] == [source], name


def test_velero_is_told_which_volumes_count() -> None:
    def annotations(values: dict[str, Any]) -> dict[str, str]:
        template = render(values).get("Deployment")["spec"]["template"]
        found: dict[str, str] = template["metadata"]["annotations"]
        return found

    with_disk = annotations({**ON_DISK, "velero": {"enabled": True}})
    assert with_disk["backup.velero.io/backup-volumes"] == "data"
    assert with_disk["backup.velero.io/backup-volumes-excludes"] == "tmp"
    assert "backup.velero.io/backup-volumes" not in annotations({"velero": {"enabled": True}})


# What watches.


@pytest.mark.parametrize(("release", "name"), [("mlflow", "mlflow"), ("team-a", "team-a-mlflow")])
@pytest.mark.prometheus
def test_the_rules_are_those_of_the_kit_and_look_at_this_release(release: str, name: str, tmp_path: Path) -> None:
    values = {"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}}}
    rule = render(values, release=release).get("PrometheusRule", name)
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    files = [CHART / "files" / "prometheus" / f"{file}.yaml" for file in ("recording", "alerts")]
    kept = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    if name == "mlflow":
        assert rule["spec"]["groups"] == kept
    else:
        # The ServiceMonitor calls the job so, whatever the release's name is.
        assert set(re.findall(r'(\w+)=\\"mlflow\\"', json.dumps(rule["spec"]))) == {"job"}
        assert json.dumps(rule["spec"]).count(f'=~\\"{name}-') == json.dumps(kept).count('=~\\"mlflow-') > 0
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yaml"], check=True, capture_output=True)


def test_grafana_finds_the_dashboard_by_its_label() -> None:
    config_map = render({"grafanaDashboard": {"enabled": True}}).get("ConfigMap", "mlflow-dashboard")
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    kept = json.loads((DEPLOY / "observability/grafana/dashboards/mlflow.json").read_text())
    assert json.loads(config_map["data"]["mlflow.json"]) == kept
    assert render().find("ConfigMap", "mlflow-dashboard") is None


# Security.


@pytest.mark.parametrize(("name", "files", "values"), CASES, ids=CASE_IDS)
def test_every_container_of_ours_keeps_to_the_restricted_profile(
    name: str, files: tuple[str, ...], values: dict[str, Any]
) -> None:
    for document in render(values, *files).documents:
        if document["kind"] not in WORKLOADS:
            continue
        pod = pod_spec(document)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            if container["name"] in {"before", "beside"}:
                continue
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, container["name"]
            assert context["readOnlyRootFilesystem"] is True, container["name"]
            assert context["capabilities"] == {"drop": ["ALL"]}, container["name"]
            assert container["resources"]["limits"], container["name"]


# Values that contradict each other.


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"mlflow": {"workers": 4}},
            r"\(poolSize 20 \+ maxOverflow 40\) x 4 workers x \(10 pods \+ 1 while .* = 2650, .* Lower poolSize",
        ),
        (postgres(maxConnections=100), "= 1330, and maxConnections is 100"),
        (
            {"autoscaling": {"enabled": False}, **postgres(maxConnections=100)},
            r" x \(2 pods \+ 1 while they are replaced\) .* = 370",
        ),
        (postgres(sslMode="verify-full"), "sslMode verify-full needs certificates"),
        ({"artifactStore": {"gcs": {"enabled": True, "bucket": "b"}}}, "more than one store is enabled"),
        ({"artifactStore": {"s3": {"bucket": ""}}}, "artifactStore.s3.bucket is empty"),
        ({"artifactStore": {"s3": {"enabled": False}}}, "enable persistence, or PostgreSQL and an object store"),
        ({**ON_DISK, "replicaCount": 2}, "belongs to one pod at a time"),
        ({**ON_DISK, "backup": {"enabled": True}}, "backup dumps PostgreSQL"),
        ({"backup": {"enabled": True, "path": "mlflow/artifacts/backups"}}, "is among the artifacts"),
        ({"autoscaling": {"minReplicas": 20}}, "minReplicas 20 is more than autoscaling.maxReplicas 10"),
        ({"serviceMonitor": {"scrapeTimeout": "1m"}}, "scrapeTimeout 1m is longer than serviceMonitor.interval 30s"),
        ({"terminationGracePeriodSeconds": 30}, r"must be at least preStopSleepSeconds 5 \+ .* = 45"),
        ({"oauth2Proxy": {"enabled": True}}, "oidcIssuerUrl is empty"),
        ({"ingress": {"hosts": []}}, "ingress.hosts is empty"),
        (
            {
                "serviceAccount": {"create": False},
                "artifactStore": {"s3": {"roleArn": "arn:aws:iam::123456789012:role/m"}},
            },
            "artifactStore.s3.roleArn is an annotation of the service account",
        ),
    ],
)
def test_values_that_cannot_work_fail_with_what_to_do(values: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmFailed, match=message):
        render(values)


def test_a_sum_of_connections_that_fits_is_rendered() -> None:
    # (20 + 40) x 2 x (10 + 1) + 10
    assert render(postgres(maxConnections=1330)).documents
    with pytest.raises(HelmFailed, match="= 1330, and maxConnections is 1329"):
        render(postgres(maxConnections=1329))


# The schema.


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"mlflw": {"workers": 2}}, "additional properties 'mlflw' not allowed"),
        ({"mlflow": {"worker": 2}}, "at '/mlflow': additional properties 'worker' not allowed"),
        (postgres(password="hunter2"), "at '/backendStore/postgres': additional properties 'password' not allowed"),
        (postgres(sslMode="on"), "at '/backendStore/postgres/sslMode': value must be one of"),
        ({"mlflow": {"workers": "two"}}, "at '/mlflow/workers': got string, want integer"),
        ({"ingress": {"hosts": [{"hots": "a"}]}}, "at '/ingress/hosts/0'"),
        ({"serviceMonitor": {"interval": "30"}}, "at '/serviceMonitor/interval'"),
    ],
)
def test_a_wrong_or_misspelt_key_is_refused_where_it_is(values: dict[str, Any], place: str) -> None:
    with pytest.raises(HelmFailed, match=re.escape(place)):
        render(values)


def test_the_schema_knows_every_value_and_is_closed() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    # These hold what Kubernetes lets them, and not only what they hold by default.
    own_shape = {"strategy", "autoscaling.behavior"}

    def check(node: dict[str, Any], values: dict[str, Any], path: str) -> None:
        assert node.get("additionalProperties") is False, path
        assert set(node["properties"]) - {"global"} == set(values), path
        for key, value in values.items():
            child = node["properties"][key]
            if (
                "properties" in child
                and isinstance(value, dict)
                and "$ref" not in child
                and f"{path}{key}" not in own_shape
            ):
                check(child, value, f"{path}{key}.")

    check(schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")


# What is said.


def test_notes_say_what_to_do_next() -> None:
    notes = helm("install", "mlflow", str(CHART), "--namespace", "ml", "--dry-run=client", "--kubeconfig", "/dev/null")
    for expected in (
        "https://mlflow.example.com",
        "kubectl port-forward -n ml service/mlflow 5000:5000",
        "The Secret mlflow-postgres-secret with the key password",
        "max_connections of at least 1330",
        "The image runyard:0.1.0",
        "limit-rps",
    ):
        assert expected in notes


def test_the_chart_has_the_version_of_the_server() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.+)"$', (DEPLOY.parent / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    assert chart["name"] == "mlflow"
    assert chart["appVersion"] == project[1]


def test_the_readme_has_the_table_of_the_values() -> None:
    answer = subprocess.run(
        [DEPLOY.parent / "scripts" / "write-chart-readme", "--check"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    documented = set(re.findall(r"^\| `([\w.]+)` \|", (CHART / "README.md").read_text(), re.MULTILINE))

    def leaves(values: dict[str, Any], path: str = "") -> list[str]:
        found = []
        for key, value in values.items():
            name = f"{path}{key}"
            found += (
                leaves(value, f"{name}.") if isinstance(value, dict) and value and name not in documented else [name]
            )
        return found

    assert set(leaves(yaml.safe_load((CHART / "values.yaml").read_text()))) == documented


def names_in_table(cell: str, first: str = "") -> list[str]:
    """Return the values that a cell names; `.port` after `service.type` is `service.port`."""
    names: list[str] = []
    for name in re.findall(r"`(\.?[a-zA-Z0-9.]+)`", cell):
        parent = (names[-1] if names else first).rpartition(".")[0]
        names.append(f"{parent}{name}" if name.startswith(".") else name)
    return names


def test_whoever_comes_from_another_chart_is_told_values_that_there_are() -> None:
    page = (DEPLOY.parent / "docs" / "kubernetes.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", page.partition("| community-charts | here |")[2], re.MULTILINE)
    assert len(rows) > 40
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for theirs, ours in rows[1:]:
        names = names_in_table(theirs) if ours.startswith("the same") and "below" not in ours else []
        for name in [*names, *names_in_table(ours)]:
            if name in {"secretRef", "pathType", "automount"} or name.endswith(".*"):
                continue
            found = values
            for step in name.split("."):
                assert step in found, f"{name} is no value of the chart"
                found = found[step]


@pytest.mark.parametrize("page", ["kubernetes.md", "kubernetes.es.md"])
def test_the_sum_of_connections_on_the_pages_is_that_of_the_chart(page: str) -> None:
    named_there = re.findall(r"max_connections` (?:of|de) (\d+)", (DEPLOY.parent / "docs" / page).read_text())
    assert named_there
    for named in named_there:
        assert render(postgres(maxConnections=int(named))).documents
        with pytest.raises(HelmFailed):
            render(postgres(maxConnections=int(named) - 1))


def test_the_yaml_on_the_page_is_taken_by_the_chart() -> None:
    page = (DEPLOY.parent / "docs" / "kubernetes.md").read_text()
    blocks = re.findall(r"^```yaml\n(.+?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert render(yaml.safe_load(block)).documents


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(("name", "files", "values"), CASES[:3], ids=CASE_IDS[:3])
def test_both_helms_render_the_same(version: int, name: str, files: tuple[str, ...], values: dict[str, Any]) -> None:
    helm(
        "lint",
        "--strict",
        str(CHART),
        *(part for file in files for part in ("-f", str(DEPLOY / file))),
        version=version,
    )
    assert render(values, *files, version=version).documents == render(values, *files).documents


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_the_environments_render_is_as_it_was_looked_at(name: str) -> None:
    """`python -m tests.deploy.golden` writes the files anew; then look at what changed."""
    golden = DEPLOY.parent / "tests" / "deploy" / "golden" / f"{name}.yaml"
    assert list(yaml.safe_load_all(golden.read_text())) == to_look_at(name)
