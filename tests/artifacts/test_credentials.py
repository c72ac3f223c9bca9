"""Each way in which a cloud's users let a server in, tried on a store that refuses everybody else."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runyard.artifacts import clouds
from runyard.artifacts.objects import ObjectStore
from runyard.errors import Unavailable
from tests import cloud_identities as identities
from tests.cloud_identities import AmazonMetadata, AzureDoor, Cluster, SeaweedWithRoles
from tests.google_cloud import GoogleCloud
from tests.nginx import Nginx
from tests.object_stores import AZURITE_ACCOUNT, AZURITE_KEY, Azurite
from tests.ports import free_port

pytestmark = pytest.mark.cloud
Environment = Callable[[dict[str, str]], None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """A function that leaves in the environment, of all that clouds look for, what it is given."""

    def replace(variables: dict[str, str]) -> None:
        for name in list(os.environ):
            if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GCE_", "IDENTITY_", "MLFLOW_S3")):
                monkeypatch.delenv(name)
        # No files of whoever runs the tests.
        for name, value in {"HOME": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)

    return replace


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def amazon(cluster: Cluster) -> Iterator[SeaweedWithRoles]:
    store = SeaweedWithRoles(cluster)
    yield store
    store.stop()


@pytest.fixture(scope="module")
def metadata(amazon: SeaweedWithRoles) -> Iterator[AmazonMetadata]:
    endpoint = AmazonMetadata(amazon)
    yield endpoint
    endpoint.stop()


@pytest.fixture
def encrypted(amazon: SeaweedWithRoles, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of the same S3 with TLS, and the file of the certificate that it has."""
    certificate, key, port = tmp_path / "certificate.pem", tmp_path / "key.pem", free_port()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    site = f"""
      server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{ proxy_pass {amazon.url}; proxy_set_header Host $http_host; }}
      }}
    """
    proxy = Nginx(site=site, port=port)
    yield f"https://localhost:{port}", certificate
    proxy.stop()


@pytest.fixture
def azure_door(azurite: Azurite) -> Iterator[AzureDoor]:
    door = AzureDoor(azurite)
    yield door
    door.stop()


def tried(uri: str) -> ObjectStore:
    """Write and read a file, and return the store."""
    store = ObjectStore(uri)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"content"

    async def write_and_read() -> bytes:
        await store.write("f", chunks())
        size = (await store.head("f")).size_bytes
        return b"".join([block async for block in await store.read("f", 0, size)])

    assert asyncio.run(write_and_read()) == b"content"
    return store


def fetched_by_address(store: ObjectStore) -> bytes:
    assert store.signer is not None
    signed = asyncio.run(store.signer.sign_read("f", timedelta(minutes=1)))
    with urllib.request.urlopen(signed.url, timeout=10) as answer:
        content: bytes = answer.read()
    return content


@pytest.fixture(params=["with Amazon's library", "without"])
def has_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "without":
        monkeypatch.setattr(clouds, "_amazon_session", lambda: None)
    return bool(request.param != "without")


