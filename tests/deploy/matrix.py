"""The values that the chart is rendered and validated with: each environment, and every switch on and off."""

from __future__ import annotations

from typing import Any

# On a single disk, without PostgreSQL and without an object store.
ON_DISK: dict[str, Any] = {
    "backendStore": {"postgres": {"enabled": False}},
    "artifactStore": {"s3": {"enabled": False}},
    "persistence": {"enabled": True},
    "autoscaling": {"enabled": False},
    "replicaCount": 1,
    "strategy": {"type": "Recreate", "rollingUpdate": None},
}
ADLS: dict[str, Any] = {
    "artifactStore": {
        "s3": {"enabled": False},
        "adls": {
            "enabled": True,
            "storageAccount": "mlaccount",
            "container": "datalake",
            "workloadIdentity": {
                "clientId": "00000000-0000-0000-0000-000000000001",
                "tenantId": "00000000-0000-0000-0000-000000000002",
            },
        },
    }
}
GCS: dict[str, Any] = {
    "artifactStore": {
        "s3": {"enabled": False},
        "gcs": {
            "enabled": True,
            "bucket": "datalake",
            "serviceAccountEmail": "mlflow@project.iam.gserviceaccount.com",
        },
    }
}
OAUTH2: dict[str, Any] = {"oauth2Proxy": {"enabled": True, "oidcIssuerUrl": "https://login.example.com"}}

# Name, values files of deploy/, values.
CASES: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("base", (), {}),
    ("dev", ("values.yaml", "values-dev.yaml"), {}),
    ("prod", ("values.yaml", "values-prod.yaml"), {}),
    ("on disk", (), ON_DISK),
    ("on disk with backup by Velero", (), {**ON_DISK, "velero": {"enabled": True}}),
    ("a claim that is there", (), {**ON_DISK, "persistence": {"enabled": True, "existingClaim": "mine"}}),
    ("adls", (), {**ADLS, "backup": {"enabled": True}}),
    (
        "adls with a key",
        (),
        {
            "artifactStore": {
                "s3": {"enabled": False},
                "adls": {
                    "enabled": True,
                    "storageAccount": "mlaccount",
                    "container": "datalake",
                    "credentialsFromSecret": {"enabled": True},
                },
            }
        },
    ),
    ("gcs", (), {**GCS, "backup": {"enabled": True}}),
    (
        "gcs with a key",
        (),
        {
            "artifactStore": {
                "s3": {"enabled": False},
                "gcs": {"enabled": True, "bucket": "datalake", "credentialsFromSecret": {"enabled": True}},
            },
            "backup": {"enabled": True},
        },
    ),
    (
        "s3 of another maker, with keys",
        (),
        {
            "artifactStore": {
                "s3": {"endpoint": "http://minio.ml.svc:9000", "credentialsFromSecret": {"enabled": True}}
            },
            "backup": {"enabled": True, "destination": "s3://elsewhere/backups"},
        },
    ),
    ("oauth2-proxy", (), {**OAUTH2, "ingress": {"tls": []}}),
    (
        "everything off",
        (),
        {
            "serviceAccount": {"create": False, "name": "there-already"},
            "image": {"digest": "sha256:" + "0" * 64},
            "mlflow": {"serveArtifacts": False, "directTransfers": False, "readOnly": True},
            "backendStore": {
                "postgres": {
                    "passwordFromSecret": {"enabled": False},
                    "poolPrePing": False,
                    "cleanupRunsEnabled": False,
                }
            },
            "migration": {"enabled": False},
            "ingress": {"enabled": False},
            "serviceMonitor": {"enabled": False},
            "networkPolicy": {"enabled": False},
            "autoscaling": {"enabled": False},
            "podDisruptionBudget": {"enabled": False},
            "preStopSleepSeconds": 0,
            "topologySpreadConstraints": [],
        },
    ),
    (
        "everything on",
        (),
        {
            **OAUTH2,
            "commonLabels": {"team": "ml"},
            "imagePullSecrets": [{"name": "registry"}],
            "mlflow": {
                "allowedHosts": ["*.internal.example.com"],
                "corsAllowedOrigins": ["https://notebooks.example.com"],
                "staticPrefix": "/mlflow",
                "rateLimit": 50,
                "trustedProxies": ["10.0.0.0/8"],
                "logFormat": "json",
                "accessLog": True,
            },
            "backendStore": {
                "postgres": {
                    "sslMode": "verify-ca",
                    "sslRootCertFromSecret": {"name": "postgres-ca"},
                    "readReplica": {"host": "replica.example.com", "port": 5433},
                }
            },
            "artifactStore": {"s3": {"roleArn": "arn:aws:iam::123456789012:role/mlflow"}},
            "persistence": {"enabled": True, "storageClass": "fast"},
            "cleanup": {"dryRun": True, "finishedDays": 400, "orphanDays": 30},
            "backup": {"enabled": True},
            "velero": {"enabled": True},
            "service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}},
            "serviceMonitor": {"labels": {"release": "prometheus"}, "interval": "1m", "scrapeTimeout": "30s"},
            "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
            "grafanaDashboard": {"enabled": True, "annotations": {"grafana_folder": "ML"}},
            "networkPolicy": {"extraEgress": [{"ports": [{"protocol": "TCP", "port": 8443}]}]},
            "autoscaling": {"targetMemoryUtilizationPercentage": 80},
            "podAnnotations": {"example.com/owner": "ml"},
            "podLabels": {"tier": "backend"},
            "nodeSelector": {"kubernetes.io/arch": "amd64"},
            "tolerations": [{"key": "ml", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "important",
            "externalSecrets": {"enabled": True},
            "extraArgs": ["--max-head-bytes=131072"],
            "extraEnv": [{"name": "OTEL_SERVICE_NAME", "value": "mlflow"}],
            "extraEnvFrom": [{"secretRef": {"name": "more"}}],
            "extraVolumes": [{"name": "scratch", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
            "initContainers": [{"name": "before", "image": "busybox:1.37"}],
            "extraContainers": [{"name": "beside", "image": "busybox:1.37"}],
            "extraManifests": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {
                        "name": '{{ include "mlflow.fullname" . }}-more',
                        "namespace": "{{ .Release.Namespace }}",
                    },
                    "data": {"answer": "42"},
                }
            ],
        },
    ),
]
