"""As much of Kubernetes' API as Helm, helmfile and kubectl need: it keeps what it is given, and says that all is well.

Nothing runs. Deployments get a ReplicaSet and pods that are ready, which are the endpoints of the services that were
there before; jobs are complete as soon as they are made.
"""

from __future__ import annotations

import base64
import copy
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.ports import free_port

Object = dict[str, Any]

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
# Group and version, plural, kind, whether it is in a namespace.
KINDS = [
    ("v1", "namespaces", "Namespace", False),
    ("v1", "configmaps", "ConfigMap", True),
    ("v1", "events", "Event", True),
    ("v1", "nodes", "Node", False),
    ("v1", "persistentvolumeclaims", "PersistentVolumeClaim", True),
    ("v1", "pods", "Pod", True),
    ("v1", "secrets", "Secret", True),
    ("v1", "serviceaccounts", "ServiceAccount", True),
    ("v1", "services", "Service", True),
    ("apps/v1", "deployments", "Deployment", True),
    ("apps/v1", "replicasets", "ReplicaSet", True),
    ("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True),
    ("batch/v1", "cronjobs", "CronJob", True),
    ("batch/v1", "jobs", "Job", True),
    ("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", True),
    ("networking.k8s.io/v1", "ingresses", "Ingress", True),
    ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", True),
    ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", True),
    ("monitoring.coreos.com/v1", "prometheusrules", "PrometheusRule", True),
    ("monitoring.coreos.com/v1", "servicemonitors", "ServiceMonitor", True),
    ("external-secrets.io/v1", "externalsecrets", "ExternalSecret", True),
    ("external-secrets.io/v1", "secretstores", "SecretStore", True),
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", False),
]
# Kinds of these groups are an operator's.
OPERATORS = ("monitoring.coreos.com/", "external-secrets.io/")
SHORT_NAMES = {
    "customresourcedefinitions": ["crd"],
    "services": ["svc"],
    "pods": ["po"],
    "deployments": ["deploy"],
    "ingresses": ["ing"],
}
WATCH_PAUSE_S = 0.02


@dataclass(frozen=True)
class Resource:
    """What a path below a group and version means."""

    api_version: str
    plural: str
    kind: str
    namespace: str | None
    name: str | None


class FakeApi:
    """The API at a port of this machine, until it is stopped."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # By version, plural, namespace ('' without) and name.
        self.objects: dict[tuple[str, str, str, str], Object] = {}
        self.events: list[tuple[str, Object]] = []
        self.requests: list[str] = []
        self.lock = threading.RLock()
        self.is_stopped = False
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        definitions = Resource(
            "apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", None, None
        )
        for version, plural, _, _ in KINDS:
            if version.startswith(OPERATORS):
                group, _, number = version.partition("/")
                served = {"versions": [{"name": number, "served": True}]}
                self.save(definitions, {"metadata": {"name": f"{plural}.{group}"}, "spec": served})

    def stop(self) -> None:
        self.is_stopped = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def write_kubeconfig(self, path: Path) -> None:
        """Write what kubectl and Helm need to find it."""
        cluster = {"clusters": [{"name": "fake", "cluster": {"server": self.url}}], "current-context": "fake"}
        contexts = [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}]
        users: list[Object] = [{"name": "fake", "user": {}}]
        path.write_text(
            yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "contexts": contexts, "users": users, **cluster})
        )

    def find(self, kind: str, name: str, namespace: str = "ml") -> Object | None:
        """Return an object that it keeps."""
        with self.lock:
            for (_, _, its_namespace, its_name), found in self.objects.items():
                if (found["kind"], its_namespace, its_name) == (kind, namespace, name):
                    return copy.deepcopy(found)
        return None

    def save(self, resource: Resource, given: Object) -> Object:
        """Keep an object as Kubernetes would, with what its controllers make of it."""
        with self.lock:
            key = (resource.api_version, resource.plural, resource.namespace or "", given["metadata"]["name"])
            before = self.objects.get(key)
            kept = copy.deepcopy(given)
            kept.update(apiVersion=resource.api_version, kind=resource.kind)
            metadata = kept["metadata"]
            if resource.namespace:
                metadata["namespace"] = resource.namespace
            old = before["metadata"] if before else {}
            metadata["uid"] = old.get("uid", str(uuid.uuid4()))
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            metadata["creationTimestamp"] = old.get("creationTimestamp", now)
            metadata["generation"] = old.get("generation", 0) + 1
            if "stringData" in kept:
                encoded = {
                    name: base64.b64encode(text.encode()).decode() for name, text in kept.pop("stringData").items()
                }
                kept["data"] = {**kept.get("data", {}), **encoded}
            _set_status(kept)
            metadata["resourceVersion"] = str(len(self.events) + 1)
            self.objects[key] = kept
            self.events.append(("MODIFIED" if before else "ADDED", kept))
            if resource.kind == "Deployment":
                self._make_pods(kept)
            if resource.kind == "ExternalSecret":
                data = {entry["secretKey"]: "from the provider" for entry in kept["spec"]["data"]}
                secret = {"metadata": {"name": kept["spec"]["target"]["name"]}, "stringData": data}
                self.save(Resource("v1", "secrets", "Secret", resource.namespace, None), secret)
            return kept

    def delete(self, resource: Resource) -> Object | None:
        """Forget an object and what it owns; return it, or None where there is none."""
        with self.lock:
            key = (resource.api_version, resource.plural, resource.namespace or "", resource.name or "")
            found = self.objects.pop(key, None)
            if found is None:
                return None
            self.events.append(("DELETED", found))
            for other in list(self.objects.values()):
                owners = {owner["uid"] for owner in other["metadata"].get("ownerReferences", [])}
                if found["metadata"]["uid"] in owners:
                    self.delete(_resource_of(other))
            return found

    def select(self, resource: Resource, query: dict[str, str]) -> list[Object]:
        with self.lock:
            return [found for found in self.objects.values() if _is_selected(found, resource, query)]

    def _make_pods(self, deployment: Object) -> None:
        """Replace the pods of a deployment; the ReplicaSet is what Helm 3 waits for."""
        metadata = deployment["metadata"]
        for other in list(self.objects.values()):
            if any(owner["uid"] == metadata["uid"] for owner in other["metadata"].get("ownerReferences", [])):
                self.delete(_resource_of(other))
        template = deployment["spec"]["template"]
        suffix = f"{abs(hash(json.dumps(template, sort_keys=True))):x}"[:8]
        labels = {**template["metadata"]["labels"], "pod-template-hash": suffix}
        count = deployment["spec"].get("replicas", 1)
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
        replica_set = self.save(
            Resource("apps/v1", "replicasets", "ReplicaSet", metadata["namespace"], None),
            {
                "metadata": {
                    "name": f"{metadata['name']}-{suffix}",
                    "labels": labels,
                    "ownerReferences": [{**owner, "controller": True}],
                },
                "spec": {
                    "replicas": count,
                    "selector": {"matchLabels": labels},
                    "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
                },
                "status": {"observedGeneration": 1, "replicas": count, "readyReplicas": count},
            },
        )
        for number in range(count):
            self.save(
                Resource("v1", "pods", "Pod", metadata["namespace"], None),
                {
                    "metadata": {
                        "name": f"{replica_set['metadata']['name']}-{number}",
                        "labels": labels,
                        "ownerReferences": [{**owner, "kind": "ReplicaSet", "uid": replica_set["metadata"]["uid"]}],
                    },
                    "spec": template["spec"],
                    "status": {
                        "phase": "Running",
                        "conditions": [{"type": "Ready", "status": "True"}],
                        "containerStatuses": [{"name": "mlflow", "restartCount": 0, "state": {"running": {}}}],
                    },
                },
            )
        for service in list(self.objects.values()):
            if service["kind"] != "Service" or service["metadata"]["namespace"] != metadata["namespace"]:
                continue
            if service["spec"]["selector"].items() <= labels.items():
                name = service["metadata"]["name"]
                self.save(
                    Resource("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", metadata["namespace"], None),
                    {
                        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
                        "endpoints": [{"conditions": {"ready": True}}] * count,
                    },
                )


def _set_status(kept: Object) -> None:
    generation = kept["metadata"]["generation"]
    if kept["kind"] == "Deployment":
        count = kept["spec"].setdefault("replicas", 1)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
        conditions = [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True"}]
        kept["status"] = {"observedGeneration": generation, **counts, "conditions": conditions}
    elif kept["kind"] == "Service":
        kept["spec"].setdefault("clusterIP", "10.96.0.10")
    elif kept["kind"] == "Job":
        conditions = [{"type": "Complete", "status": "True"}]
        kept["status"] = {"succeeded": 1, "conditions": conditions}
    elif kept["kind"] == "Pod" and "ownerReferences" not in kept["metadata"]:
        kept["status"] = {"phase": "Succeeded"}
    elif kept["kind"] == "Ingress":
        kept["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}
    elif kept["kind"] == "ExternalSecret":
        synced = {"syncedResourceVersion": f"{generation}-1"}
        kept["status"] = {"conditions": [{"type": "Ready", "status": "True"}], **synced}
    elif kept["kind"] == "PersistentVolumeClaim":
        kept["status"] = {"phase": "Bound"}


def _resource_of(found: Object) -> Resource:
    plural = next(
        plural for version, plural, kind, _ in KINDS if (version, kind) == (found["apiVersion"], found["kind"])
    )
    metadata = found["metadata"]
    return Resource(found["apiVersion"], plural, found["kind"], metadata.get("namespace"), metadata["name"])


def _is_selected(found: Object, resource: Resource, query: dict[str, str]) -> bool:
    metadata = found["metadata"]
    if (found["apiVersion"], found["kind"]) != (resource.api_version, resource.kind):
        return False
    if resource.namespace is not None and metadata.get("namespace") != resource.namespace:
        return False
    labels = metadata.get("labels", {})
    for term in filter(None, query.get("labelSelector", "").split(",")):
        name, _, value = term.replace("==", "=").partition("=")
        if labels.get(name) != value:
            return False
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        name, _, value = term.partition("=")
        if name == "metadata.name" and metadata["name"] != value:
            return False
    return resource.name is None or metadata["name"] == resource.name


def _parse(path: str) -> Resource | None:
    """Return what a path such as /apis/apps/v1/namespaces/ml/deployments/mlflow means."""
    steps = path.strip("/").split("/")
    if steps[0] == "api":
        api_version, rest = steps[1], steps[2:]
    elif steps[0] == "apis":
        api_version, rest = "/".join(steps[1:3]), steps[3:]
    else:
        return None
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    for version, plural, kind, is_namespaced in KINDS:
        if rest and (version, plural) == (api_version, rest[0]):
            return Resource(version, plural, kind, namespace if is_namespaced else None, rest[1] if rest[1:] else None)
    return None


def _merged(old: Any, new: Any, *, is_strategic: bool) -> Any:
    """Return a JSON merge patch applied; in a strategic one, named items of lists are merged by their name."""
    if isinstance(old, dict) and isinstance(new, dict):
        result = dict(old)
        for key, value in new.items():
            if key.startswith("$"):
                continue
            if value is None:
                result.pop(key, None)
            else:
                result[key] = _merged(old.get(key), value, is_strategic=is_strategic)
        return result
    if is_strategic and isinstance(old, list) and isinstance(new, list) and _are_named(old) and _are_named(new):
        items = {item["name"]: item for item in old}
        for item in new:
            if item.get("$patch") == "delete":
                items.pop(item["name"], None)
            else:
                items[item["name"]] = _merged(items.get(item["name"], {}), item, is_strategic=True)
        return list(items.values())
    return new


def _are_named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "name" in item for item in items)


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else the second part of each answer waits 40 ms for the client to acknowledge the first.
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
            api.requests.append(format % arguments)

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            found = _discovery(path)
            if found is not None:
                self._send(200, found)
                return
            resource = _parse(path)
            query = self._query()
            if resource is None:
                self._fail(404, "NotFound", f"there is no {path}")
            elif query.get("watch") in {"true", "1"}:
                self._watch(resource, query)
            elif resource.name is None:
                items = api.select(resource, query)
                self._send(
                    200,
                    {
                        "kind": f"{resource.kind}List",
                        "apiVersion": resource.api_version,
                        "metadata": {"resourceVersion": str(len(api.events))},
                        "items": items,
                    },
                )
            else:
                one = api.select(resource, {})
                if one:
                    self._send(200, one[0])
                else:
                    self._not_found(resource)

        def do_POST(self) -> None:
            resource = _parse(urlsplit(self.path).path)
            given = self._body()
            if resource is None:
                self._fail(404, "NotFound", f"there is no {self.path}")
                return
            name = given["metadata"]["name"]
            there = Resource(resource.api_version, resource.plural, resource.kind, resource.namespace, name)
            if api.select(there, {}):
                self._fail(409, "AlreadyExists", f'{resource.plural} "{name}" already exists')
            else:
                self._save(201, resource, given)

        def do_PUT(self) -> None:
            resource = _parse(urlsplit(self.path).path)
            if resource is None or not api.select(resource, {}):
                self._fail(404, "NotFound", f"there is no {self.path}")
                return
            self._save(200, resource, self._body())

        def do_PATCH(self) -> None:
            resource = _parse(urlsplit(self.path).path)
            if resource is None:
                self._fail(404, "NotFound", f"there is no {self.path}")
                return
            kind = self.headers["Content-Type"].partition(";")[0]
            patch = self._body()
            found = api.select(resource, {})
            if found:
                is_strategic = kind == "application/strategic-merge-patch+json"
                self._save(200, resource, _merged(found[0], patch, is_strategic=is_strategic))
            elif kind.startswith("application/apply-patch"):
                self._save(201, resource, patch)
            else:
                self._not_found(resource)

        def do_DELETE(self) -> None:
            resource = _parse(urlsplit(self.path).path)
            self._read()
            if resource is None or api.delete(resource) is None:
                self._fail(404, "NotFound", f"there is no {self.path}")
            else:
                self._send(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

        def _save(self, status: int, resource: Resource, given: Object) -> None:
            self._send(status, given if self._query().get("dryRun") == "All" else api.save(resource, given))

        def _watch(self, resource: Resource, query: dict[str, str]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for event in self._events(resource, query):
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                # Whoever watched has seen enough.
                self.close_connection = True

        def _events(self, resource: Resource, query: dict[str, str]) -> Iterator[Object]:
            deadline = time.monotonic() + float(query.get("timeoutSeconds", "60"))
            with api.lock:
                seen = len(api.events)
                first = api.select(resource, query)
            for found in first:
                yield {"type": "ADDED", "object": found}
            if query.get("sendInitialEvents") == "true":
                metadata = {
                    "resourceVersion": str(seen),
                    "annotations": {"k8s.io/initial-events-end": "true"},
                }
                bookmark = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
                yield {"type": "BOOKMARK", "object": bookmark}
            while time.monotonic() < deadline and not api.is_stopped:
                with api.lock:
                    new, seen = api.events[seen:], len(api.events)
                for kind, found in new:
                    if _is_selected(found, resource, query):
                        yield {"type": kind, "object": found}
                time.sleep(WATCH_PAUSE_S)

        def _query(self) -> dict[str, str]:
            return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

        def _read(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _body(self) -> Object:
            content = self._read()
            if content.startswith(PROTOBUF_MAGIC):
                return decode_protobuf(content)
            return cast("Object", yaml.safe_load(content))

        def _not_found(self, resource: Resource) -> None:
            self._fail(404, "NotFound", f'{resource.plural} "{resource.name}" not found')

        def _fail(self, code: int, reason: str, message: str) -> None:
            failure = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
            self._send(code, {**failure, "reason": reason, "message": message})

        def _send(self, status: int, answer: Object) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _discovery(path: str) -> Object | None:
    """Return what clients ask for to find their way, or None."""
    versions = sorted({version for version, _, _, _ in KINDS})
    groups = [version for version in versions if "/" in version]
    if path == "/version":
        return {"major": "1", "minor": "33", "gitVersion": "v1.33.0", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        listed = []
        for group_version in groups:
            name, _, number = group_version.partition("/")
            offered = {"groupVersion": group_version, "version": number}
            listed.append({"name": name, "versions": [offered], "preferredVersion": offered})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    if path == "/openapi/v3":
        paths = [f"apis/{version}" if "/" in version else f"api/{version}" for version in versions]
        return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash=1"} for path in paths}}
    is_openapi = path.startswith("/openapi/v3/")
    for version in versions:
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        kinds = [kind for kind in KINDS if kind[0] == version]
        if is_openapi and path == f"/openapi/v3{root}":
            return _openapi(root, version, kinds)
        if path == root:
            resources = [
                {
                    "name": plural,
                    "singularName": kind.lower(),
                    "shortNames": SHORT_NAMES.get(plural, []),
                    "kind": kind,
                    "namespaced": inside,
                    "verbs": VERBS,
                }
                for _, plural, kind, inside in kinds
            ]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
    return None


def _openapi(root: str, version: str, kinds: list[tuple[str, str, str, bool]]) -> Object:
    """Return a document that says that the server validates fields, so that clients do not."""
    group, _, number = version.rpartition("/")
    paths = {}
    for _, plural, kind, inside in kinds:
        patch = {
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {"group": group, "version": number, "kind": kind},
            "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK"}},
        }
        paths[f"{root}/{'namespaces/{namespace}/' if inside else ''}{plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.33.0"}, "paths": paths}


# Helm writes its Secrets, and kubectl what it makes of arguments, as protobuf only.
PROTOBUF_MAGIC = b"k8s\0"


def decode_protobuf(content: bytes) -> Object:
    """Return the Secret, ConfigMap or Namespace that Kubernetes' protobuf envelope holds."""
    envelope = _fields(content[len(PROTOBUF_MAGIC) :])
    kind = _fields(envelope[1][0])[2][0].decode()
    body = _fields(envelope[2][0])
    meta = _fields(body[1][0])
    metadata: Object = {"name": meta[1][0].decode()}
    for number, name in ((11, "labels"), (12, "annotations")):
        if number in meta:
            metadata[name] = {key: value.decode() for key, value in _map(meta[number]).items()}
    decoded: Object = {"kind": kind, "metadata": metadata}
    if kind in {"Secret", "ConfigMap"}:
        data = _map(body.get(2, []))
        is_secret = kind == "Secret"
        decoded["data"] = {
            key: base64.b64encode(value).decode() if is_secret else value.decode() for key, value in data.items()
        }
    if kind == "Secret" and 3 in body:
        decoded["type"] = body[3][0].decode()
    return decoded


def _map(entries: list[bytes]) -> dict[str, bytes]:
    fields = [_fields(entry) for entry in entries]
    return {entry[1][0].decode(): entry.get(2, [b""])[0] for entry in fields}


def _fields(content: bytes) -> dict[int, list[bytes]]:
    """Return the length-delimited fields of a message by their numbers; numbers are left out."""
    found: dict[int, list[bytes]] = {}
    position = 0
    while position < len(content):
        tag, position = _varint(content, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            _, position = _varint(content, position)
        elif wire_type == 2:
            length, position = _varint(content, position)
            found.setdefault(number, []).append(content[position : position + length])
            position += length
        else:
            raise ValueError(f"unexpected wire type {wire_type}")
    return found


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