class TestAmazon:
    def test_a_pod_has_the_role_of_its_service_account(
        self, amazon: SeaweedWithRoles, cluster: Cluster, environment: Environment, tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text(cluster.token())
        role = {
            "AWS_ROLE_ARN": identities.ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_STS": amazon.url,
            "AWS_REGION": "eu-west-1",
            "MLFLOW_S3_ENDPOINT_URL": amazon.url,
        }
        environment(role)
        store = tried(amazon.new_root())
        assert fetched_by_address(store) == b"content"
        assert store.signer is not None
        begun = asyncio.run(store.signer.start_upload("g", 1, timedelta(minutes=1)))
        assert "X-Amz-Security-Token" in begun.parts[0].url
        (tmp_path / "token").write_text(cluster.token()[:-8] + "AAAAAAAA")
        environment(role)
        with pytest.raises(Unavailable, match="does not let the server in"):
            tried(amazon.new_root())

    def test_a_pod_has_its_role_without_amazons_library_too(
        self,
        amazon: SeaweedWithRoles,
        cluster: Cluster,
        encrypted: tuple[str, Path],
        environment: Environment,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setattr(clouds, "_amazon_session", lambda: None)
        (tmp_path / "token").write_text(cluster.token())
        url, certificate = encrypted
        environment(
            {
                "AWS_ROLE_ARN": identities.ROLE,
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
                "AWS_ENDPOINT_URL_STS": url,
                "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": url,
                "AWS_CA_BUNDLE": str(certificate),
            }
        )
        tried(amazon.new_root())

    @pytest.mark.usefixtures("has_library")
    def test_a_pod_has_the_role_that_its_node_tells(
        self, amazon: SeaweedWithRoles, metadata: AmazonMetadata, environment: Environment, tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text(identities.POD_TOKEN)
        environment(
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.url}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
                "MLFLOW_S3_ENDPOINT_URL": amazon.url,
                "AWS_REGION": "eu-west-1",
            }
        )
        assert fetched_by_address(tried(amazon.new_root())) == b"content"

    @pytest.mark.usefixtures("has_library")
    def test_an_instance_has_its_role(
        self, amazon: SeaweedWithRoles, metadata: AmazonMetadata, environment: Environment
    ) -> None:
        environment(
            {
                # Each has a name of its own for it.
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
                "AWS_METADATA_ENDPOINT": metadata.url,
                "MLFLOW_S3_ENDPOINT_URL": amazon.url,
                "AWS_REGION": "eu-west-1",
            }
        )
        assert fetched_by_address(tried(amazon.new_root())) == b"content"

    def test_a_profile_names_keys_and_region(
        self, amazon: SeaweedWithRoles, environment: Environment, tmp_path: Path
    ) -> None:
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "credentials").write_text(
            f"[ml]\naws_access_key_id = {amazon.ACCESS_KEY}\naws_secret_access_key = {amazon.SECRET_KEY}\n"
        )
        (tmp_path / ".aws" / "config").write_text("[profile ml]\nregion = eu-south-2\n")
        environment({"AWS_PROFILE": "ml", "MLFLOW_S3_ENDPOINT_URL": amazon.url})
        store = tried(amazon.new_root())
        assert store.bucket.store.config["region"] == "eu-south-2"
        assert fetched_by_address(store) == b"content"

    @pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
    def test_addresses_are_signed_for_the_buckets_region(
        self, amazon: SeaweedWithRoles, environment: Environment, name: str
    ) -> None:
        environment({**amazon.environment, "AWS_DEFAULT_REGION": "us-east-1", name: "eu-west-3"})
        store = ObjectStore(amazon.new_root())
        assert store.signer is not None
        signed = asyncio.run(store.signer.sign_read("f", timedelta(minutes=1)))
        assert "%2Feu-west-3%2Fs3%2F" in signed.url

    @pytest.mark.usefixtures("has_library")
    def test_a_public_bucket_is_asked_without_credentials(
        self, amazon: SeaweedWithRoles, environment: Environment
    ) -> None:
        environment({**amazon.environment, "AWS_SKIP_SIGNATURE": "true"})
        store = ObjectStore(amazon.new_root())
        assert store.signer is None
        # This one is not public.
        with pytest.raises(Unavailable, match="does not let the server in"):
            asyncio.run(store.ping())


# Each way of Azure's: what the environment has, and whether the server can sign addresses then.
AZURE_WAYS = {
    "an account's key": ({"AZURE_STORAGE_ACCESS_KEY": AZURITE_KEY}, True),
    "a shared access signature": ({"AZURE_STORAGE_SAS_TOKEN": "{signature}"}, False),
    "workload identity": ({"AZURE_FEDERATED_TOKEN_FILE": "{token_file}", "AZURE_AUTHORITY_HOST": "{door}"}, False),
    "a service principal": ({"AZURE_CLIENT_SECRET": identities.AZURE_SECRET, "AZURE_AUTHORITY_HOST": "{door}"}, False),
    "managed identity of a machine": ({"AZURE_MSI_ENDPOINT": "{door}/metadata/identity/oauth2/token"}, False),
    "managed identity of an app service": (
        {"IDENTITY_ENDPOINT": "{door}/msi/token", "IDENTITY_HEADER": identities.AZURE_APP_SERVICE},
        False,
    ),
}


