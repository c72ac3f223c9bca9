"""What gives a program its identity in a cloud: the endpoints of Amazon's, Azure's and a cluster's, on loopback.

SeaweedFS has a real security token service, which asks a cluster for its keys and issues sessions that its S3 checks.
The rest are stand-ins that give a token to whoever asks as the clouds' documents say, and to nobody else.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import re
import threading
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from tests.object_stores import AZURITE_ACCOUNT, AZURITE_KEY, Azurite, SeaweedFS
from tests.rsa_keys import RsaKey

ROLE: Final = "arn:aws:iam::123456789012:role/runyard"
# What a pod says to its node's agent, and what a metadata server says first to whoever asks.
POD_TOKEN: Final = "projected-into-the-pod"
METADATA_TOKEN: Final = "of-the-metadata-server"
AZURE_TOKEN: Final = "of-azure"
AZURE_CLIENT: Final = "11111111-2222-3333-4444-555555555555"
AZURE_TENANT: Final = "66666666-7777-8888-9999-000000000000"
AZURE_SECRET: Final = "of-the-application"
AZURE_FEDERATED: Final = "of-the-service-account"
AZURE_APP_SERVICE: Final = "of-the-app-service"
_SAS_VERSION: Final = "2021-12-02"
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


class Endpoint:
    """An HTTP server of a test's own; ``answer`` gives status, headers and body for a request."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"endpoint": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Cluster(Endpoint):
    """The issuer of a Kubernetes cluster's tokens, as EKS publishes it: its keys, for whoever checks one."""

    AUDIENCE: Final = "sts.amazonaws.com"

    def __init__(self) -> None:
        self._key = RsaKey()
        super().__init__()

    def token(self) -> str:
        """Return what is projected into a pod of the service account."""
        now = int(time.time())
        subject = "system:serviceaccount:ml:mlflow"
        return self._key.token({"iss": self.url, "aud": self.AUDIENCE, "sub": subject, "iat": now, "exp": now + 3600})

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        found = {"keys": [self._key.public()]} if target == "/jwks" else {"issuer": self.url}
        return 200, {}, json.dumps(found).encode()


class SeaweedWithRoles(SeaweedFS):
    """An S3 with a security token service, which trusts the service accounts of ``cluster``."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        super().__init__()

    def assume_role(self) -> dict[str, str]:
        """Return the credentials of a session, as the metadata endpoints of EC2 and EKS show them."""
        asked = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "a-node",
            "WebIdentityToken": self._cluster.token(),
        }
        with urllib.request.urlopen(self.url, urlencode(asked).encode(), timeout=10) as answer:
            # It is ours, of this machine.
            document = ET.fromstring(answer.read())  # noqa: S314
        fields = {element.tag.rpartition("}")[2]: element.text or "" for element in document.iter()}
        return {
            "Code": "Success",
            "AccessKeyId": fields["AccessKeyId"],
            "SecretAccessKey": fields["SecretAccessKey"],
            "Token": fields["SessionToken"],
            "Expiration": fields["Expiration"],
            "LastUpdated": "2026-01-01T00:00:00Z",
            "Type": "AWS-HMAC",
        }

    def _command(self) -> Sequence[str | Path]:
        trust = {"Effect": "Allow", "Principal": {"Federated": "cluster"}, "Action": ["sts:AssumeRoleWithWebIdentity"]}
        allowed = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
        provider = {"issuer": self._cluster.url, "clientId": Cluster.AUDIENCE, "jwksUri": f"{self._cluster.url}/jwks"}
        configuration = {
            "sts": {
                "tokenDuration": "1h",
                "maxSessionLength": "12h",
                "issuer": "tests",
                "signingKey": base64.b64encode(b"k" * 32).decode(),
            },
            "providers": [{"name": "cluster", "type": "oidc", "enabled": True, "config": provider}],
            "policy": {"defaultEffect": "Deny", "storeType": "memory"},
            "roles": [
                {
                    "roleName": "runyard",
                    "roleArn": ROLE,
                    "trustPolicy": {"Version": "2012-10-17", "Statement": [trust]},
                    "attachedPolicies": ["all"],
                }
            ],
            "policies": [{"name": "all", "document": {"Version": "2012-10-17", "Statement": [allowed]}}],
        }
        (self.folder / "iam.json").write_text(json.dumps(configuration))
        return [*super()._command(), f"-s3.iam.config={self.folder / 'iam.json'}"]


class AmazonMetadata(Endpoint):
    """Where pods (EKS Pod Identity) and instances (EC2, its second version) are told their role's credentials."""

    def __init__(self, store: SeaweedWithRoles) -> None:
        self._store = store
        super().__init__()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if target == "/v1/credentials" and headers.get("Authorization") == POD_TOKEN:
            return 200, {}, json.dumps(self._store.assume_role()).encode()
        if target == "/latest/api/token" and method == "PUT" and headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            return 200, {}, METADATA_TOKEN.encode()
        if headers.get("X-aws-ec2-metadata-token") == METADATA_TOKEN:
            role = "/latest/meta-data/iam/security-credentials/"
            if target == role:
                return 200, {}, b"runyard"
            if target == f"{role}runyard":
                return 200, {}, json.dumps(self._store.assume_role()).encode()
        return 401, {}, b"no"


