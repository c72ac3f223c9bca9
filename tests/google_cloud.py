"""Google Cloud Storage for the tests: Google's protocol and log-in before a real store.

The emulators that can be had speak Google's JSON protocol, and obstore the XML one: that of S3 with other names, so a
real S3 holds the objects. What this checks itself is who asks: a service account's signed token, a token of the
metadata server, or an address that a service account signed, each as Google's documents say.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tests.object_stores import Cloud, SeaweedFS
from tests.rsa_keys import RsaKey

# For which addresses are signed.
HOST: Final = "storage.googleapis.com"
ACCOUNT: Final = "runyard@tests.iam.gserviceaccount.com"
# What the metadata server gives out, as to a pod with workload identity.
METADATA_TOKEN: Final = "ya29.of-the-metadata-server"
_NOT_HANDED_ON: Final = frozenset({"host", "authorization", "connection", "transfer-encoding", "content-length"})


class GoogleCloud(Cloud):
    """A bucket of Google's, below ``url``."""

    def __init__(self, store: SeaweedFS) -> None:
        self._store = store
        self._key = RsaKey()
        # Of each request that was let in: whose it was.
        self.callers: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": self}))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def key(self) -> dict[str, Any]:
        """A service account's key, as Google's console gives it."""
        return {
            "type": "service_account",
            "client_email": ACCOUNT,
            "private_key": self._key.pem,
            "private_key_id": "1",
            "token_uri": f"{self.url}/token",
        }

    @property
    def environment(self) -> dict[str, str]:
        path = self._store.folder / "google.json"
        path.write_text(json.dumps(self.key), encoding="utf-8")
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(path), "RUNYARD_GCS_ENDPOINT_URL": self.url}

    def new_root(self) -> str:
        return self._store.new_root().replace("s3://", "gs://")

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def caller_of(self, method: str, target: str, authorization: str) -> str | None:
        """Return who sent a request; None where nobody says so credibly."""
        query = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        if "X-Goog-Signature" in query:
            return self._signer_of(method, target, query)
        kind, _, token = authorization.partition(" ")
        if kind != "Bearer":
            return None
        return "metadata" if token == METADATA_TOKEN else self._account_of(token)

    def _account_of(self, token: str) -> str | None:
        """Return whose a self-signed token is (its maker and its end are looked at)."""
        claims = self._key.claims_of(token)
        if claims is None or claims["iss"] != ACCOUNT or claims["exp"] < time.time():
            return None
        return "service account"

    def _signer_of(self, method: str, target: str, query: dict[str, str]) -> str | None:
        """Return who signed an address, by Google's V4 process."""
        signature = bytes.fromhex(query.pop("X-Goog-Signature"))
        began = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        if datetime.now(timezone.utc) > began + timedelta(seconds=int(query["X-Goog-Expires"])):
            return None
        names = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
        request = f"{method}\n{urlsplit(target).path}\n{names}\nhost:{HOST}\n\nhost\nUNSIGNED-PAYLOAD"
        account, _, scope = query["X-Goog-Credential"].partition("/")
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"{query['X-Goog-Algorithm']}\n{query['X-Goog-Date']}\n{scope}\n{digest}"
        return "signed address" if account == ACCOUNT and self._key.verify(text.encode(), signature) else None

    def ask_store(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """Send a request to the S3, by its names, and return status, headers and body."""
        parts = urlsplit(target)
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith("X-Goog-")]
        # Google takes an encoded slash for a slash, S3 does not.
        path = quote(unquote(parts.path), safe="/~")
        url = self._store.url + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        # Not at the top: the tests of machine learning have this module's fixture, and no botocore.
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        request = AWSRequest(method, url, {**headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, body)
        credentials = Credentials(self._store.ACCESS_KEY, self._store.SECRET_KEY)
        S3SigV4Auth(credentials, "s3", "eu-central-1").add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self._store.port, timeout=60)
        try:
            connection.request(method, url.removeprefix(self._store.url), body, dict(request.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    """Lets in who may, and hands on what is asked with S3's names for Google's."""

    protocol_version = "HTTP/1.1"
    cloud: GoogleCloud

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/computeMetadata/v1/instance/service-accounts/default/token"):
            is_asked_well = self.headers.get("Metadata-Flavor") == "Google"
            token = {"access_token": METADATA_TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            self._send(200 if is_asked_well else 403, {"Metadata-Flavor": "Google"}, json.dumps(token).encode())
            return
        caller = self.cloud.caller_of(self.command, self.path, self.headers.get("Authorization", ""))
        if caller is None:
            self._send(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
            return
        self.cloud.callers.append(caller)
        headers = _renamed(self.headers.items(), "x-goog-meta-", "x-amz-meta-")
        status, answered, content = self.cloud.ask_store(self.command, self.path, headers, body)
        renamed = _renamed(answered.items(), "x-amz-meta-", "x-goog-meta-")
        if self.command == "HEAD" and "Content-Length" in answered:
            renamed["content-length"] = answered["Content-Length"]
        self._send(status, renamed, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - the names that the class looks for

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _renamed(headers: Iterable[tuple[str, str]], before: str, after: str) -> dict[str, str]:
    named = ((name.lower(), value) for name, value in headers)
    return {name.replace(before, after): value for name, value in named if name not in _NOT_HANDED_ON}