class TestAzure:
    @pytest.mark.parametrize("way", AZURE_WAYS)
    @pytest.mark.parametrize("scheme", ["abfss", "wasbs"])
    def test_each_way_leads_in(
        self, way: str, scheme: str, azurite: Azurite, azure_door: AzureDoor, environment: Environment, tmp_path: Path
    ) -> None:
        variables, can_sign = AZURE_WAYS[way]
        (tmp_path / "token").write_text(identities.AZURE_FEDERATED)
        known = {
            "signature": identities.account_signature(),
            "token_file": str(tmp_path / "token"),
            "door": azure_door.url,
        }
        needs_door = "door" in "".join(variables.values())
        principal = {"AZURE_CLIENT_ID": identities.AZURE_CLIENT, "AZURE_TENANT_ID": identities.AZURE_TENANT}
        at_azurite = f"AccountName={AZURITE_ACCOUNT};BlobEndpoint={azurite.url}"
        environment(
            {
                "AZURE_STORAGE_CONNECTION_STRING": azure_door.connection_string if needs_door else at_azurite,
                **(principal if "AZURE_AUTHORITY_HOST" in variables else {}),
                **{name: value.format(**known) for name, value in variables.items()},
            }
        )
        root = azurite.new_root()
        if scheme == "abfss":
            root = root.replace("wasbs://", "abfss://").replace(".blob.", ".dfs.")
        store = tried(root)
        assert (store.signer is not None and asyncio.run(store.signer.can_sign())) is can_sign
        if can_sign:
            assert fetched_by_address(store) == b"content"

    def test_who_azure_does_not_know_is_told_so(
        self, azurite: Azurite, azure_door: AzureDoor, environment: Environment
    ) -> None:
        environment(
            {
                "AZURE_STORAGE_CONNECTION_STRING": azure_door.connection_string,
                "AZURE_CLIENT_ID": identities.AZURE_CLIENT,
                "AZURE_TENANT_ID": identities.AZURE_TENANT,
                "AZURE_CLIENT_SECRET": "another",
                "AZURE_AUTHORITY_HOST": azure_door.url,
            }
        )
        with pytest.raises(Unavailable, match=r"does not let the server in \(status 401\)") as told:
            tried(azurite.new_root())
        assert "another" not in str(told.value)

    def test_a_public_container_is_asked_without_credentials(self, azurite: Azurite, environment: Environment) -> None:
        environment(
            {
                "AZURE_STORAGE_CONNECTION_STRING": f"AccountName={AZURITE_ACCOUNT};BlobEndpoint={azurite.url}",
                "AZURE_SKIP_SIGNATURE": "true",
            }
        )
        store = ObjectStore(azurite.new_root())
        assert store.signer is None
        # This one is not public, and Azurite says of a container that it may not show that there is none.
        with pytest.raises(Unavailable):
            asyncio.run(store.ping())


class TestGoogle:
    def test_a_service_accounts_key_leads_in(self, google_cloud: GoogleCloud, environment: Environment) -> None:
        environment(google_cloud.environment)
        google_cloud.callers.clear()
        tried(google_cloud.new_root())
        assert set(google_cloud.callers) == {"service account"}

    def test_a_pod_has_the_identity_that_the_metadata_server_tells(
        self, google_cloud: GoogleCloud, environment: Environment
    ) -> None:
        environment({"RUNYARD_GCS_ENDPOINT_URL": google_cloud.url, "GCE_METADATA_HOST": google_cloud.address})
        google_cloud.callers.clear()
        tried(google_cloud.new_root())
        assert set(google_cloud.callers) == {"metadata"}

    def test_a_key_of_another_is_refused(
        self, google_cloud: GoogleCloud, environment: Environment, tmp_path: Path
    ) -> None:
        (tmp_path / "key.json").write_text(json.dumps({**google_cloud.key, "client_email": "somebody@example.com"}))
        environment(
            {
                "RUNYARD_GCS_ENDPOINT_URL": google_cloud.url,
                "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
            }
        )
        with pytest.raises(Unavailable, match=r"does not let the server in \(AccessDenied\)"):
            tried(google_cloud.new_root())

    def test_a_public_bucket_is_asked_without_credentials(
        self, google_cloud: GoogleCloud, environment: Environment
    ) -> None:
        environment({"STORAGE_EMULATOR_HOST": google_cloud.address, "GOOGLE_SKIP_SIGNATURE": "true"})
        store = ObjectStore(google_cloud.new_root())
        assert store.signer is None
        with pytest.raises(Unavailable, match="AccessDenied"):
            asyncio.run(store.ping())