class AzureDoor(Endpoint):
    """Azure's log-in, its metadata services, and before Azurite a door that lets in whom they gave a token.

    Azurite itself takes tokens over TLS alone. Behind the door it is asked with a shared access signature.
    """

    def __init__(self, azurite: Azurite) -> None:
        self._azurite = azurite
        super().__init__()

    @property
    def connection_string(self) -> str:
        """The storage account behind the door, without a key."""
        return f"AccountName={AZURITE_ACCOUNT};BlobEndpoint={self.url}/{AZURITE_ACCOUNT}"

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        path = target.partition("?")[0]
        if path.endswith("/token"):
            is_known = self._is_known(method, path, target, headers, body)
            token = {
                "access_token": AZURE_TOKEN,
                "token_type": "Bearer",
                "expires_in": 3600,
                "expires_on": "4000000000",
            }
            return (200, {}, json.dumps(token).encode()) if is_known else (401, {}, b'{"error": "invalid_client"}')
        # A key that only Azure could make, for addresses: this account may not have it.
        if headers.get("Authorization") != f"Bearer {AZURE_TOKEN}" or "comp=userdelegationkey" in target:
            return 403, {}, b"<Error><Code>AuthorizationPermissionMismatch</Code></Error>"
        if "comp=batch" in target:
            return self._answer_batch(body)
        kept = {name: value for name, value in headers.items() if name.lower() not in {*_HOP_BY_HOP, "authorization"}}
        return self._ask_azurite(method, target, kept, body)

    def _answer_batch(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Do one by one what a request asks for with the requests in it; Azurite takes none with a signature."""
        parts = []
        for number, path in enumerate(re.findall(rb"(?m)^DELETE (\S+) ", body)):
            status, _, _ = self._ask_azurite("DELETE", path.decode(), {"x-ms-version": "2023-11-03"}, b"")
            parts.append(
                f"--answer\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                f"HTTP/1.1 {status} Done\r\nContent-Length: 0\r\n\r\n\r\n"
            )
        content = "".join([*parts, "--answer--\r\n"]).encode()
        return 202, {"Content-Type": "multipart/mixed; boundary=answer"}, content

    def _ask_azurite(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._azurite.port, timeout=60)
        try:
            connection.request(method, f"{target}{'&' if '?' in target else '?'}{account_signature()}", body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers.items()), answer.read()
        finally:
            connection.close()

    def _is_known(self, method: str, path: str, target: str, headers: Any, body: bytes) -> bool:
        if method == "POST" and path == f"/{AZURE_TENANT}/oauth2/v2.0/token":
            asked = {name: value for name, [value] in parse_qs(body.decode()).items()}
            has_secret = asked.get("client_secret") == AZURE_SECRET
            return asked.get("client_id") == AZURE_CLIENT and (
                has_secret or asked.get("client_assertion") == AZURE_FEDERATED
            )
        is_for_storage = "resource=https%3A%2F%2Fstorage.azure.com" in target
        if path == "/metadata/identity/oauth2/token":
            return headers.get("Metadata") == "true" and is_for_storage
        return path == "/msi/token" and headers.get("X-IDENTITY-HEADER") == AZURE_APP_SERVICE and is_for_storage


def account_signature() -> str:
    """Return a shared access signature for all of Azurite's account, as a query."""
    end = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = [AZURITE_ACCOUNT, "rwdlac", "b", "sco", "", end, "", "", _SAS_VERSION, "", ""]
    signature = hmac.digest(base64.b64decode(AZURITE_KEY), "\n".join(fields).encode(), "sha256")
    query = {"sv": _SAS_VERSION, "ss": "b", "srt": "sco", "sp": "rwdlac", "se": end}
    return urlencode({**query, "sig": base64.b64encode(signature).decode()})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Endpoint

    def handle_request_of_any_method(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.endpoint.answer(self.command, self.path, self.headers, body)
        self.send_response(status)
        size = len(content)
        for name, value in headers.items():
            if name.lower() == "content-length" and self.command == "HEAD":
                size = int(value)
            elif name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    # The names that the class looks for.
    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request_of_any_method  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""
